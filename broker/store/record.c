/* SPDX-License-Identifier: MIT
 *
 * Records and keys. A record is { u8 format, u64 checksum, body }; the checksum
 * covers the key too, so that a record which turns up under another key is as
 * broken as one with a flipped bit.
 */
#include "store/db.h"

#include <errno.h>
#include <string.h>

#define FORMAT 1u
#define FRAME 9u

void key_init(struct key *k)
{
	k->len = 0;
	k->bad = false;
}

void key_bytes(struct key *k, const void *p, size_t n)
{
	if (k->bad || n > sizeof(k->buf) - k->len) {
		k->bad = true;
		return;
	}
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

uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
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

int db_fail(struct store *store, struct store_txn *txn, int rc, const char *what, struct err *err)
{
	if (txn)
		txn->failed = true;
	switch (rc) {
	case MDB_MAP_FULL:
		store->grow = true;
		err_set(err, ENOSPC, "%s the store in '%s': its map was full", what, store->folder);
		return err_hint(err, "try again, it is made larger now");
	case ENOSPC:
	case EDQUOT:
		err_set(err, ENOSPC, "%s the store in '%s': the disk is full", what, store->folder);
		return err_hint(err, "make some room and try again; rollback, reset and uninstall still work");
	case MDB_PANIC:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
		err_set(err, EIO, "%s the store in '%s': %s", what, store->folder, mdb_strerror(rc));
		return err_hint(err, "look for disk errors, then start cowbelld again");
	}
	return err_set(err, rc > 0 ? rc : EIO, "%s the store in '%s': %s", what, store->folder, mdb_strerror(rc));
}

struct wr *db_record(struct store_txn *txn)
{
	wr_init(&txn->store->record);
	return &txn->store->record;
}

int db_put(struct store_txn *txn, enum db db, const struct key *key, const struct wr *w, struct err *err)
{
	MDB_val k = { .mv_size = key->len, .mv_data = (void *)(uintptr_t)key->buf };
	MDB_val v = { .mv_size = w->len + FRAME };
	uint64_t sum;
	uint8_t *p;
	int rc;

	if (txn->failed)
		return err_set(err, EIO, "write to the store in '%s': an earlier write of the same step failed",
			       txn->store->folder);
	if (key->bad || w->overflow)
		return db_fail(txn->store, txn, E2BIG, "write to", err);
	if (!txn->write)
		return db_fail(txn->store, txn, EACCES, "write to", err);
	txn->writes++;
	rc = mdb_put(txn->txn, txn->store->dbi[db], &k, &v, MDB_RESERVE);
	if (rc)
		return db_fail(txn->store, txn, rc, "write to", err);
	p = v.mv_data;
	sum = checksum(db, key->buf, key->len, w->buf, w->len);
	p[0] = FORMAT;
	for (int i = 0; i < 8; i++)
		p[1 + i] = (uint8_t)(sum >> (8 * i));
	memcpy(p + FRAME, w->buf, w->len);
	return 0;
}

bool db_open_record(struct store_txn *txn, enum db db, const MDB_val *k, const MDB_val *v, struct rd *ret)
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
	txn->store->broken++;
	return false;
}

void db_count_broken(struct store_txn *txn)
{
	txn->store->broken++;
}

int db_get(struct store_txn *txn, enum db db, const struct key *key, struct rd *ret, bool *ret_broken,
	   struct err *err)
{
	MDB_val k = { .mv_size = key->len, .mv_data = (void *)(uintptr_t)key->buf }, v;
	int rc;

	if (ret_broken)
		*ret_broken = false;
	if (key->bad)
		return 0;
	rc = mdb_get(txn->txn, txn->store->dbi[db], &k, &v);
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc)
		return db_fail(txn->store, txn, rc, "read from", err);
	if (db_open_record(txn, db, &k, &v, ret))
		return 1;
	if (ret_broken)
		*ret_broken = true;
	return 0;
}

int db_delete(struct store_txn *txn, enum db db, const struct key *key, struct err *err)
{
	MDB_val k = { .mv_size = key->len, .mv_data = (void *)(uintptr_t)key->buf };
	int rc = key->bad ? MDB_NOTFOUND : mdb_del(txn->txn, txn->store->dbi[db], &k, NULL);

	if (rc == MDB_NOTFOUND)
		return 0;
	return rc ? db_fail(txn->store, txn, rc, "delete from", err) : 1;
}
