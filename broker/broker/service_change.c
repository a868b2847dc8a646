/* SPDX-License-Identifier: MIT
 *
 * Rollback and reset on the public socket.
 */
#include "broker/generation.h"
#include "broker/grants_back.h"
#include "broker/service.h"
#include "broker/turn.h"
#include "varlink/server.h"

#include <stdio.h>
#include <string.h>

struct change_call {
	struct broker *broker;
	struct varlink_call *call;
	struct turn *turn;
	char app[APP_ID_SIZE];
	uint32_t to;
	bool reset, now, grants;
};

static void on_changed(void *data, const struct generation_change *change, const struct err *err)
{
	struct change_call *c = data;

	turn_end(c->turn);
	if (err)
		service_fail(c->call, err);
	else if (c->reset)
		varlink_reply(c->call, json_pack("{s:I, s:I, s:I, s:I, s:I}", "generation",
						 (json_int_t)change->generation, "before", (json_int_t)change->before,
						 "files", (json_int_t)change->files, "bytes", (json_int_t)change->bytes,
						 "generations", (json_int_t)change->generations));
	else
		varlink_reply(c->call, json_pack("{s:I, s:I}", "generation", (json_int_t)change->generation, "files",
						 (json_int_t)change->files));
	free(c);
}

static void on_change_turn(void *data)
{
	struct change_call *c = data;

	if (c->reset)
		generation_reset(c->broker, c->app, c->now, c->grants, on_changed, c);
	else
		generation_rollback(c->broker, c->app, c->to, c->grants, c->now, on_changed, c);
}

static void start_change(struct broker *broker, struct varlink_call *call, json_t *params, bool reset)
{
	const char *app = service_str(params, "app");
	struct session *session;
	struct change_call *c;

	if (service_get_app(broker, call, app, NULL) != 1)
		return;
	session = session_find(broker, app);
	if (session && !service_bool(params, "stop")) {
		service_running(call, session);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->broker = broker;
	c->call = call;
	c->reset = reset;
	c->now = service_bool(params, "now");
	c->grants = service_bool(params, reset ? "grants" : "with_grants");
	c->to = service_number(params, "generation");
	(void)snprintf(c->app, sizeof(c->app), "%s", app);
	c->turn = turn_request(broker, app, on_change_turn, c);
	if (session)
		session_end(session);
}

static json_t *json_answer(const struct grant_record *grant)
{
	char word[DURATION_TEXT_SIZE];

	if (grant->give == GIVE_ASK)
		return json_string("ask");
	duration_format(grant->lasts, word);
	return json_sprintf("%s (%s)", give_name(grant->give), word);
}

static json_t *json_changes(const struct grant_changes *changes)
{
	json_t *array = json_array();

	for (size_t i = 0; i < changes->count; i++) {
		const struct grant_change *c = &changes->of[i];
		char name[200];

		(void)snprintf(name, sizeof(name), "%s%s%s", c->before.permission, c->before.item[0] ? ":" : "",
			       c->before.item);
		json_array_append_new(array, json_pack("{s:s, s:o, s:o}", "permission", name, "before",
						       json_answer(&c->before), "after", json_answer(&c->after)));
	}
	return array;
}

SERVICE_METHOD(service_rollback_plan)
{
	struct broker *broker = data;
	const char *app = service_str(params, "app");
	struct grant_changes *changes;
	struct err err = { 0 };
	struct store_txn *txn;
	uint32_t of = 0;

	if (service_wait_settled(data, call, params, service_rollback_plan))
		return;
	if (service_get_app(broker, call, app, NULL) != 1)
		return;
	changes = xcalloc(1, sizeof(*changes));
	txn = store_begin(broker->store, false, &err);
	if (txn && generation_back_from(txn, app, service_number(params, "generation"), &of, &err) == 0 &&
	    grants_back_find(broker, txn, app, of, changes, &err) == 0)
		varlink_reply(call, json_pack("{s:I, s:o}", "of", (json_int_t)of, "grants", json_changes(changes)));
	else
		service_fail(call, &err);
	store_abort(txn);
	free(changes);
}

SERVICE_METHOD(service_rollback)
{
	start_change(data, call, params, false);
}

SERVICE_METHOD(service_reset)
{
	start_change(data, call, params, true);
}
