/* SPDX-License-Identifier: MIT
 *
 * A lapsed answer stays in its record, dead, so that the next question can say what
 * became of it; a new answer takes its place.
 */
#include "broker/lapse.h"

#include "base/log.h"
#include "broker/access.h"
#include "broker/background.h"
#include "broker/listen.h"
#include "broker/network.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define RULE "lapse" /* in meta */
#define LOOK_EVERY_MS ((uint64_t)3600 * 1000)
#define USED_AGAIN_MS ((uint64_t)3600 * 1000) /* a use within that of the last one is not written */

struct lapse_rule lapse_rule_get(struct store_txn *txn)
{
	char text[LAPSE_TEXT_SIZE];
	struct err err = { 0 };

	if (store_text_get(txn, RULE, text, sizeof(text), &err) < 0)
		text[0] = '\0';
	return lapse_rule_parse(text);
}

int lapse_set(struct broker *broker, uint32_t days, struct err *err)
{
	struct lapse_rule rule = { .days = days };
	struct store_txn *txn = store_begin(broker->store, true, err);
	char text[LAPSE_TEXT_SIZE];

	if (!txn)
		return -1;
	if (broker_powered_ms(broker, txn, &rule.since_ms, err) < 0)
		goto fail;
	lapse_rule_format(&rule, text);
	if (store_text_put(txn, RULE, text, err) < 0)
		goto fail;
	return store_commit(txn, err);
fail:
	store_abort(txn);
	return -1;
}

/* --- what is used --- */

struct grants {
	struct grant_record *of;
	size_t count, room;
	bool (*wanted)(void *data, const struct grant_record *grant);
	void *data;
};

static int collect(void *data, const struct grant_record *grant)
{
	struct grants *grants = data;

	if (!grants->wanted(grants->data, grant))
		return 0;
	if (grants->count == grants->room) {
		grants->room = grants->room ? 2 * grants->room : 16;
		grants->of = xrealloc(grants->of, grants->room * sizeof(*grants->of));
	}
	grants->of[grants->count++] = *grant;
	return 0;
}

struct use {
	const struct history_record *entry;
	uint64_t now;
};

static bool is_used(void *data, const struct grant_record *grant)
{
	const struct use *use = data;

	return !grant->lapsed_wall_ms && lapse_concerns(grant->give, grant->lasts.lasts, grant->locked) &&
	       strcmp(grant->permission, use->entry->permission) == 0 &&
	       lapse_is_use_of(grant->permission, use->entry->item, grant->item) &&
	       (grant->used_powered_ms > use->now || use->now - grant->used_powered_ms >= USED_AGAIN_MS);
}

int lapse_used(struct broker *broker, struct store_txn *txn, const struct history_record *entry, struct err *err)
{
	struct use use = { .entry = entry, .now = broker_powered_now(broker) };
	struct grants grants = { .wanted = is_used, .data = &use };
	int rc = 0;

	if (entry->kind != HISTORY_ACCESS || strcmp(entry->what, "used") != 0)
		return 0;
	if (store_grant_each(txn, entry->app, collect, &grants, err) < 0)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < grants.count; i++) {
		grants.of[i].used_powered_ms = use.now;
		rc = store_grant_put(txn, &grants.of[i], err);
	}
	free(grants.of);
	return rc;
}

/* --- what is due --- */

struct look {
	struct broker *broker;
	struct lapse_rule rule;
	uint64_t now;
};

/* In doubt: of the network it is not known which item the kernel still lets through,
 * and who runs in the background holds no gate. */
static bool is_in_use(struct broker *broker, const struct grant_record *grant)
{
	struct session *session = session_any(broker, grant->app);
	const struct permission *permission = permission_find(grant->permission);

	for (size_t i = 0; session && permission && i < broker->gate_count; i++) {
		if (broker->gates[i].permission == permission && session->gates[i].given != GIVE_NO &&
		    (network_is(permission) || listen_is(permission) || !grant->item[0] || strcmp(grant->item, broker->gates[i].item) == 0))
			return true;
	}
	return false;
}

/* Those of which something is to be written: the time of a use, or that it is over. */
static bool is_due(void *data, const struct grant_record *grant)
{
	const struct look *look = data;

	if (grant->lapsed_wall_ms || !lapse_concerns(grant->give, grant->lasts.lasts, grant->locked))
		return false;
	return grant->used_powered_ms == 0 || grant->used_powered_ms > look->now || is_in_use(look->broker, grant) ||
	       lapse_left_ms(&look->rule, grant->used_powered_ms, look->now) == 0;
}

static bool keeps(const struct look *look, const struct grant_record *grant)
{
	return grant->used_powered_ms == 0 || grant->used_powered_ms > look->now || is_in_use(look->broker, grant);
}

static int write_one(const struct look *look, struct store_txn *txn, struct grant_record *grant, struct err *err)
{
	char why[64];

	if (keeps(look, grant)) {
		grant->used_powered_ms = look->now;
		return store_grant_put(txn, grant, err);
	}
	grant->lapsed_wall_ms = loop_wall_ms();
	(void)snprintf(why, sizeof(why), "not used for %u days", look->rule.days);
	if (store_grant_put(txn, grant, err) < 0)
		return -1;
	return broker_note(look->broker, txn,
			   &(struct history_note){
				   .kind = HISTORY_DECISION,
				   .app = grant->app,
				   .permission = grant->permission,
				   .item = grant->item,
				   .what = "lapsed",
				   .why = why,
				   .give = GIVE_ASK,
				   .before = grant->give,
			   },
			   err);
}

static void on_gone(void *data, uint32_t held)
{
	(void)data;
	(void)held; /* it was not in use, so there is nothing to hold */
}

/* What was laid out for a first use of it goes. */
static void take_away(const struct look *look, const struct grant_record *grant)
{
	struct session *session = session_find(look->broker, grant->app);
	const struct permission *permission = permission_find(grant->permission);

	if (grant->lapsed_wall_ms && session && permission)
		access_revoke(session, permission, grant->item, on_gone, NULL);
}

static int look_now(struct broker *broker, struct look *look, struct grants *grants, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, true, err);

	if (!txn)
		return -1;
	/* Also so that a device whose power is always cut comes to count its time. */
	if (broker_powered_ms(broker, txn, &look->now, err) < 0)
		goto fail;
	look->rule = lapse_rule_get(txn);
	if (store_grant_each(txn, NULL, collect, grants, err) < 0)
		goto fail;
	for (size_t i = 0; i < grants->count; i++) {
		if (write_one(look, txn, &grants->of[i], err) < 0)
			goto fail;
	}
	return store_commit(txn, err);
fail:
	store_abort(txn);
	return -1;
}

static void on_look(void *data)
{
	struct broker *broker = data;
	struct look look = { .broker = broker };
	struct grants grants = { .wanted = is_due, .data = &look };
	struct err err = { 0 };

	loop_remove(broker->lapsing);
	broker->lapsing = loop_add_timer(broker->loop, LOOK_EVERY_MS, on_look, broker);
	if (look_now(broker, &look, &grants, &err) < 0)
		log_warn("unused answers stay: %s", err.msg);
	else
		for (size_t i = 0; i < grants.count; i++)
			take_away(&look, &grants.of[i]);
	free(grants.of);
}

void lapse_start(struct broker *broker)
{
	on_look(broker);
}

/* --- what is said --- */

uint64_t lapse_told_ms(const struct broker *broker, const struct lapse_rule *rule, const struct grant_record *grant)
{
	uint64_t left;

	if (!lapse_concerns(grant->give, grant->lasts.lasts, grant->locked) || grant->used_powered_ms == 0)
		return 0;
	left = lapse_left_ms(rule, grant->used_powered_ms, broker_powered_now(broker));
	if (!lapse_is_soon(rule, left))
		return 0;
	return left ? left : 1; /* it is gone within the hour */
}

void lapse_says(struct store_txn *txn, const char *app, const char *permission, const char *item, char *buf, size_t size)
{
	const char *const items[] = { item, "" };
	struct grant_record grant;
	struct err err = { 0 };
	char day[16];
	struct tm tm;
	time_t t;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(items) && !buf[0]; i++) {
		if (store_grant_get(txn, app, permission, items[i], &grant, &err) != 1 || !grant.lapsed_wall_ms)
			continue;
		t = (time_t)(grant.lapsed_wall_ms / 1000);
		if (!localtime_r(&t, &tm) || strftime(day, sizeof(day), "%Y-%m-%d", &tm) == 0)
			day[0] = '\0';
		(void)snprintf(buf, size, "you said %s; unused for long, it lapsed on %s", give_name(grant.give), day);
	}
}
