/* SPDX-License-Identifier: MIT
 *
 * Generations that end without taking the state along that others are made of:
 * the newest version of each path moves to the one that goes on from them.
 */
#include "store/db.h"

#include <string.h>

struct move {
	uint32_t path, from, into; /* into 0: it only goes */
};

struct absorbing {
	const struct absorbed *list;
	size_t list_count;
	size_t app_len;
	struct move *moves;
	size_t count, room;
	size_t of_path; /* the first move of the path that the walk is at */
};

static int compare(const void *a, const void *b)
{
	const struct absorbed *x = a, *y = b;

	return x->generation < y->generation ? -1 : x->generation > y->generation;
}

/* What moves into the same one is older than what comes now. */
static void supersede(struct absorbing *a, uint32_t into)
{
	for (size_t i = a->of_path; i < a->count; i++) {
		if (a->moves[i].into == into)
			a->moves[i].into = 0;
	}
}

/* Keys come by path, then by generation. */
static int see(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct absorbing *a = data;
	struct absorbed wanted;
	const struct absorbed *found;
	uint32_t path;

	(void)body;
	if (key_len != a->app_len + 8)
		return 0;
	path = be32(key + a->app_len);
	wanted.generation = be32(key + a->app_len + 4);
	if (a->count > a->of_path && a->moves[a->count - 1].path != path)
		a->of_path = a->count;
	found = bsearch(&wanted, a->list, a->list_count, sizeof(wanted), compare);
	supersede(a, found ? found->into : wanted.generation);
	if (!found)
		return 0;
	if (a->count == a->room) {
		a->room = a->room ? 2 * a->room : 256;
		a->moves = xrealloc(a->moves, a->room * sizeof(*a->moves));
	}
	a->moves[a->count++] = (struct move){ path, found->generation, found->into };
	return 0;
}

static void version_key(struct key *key, const char *app, uint32_t path, uint32_t generation)
{
	key_init(key);
	key_text(key, app);
	key_u32(key, path);
	key_u32(key, generation);
}

static int move_one(struct store_txn *txn, const char *app, const struct move *m, struct err *err)
{
	struct key from, into;
	struct rd body;
	int found;

	version_key(&from, app, m->path, m->from);
	found = m->into ? db_get(txn, DB_VERSIONS, &from, &body, NULL, err) : 0;
	if (found == 1) {
		struct wr *w = db_record(txn);

		wr_bytes(w, body.p, (size_t)(body.end - body.p));
		version_key(&into, app, m->path, m->into);
		found = db_put(txn, DB_VERSIONS, &into, w, err);
	}
	if (found < 0 || db_delete(txn, DB_VERSIONS, &from, err) < 0)
		return -1;
	return m->into ? 0 : path_drop_unused(txn, app, m->path, err);
}

static int delete_generation(struct store_txn *txn, const char *app, uint32_t number, struct err *err)
{
	struct key key;

	if (grants_then_forget(txn, app, number, err) < 0)
		return -1;
	key_init(&key);
	key_text(&key, app);
	key_u32(&key, number);
	return db_delete(txn, DB_GENERATIONS, &key, err) < 0 ? -1 : 0;
}

int store_generations_absorb(struct store_txn *txn, const char *app, const struct absorbed *list, size_t count,
			     struct err *err)
{
	struct absorbing a = { .list = list, .list_count = count, .app_len = strlen(app) + 1 };
	struct key prefix;
	int rc;

	key_init(&prefix);
	key_text(&prefix, app);
	rc = db_each(txn, DB_VERSIONS, &prefix, see, &a, err);
	for (size_t i = 0; i < a.count && rc == 0; i++)
		rc = move_one(txn, app, &a.moves[i], err);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = delete_generation(txn, app, list[i].generation, err);
	free(a.moves);
	return rc;
}
