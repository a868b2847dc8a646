/* SPDX-License-Identifier: MIT
 *
 * What the files of this folder share: the environment, framed records, keys.
 * Nothing of LMDB goes further. What is stored under which key: schema.md.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "store/store.h"

#include <lmdb.h>
#include <sys/types.h>

#define KEY_MAX 511u /* LMDB's limit */

enum db {
	DB_META = 0,
	DB_RANGES,
	DB_APPS,
	DB_GRANTS,
	DB_HISTORY,
	DB_HISTORY_FOLD,
	DB_GENERATIONS,
	DB_PATHS,
	DB_VERSIONS,
	DB_JOURNAL,
	DB_GRANTS_THEN,
	DB_TRAFFIC,
	DB_POLICY,
	DB_COUNT
};

struct store {
	MDB_env *env;
	MDB_dbi dbi[DB_COUNT];
	int dir_fd;       /* holds the lock */
	char folder[256]; /* for error texts */
	uint64_t broken;
	unsigned int readers; /* open read transactions: the map must not move under them */
	bool writing;
	bool grow;   /* a transaction ran into the end of the map */
	bool lost;   /* the map could not be made again: nothing but closing is left */
	bool heavy;  /* a transaction was so large that LMDB's memory for it is worth giving back */
	size_t map;      /* its size before the environment was opened again; 0: never was */
	off_t allocated; /* bytes of the data file that the disk gave us */
	off_t spare;     /* of them, those that nothing uses yet */
	struct wr record; /* the record under construction: one at a time */
};

struct store_txn {
	struct store *store;
	MDB_txn *txn;
	bool write;
	bool failed;   /* nothing of it may be committed */
	uint64_t bulk; /* bytes of versions put so far */
	uint64_t writes; /* records put or deleted */
};

/* A key under construction: texts are NUL-ended, numbers big-endian, so that
 * the order of keys is the order of what they mean. A key that grew too long is
 * bad: nothing is found under it and nothing can be put there. */
struct key {
	uint8_t buf[KEY_MAX];
	size_t len;
	bool bad;
};

void key_init(struct key *k);
void key_text(struct key *k, const char *s);
void key_u32(struct key *k, uint32_t v);
void key_u64(struct key *k, uint64_t v);
void key_bytes(struct key *k, const void *p, size_t n);
uint32_t be32(const uint8_t *p);
uint64_t be64(const uint8_t *p);

/* The writer for one record's body, empty; good until the next call. */
struct wr *db_record(struct store_txn *txn);

/* Puts w as a record: format version, checksum over database, key and body.
 * -1 with err, and the transaction can only be aborted. */
int db_put(struct store_txn *txn, enum db db, const struct key *key, const struct wr *w, struct err *err);

/* 1 with rd on the body (valid until the next write), 0 none, -1 err. A broken
 * record is counted; *ret_broken tells it apart from none (may be NULL). */
int db_get(struct store_txn *txn, enum db db, const struct key *key, struct rd *ret, bool *ret_broken,
	   struct err *err);
int db_delete(struct store_txn *txn, enum db db, const struct key *key, struct err *err); /* 1, 0, -1 */

/* True when the record checks, with rd on its body; else it is counted. */
bool db_open_record(struct store_txn *txn, enum db db, const MDB_val *k, const MDB_val *v, struct rd *ret);

/* Counts a record that checks but does not say anything sensible. */
void db_count_broken(struct store_txn *txn);

/* Every record whose key begins with prefix, in order; fn's value other than 0
 * ends the walk and is returned. body is NULL for a broken record. fn must not
 * write. */
int db_each(struct store_txn *txn, enum db db, const struct key *prefix,
	    int (*fn)(void *data, const uint8_t *key, size_t key_len, struct rd *body), void *data, struct err *err);

/* 1 when some key begins with prefix, 0, -1. */
int db_any(struct store_txn *txn, enum db db, const struct key *prefix, struct err *err);

/* The last key that begins with prefix, of that length: 1 with the bytes after
 * the prefix as a number (4 or 8 of them), 0 none, -1. */
int db_last(struct store_txn *txn, enum db db, const struct key *prefix, size_t tail, uint64_t *ret, struct err *err);

/* Deletes records whose key begins with prefix and of which pick (NULL: all)
 * says PICK_DELETE. Values are not looked at. */
enum pick { PICK_KEEP = 0, PICK_DELETE, PICK_STOP };
int db_delete_some(struct store_txn *txn, enum db db, const struct key *prefix,
		   enum pick (*pick)(void *data, const uint8_t *key, size_t key_len), void *data, struct err *err);
int db_count(struct store_txn *txn, enum db db, size_t *ret, struct err *err);

/* err for LMDB's or the kernel's rc; -1. txn may be NULL; else it has failed. */
int db_fail(struct store *store, struct store_txn *txn, int rc, const char *what, struct err *err);

/* --- meta.c: numbers kept twice, so that one flipped bit costs none --- */

/* 1 with the larger of the good copies, 0 none was ever put, 2 both are broken, -1. */
int meta_get_number(struct store_txn *txn, const char *name, uint64_t *ret, struct err *err);
int meta_put_number(struct store_txn *txn, const char *name, uint64_t value, struct err *err);

/* --- schema.c --- */

/* Opens the databases: refuses a newer schema before anything is written,
 * upgrades an older one after a copy. */
int schema_open(struct store *store, struct err *err);

/* --- store.c --- */

/* What to do about records that cannot be used; -1. */
int db_hint_copy(struct err *err);

/* Opens LMDB's environment in the folder that is locked already. */
int store_open_env(struct store *store, struct err *err);

/* --- space.c: the map, the disk under it, and the memory above it --- */

/* Gives the memory of large transactions back: LMDB keeps every page buffer that
 * it ever needed (mdb_page_free) until its environment is closed. Between
 * transactions only. After -1 the store is lost: nothing but closing is left. */
int space_shed(struct store *store, struct err *err);

/* Makes the map larger when little of it is left. Before a write only. */
int space_grow_map(struct store *store, struct err *err);

/* Takes room on the disk ahead of its use. No error when there is none. */
void space_keep_ahead(struct store *store, off_t more);

/* Called before bytes of a version are put: ENOSPC when they would use up what
 * rollback, reset, revoke and uninstall need on a full disk. */
int space_for_version(struct store_txn *txn, size_t bytes, struct err *err);

/* --- version.c, for generation.c --- */

/* Deletes the versions of one generation, and the paths that then have none. */
int version_forget(struct store_txn *txn, const char *app, uint32_t generation, struct err *err);

/* --- grant_then.c, for generation.c --- */

/* Deletes what was kept for one generation. */
int grants_then_forget(struct store_txn *txn, const char *app, uint32_t generation, struct err *err);

/* --- grant.c, for grant_then.c --- */

void grant_encode(struct wr *w, const struct grant_record *g);
bool grant_decode(struct rd *r, struct grant_record *g);

/* permission and item, the end of a key; false: it is not that. */
bool grant_split(const uint8_t *key, size_t len, struct grant_record *g);

/* --- path.c --- */

/* The id of a path: 1 found, 0 not there, -1 err. make: it is made. */
int path_find(struct store_txn *txn, const char *app, const char *path, bool make, uint32_t *ret, struct err *err);

/* Writes the path's text to the end of buf; NULL when its chain is broken. */
char *path_text(struct store_txn *txn, const char *app, uint32_t id, char *buf, size_t size);

/* Drops the path, and its parents, as far as they have neither versions nor
 * children. */
int path_drop_unused(struct store_txn *txn, const char *app, uint32_t id, struct err *err);

/* --- range.c, for app.c --- */

/* The base of the range that app holds; 0 none. */
int range_of_app(struct store_txn *txn, const char *app, uint32_t *ret, struct err *err);
int range_rename(struct store_txn *txn, const char *from, const char *to, struct err *err);

#endif
