/* SPDX-License-Identifier: MIT
 *
 * Room in the map and on the disk. The data file is kept allocated ahead of its
 * use, so that giving up room (rollback, reset, revoke, uninstall) still commits
 * when the disk is full; versions, the one thing that comes by the thousand and
 * at the will of an app, may not use that reserve up.
 */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MAP_RESERVE ((size_t)8 << 20) /* free room below which a write begins with a larger map */
/* On 32 bit the map shares 2 or 3 GB of addresses with everything else. */
#define MAP_MOST (sizeof(void *) == 4 ? (size_t)512 << 20 : (size_t)1 << 38)
#define AHEAD ((off_t)4 << 20)
#define FLOOR ((off_t)2 << 20)      /* left for small transactions */
#define BULK_MOST ((off_t)16 << 20) /* most that is taken for the versions of one transaction */

static int used_bytes(struct store *store, size_t *ret_used, size_t *ret_map)
{
	MDB_envinfo info;
	MDB_stat stat;
	int rc = mdb_env_info(store->env, &info);

	if (rc == 0)
		rc = mdb_env_stat(store->env, &stat);
	if (rc == 0) {
		*ret_used = (info.me_last_pgno + 1) * stat.ms_psize;
		*ret_map = info.me_mapsize;
	}
	return rc;
}

/* LMDB unmaps before it maps again, and cannot go back: ask the kernel first. */
static bool addresses_free(size_t size)
{
	void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p != MAP_FAILED && munmap(p, size) == 0;
}

int space_grow_map(struct store *store, struct err *err)
{
	size_t used, map, want;
	int rc;

	/* A reader stands on the map; the next write grows it. */
	if (store->readers || store->lost)
		return 0;
	rc = used_bytes(store, &used, &map);
	if (rc)
		return db_fail(store, NULL, rc, "look at", err);
	if (!store->grow && map >= used + MAP_RESERVE)
		return 0;
	for (want = map; want < used + MAP_RESERVE || want == map; want *= 2)
		;
	/* No larger one to be had: what is left of this one still serves. */
	if (want > MAP_MOST || !addresses_free(want))
		return 0;
	store->grow = false;
	rc = mdb_env_set_mapsize(store->env, want);
	if (rc == 0)
		return 0;
	store->lost = true;
	return db_fail(store, NULL, rc, "make a larger map of", err);
}

int space_shed(struct store *store, struct err *err)
{
	MDB_envinfo info;

	store->heavy = false;
	/* What a failed transaction needed is not recorded in the file. */
	store->map = mdb_env_info(store->env, &info) == 0 ? info.me_mapsize : 0;
	mdb_env_close(store->env);
	store->env = NULL;
	(void)malloc_trim(0);
	if (store_open_env(store, err) == 0 && schema_open(store, err) == 0)
		return 0;
	store->lost = true;
	return -1;
}

static bool allocate(struct store *store, int fd, off_t end)
{
	int rc = fallocate(fd, 0, 0, end) == 0 ? 0 : errno;

	/* Some file systems can only be written to; what is there already stays. */
	if (rc == EOPNOTSUPP && end > store->allocated)
		rc = posix_fallocate(fd, store->allocated, end - store->allocated);
	if (rc == 0)
		store->allocated = end;
	return rc == 0;
}

void space_keep_ahead(struct store *store, off_t more)
{
	struct stat st;
	size_t used, map;
	int fd;

	if (used_bytes(store, &used, &map) || mdb_env_get_fd(store->env, &fd) || fstat(fd, &st) < 0)
		return;
	if (!store->allocated)
		store->allocated = (off_t)st.st_blocks * 512;
	/* Half of it may go before the file is extended: not at every commit. */
	if (store->allocated < (off_t)used + more + FLOOR)
		(void)allocate(store, fd, (off_t)used + more + AHEAD);
	store->spare = store->allocated - (off_t)used;
}

int space_for_version(struct store_txn *txn, size_t bytes, struct err *err)
{
	struct store *store = txn->store;
	off_t want;

	/* The tree is written anew along the way of each record: some pages more
	 * than the bytes, measured below three times. */
	txn->bulk += bytes;
	want = txn->bulk < (uint64_t)BULK_MOST / 3 ? (off_t)txn->bulk * 3 : BULK_MOST;
	if (store->spare >= want + FLOOR)
		return 0;
	space_keep_ahead(store, want);
	if (store->spare >= want + FLOOR)
		return 0;
	return db_fail(store, txn, ENOSPC, "write versions to", err);
}
