/* SPDX-License-Identifier: MIT
 *
 * A store in a folder of its own under /tmp, for the tests of broker/store.
 */
#ifndef TESTS_STORE_DIR_H
#define TESTS_STORE_DIR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/fd.h"
#include "store/db.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct store_dir {
	char path[128];
	int fd;
	struct store *store;
	struct store_txn *txn;
	struct err err;
};

#define GOOD(expr)                                                                                                     \
	do {                                                                                                           \
		if ((expr) < 0)                                                                                        \
			fail_msg("%s: %s", #expr, d->err.msg);                                                         \
	} while (0)

static inline void dir_open(struct store_dir *d)
{
	d->store = store_open(d->fd, &d->err);
	if (!d->store)
		fail_msg("open: %s", d->err.msg);
}

static inline void dir_begin(struct store_dir *d, bool write)
{
	d->txn = store_begin(d->store, write, &d->err);
	if (!d->txn)
		fail_msg("begin: %s", d->err.msg);
}

static inline void dir_commit(struct store_dir *d)
{
	struct store_txn *txn = d->txn;

	d->txn = NULL;
	GOOD(store_commit(txn, &d->err));
}

static inline void dir_abort(struct store_dir *d)
{
	store_abort(d->txn);
	d->txn = NULL;
}

static inline void dir_reopen(struct store_dir *d)
{
	store_close(d->store);
	dir_open(d);
}

/* Without a store: the test opens it. */
static inline int dir_setup_bare(void **state)
{
	struct store_dir *d = xcalloc(1, sizeof(*d));

	(void)snprintf(d->path, sizeof(d->path), "/tmp/cowbell-store-XXXXXX");
	if (!mkdtemp(d->path))
		return -1;
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = d;
	return d->fd < 0 ? -1 : 0;
}

static inline int dir_setup(void **state)
{
	if (dir_setup_bare(state) < 0)
		return -1;
	dir_open(*state);
	return 0;
}

static inline int dir_teardown(void **state)
{
	struct store_dir *d = *state;
	struct dirent *e;
	DIR *dir;

	store_abort(d->txn);
	store_close(d->store);
	dir = fdopendir(d->fd);
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
	if (dir)
		(void)closedir(dir);
	(void)rmdir(d->path);
	free(d);
	return 0;
}

/* Flips a bit in the middle of the value under key. */
static inline void dir_break(struct store_dir *d, enum db db, const struct key *key)
{
	MDB_val k = { .mv_size = key->len, .mv_data = (void *)(uintptr_t)key->buf }, v;
	uint8_t copy[8192];

	dir_begin(d, true);
	assert_int_equal(mdb_get(d->txn->txn, d->store->dbi[db], &k, &v), 0);
	assert_true(v.mv_size <= sizeof(copy));
	memcpy(copy, v.mv_data, v.mv_size);
	copy[v.mv_size / 2] ^= 4;
	v.mv_data = copy;
	assert_int_equal(mdb_put(d->txn->txn, d->store->dbi[db], &k, &v, 0), 0);
	dir_commit(d);
}

#define assert_contains(text, part)                                                                                    \
	do {                                                                                                           \
		if (!strstr((text), (part)))                                                                           \
			fail_msg("'%s' is not in '%s'", (part), (text));                                               \
	} while (0)

#endif
