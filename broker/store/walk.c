/* SPDX-License-Identifier: MIT
 *
 * Walks over the records of one key prefix. A walk visits each key once, in
 * order, also while it deletes.
 */
#include "store/db.h"

#include <errno.h>
#include <string.h>

static bool has_prefix(const MDB_val *k, const struct key *prefix)
{
	return k->mv_size >= prefix->len && memcmp(k->mv_data, prefix->buf, prefix->len) == 0;
}

static int seek(MDB_cursor *cursor, const struct key *at, MDB_val *k, MDB_val *v)
{
	k->mv_size = at->len;
	k->mv_data = (void *)(uintptr_t)at->buf;
	return mdb_cursor_get(cursor, k, v, at->len ? MDB_SET_RANGE : MDB_FIRST);
}

static int open_cursor(struct store_txn *txn, enum db db, MDB_cursor **ret, struct err *err)
{
	int rc = mdb_cursor_open(txn->txn, txn->store->dbi[db], ret);

	return rc ? db_fail(txn->store, txn, rc, "read from", err) : 0;
}

int db_each(struct store_txn *txn, enum db db, const struct key *prefix,
	    int (*fn)(void *data, const uint8_t *key, size_t key_len, struct rd *body), void *data, struct err *err)
{
	MDB_val k, v;
	MDB_cursor *cursor;
	int rc, stop = 0;

	if (prefix->bad)
		return 0;
	if (open_cursor(txn, db, &cursor, err) < 0)
		return -1;
	for (rc = seek(cursor, prefix, &k, &v); rc == 0 && has_prefix(&k, prefix);
	     rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		struct rd body;
		bool good = db_open_record(txn, db, &k, &v, &body);

		stop = fn(data, k.mv_data, k.mv_size, good ? &body : NULL);
		if (stop)
			break;
	}
	mdb_cursor_close(cursor);
	if (stop)
		return stop;
	return rc && rc != MDB_NOTFOUND ? db_fail(txn->store, txn, rc, "read from", err) : 0;
}

int db_any(struct store_txn *txn, enum db db, const struct key *prefix, struct err *err)
{
	MDB_val k, v;
	MDB_cursor *cursor;
	int rc, any;

	if (prefix->bad)
		return 0;
	if (open_cursor(txn, db, &cursor, err) < 0)
		return -1;
	rc = seek(cursor, prefix, &k, &v);
	any = rc == 0 && has_prefix(&k, prefix);
	mdb_cursor_close(cursor);
	return rc && rc != MDB_NOTFOUND ? db_fail(txn->store, txn, rc, "read from", err) : any;
}

int db_last(struct store_txn *txn, enum db db, const struct key *prefix, size_t tail, uint64_t *ret, struct err *err)
{
	static const uint8_t most[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct key end = *prefix;
	MDB_val k, v;
	MDB_cursor *cursor;
	int rc;

	key_bytes(&end, most, tail);
	if (end.bad)
		return 0;
	if (open_cursor(txn, db, &cursor, err) < 0)
		return -1;
	rc = seek(cursor, &end, &k, &v);
	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
	else if (rc == 0 && (k.mv_size != end.len || memcmp(k.mv_data, end.buf, end.len) != 0))
		rc = mdb_cursor_get(cursor, &k, &v, MDB_PREV);
	if (rc == 0 && (!has_prefix(&k, prefix) || k.mv_size != end.len))
		rc = MDB_NOTFOUND;
	if (rc == 0) {
		const uint8_t *p = (const uint8_t *)k.mv_data + prefix->len;

		*ret = tail == 4 ? be32(p) : be64(p);
	}
	mdb_cursor_close(cursor);
	if (rc == MDB_NOTFOUND)
		return 0;
	return rc ? db_fail(txn->store, txn, rc, "read from", err) : 1;
}

int db_delete_some(struct store_txn *txn, enum db db, const struct key *prefix,
		   enum pick (*pick)(void *data, const uint8_t *key, size_t key_len), void *data, struct err *err)
{
	struct key at;
	MDB_val k, v;
	MDB_cursor *cursor;
	int rc;

	if (prefix->bad)
		return 0;
	if (open_cursor(txn, db, &cursor, err) < 0)
		return -1;
	rc = seek(cursor, prefix, &k, &v);
	while (rc == 0 && has_prefix(&k, prefix)) {
		enum pick what = pick ? pick(data, k.mv_data, k.mv_size) : PICK_DELETE;

		if (what == PICK_STOP)
			break;
		if (what == PICK_KEEP) {
			rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
			continue;
		}
		/* After a deletion the cursor may stand behind the last record of a
		 * page that was merged: only a fresh look is sure to be the next. */
		key_init(&at);
		key_bytes(&at, k.mv_data, k.mv_size);
		txn->writes++;
		rc = mdb_cursor_del(cursor, 0);
		if (rc == 0)
			rc = seek(cursor, &at, &k, &v);
	}
	mdb_cursor_close(cursor);
	return rc && rc != MDB_NOTFOUND ? db_fail(txn->store, txn, rc, "delete from", err) : 0;
}

int db_count(struct store_txn *txn, enum db db, size_t *ret, struct err *err)
{
	MDB_stat stat;
	int rc = mdb_stat(txn->txn, txn->store->dbi[db], &stat);

	if (rc)
		return db_fail(txn->store, txn, rc, "look at", err);
	*ret = stat.ms_entries;
	return 0;
}
