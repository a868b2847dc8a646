/* SPDX-License-Identifier: MIT
 *
 * Records and keys. A record is { u8 format, u64 checksum, body }; the checksum
 * covers the key too, so that a record which turns up under another key is as
 * broken as one with a flipped bit.
 */
#include "store/db.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>

#define FORMAT 1u
#define FRAME 9u

void key_init(struct key *k)
{
	k->len = 0;
}

static void key_bytes(struct key *k, const void *p, size_t n)
{
	if (n > sizeof(k->buf) - k->len)
		fatal("a store key grew too long");
	memcpy(k->buf + k->len, p, n);
	k->len += n;
}

void key_text(struct key *k, const char *s)
{
	key_bytes(k, s, strlen(s) + 1);
}

static void key_int(struct key *k, uint64_t v, size_t size)
{
	uint8_t b[8];

	for (size_t i = 0; i < size; i++)
		b[i] = (uint8_t)(v >> (8 * (size - 1 - i)));
	key_bytes(k, b, size);
}

void key_u32(struct key *k, uint32_t v)
{
	key_int(k, v, 4);
}

void key_u64(struct key *k, uint64_t v)
{
	key_int(k, v, 8);
}

/* 64-bit FNV-1a, mixed at the end: against rot and torn writes, not against
 * people; the file is 0600. */
static uint64_t checksum(enum db db, const void *key, size_t key_len, const void *body, size_t len)
{
	const uint8_t *k = key, *b = body;
	uint64_t h = 0xcbf29ce484222325ull ^ ((uint64_t)db << 56) ^ key_len;

	for (size_t i = 0; i < key_len; i++)
		h = (h ^ k[i]) * 0x100000001b3ull;
	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 0x100000001b3ull;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdull;
	return h ^ h >> 33;
}

int db_fail(struct store_txn *txn, int rc, const char *what, struct err *err)
{
	if (txn)
		txn->failed = true;
	if (rc == MDB_MAP_FULL) {
		if (txn)
			txn->store->grow = true;
		return err_set(err, ENOSPC, "%s: the store's map was full; the next try has a larger one", what);
	}
	if (rc == ENOSPC || rc == EDQUOT)
		return err_set(err, ENOSPC, "%s: the disk is full (free some room and try again)", what);
	return err_set(err, rc > 0 ? rc : EIO, "%s: %s", what, mdb_strerror(rc));
}

int db_put(struct store_txn *txn, enum db db, const struct key *key, const struct wr *w, struct err *err)
{
	static uint8_t record[VALUE_MAX + FRAME];
	MDB_val k = { .mv_size = key->len, .mv_data = (void *)(uintptr_t)key->buf };
	MDB_val v = { .mv_size = w->len + FRAME, .mv_data = record };
	uint64_t sum = checksum(db, key->buf, key->len, w->buf, w->len);
	int rc;

	if (txn->failed)
		return err_set(err, EIO, "write to the store: an earlier write of the same step failed");
	if (w->overflow || !txn->write)
		return db_fail(txn, EINVAL, "write to the store", err);
	record[0] = FORMAT;
	for (int i = 0; i < 8; i++)
		record[1 + i] = (uint8_t)(sum >> (8 * i));
	memcpy(record + FRAME, w->buf, w->len);
	rc = mdb_put(txn->txn, txn->store->dbi[db], &k, &v, 0);
	return rc ? db_fail(txn, rc, "write to the store", err) : 0;
}

/* True when the record checks; rd then stands on its body. */
static bool open_record(struct store *store, enum db db, const MDB_val *k, const MDB_val *v, struct rd *ret)
{
	const uint8_t *p = v->mv_data;
	uint64_t sum = 0;

	if (v->mv_size >= FRAME && p[0] == FORMAT) {
		for (int i = 0; i < 8; i++)
			sum |= (uint64_t)p[1 + i] << (8 * i);
		if (sum == checksum(db, k->mv_data, k->mv_size, p + FRAME, v->mv_size - FRAME)) {
			rd_init(ret, p + FRAME, v->mv_size - FRAME);
			return true;
		}
	}
	store->broken++;
	return false;
}

int db_get(struct store_txn *txn, enum db db, const struct key *key, struct rd *ret, bool *ret_broken,
	   struct err *err)
{
	MDB_val k = { .mv_size = key->len, .mv_data = (void *)(uintptr_t)key->buf }, v;
	int rc = mdb_get(txn->txn, txn->store->dbi[db], &k, &v);

	if (ret_broken)
		*ret_broken = false;
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc)
		return db_fail(txn, rc, "read from the store", err);
	if (open_record(txn->store, db, &k, &v, ret))
		return 1;
	if (ret_broken)
		*ret_broken = true;
	return 0;
}

int db_delete(struct store_txn *txn, enum db db, const struct key *key, struct err *err)
{
	MDB_val k = { .mv_size = key->len, .mv_data = (void *)(uintptr_t)key->buf };
	int rc = mdb_del(txn->txn, txn->store->dbi[db], &k, NULL);

	if (rc == MDB_NOTFOUND)
		return 0;
	return rc ? db_fail(txn, rc, "delete from the store", err) : 1;
}

static bool has_prefix(const MDB_val *k, const struct key *prefix)
{
	return k->mv_size >= prefix->len && memcmp(k->mv_data, prefix->buf, prefix->len) == 0;
}

int db_each(struct store_txn *txn, enum db db, const struct key *prefix, const struct key *from,
	    int (*fn)(void *data, const uint8_t *key, size_t key_len, struct rd *body), void *data, struct err *err)
{
	const struct key *start = from ? from : prefix;
	MDB_val k = { .mv_size = start->len, .mv_data = (void *)(uintptr_t)start->buf }, v;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn->txn, txn->store->dbi[db], &cursor), stop = 0;

	if (rc)
		return db_fail(txn, rc, "read from the store", err);
	rc = mdb_cursor_get(cursor, &k, &v, start->len ? MDB_SET_RANGE : MDB_FIRST);
	while (rc == 0 && stop == 0 && has_prefix(&k, prefix)) {
		struct rd body;
		bool good = open_record(txn->store, db, &k, &v, &body);

		stop = fn(data, k.mv_data, k.mv_size, good ? &body : NULL);
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	if (stop)
		return stop;
	return rc && rc != MDB_NOTFOUND ? db_fail(txn, rc, "read from the store", err) : 0;
}

int db_delete_prefix(struct store_txn *txn, enum db db, const struct key *prefix, struct err *err)
{
	MDB_val k = { .mv_size = prefix->len, .mv_data = (void *)(uintptr_t)prefix->buf }, v;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn->txn, txn->store->dbi[db], &cursor);

	if (rc)
		return db_fail(txn, rc, "delete from the store", err);
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	while (rc == 0 && has_prefix(&k, prefix)) {
		rc = mdb_cursor_del(cursor, 0);
		if (rc == 0)
			rc = mdb_cursor_get(cursor, &k, &v, MDB_GET_CURRENT);
		/* After a deletion the cursor stands on the next record, or behind
		 * the last of its page. */
		if (rc == EINVAL || rc == MDB_NOTFOUND) {
			k.mv_size = prefix->len;
			k.mv_data = (void *)(uintptr_t)prefix->buf;
			rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
		}
	}
	mdb_cursor_close(cursor);
	return rc && rc != MDB_NOTFOUND ? db_fail(txn, rc, "delete from the store", err) : 0;
}
