/* SPDX-License-Identifier: MIT
 *
 * The environment and its transactions, counters and small texts. The data file
 * is kept preallocated ahead of its use, so that giving up room (rollback,
 * reset, revoke, uninstall) still commits on a full disk.
 */
#include "store/db.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define MAP_START ((size_t)64 << 20)
#define MAP_RESERVE ((size_t)8 << 20) /* free room below which a write begins with a larger map */
#define AHEAD ((off_t)2 << 20)        /* room on the disk kept ahead of what is used */

static const char *const db_names[DB_COUNT] = {
	[DB_META] = "meta",
	[DB_RANGES] = "ranges",
	[DB_APPS] = "apps",
	[DB_GRANTS] = "grants",
	[DB_HISTORY] = "history",
	[DB_HISTORY_FOLD] = "history-fold",
	[DB_GENERATIONS] = "generations",
	[DB_PATHS] = "paths",
	[DB_VERSIONS] = "versions",
	[DB_JOURNAL] = "journal",
};

static struct store *open_failed(struct store *store, int rc, const char *what, struct err *err)
{
	if (rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH) {
		err_set(err, EINVAL, "%s: the store was written by a device of another kind (word or page size)", what);
		err_hint(err, "move state/meta aside; apps must be installed again");
	} else {
		(void)db_fail(NULL, rc, what, err);
	}
	store_close(store);
	return NULL;
}

static int open_databases(struct store *store)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, 0, &txn);

	for (int i = 0; i < DB_COUNT && rc == 0; i++)
		rc = mdb_dbi_open(txn, db_names[i], MDB_CREATE, &store->dbi[i]);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

static int read_schema(struct store *store, uint32_t *ret, struct err *err)
{
	struct store_txn *txn = store_begin(store, false, err);
	struct key key;
	struct rd body;
	int found;

	if (!txn)
		return -1;
	key_init(&key);
	key_text(&key, "schema");
	found = db_get(txn, DB_META, &key, &body, NULL, err);
	*ret = found == 1 ? rd_u32(&body) : 0;
	store_abort(txn);
	return found < 0 ? -1 : found;
}

static int write_schema(struct store *store, struct err *err)
{
	struct store_txn *txn = store_begin(store, true, err);
	struct key key;
	struct wr *w;
	int rc;

	if (!txn)
		return -1;
	w = xcalloc(1, sizeof(*w));
	wr_u32(w, STORE_SCHEMA);
	key_init(&key);
	key_text(&key, "schema");
	rc = db_put(txn, DB_META, &key, w, err);
	free(w);
	if (rc < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

static int back_up(struct store *store, uint32_t schema, struct err *err)
{
	char name[32];
	cleanup_fd int fd = -1;
	int rc;

	(void)snprintf(name, sizeof(name), "data.mdb.schema%u", schema);
	fd = openat(store->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, "back up the store as '%s'", name);
	rc = mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT);
	return rc ? db_fail(NULL, rc, "back up the store", err) : 0;
}

static int check_schema(struct store *store, struct err *err)
{
	uint32_t schema;
	int found = read_schema(store, &schema, err);

	if (found < 0)
		return -1;
	if (found && schema > STORE_SCHEMA) {
		err_set(err, EINVAL, "the store's schema %u is newer than this program's %u", schema, STORE_SCHEMA);
		return err_hint(err, "run the newer version again, or move state/meta aside");
	}
	if (found && schema == STORE_SCHEMA)
		return 0;
	/* Schema 0 differs in nothing but its number. */
	if (found && back_up(store, schema, err) < 0)
		return -1;
	return write_schema(store, err);
}

/* Room that is ours before the disk is full; it is no error when there is none
 * left now. */
static void allocate_ahead(struct store *store)
{
	MDB_envinfo info;
	MDB_stat stat;
	int fd;
	off_t used;
	struct stat st;

	if (mdb_env_info(store->env, &info) || mdb_env_stat(store->env, &stat) || mdb_env_get_fd(store->env, &fd))
		return;
	used = (off_t)(info.me_last_pgno + 1) * (off_t)stat.ms_psize;
	if (fstat(fd, &st) == 0 && (off_t)st.st_blocks * 512 < used + AHEAD / 2)
		(void)posix_fallocate(fd, 0, used + AHEAD);
}

struct store *store_open(int dir_fd, struct err *err)
{
	struct store *store = xcalloc(1, sizeof(*store));
	char path[64];
	int rc;

	store->dir_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->dir_fd < 0 || flock(store->dir_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			err_set(err, EBUSY, "the store is open in another process (stop it first)");
		else
			err_sys(err, "open the store's folder");
		store_close(store);
		return NULL;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", store->dir_fd);
	store->map_size = MAP_START;
	rc = mdb_env_create(&store->env);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(store->env, DB_COUNT);
	if (rc == 0)
		rc = mdb_env_set_mapsize(store->env, store->map_size);
	/* No thread-local reader slots: one process, one thread, short readers. */
	if (rc == 0)
		rc = mdb_env_open(store->env, path, MDB_NOTLS, 0600);
	if (rc)
		return open_failed(store, rc, "open the store", err);
	rc = open_databases(store);
	if (rc)
		return open_failed(store, rc, "open the store", err);
	if (check_schema(store, err) < 0) {
		store_close(store);
		return NULL;
	}
	allocate_ahead(store);
	return store;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->env)
		mdb_env_close(store->env);
	if (store->dir_fd >= 0)
		(void)close(store->dir_fd);
	free(store);
}

/* A map can only grow between transactions, so it does so ahead of need. */
static int grow_map(struct store *store, struct err *err)
{
	MDB_envinfo info;
	MDB_stat stat;
	size_t used;
	int rc = mdb_env_info(store->env, &info);

	if (rc == 0)
		rc = mdb_env_stat(store->env, &stat);
	if (rc)
		return db_fail(NULL, rc, "look at the store", err);
	used = (info.me_last_pgno + 1) * stat.ms_psize;
	store->map_size = info.me_mapsize;
	if (!store->grow && used + MAP_RESERVE < store->map_size)
		return 0;
	store->grow = false;
	rc = mdb_env_set_mapsize(store->env, store->map_size * 2);
	if (rc == 0)
		store->map_size *= 2;
	else if (used + MAP_RESERVE / 8 >= store->map_size)
		return db_fail(NULL, rc, "make the store larger", err);
	return 0;
}

struct store_txn *store_begin(struct store *store, bool write, struct err *err)
{
	struct store_txn *txn;
	int rc;

	if (write && grow_map(store, err) < 0)
		return NULL;
	txn = xcalloc(1, sizeof(*txn));
	txn->store = store;
	txn->write = write;
	rc = mdb_txn_begin(store->env, NULL, write ? 0 : MDB_RDONLY, &txn->txn);
	if (rc) {
		(void)db_fail(NULL, rc, "begin with the store", err);
		free(txn);
		return NULL;
	}
	return txn;
}

int store_commit(struct store_txn *txn, struct err *err)
{
	struct store *store = txn->store;
	bool write = txn->write;
	int rc;

	if (txn->failed) {
		store_abort(txn);
		return err_set(err, EIO, "nothing was stored: an earlier write of the same step failed");
	}
	rc = mdb_txn_commit(txn->txn);
	free(txn);
	if (rc == EIO) /* LMDB's word for a short write: the disk is full */
		return err_set(err, ENOSPC, "nothing was stored: the disk is full or failing");
	if (rc)
		return db_fail(NULL, rc, "nothing was stored", err);
	if (write)
		allocate_ahead(store);
	return 0;
}

void store_abort(struct store_txn *txn)
{
	if (!txn)
		return;
	mdb_txn_abort(txn->txn);
	free(txn);
}

uint64_t store_broken_records(const struct store *store)
{
	return store->broken;
}

/* --- counters and texts --- */

static void counter_key(struct key *key, enum counter counter)
{
	static const char *const names[COUNTER_COUNT] = {
		[COUNTER_LAYER] = "counter-layer",
		[COUNTER_SESSION] = "counter-session",
		[COUNTER_COPY] = "counter-copy",
		[COUNTER_POWERED] = "counter-powered",
	};

	key_init(key);
	key_text(key, names[counter]);
}

int store_counter_add(struct store_txn *txn, enum counter counter, uint64_t by, uint64_t *ret, struct err *err)
{
	struct key key;
	struct rd body;
	struct wr *w;
	uint64_t value = 0;
	bool broken;
	int rc;

	counter_key(&key, counter);
	rc = db_get(txn, DB_META, &key, &body, &broken, err);
	if (rc < 0)
		return -1;
	if (broken) {
		/* Numbers must never come twice: far beyond what can have been. */
		value = (uint64_t)1 << 40;
	} else if (rc == 1) {
		value = rd_u64(&body);
	}
	value += by;
	w = xcalloc(1, sizeof(*w));
	wr_u64(w, value);
	rc = db_put(txn, DB_META, &key, w, err);
	free(w);
	*ret = value;
	return rc;
}

int store_text_put(struct store_txn *txn, const char *name, const char *text, struct err *err)
{
	struct key key;
	struct wr *w = xcalloc(1, sizeof(*w));
	int rc;

	key_init(&key);
	key_text(&key, "text");
	key_text(&key, name);
	wr_str(w, text);
	rc = strlen(text) > 1023 ? err_set(err, E2BIG, "text '%s' is longer than 1023 bytes", name)
				 : db_put(txn, DB_META, &key, w, err);
	free(w);
	return rc;
}

int store_text_get(struct store_txn *txn, const char *name, char *buf, size_t size, struct err *err)
{
	struct key key;
	struct rd body;
	int rc;

	key_init(&key);
	key_text(&key, "text");
	key_text(&key, name);
	buf[0] = '\0';
	rc = db_get(txn, DB_META, &key, &body, NULL, err);
	if (rc == 1)
		rd_str(&body, buf, size);
	return rc < 0 ? -1 : 0;
}
