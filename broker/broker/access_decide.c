/* SPDX-License-Identifier: MIT
 *
 * What policy, grants and the answers of a session say, brought before decide().
 * What cannot be read says no.
 */
#include "broker/access.h"

#include "broker/lapse.h"
#include "policy/reach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define GRANTS_SEEN_MAX 64u

bool access_has_gate(const struct broker *broker, const struct permission *permission)
{
	for (size_t i = 0; i < broker->gate_count; i++) {
		if (broker->gates[i].permission == permission)
			return true;
	}
	return false;
}

struct grants_seen {
	struct broker *broker;
	const struct permission_ref *ref;
	struct grant_view views[GRANTS_SEEN_MAX];
	struct grant_record records[GRANTS_SEEN_MAX];
	struct lapse_rule lapse;
	char lapsed[96];
	char declared_text[256];
	const char *declared_list[64];
	const char *const *declared; /* NULL: the app has no manifest */
	size_t count;
};

static int see_grant(void *data, const struct grant_record *grant)
{
	struct grants_seen *seen = data;
	struct grant_view *view;

	/* Only what speaks of it: of the network there may be many. */
	if (strcmp(grant->permission, seen->ref->permission->name) != 0 || !broker_grant_live(seen->broker, grant) ||
	    !permission_covers(seen->ref, grant->item, grant->give))
		return 0;
	if (seen->count == GRANTS_SEEN_MAX)
		return 1; /* one that is not looked at may be a no */
	seen->records[seen->count] = *grant;
	view = &seen->views[seen->count++];
	view->give = grant->give;
	view->lasts = grant->lasts;
	view->locked = grant->locked;
	(void)snprintf(view->item, sizeof(view->item), "%s", grant->item);
	return 0;
}

static void see_session_answers(struct session *session, struct grants_seen *seen)
{
	for (struct session_answer *a = session->answers; a; a = a->next) {
		struct grant_view *view;
		struct grant_record *record;

		if (a->permission != seen->ref->permission || seen->count == GRANTS_SEEN_MAX ||
		    !permission_covers(seen->ref, a->item, a->give))
			continue;
		record = &seen->records[seen->count];
		memset(record, 0, sizeof(*record));
		record->copy_serial = a->copy_serial;
		(void)snprintf(record->item, sizeof(record->item), "%s", a->item);
		(void)snprintf(record->by, sizeof(record->by), "answered for this run");
		record->give = a->give;
		view = &seen->views[seen->count++];
		view->give = a->give;
		view->lasts = (struct duration){ .lasts = LASTS_RUN };
		view->locked = false;
		(void)snprintf(view->item, sizeof(view->item), "%s", a->item);
	}
}

/* What was said for this run stands before what was said earlier for longer;
 * decide() takes the first that fits best. */
/* The permissions that a bundle's manifest declares, into list, whose words lie in
 * buf; NULL: the app has no manifest. */
static const char *const *declared_of(struct store_txn *txn, const char *app, char buf[256], const char *list[64])
{
	struct app_record record = { 0 };
	struct err err = { 0 };
	char *save = NULL;
	size_t n = 0;
	bool has = store_app_get(txn, app, &record, &err) == 1 && strcmp(record.kind, "bundle") == 0;

	(void)snprintf(buf, 256, "%s", record.declared);
	app_record_finish(&record);
	if (!has)
		return NULL;
	for (char *w = strtok_r(buf, " ", &save); w && n < 63; w = strtok_r(NULL, " ", &save))
		list[n++] = w;
	list[n] = NULL;
	return list;
}

static int load_grants(struct broker *broker, struct session *session, const char *app, struct grants_seen *seen,
		       struct err *err)
{
	struct store_txn *txn;
	int rc;

	if (session)
		see_session_answers(session, seen);
	txn = store_begin(broker->store, false, err);
	if (!txn)
		return -1;
	rc = store_grant_each(txn, app, see_grant, seen, err);
	seen->lapse = lapse_rule_get(txn);
	lapse_says(txn, app, seen->ref->permission->name, seen->ref->item, seen->lapsed, sizeof(seen->lapsed));
	seen->declared = declared_of(txn, app, seen->declared_text, seen->declared_list);
	store_abort(txn);
	if (rc > 0)
		err_set(err, E2BIG, "more than %u of them speak of it", GRANTS_SEEN_MAX);
	return rc ? -1 : 0;
}

static void fill_from_grant(struct access_decision *ret, const struct grants_seen *seen)
{
	const struct grant_record *from;

	if (ret->decision.by == DECIDED_DEFAULT)
		(void)snprintf(ret->lapsed, sizeof(ret->lapsed), "%s", seen->lapsed);
	if (!ret->decision.grant)
		return;
	from = &seen->records[ret->decision.grant - seen->views];
	ret->copy_serial = from->copy_serial;
	ret->until_boot_ms = from->until_boot_ms;
	ret->granted_wall_ms = from->wall_ms;
	ret->locked = from->locked;
	ret->lapses_ms = lapse_told_ms(seen->broker, &seen->lapse, from);
	(void)snprintf(ret->by, sizeof(ret->by), "%s", from->by);
	(void)snprintf(ret->item, sizeof(ret->item), "%s", from->item);
}

struct access_decision access_decide(struct broker *broker, struct session *session, const char *app,
				     const struct permission_ref *ref)
{
	struct grants_seen *seen = xcalloc(1, sizeof(*seen));
	struct access_decision ret = { 0 };
	struct err err = { 0 };

	seen->broker = broker;
	seen->ref = ref;
	if (load_grants(broker, session, app, seen, &err) < 0) {
		ret.decision.give = GIVE_NO;
		ret.decision.by = DECIDED_BROKEN;
		(void)snprintf(ret.decision.why, sizeof(ret.decision.why), "grants cannot be read: %.200s", err.msg);
		free(seen);
		return ret;
	}
	ret.decision = decide(&(struct decide_input){
		.app = app,
		.ref = *ref,
		.admin = &broker->admin,
		.vendor = &broker->vendor,
		.grants = seen->views,
		.grant_count = seen->count,
		.declared = seen->declared,
	});
	fill_from_grant(&ret, seen);
	ret.decision.grant = NULL;
	if (!access_has_gate(broker, ref->permission)) {
		ret.decision.give = GIVE_NO;
		(void)snprintf(ret.decision.why, sizeof(ret.decision.why),
			       "this system has no gate for %s; every use is refused", ref->permission->name);
	}
	free(seen);
	return ret;
}

/* --- whether a whole scope of the network is open --- */

static bool is_scope(const char *item)
{
	return item[0] == '\0' || strcmp(item, REACH_LOCAL) == 0;
}

static int find_exact_refusal(void *data, const struct grant_record *grant)
{
	(void)data;
	return strcmp(grant->permission, "network") == 0 && !is_scope(grant->item) && grant->give != GIVE_ALLOW;
}

static bool rules_are_exact(const struct ruleset *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (strcmp(set->rules[i].permission, "network") == 0 && !is_scope(set->rules[i].item) &&
		    set->rules[i].give != GIVE_ALLOW)
			return true;
	}
	return false;
}

bool access_scope_is_open(struct broker *broker, struct session *session, bool local)
{
	const struct reach any = { .local = local };
	struct permission_ref ref = { .permission = permission_find("network"), .to = &any };
	struct err err = { 0 };
	struct store_txn *txn;
	int found;

	(void)snprintf(ref.item, sizeof(ref.item), "%s", local ? REACH_LOCAL : "");
	if (access_decide(broker, session, session->app, &ref).decision.give != GIVE_ALLOW ||
	    rules_are_exact(&broker->admin) || rules_are_exact(&broker->vendor))
		return false;
	for (struct session_answer *a = session->answers; a; a = a->next) {
		if (a->permission == ref.permission && !is_scope(a->item) && a->give != GIVE_ALLOW)
			return false;
	}
	txn = store_begin(broker->store, false, &err);
	found = txn ? store_grant_each(txn, session->app, find_exact_refusal, NULL, &err) : -1;
	store_abort(txn);
	return found == 0;
}
