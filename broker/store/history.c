/* SPDX-License-Identifier: MIT
 *
 * What happened, in order of time, bounded. Equal accesses of one session are
 * one entry with a count.
 */
#include "store/db.h"

#include <stdio.h>
#include <string.h>

#define HISTORY_MAX 100000u
#define TRIM_STEP 256u
#define SESSIONS_FOLDED 256u

static void encode(struct wr *w, const struct history_record *h)
{
	wr_u64(w, h->wall_ms);
	wr_u64(w, h->boot_ms);
	wr_u8(w, (uint8_t)h->kind);
	wr_str(w, h->app);
	wr_str(w, h->permission);
	wr_str(w, h->item);
	wr_u8(w, (uint8_t)h->give);
	wr_u8(w, (uint8_t)h->before);
	wr_u8(w, (uint8_t)h->lasts.lasts);
	wr_u64(w, h->lasts.ms);
	wr_str(w, h->what);
	wr_str(w, h->why);
	wr_str(w, h->program);
	wr_u64(w, h->session);
	wr_u32(w, h->count);
	wr_u64(w, h->last_wall_ms);
}

static bool decode(struct rd *r, struct history_record *h)
{
	uint8_t kind, give, before, lasts;

	h->wall_ms = rd_u64(r);
	h->boot_ms = rd_u64(r);
	kind = rd_u8(r);
	rd_str(r, h->app, sizeof(h->app));
	rd_str(r, h->permission, sizeof(h->permission));
	rd_str(r, h->item, sizeof(h->item));
	give = rd_u8(r);
	before = rd_u8(r);
	lasts = rd_u8(r);
	h->lasts.ms = rd_u64(r);
	rd_str(r, h->what, sizeof(h->what));
	rd_str(r, h->why, sizeof(h->why));
	rd_str(r, h->program, sizeof(h->program));
	h->session = rd_u64(r);
	h->count = rd_u32(r);
	h->last_wall_ms = rd_u64(r);
	if (!rd_end(r) || kind > HISTORY_LIFE || give >= GIVE_COUNT || before >= GIVE_COUNT || lasts >= LASTS_COUNT)
		return false;
	h->kind = (enum history_kind)kind;
	h->give = (enum give)give;
	h->before = (enum give)before;
	h->lasts.lasts = (enum lasts)lasts;
	return true;
}

static int put_entry(struct store_txn *txn, uint64_t seq, const struct history_record *entry, struct err *err)
{
	struct wr *w = xcalloc(1, sizeof(*w));
	struct key key;
	int rc;

	key_init(&key);
	key_u64(&key, seq);
	encode(w, entry);
	rc = db_put(txn, DB_HISTORY, &key, w, err);
	free(w);
	return rc;
}

static int next_seq(struct store_txn *txn, uint64_t *ret, struct err *err)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	int rc = mdb_cursor_open(txn->txn, txn->store->dbi[DB_HISTORY], &cursor);

	if (rc)
		return db_fail(txn, rc, "read history", err);
	rc = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
	*ret = 1;
	if (rc == 0 && k.mv_size == 8) {
		const uint8_t *p = k.mv_data;

		*ret = 0;
		for (int i = 0; i < 8; i++)
			*ret = *ret << 8 | p[i];
		(*ret)++;
	}
	mdb_cursor_close(cursor);
	return rc && rc != MDB_NOTFOUND ? db_fail(txn, rc, "read history", err) : 0;
}

static int trim(struct store_txn *txn, struct err *err)
{
	MDB_stat stat;
	MDB_cursor *cursor;
	MDB_val k, v;
	int rc = mdb_stat(txn->txn, txn->store->dbi[DB_HISTORY], &stat);

	if (rc)
		return db_fail(txn, rc, "trim history", err);
	if (stat.ms_entries < HISTORY_MAX + TRIM_STEP)
		return 0;
	rc = mdb_cursor_open(txn->txn, txn->store->dbi[DB_HISTORY], &cursor);
	if (rc)
		return db_fail(txn, rc, "trim history", err);
	for (size_t n = stat.ms_entries; rc == 0 && n > HISTORY_MAX; n--) {
		rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
		if (rc == 0)
			rc = mdb_cursor_del(cursor, 0);
	}
	mdb_cursor_close(cursor);
	return rc ? db_fail(txn, rc, "trim history", err) : 0;
}

/* --- folding --- */

static void fold_key(struct key *key, const struct history_record *e)
{
	uint64_t h = 0xcbf29ce484222325ull;
	const char *const texts[] = { e->app, e->permission, e->item, e->what, e->program };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *p = texts[i];

		do
			h = (h ^ (uint8_t)*p) * 0x100000001b3ull;
		while (*p++);
	}
	key_init(key);
	key_u64(key, e->session);
	key_u64(key, h);
	key_u32(key, (uint32_t)e->give);
}

static bool same(const struct history_record *a, const struct history_record *b)
{
	return a->kind == HISTORY_ACCESS && a->session == b->session && a->give == b->give &&
	       strcmp(a->app, b->app) == 0 && strcmp(a->permission, b->permission) == 0 &&
	       strcmp(a->item, b->item) == 0 && strcmp(a->what, b->what) == 0 && strcmp(a->program, b->program) == 0;
}

/* 1 folded, 0 not. */
static int fold(struct store_txn *txn, const struct history_record *entry, struct err *err)
{
	struct history_record old = { 0 };
	struct key key;
	struct rd body;
	uint64_t seq;
	int rc;

	fold_key(&key, entry);
	rc = db_get(txn, DB_HISTORY_FOLD, &key, &body, NULL, err);
	if (rc != 1)
		return rc;
	seq = rd_u64(&body);
	key_init(&key);
	key_u64(&key, seq);
	rc = db_get(txn, DB_HISTORY, &key, &body, NULL, err);
	if (rc != 1 || !decode(&body, &old) || !same(&old, entry))
		return rc < 0 ? -1 : 0;
	old.count += entry->count;
	old.last_wall_ms = entry->wall_ms;
	return put_entry(txn, seq, &old, err) < 0 ? -1 : 1;
}

static int remember_fold(struct store_txn *txn, const struct history_record *entry, uint64_t seq, struct err *err)
{
	struct wr *w = xcalloc(1, sizeof(*w));
	struct key key;
	int rc = 0;

	if (entry->session > txn->store->session_seen) {
		txn->store->session_seen = entry->session;
		if (entry->session > SESSIONS_FOLDED) {
			key_init(&key);
			key_u64(&key, entry->session - SESSIONS_FOLDED);
			rc = db_delete_prefix(txn, DB_HISTORY_FOLD, &key, err);
		}
	}
	fold_key(&key, entry);
	wr_u64(w, seq);
	if (rc == 0)
		rc = db_put(txn, DB_HISTORY_FOLD, &key, w, err);
	free(w);
	return rc;
}

int store_history_append(struct store_txn *txn, const struct history_record *entry, struct err *err)
{
	bool folds = entry->kind == HISTORY_ACCESS && entry->session;
	uint64_t seq;
	int rc;

	if (folds) {
		rc = fold(txn, entry, err);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
	if (next_seq(txn, &seq, err) < 0 || put_entry(txn, seq, entry, err) < 0)
		return -1;
	if (folds && remember_fold(txn, entry, seq, err) < 0)
		return -1;
	return trim(txn, err);
}

struct history_walk {
	const char *app, *permission;
	uint64_t since;
	int (*fn)(void *data, const struct history_record *entry);
	void *data;
};

static int visit(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct history_walk *walk = data;
	struct history_record entry = { 0 };

	if (!body || key_len != 8 || !decode(body, &entry))
		return 0;
	for (int i = 0; i < 8; i++)
		entry.seq = entry.seq << 8 | key[i];
	if ((walk->app && strcmp(entry.app, walk->app) != 0) ||
	    (walk->permission && strcmp(entry.permission, walk->permission) != 0) || entry.last_wall_ms < walk->since)
		return 0;
	return walk->fn(walk->data, &entry);
}

int store_history_each(struct store_txn *txn, const char *app, const char *permission, uint64_t since_wall_ms,
		       int (*fn)(void *data, const struct history_record *entry), void *data, struct err *err)
{
	struct history_walk walk = { app, permission, since_wall_ms, fn, data };
	struct key all;

	key_init(&all);
	return db_each(txn, DB_HISTORY, &all, NULL, visit, &walk, err);
}
