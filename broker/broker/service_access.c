/* SPDX-License-Identifier: MIT
 *
 * Permissions, grants and their taking back on the public socket.
 */
#include "base/log.h"
#include "broker/access.h"
#include "broker/answer.h"
#include "broker/autostart.h"
#include "broker/generation.h"
#include "broker/job.h"
#include "broker/lapse.h"
#include "broker/network.h"
#include "broker/prompt.h"
#include "broker/service.h"
#include "broker/turn.h"
#include "broker/usage.h"
#include "varlink/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct names_walk {
	char (*ids)[APP_ID_SIZE];
	size_t count;
};

static int add_name(void *data, const struct app_record *app)
{
	struct names_walk *walk = data;

	if (app->state != APP_READY)
		return 0;
	walk->ids = xrealloc(walk->ids, (walk->count + 1) * sizeof(*walk->ids));
	(void)snprintf(walk->ids[walk->count++], APP_ID_SIZE, "%s", app->id);
	return 0;
}

SERVICE_METHOD(service_permissions)
{
	struct broker *broker = data;
	const char *app = service_str(params, "app");
	struct names_walk walk = { 0 };
	json_t *all = json_array();
	struct usage *usage;
	struct err err = { 0 };
	struct store_txn *txn;
	int rc = 0;

	if (app && service_get_app(broker, call, app, NULL) != 1) {
		json_decref(all);
		return;
	}
	usage = usage_read(broker, app);
	if (app) {
		json_decref(all);
		varlink_reply(call, json_pack("{s:o}", "permissions", service_json_permissions(broker, app, usage)));
		usage_free(usage);
		return;
	}
	txn = store_begin(broker->store, false, &err);
	rc = txn ? store_app_each(txn, add_name, &walk, &err) : -1;
	store_abort(txn);
	for (size_t i = 0; i < walk.count; i++) {
		json_t *one = service_json_permissions(broker, walk.ids[i], usage);

		json_array_extend(all, one);
		json_decref(one);
	}
	free(walk.ids);
	usage_free(usage);
	if (rc < 0) {
		json_decref(all);
		service_fail(call, &err);
	} else {
		varlink_reply(call, json_pack("{s:o}", "permissions", all));
	}
}

/* Reads app and permission of a call; false: it was answered. */
static bool get_target(struct broker *broker, struct varlink_call *call, json_t *params, const char **app,
		       struct permission_ref *ref)
{
	struct err err = { 0 };

	*app = service_str(params, "app");
	if (service_get_app(broker, call, *app, NULL) != 1)
		return false;
	if (permission_ref_parse(service_str(params, "permission"), ref, &err) < 0) {
		service_fail(call, &err);
		return false;
	}
	if (ref->permission->is_device && !access_has_gate(broker, ref->permission)) {
		err_set(&err, EINVAL, "'%s' is not a permission of this device", ref->permission->name);
		err_hint(&err, "the board '%s' has none; cowbell doctor says what it has", broker->board.name);
		service_fail(call, &err);
		return false;
	}
	return true;
}

/* What a live session was given, or was to be given, under another answer is taken
 * back, so that its next use meets the new one; then the caller hears. */
struct regrant {
	struct broker *broker;
	struct varlink_call *call;
	char app[APP_ID_SIZE];
	struct permission_ref ref;
};

/* An answer that something above it overrules is kept, and its person is told. */
static void reply_granted(struct broker *broker, struct varlink_call *call, const char *app,
			  const struct permission_ref *ref)
{
	struct access_decision found = access_decide(broker, session_find(broker, app), app, ref);
	char warning[600];

	if (found.decision.by != DECIDED_ENFORCE && found.decision.by != DECIDED_BROKEN) {
		varlink_reply(call, json_pack("{s:n}", "warning"));
		return;
	}
	(void)snprintf(warning, sizeof(warning), "kept, but it is %s all the same: %s decides (%s)",
		       give_name(found.decision.give), decided_by_name(found.decision.by), found.decision.why);
	varlink_reply(call, json_pack("{s:s}", "warning", warning));
}

static void on_regiven(void *data, uint32_t held)
{
	struct regrant *r = data;
	struct session *session = session_find(r->broker, r->app);

	if (held && session)
		session_notice(session, "open files from the earlier answer stay open (cowbell stop ends them)");
	reply_granted(r->broker, r->call, r->app, &r->ref);
	free(r);
}

static bool differs(const struct gate_state *state, enum give give)
{
	return state->revoking || (state->given != GIVE_NO && state->given != give);
}

/* false: there is nothing to wait for. */
static bool meet_new_answer(struct session *session, struct varlink_call *call, const struct answer *answer)
{
	const struct permission_ref *ref = &answer->ref;
	struct regrant *r;
	bool any = false;

	for (size_t i = 0; i < session->broker->gate_count; i++) {
		const struct gate *gate = &session->broker->gates[i];

		if (gate->permission == ref->permission && (!ref->item[0] || strcmp(ref->item, gate->item) == 0))
			any |= differs(&session->gates[i], answer->give);
	}
	if (!any)
		return false;
	r = xcalloc(1, sizeof(*r));
	r->broker = session->broker;
	r->call = call;
	r->ref = *ref;
	(void)snprintf(r->app, sizeof(r->app), "%s", answer->app);
	access_revoke(session, ref->permission, ref->item, on_regiven, r);
	return true;
}

/* "chosen" is a yes to each item, and to nothing else. */
static int grant_network(struct broker *broker, struct session *session, struct answer *answer, json_t *params,
			 struct err *err)
{
	char items[PROMPT_ITEMS_MAX][REACH_ITEM_SIZE];
	bool chosen = answer->give == GIVE_CHOSEN;
	struct answer_result result;
	size_t count;

	if (service_items(params, items, &count, err) < 0)
		return -1;
	if (chosen != (count > 0)) {
		err_set(err, EINVAL, chosen ? "'chosen' names no destination" : "items go with 'chosen' alone");
		return err_hint(err, "cowbell grant APP network chosen --item example.com");
	}
	if (!chosen)
		(void)snprintf(items[count++], sizeof(items[0]), "%s", answer->ref.item);
	answer->give = chosen ? GIVE_ALLOW : answer->give;
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(answer->ref.item, sizeof(answer->ref.item), "%.127s", items[i]);
		if (answer_store(broker, session, answer, &result, err) < 0)
			return -1;
		if (session)
			network_revoke(session, items[i], answer->give != GIVE_ALLOW);
	}
	return 0;
}

SERVICE_METHOD(service_grant)
{
	struct broker *broker = data;
	struct answer answer = { 0 };
	struct answer_result result;
	struct session *session;
	struct err err = { 0 };
	char by[64];

	if (!get_target(broker, call, params, &answer.app, &answer.ref))
		return;
	service_caller(call, by, sizeof(by));
	answer.by = by;
	session = session_find(broker, answer.app);
	if (json_array_size(json_object_get(params, "items")) && !network_is(answer.ref.permission)) {
		service_bad_input(call, "this permission is not given item by item", "leave --item out");
		return;
	}
	if (give_parse(service_str(params, "answer"), &answer.give, &err) < 0 ||
	    duration_parse(service_str(params, "for"), &answer.lasts, &err) < 0 ||
	    (network_is(answer.ref.permission) ? grant_network(broker, session, &answer, params, &err)
					       : answer_store(broker, session, &answer, &result, &err)) < 0) {
		service_fail(call, &err);
		return;
	}
	prompt_rethink(broker, answer.app);
	autostart_rethink(broker, answer.app);
	if (!session || network_is(answer.ref.permission) || !meet_new_answer(session, call, &answer))
		reply_granted(broker, call, answer.app, &answer.ref);
}

/* --- revoke --- */

struct revocation {
	struct broker *broker;
	struct varlink_call *call;
	struct turn *turn;
	char app[APP_ID_SIZE], was[16];
	struct permission_ref ref;
	bool stop, forget;
	uint32_t held;
	size_t gate; /* forget: the next one */
};

static void revocation_end(struct revocation *r, const struct err *err)
{
	turn_end(r->turn);
	if (err)
		service_fail(r->call, err);
	else
		varlink_reply(r->call, json_pack("{s:I, s:s}", "held", (json_int_t)r->held, "was", r->was));
	free(r);
}

static void forget_next(struct revocation *r);

static void on_forgotten(void *data, const struct job_result *result)
{
	struct revocation *r = data;
	struct err err = { 0 };

	if (result->code) {
		err_set(&err, result->code, "the private copy of '%s' is not wholly deleted: %s", r->app, result->why);
		revocation_end(r, &err);
		return;
	}
	forget_next(r);
}

static const struct job_ops forget_ops = { .on_done = on_forgotten };

struct app_layers {
	uint64_t lids[4096];
	size_t count;
};

static int add_layers(void *data, const struct generation_record *g)
{
	struct app_layers *all = data;
	uint64_t own[LAYERS_MAX + 1];
	size_t n = 0;

	own[n++] = g->own_layer;
	for (uint16_t i = 0; i < g->layer_count; i++)
		own[n++] = g->layers[i];
	for (size_t i = 0; i < n; i++) {
		bool known = own[i] == 0;

		for (size_t k = 0; k < all->count && !known; k++)
			known = all->lids[k] == own[i];
		if (!known && all->count < ARRAY_LEN(all->lids))
			all->lids[all->count++] = own[i];
	}
	return 0;
}

static void forget_gate(struct revocation *r, const struct gate *gate)
{
	struct app_layers *all = xcalloc(1, sizeof(*all));
	struct store_txn *txn;
	struct err err = { 0 };
	struct app_record app = { 0 };
	struct wr *w = xcalloc(1, sizeof(*w));
	char dir[64];

	txn = store_begin(r->broker->store, false, &err);
	if (txn && store_app_get(txn, r->app, &app, &err) == 1 && app.live)
		all->lids[all->count++] = app.live;
	if (!txn || store_generation_each(txn, r->app, add_layers, all, &err) < 0) {
		store_abort(txn);
		revocation_end(r, &err);
		goto out;
	}
	store_abort(txn);
	(void)snprintf(dir, sizeof(dir), ".cowbell/%u", gate->id);
	chan_begin(w, MSG_KEEPER_FORGET, 0);
	wr_str(w, dir);
	wr_u16(w, (uint16_t)all->count);
	for (size_t i = 0; i < all->count; i++)
		wr_u64(w, all->lids[i]);
	(void)job_start(r->broker, w, -1, &forget_ops, r);
out:
	app_record_finish(&app);
	free(all);
	free(w);
}

static void forget_next(struct revocation *r)
{
	while (r->gate < r->broker->gate_count) {
		const struct gate *gate = &r->broker->gates[r->gate++];

		if (gate->permission == r->ref.permission &&
		    (!r->ref.item[0] || strcmp(r->ref.item, gate->item) == 0)) {
			forget_gate(r, gate);
			return;
		}
	}
	revocation_end(r, NULL);
}

static void on_forget_turn(void *data)
{
	forget_next(data);
}

static void revocation_forget(struct revocation *r)
{
	r->held = 0;
	r->turn = turn_request(r->broker, r->app, on_forget_turn, r);
}

static void on_stopped(void *data)
{
	struct revocation *r = data;

	r->held = 0;
	if (r->forget)
		revocation_forget(r);
	else
		revocation_end(r, NULL);
}

static void on_revoked(void *data, uint32_t held)
{
	struct revocation *r = data;
	struct session *session = session_any(r->broker, r->app);

	r->held = held;
	if (session && r->stop) {
		session_wait_over(session, on_stopped, r);
		session_end(session);
	} else if (r->forget) {
		revocation_forget(r);
	} else {
		revocation_end(r, NULL);
	}
}

/* What was given stands in a store that cannot be written; whoever takes it back does not
 * want the app to go on with it meanwhile. */
static void revocation_failed(struct revocation *r, struct session *session, struct err *err)
{
	if (session) {
		session_end(session);
		err_wrap(err, "the answer could not be taken back, so it was stopped");
	}
	revocation_end(r, err);
}

SERVICE_METHOD(service_revoke)
{
	struct broker *broker = data;
	struct permission_ref ref;
	struct session *session;
	struct revocation *r;
	struct err err = { 0 };
	const char *app;
	char by[64];

	if (!get_target(broker, call, params, &app, &ref))
		return;
	session = session_find(broker, app);
	if (session && service_bool(params, "forget") && !service_bool(params, "stop")) {
		service_running(call, session);
		return;
	}
	r = xcalloc(1, sizeof(*r));
	r->broker = broker;
	r->call = call;
	r->ref = ref;
	r->stop = service_bool(params, "stop");
	r->forget = service_bool(params, "forget");
	(void)snprintf(r->app, sizeof(r->app), "%s", app);
	service_caller(call, by, sizeof(by));
	if (answer_forget(broker, session, app, &ref, by, r->was, sizeof(r->was), &err) < 0)
		revocation_failed(r, session, &err);
	else if (session)
		access_revoke(session, ref.permission, ref.item, on_revoked, r);
	else
		on_revoked(r, 0);
}

SERVICE_METHOD(service_lock)
{
	struct broker *broker = data;
	struct permission_ref ref;
	struct grant_record grant = { 0 };
	struct err err = { 0 };
	struct store_txn *txn;
	const char *app;
	int found;

	if (!get_target(broker, call, params, &app, &ref))
		return;
	txn = store_begin(broker->store, true, &err);
	found = txn ? store_grant_get(txn, app, ref.permission->name, ref.item, &grant, &err) : -1;
	if (found == 0 || (found == 1 && !broker_grant_live(broker, &grant))) {
		store_abort(txn);
		service_bad_input(call, "there is no answer to lock", "cowbell grant it first");
		return;
	}
	grant.locked = service_bool(params, "locked");
	grant.used_powered_ms = broker_powered_now(broker); /* of a lock of years, too */
	if (found < 0 || store_grant_put(txn, &grant, &err) < 0 ||
	    broker_note(broker, txn,
			&(struct history_note){ .kind = HISTORY_DECISION,
						.app = app,
						.permission = ref.permission->name,
						.item = ref.item,
						.what = grant.locked ? "locked" : "unlocked",
						.give = grant.give,
						.before = grant.give,
						.lasts = grant.lasts },
			&err) < 0) {
		store_abort(txn);
		service_fail(call, &err);
	} else if (store_commit(txn, &err) < 0) {
		service_fail(call, &err);
	} else {
		varlink_reply(call, NULL);
	}
}

SERVICE_METHOD(service_explain)
{
	struct broker *broker = data;
	struct permission_ref ref;
	struct usage *usage;
	const char *app;

	if (!get_target(broker, call, params, &app, &ref))
		return;
	usage = usage_read(broker, app);
	varlink_reply(call, json_pack("{s:o}", "permission", service_json_permission(broker, app, &ref, usage)));
	usage_free(usage);
}

SERVICE_METHOD(service_lapse)
{
	struct broker *broker = data;
	struct err err = { 0 };
	struct store_txn *txn;
	uint32_t days = service_number(params, "days");

	if (days > LAPSE_DAYS_MAX) {
		service_bad_input(call, "that are too many days", "at most 3650; 0 for never");
		return;
	}
	if (json_is_integer(json_object_get(params, "days")) && lapse_set(broker, days, &err) < 0) {
		service_fail(call, &err);
		return;
	}
	txn = store_begin(broker->store, false, &err);
	if (!txn) {
		service_fail(call, &err);
		return;
	}
	days = lapse_rule_get(txn).days;
	store_abort(txn);
	varlink_reply(call, json_pack("{s:I}", "days", (json_int_t)days));
}
