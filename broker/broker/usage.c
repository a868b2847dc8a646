/* SPDX-License-Identifier: MIT
 *
 * Entries are found by a hash of app, permission and item; there are as many as
 * apps have ever reached for things, which is few beside history itself.
 */
#include "broker/usage.h"

#include "base/log.h"
#include "broker/notes.h"

#include <stdio.h>
#include <string.h>

#define BUCKETS 1024u

struct entry {
	struct entry *next;
	char app[APP_ID_SIZE], permission[32], item[128];
	uint64_t count, last_ms;
};

struct usage {
	struct entry *buckets[BUCKETS];
};

static struct entry **bucket_of(struct usage *usage, const char *app, const char *permission)
{
	uint32_t h = 2166136261u;

	for (const char *p = app; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	for (const char *p = permission; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	return &usage->buckets[h % BUCKETS];
}

static struct entry *entry_for(struct usage *usage, const struct history_record *h)
{
	struct entry **bucket = bucket_of(usage, h->app, h->permission), *e;

	for (e = *bucket; e; e = e->next) {
		if (strcmp(e->app, h->app) == 0 && strcmp(e->permission, h->permission) == 0 &&
		    strcmp(e->item, h->item) == 0)
			return e;
	}
	e = xcalloc(1, sizeof(*e));
	(void)snprintf(e->app, sizeof(e->app), "%s", h->app);
	(void)snprintf(e->permission, sizeof(e->permission), "%s", h->permission);
	(void)snprintf(e->item, sizeof(e->item), "%s", h->item);
	e->next = *bucket;
	*bucket = e;
	return e;
}

/* What an app of this name did before it was uninstalled another one did. */
static void forget(struct usage *usage, const char *app)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct entry *e = usage->buckets[i]; e; e = e->next) {
			if (strcmp(e->app, app) == 0)
				e->count = e->last_ms = 0;
		}
	}
}

static int add(void *data, const struct history_record *h)
{
	struct entry *e;

	if (h->kind == HISTORY_LIFE && strcmp(h->what, "uninstalled") == 0)
		forget(data, h->app);
	if (h->kind != HISTORY_ACCESS)
		return 0;
	e = entry_for(data, h);
	e->count += h->count;
	e->last_ms = h->last_wall_ms;
	return 0;
}

struct usage *usage_read(struct broker *broker, const char *app)
{
	struct usage *usage = xcalloc(1, sizeof(*usage));
	struct err err = { 0 };
	struct store_txn *txn;

	notes_flush(broker);
	txn = store_begin(broker->store, false, &err);
	if (!txn || store_history_each(txn, app, NULL, 0, add, usage, &err) < 0)
		log_warn("use of permissions not counted: %s", err.msg);
	store_abort(txn);
	return usage;
}

void usage_free(struct usage *usage)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (usage->buckets[i]) {
			struct entry *e = usage->buckets[i];

			usage->buckets[i] = e->next;
			free(e);
		}
	}
	free(usage);
}

void usage_of(const struct usage *usage, const char *app, const struct permission_ref *ref, uint64_t *ret_count,
	      uint64_t *ret_last_ms)
{
	const char *permission = ref->permission->name;
	const struct entry *e = *bucket_of((struct usage *)(uintptr_t)usage, app, permission);

	*ret_count = *ret_last_ms = 0;
	for (; e; e = e->next) {
		if (strcmp(e->app, app) != 0 || strcmp(e->permission, permission) != 0 ||
		    (ref->item[0] && strcmp(e->item, ref->item) != 0))
			continue;
		*ret_count += e->count;
		*ret_last_ms = e->last_ms > *ret_last_ms ? e->last_ms : *ret_last_ms;
	}
}
