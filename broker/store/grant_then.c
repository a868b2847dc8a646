/* SPDX-License-Identifier: MIT
 *
 * The answers that stood when a generation was made. Key: app, generation,
 * permission, item; under the permission "" stands that they were kept, so that
 * "none stood" and "nobody wrote it down" are two things.
 */
#include "store/db.h"

#include <errno.h>
#include <string.h>

#define KEPT ""

static void then_key(struct key *key, const char *app, uint32_t generation)
{
	key_init(key);
	key_text(key, app);
	key_u32(key, generation);
}

static int put(struct store_txn *txn, const struct grant_record *g, uint32_t generation, struct err *err)
{
	struct wr *w = db_record(txn);
	struct key key;

	then_key(&key, g->app, generation);
	key_text(&key, g->permission);
	key_text(&key, g->item);
	grant_encode(w, g);
	return db_put(txn, DB_GRANTS_THEN, &key, w, err);
}

struct grants_list {
	struct grant_record found[GRANTS_PER_APP_MAX];
	size_t count;
};

static int collect(void *data, const struct grant_record *grant)
{
	struct grants_list *list = data;

	if (list->count == ARRAY_LEN(list->found))
		return 1;
	list->found[list->count++] = *grant;
	return 0;
}

int store_grants_keep(struct store_txn *txn, const char *app, uint32_t generation, struct err *err)
{
	struct grants_list *list = xcalloc(1, sizeof(*list));
	struct grant_record kept = { .permission = KEPT };
	int rc = store_grant_each(txn, app, collect, list, err);

	/* More than fit are no whole picture, and half of one is none. */
	if (rc == 0) {
		(void)strncpy(kept.app, app, sizeof(kept.app) - 1);
		rc = put(txn, &kept, generation, err);
	}
	for (size_t i = 0; i < list->count && rc == 0; i++)
		rc = put(txn, &list->found[i], generation, err);
	free(list);
	return rc < 0 ? -1 : 0;
}

struct then_walk {
	struct store_txn *txn;
	const char *app;
	size_t skip;
	bool kept, broken;
	int (*fn)(void *data, const struct grant_record *grant);
	void *data;
};

static int visit(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct then_walk *walk = data;
	struct grant_record g = { 0 };

	if (!body || !grant_split(key + walk->skip, key_len - walk->skip, &g) || !grant_decode(body, &g)) {
		if (body)
			db_count_broken(walk->txn);
		walk->broken = true;
		return 0;
	}
	(void)strncpy(g.app, walk->app, sizeof(g.app) - 1);
	if (strcmp(g.permission, KEPT) == 0) {
		walk->kept = true;
		return 0;
	}
	return walk->fn(walk->data, &g);
}

int store_grants_then_each(struct store_txn *txn, const char *app, uint32_t generation,
			   int (*fn)(void *data, const struct grant_record *grant), void *data, struct err *err)
{
	struct then_walk walk = { .txn = txn, .app = app, .fn = fn, .data = data };
	struct key prefix;
	int rc;

	then_key(&prefix, app, generation);
	walk.skip = prefix.len;
	rc = db_each(txn, DB_GRANTS_THEN, &prefix, visit, &walk, err);
	if (rc == 0 && (!walk.kept || walk.broken)) {
		return err_set(err, ENOENT, "which answers of '%s' stood at generation %u is not %s", app, generation,
			       walk.broken ? "readable any more" : "written down");
	}
	return rc;
}

int grants_then_forget(struct store_txn *txn, const char *app, uint32_t generation, struct err *err)
{
	struct key prefix;

	then_key(&prefix, app, generation);
	return db_delete_some(txn, DB_GRANTS_THEN, &prefix, NULL, NULL, err) < 0 ? -1 : 0;
}
