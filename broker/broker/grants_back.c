/* SPDX-License-Identifier: MIT */
#include "broker/grants_back.h"

#include <stdio.h>
#include <string.h>

struct find {
	struct broker *broker;
	struct grant_changes *changes;
	bool then; /* walking the answers of that time */
};

static struct grant_change *change_of(struct grant_changes *changes, const struct grant_record *grant)
{
	struct grant_change *c;

	for (size_t i = 0; i < changes->count; i++) {
		c = &changes->of[i];
		if (strcmp(c->before.permission, grant->permission) == 0 && strcmp(c->before.item, grant->item) == 0)
			return c;
	}
	if (changes->count == ARRAY_LEN(changes->of))
		return NULL;
	c = &changes->of[changes->count++];
	memset(c, 0, sizeof(*c));
	for (int i = 0; i < 2; i++) {
		struct grant_record *g = i ? &c->after : &c->before;

		memcpy(g->app, grant->app, sizeof(g->app));
		memcpy(g->permission, grant->permission, sizeof(g->permission));
		memcpy(g->item, grant->item, sizeof(g->item));
		g->give = GIVE_ASK;
	}
	return c;
}

static int see(void *data, const struct grant_record *grant)
{
	struct find *find = data;
	struct grant_change *c;

	/* What has run out by now was given for a time that is over, then as now. */
	if (!broker_grant_live(find->broker, grant))
		return 0;
	c = change_of(find->changes, grant);
	if (!c)
		return 1;
	*(find->then ? &c->after : &c->before) = *grant;
	return 0;
}

static bool is_same(const struct grant_change *c)
{
	return c->before.give == c->after.give && c->before.lasts.lasts == c->after.lasts.lasts &&
	       c->before.until_boot_ms == c->after.until_boot_ms && c->before.copy_serial == c->after.copy_serial;
}

int grants_back_find(struct broker *broker, struct store_txn *txn, const char *app, uint32_t generation,
		     struct grant_changes *ret, struct err *err)
{
	struct find find = { .broker = broker, .changes = ret };
	size_t kept = 0;

	ret->count = 0;
	if (store_grant_each(txn, app, see, &find, err) < 0)
		return -1;
	find.then = true;
	if (store_grants_then_each(txn, app, generation, see, &find, err) < 0)
		return -1;
	for (size_t i = 0; i < ret->count; i++) {
		if (!is_same(&ret->of[i]) && !ret->of[i].before.locked)
			ret->of[kept++] = ret->of[i];
	}
	ret->count = kept;
	return 0;
}

static int apply_one(struct broker *broker, struct store_txn *txn, const struct grant_change *c, struct err *err)
{
	struct grant_record after = c->after;

	if (after.give == GIVE_ASK)
		return store_grant_delete(txn, after.app, after.permission, after.item, err) < 0 ? -1 : 0;
	/* A lock of that time was taken off since: that stands. */
	after.locked = false;
	after.used_powered_ms = broker_powered_now(broker);
	return store_grant_put(txn, &after, err);
}

int grants_back_apply(struct broker *broker, struct store_txn *txn, const struct grant_changes *changes,
		      uint32_t generation, struct err *err)
{
	char why[64];

	(void)snprintf(why, sizeof(why), "with generation %u", generation);
	for (size_t i = 0; i < changes->count; i++) {
		const struct grant_change *c = &changes->of[i];

		if (apply_one(broker, txn, c, err) < 0)
			return -1;
		if (broker_note(broker, txn,
				&(struct history_note){
					.kind = HISTORY_DECISION,
					.app = c->after.app,
					.permission = c->after.permission,
					.item = c->after.item,
					.what = "rolled back",
					.why = why,
					.give = c->after.give,
					.before = c->before.give,
					.lasts = c->after.lasts,
				},
				err) < 0)
			return -1;
	}
	return 0;
}
