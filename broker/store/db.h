/* SPDX-License-Identifier: MIT
 *
 * What the files of this folder share: the environment, framed records, keys.
 * Nothing of LMDB goes further.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "store/store.h"

#include <lmdb.h>

#define KEY_MAX 511u
#define VALUE_MAX 65536u

enum db {
	DB_META = 0,
	DB_RANGES,
	DB_APPS,
	DB_GRANTS,
	DB_HISTORY,
	DB_HISTORY_FOLD, /* (session, what) -> seq of the entry that equal accesses fold into */
	DB_GENERATIONS,
	DB_PATHS,
	DB_VERSIONS,
	DB_JOURNAL,
	DB_COUNT
};

struct store {
	MDB_env *env;
	MDB_dbi dbi[DB_COUNT];
	int dir_fd;
	size_t map_size;
	bool grow; /* a transaction ran into the end of the map */
	uint64_t broken;
	uint64_t session_seen; /* history: newest session that folds */
};

struct store_txn {
	struct store *store;
	MDB_txn *txn;
	bool write;
	bool failed; /* nothing of it may be committed */
};

/* A key under construction: texts are NUL-ended, numbers big-endian, so that
 * the order of keys is the order of what they mean. */
struct key {
	uint8_t buf[KEY_MAX];
	size_t len;
};

void key_init(struct key *k);
void key_text(struct key *k, const char *s);
void key_u32(struct key *k, uint32_t v);
void key_u64(struct key *k, uint64_t v);

/* Puts w as a record: format version, checksum over database, key and body.
 * -1 with err, and the transaction can only be aborted. */
int db_put(struct store_txn *txn, enum db db, const struct key *key, const struct wr *w, struct err *err);

/* 1 with rd on the body (valid until the next write), 0 none, -1 err. A broken
 * record is counted; *ret_broken tells it apart from none (may be NULL). */
int db_get(struct store_txn *txn, enum db db, const struct key *key, struct rd *ret, bool *ret_broken,
	   struct err *err);
int db_delete(struct store_txn *txn, enum db db, const struct key *key, struct err *err); /* 1, 0, -1 */

/* Every record whose key begins with prefix, in order; fn's value other than 0
 * ends the walk and is returned. body is NULL for a broken record. fn must not
 * write. from: start at this key instead (NULL: at the prefix). */
int db_each(struct store_txn *txn, enum db db, const struct key *prefix, const struct key *from,
	    int (*fn)(void *data, const uint8_t *key, size_t key_len, struct rd *body), void *data, struct err *err);

/* Deletes every record whose key begins with prefix. */
int db_delete_prefix(struct store_txn *txn, enum db db, const struct key *prefix, struct err *err);

int db_fail(struct store_txn *txn, int rc, const char *what, struct err *err);

#endif
