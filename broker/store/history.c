/* SPDX-License-Identifier: MIT
 *
 * What happened, in order of time, bounded. Equal accesses of one session are
 * one entry with a count.
 */
#include "store/db.h"

#include <string.h>

#define HISTORY_MAX 100000u
#define TRIM_STEP 256u
#define SESSIONS_FOLDED 256u /* newer ones may still be under way */
#define FOLD_TRIM_STEP 16u

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
	struct wr *w = db_record(txn);
	struct key key;

	key_init(&key);
	key_u64(&key, seq);
	encode(w, entry);
	return db_put(txn, DB_HISTORY, &key, w, err);
}

static int next_seq(struct store_txn *txn, uint64_t *ret, struct err *err)
{
	struct key all;
	uint64_t last = 0;

	key_init(&all);
	if (db_last(txn, DB_HISTORY, &all, 8, &last, err) < 0)
		return -1;
	*ret = last + 1;
	return 0;
}

struct trim_walk {
	size_t left;            /* how many may still go */
	uint64_t below_session; /* of the fold index: older sessions go in any case */
};

static enum pick pick_oldest(void *data, const uint8_t *key, size_t key_len)
{
	struct trim_walk *walk = data;

	(void)key;
	(void)key_len;
	return walk->left-- ? PICK_DELETE : PICK_STOP;
}

/* Some at a time, so that not every entry pays. */
static int trim(struct store_txn *txn, struct err *err)
{
	struct trim_walk walk = { .left = TRIM_STEP };
	struct key all;
	size_t entries;

	if (db_count(txn, DB_HISTORY, &entries, err) < 0)
		return -1;
	if (entries <= HISTORY_MAX)
		return 0;
	key_init(&all);
	return db_delete_some(txn, DB_HISTORY, &all, pick_oldest, &walk, err);
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

static uint32_t times(const struct history_record *entry)
{
	return entry->count ? entry->count : 1;
}

static uint64_t last_ms(const struct history_record *entry)
{
	return entry->last_wall_ms ? entry->last_wall_ms : entry->wall_ms;
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
	old.count = old.count > UINT32_MAX - times(entry) ? UINT32_MAX : old.count + times(entry);
	old.last_wall_ms = last_ms(entry);
	return put_entry(txn, seq, &old, err) < 0 ? -1 : 1;
}

static enum pick pick_stale(void *data, const uint8_t *key, size_t key_len)
{
	struct trim_walk *walk = data;

	if (walk->left == 0 || (key_len >= 8 && be64(key) >= walk->below_session))
		return PICK_STOP;
	walk->left--;
	return PICK_DELETE;
}

/* The index never outgrows history itself: sessions long over leave it, and
 * then the oldest do, whoever they are. */
static int trim_folds(struct store_txn *txn, uint64_t session, struct err *err)
{
	struct trim_walk walk = { .left = FOLD_TRIM_STEP };
	struct key all;
	size_t entries;

	if (db_count(txn, DB_HISTORY_FOLD, &entries, err) < 0)
		return -1;
	walk.below_session = session > SESSIONS_FOLDED ? session - SESSIONS_FOLDED : 0;
	if (entries >= HISTORY_MAX)
		walk.below_session = UINT64_MAX;
	key_init(&all);
	return db_delete_some(txn, DB_HISTORY_FOLD, &all, pick_stale, &walk, err);
}

static int remember_fold(struct store_txn *txn, const struct history_record *entry, uint64_t seq, struct err *err)
{
	struct key key;
	struct wr *w;

	if (trim_folds(txn, entry->session, err) < 0)
		return -1;
	w = db_record(txn);
	fold_key(&key, entry);
	wr_u64(w, seq);
	return db_put(txn, DB_HISTORY_FOLD, &key, w, err);
}

int store_history_append(struct store_txn *txn, const struct history_record *entry, struct err *err)
{
	bool folds = entry->kind == HISTORY_ACCESS && entry->session;
	struct history_record whole = *entry;
	uint64_t seq;
	int rc;

	if (folds) {
		rc = fold(txn, entry, err);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
	whole.count = times(entry);
	whole.last_wall_ms = last_ms(entry);
	if (next_seq(txn, &seq, err) < 0 || put_entry(txn, seq, &whole, err) < 0)
		return -1;
	if (folds && remember_fold(txn, entry, seq, err) < 0)
		return -1;
	return trim(txn, err);
}

struct history_walk {
	struct store_txn *txn;
	const char *app, *permission;
	uint64_t since;
	int (*fn)(void *data, const struct history_record *entry);
	void *data;
};

static int visit(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct history_walk *walk = data;
	struct history_record entry = { 0 };

	if (!body || key_len != 8)
		return 0;
	if (!decode(body, &entry)) {
		db_count_broken(walk->txn);
		return 0;
	}
	entry.seq = be64(key);
	if ((walk->app && strcmp(entry.app, walk->app) != 0) ||
	    (walk->permission && strcmp(entry.permission, walk->permission) != 0) || entry.last_wall_ms < walk->since)
		return 0;
	return walk->fn(walk->data, &entry);
}

int store_history_each(struct store_txn *txn, const char *app, const char *permission, uint64_t since_wall_ms,
		       int (*fn)(void *data, const struct history_record *entry), void *data, struct err *err)
{
	struct history_walk walk = { txn, app, permission, since_wall_ms, fn, data };
	struct key all;

	key_init(&all);
	return db_each(txn, DB_HISTORY, &all, visit, &walk, err);
}
