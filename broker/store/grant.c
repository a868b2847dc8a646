/* SPDX-License-Identifier: MIT
 *
 * Answers that last. Key: app, permission, item.
 */
#include "store/db.h"

#include <errno.h>
#include <string.h>

static void grant_key(struct key *key, const char *app, const char *permission, const char *item)
{
	key_init(key);
	key_text(key, app);
	key_text(key, permission);
	key_text(key, item);
}

void grant_encode(struct wr *w, const struct grant_record *g)
{
	wr_u8(w, (uint8_t)g->give);
	wr_u8(w, (uint8_t)g->lasts.lasts);
	wr_u64(w, g->lasts.ms);
	wr_str(w, g->boot_id);
	wr_u64(w, g->until_boot_ms);
	wr_u64(w, g->wall_ms);
	wr_u64(w, g->copy_serial);
	wr_u8(w, g->locked);
	wr_str(w, g->by);
	wr_u64(w, g->used_powered_ms);
	wr_u64(w, g->lapsed_wall_ms);
}

bool grant_decode(struct rd *r, struct grant_record *g)
{
	uint8_t give = rd_u8(r), lasts = rd_u8(r);

	g->give = give < GIVE_COUNT ? (enum give)give : GIVE_NO;
	g->lasts.lasts = lasts < LASTS_COUNT ? (enum lasts)lasts : LASTS_ONCE;
	g->lasts.ms = rd_u64(r);
	rd_str(r, g->boot_id, sizeof(g->boot_id));
	g->until_boot_ms = rd_u64(r);
	g->wall_ms = rd_u64(r);
	g->copy_serial = rd_u64(r);
	g->locked = rd_u8(r) != 0;
	rd_str(r, g->by, sizeof(g->by));
	g->used_powered_ms = rd_u64(r);
	if (!rd_end(r)) /* as written since answers lapse */
		g->lapsed_wall_ms = rd_u64(r);
	return rd_end(r) && give < GIVE_COUNT && lasts < LASTS_COUNT;
}

/* Takes one text off the key. */
static bool split_text(const uint8_t **key, size_t *len, char *to, size_t size)
{
	size_t n = strnlen((const char *)*key, *len);

	if (n == *len || n >= size)
		return false;
	memcpy(to, *key, n + 1);
	*key += n + 1;
	*len -= n + 1;
	return true;
}

bool grant_split(const uint8_t *key, size_t len, struct grant_record *g)
{
	return split_text(&key, &len, g->permission, sizeof(g->permission)) &&
	       split_text(&key, &len, g->item, sizeof(g->item)) && len == 0;
}

static bool split_key(const uint8_t *key, size_t len, struct grant_record *g)
{
	return split_text(&key, &len, g->app, sizeof(g->app)) && grant_split(key, len, g);
}

int store_grant_get(struct store_txn *txn, const char *app, const char *permission, const char *item,
		    struct grant_record *ret, struct err *err)
{
	struct key key;
	struct rd body;
	int rc;

	memset(ret, 0, sizeof(*ret));
	grant_key(&key, app, permission, item);
	rc = db_get(txn, DB_GRANTS, &key, &body, NULL, err);
	if (rc != 1)
		return rc;
	if (grant_decode(&body, ret) && split_key(key.buf, key.len, ret))
		return 1;
	db_count_broken(txn);
	memset(ret, 0, sizeof(*ret));
	return 0;
}

static int count_one(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	size_t *n = data;

	(void)key;
	(void)key_len;
	(void)body;
	return ++*n >= GRANTS_PER_APP_MAX;
}

/* So many that whoever takes some back, or keeps them, sees all of them. */
static int check_room(struct store_txn *txn, const struct grant_record *grant, const struct key *key, struct err *err)
{
	struct key app;
	size_t n = 0;
	int found = db_any(txn, DB_GRANTS, key, err);

	if (found)
		return found < 0 ? -1 : 0;
	key_init(&app);
	key_text(&app, grant->app);
	found = db_each(txn, DB_GRANTS, &app, count_one, &n, err);
	if (found != 1)
		return found;
	err_set(err, E2BIG, "'%s' has %u answers already, as many as are kept", grant->app, GRANTS_PER_APP_MAX);
	return err_hint(err, "cowbell revoke %s %s takes back those for %s", grant->app, grant->permission,
			grant->permission);
}

int store_grant_put(struct store_txn *txn, const struct grant_record *grant, struct err *err)
{
	struct wr *w;
	struct key key;

	grant_key(&key, grant->app, grant->permission, grant->item);
	if (check_room(txn, grant, &key, err) < 0)
		return -1;
	w = db_record(txn);
	grant_encode(w, grant);
	return db_put(txn, DB_GRANTS, &key, w, err);
}

int store_grant_delete(struct store_txn *txn, const char *app, const char *permission, const char *item,
		       struct err *err)
{
	struct key key;

	grant_key(&key, app, permission, item);
	return db_delete(txn, DB_GRANTS, &key, err);
}

struct grant_walk {
	struct store_txn *txn;
	int (*fn)(void *data, const struct grant_record *grant);
	void *data;
};

static int visit(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct grant_walk *walk = data;
	struct grant_record g = { 0 };

	/* A broken grant is no grant: it will be asked again. */
	if (!body)
		return 0;
	if (!split_key(key, key_len, &g) || !grant_decode(body, &g)) {
		db_count_broken(walk->txn);
		return 0;
	}
	return walk->fn(walk->data, &g);
}

int store_grant_each(struct store_txn *txn, const char *app, int (*fn)(void *data, const struct grant_record *grant),
		     void *data, struct err *err)
{
	struct grant_walk walk = { txn, fn, data };
	struct key prefix;

	key_init(&prefix);
	if (app)
		key_text(&prefix, app);
	return db_each(txn, DB_GRANTS, &prefix, visit, &walk, err);
}
