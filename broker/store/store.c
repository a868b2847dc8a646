/* SPDX-License-Identifier: MIT
 *
 * The environment and its transactions. LMDB syncs at every commit (its default
 * flags): what a commit acknowledged stands after a power cut. One process has
 * a store open, told by a lock on its folder that ends with the process.
 */
#include "store/db.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define MAP_START ((size_t)16 << 20)
#define HEAVY 4000u /* records: some megabytes of page buffers */

static int lock_folder(struct store *store, int dir_fd, struct err *err)
{
	char link[64];
	ssize_t n;

	store->dir_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->dir_fd < 0)
		return err_sys(err, "open the store's folder");
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", store->dir_fd);
	n = readlink(link, store->folder, sizeof(store->folder) - 1);
	store->folder[n > 0 ? n : 0] = '\0';
	if (flock(store->dir_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return err_sys(err, "lock the store in '%s'", store->folder);
	err_set(err, EBUSY, "lock the store in '%s': another process has it open", store->folder);
	return err_hint(err, "only one cowbelld can use it; stop the other one");
}

int db_hint_copy(struct err *err)
{
	return err_hint(err, "put a good copy back, or move the whole state folder aside and install the apps again");
}

static int not_ours(const struct store *store, struct err *err)
{
	err_set(err, EINVAL, "open the store in '%s': data.mdb is damaged, or from a machine of another word size",
		store->folder);
	return db_hint_copy(err);
}

/* What LMDB finds to be impossible in a page. Another try, of the next broker, may not
 * touch that page. */
static void on_assert(MDB_env *env, const char *text)
{
	const struct store *store = mdb_env_get_userctx(env);

	log_warn("the store in '%s' is damaged: %s (look for disk errors, then put a good copy back, or move the whole "
		 "state folder aside and install the apps again)",
		 store->folder, text);
	abort();
}

/* LMDB divides by the page size that the file names (0.9.24, mdb_env_open2),
 * whatever it is. It stands in the first database record of a meta page: behind
 * the page's header, mark and version, and two words. */
static int check_page_size(const struct store *store, struct err *err)
{
	const size_t header = sizeof(size_t) + 8, at = header + 8 + 2 * sizeof(size_t);
	/* As LMDB opens it, but that a pipe must not hold us. */
	cleanup_fd int fd = openat(store->dir_fd, "data.mdb", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	uint32_t size = 0, found;
	struct stat st;

	if (fd < 0 && errno != ENOENT)
		return err_sys(err, "open the store in '%s': data.mdb", store->folder);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
		return not_ours(store, err);
	/* Two meta pages: the file's first, and the next. */
	for (int i = 0; fd >= 0 && i < 2; i++) {
		if (pread(fd, &found, sizeof(found), (off_t)(i * (size_t)size + at)) != sizeof(found))
			return 0; /* a new file, or one that LMDB itself refuses */
		if (found < 512 || found > 65536 || (found & (found - 1)) || (size && found != size))
			return not_ours(store, err);
		size = found;
	}
	return 0;
}

int store_open_env(struct store *store, struct err *err)
{
	char path[64];
	int rc;

	if (check_page_size(store, err) < 0)
		return -1;
	rc = mdb_env_create(&store->env);
	if (rc == 0)
		rc = mdb_env_set_userctx(store->env, store);
	if (rc == 0)
		rc = mdb_env_set_assert(store->env, on_assert);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(store->env, DB_COUNT);
	if (rc == 0)
		rc = mdb_env_set_mapsize(store->env, store->map ? store->map : MAP_START);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", store->dir_fd);
	/* No thread-local reader slots: one thread may hold several readers. */
	if (rc == 0)
		rc = mdb_env_open(store->env, path, MDB_NOTLS, 0600);
	if (rc == 0)
		return 0;
	if (rc != MDB_INVALID && rc != MDB_VERSION_MISMATCH)
		return db_fail(store, NULL, rc, "open", err);
	return not_ours(store, err);
}

/* A file that was cut short would be found out by SIGBUS, at any time. */
static int check_length(struct store *store, struct err *err)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;
	off_t need;
	int fd, rc = mdb_env_info(store->env, &info);

	if (rc == 0)
		rc = mdb_env_stat(store->env, &stat);
	if (rc == 0)
		rc = mdb_env_get_fd(store->env, &fd);
	if (rc)
		return db_fail(store, NULL, rc, "look at", err);
	if (fstat(fd, &st) < 0)
		return err_sys(err, "look at 'data.mdb' in '%s'", store->folder);
	need = (off_t)(info.me_last_pgno + 1) * (off_t)stat.ms_psize;
	if (st.st_size >= need)
		return 0;
	err_set(err, EINVAL, "open the store in '%s': data.mdb was cut short, %lld of %lld bytes are there", store->folder,
		(long long)st.st_size, (long long)need);
	return db_hint_copy(err);
}

struct store *store_open(int dir_fd, struct err *err)
{
	struct store *store = xcalloc(1, sizeof(*store));

	store->dir_fd = -1;
	if (lock_folder(store, dir_fd, err) < 0 || store_open_env(store, err) < 0 || check_length(store, err) < 0 ||
	    schema_open(store, err) < 0) {
		store_close(store);
		return NULL;
	}
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

struct store_txn *store_begin(struct store *store, bool write, struct err *err)
{
	struct store_txn *txn;
	int rc;

	/* LMDB would wait here for ourselves. */
	if (write && store->writing) {
		err_set(err, EBUSY, "write to the store in '%s': another write is under way", store->folder);
		return NULL;
	}
	if (store->heavy && !store->writing && !store->readers && !store->lost && space_shed(store, err) < 0)
		return NULL;
	if (write && space_grow_map(store, err) < 0)
		return NULL;
	if (store->lost) {
		err_set(err, ENOMEM, "read the store in '%s': its map is lost", store->folder);
		(void)err_hint(err, "start cowbelld again");
		return NULL;
	}
	txn = xcalloc(1, sizeof(*txn));
	txn->store = store;
	txn->write = write;
	rc = mdb_txn_begin(store->env, NULL, write ? 0 : MDB_RDONLY, &txn->txn);
	if (rc) {
		(void)db_fail(store, NULL, rc, "begin with", err);
		free(txn);
		return NULL;
	}
	if (write)
		store->writing = true;
	else
		store->readers++;
	return txn;
}

static void txn_over(struct store_txn *txn)
{
	if (txn->writes > HEAVY)
		txn->store->heavy = true;
	if (txn->write)
		txn->store->writing = false;
	else
		txn->store->readers--;
	free(txn);
}

/* What is written to a file that was deleted under us is gone with the process. */
static int check_there(struct store *store, struct err *err)
{
	struct stat st;
	int fd;

	if (mdb_env_get_fd(store->env, &fd) || fstat(fd, &st) < 0 || st.st_nlink > 0)
		return 0;
	err_set(err, ESTALE, "write to the store in '%s': data.mdb was deleted", store->folder);
	return err_hint(err, "start cowbelld again, with a good copy of the state folder if there is one");
}

int store_commit(struct store_txn *txn, struct err *err)
{
	struct store *store = txn->store;
	bool write = txn->write;
	int rc;

	if (txn->failed) {
		store_abort(txn);
		return err_set(err, EIO, "write to the store in '%s': an earlier write of the same step failed",
			       store->folder);
	}
	if (write && check_there(store, err) < 0) {
		store_abort(txn);
		return -1;
	}
	rc = mdb_txn_commit(txn->txn);
	txn_over(txn);
	if (rc == EIO) { /* LMDB's word for a write that came out short, too */
		err_set(err, ENOSPC, "write to the store in '%s': the disk is full or failing", store->folder);
		return err_hint(err, "make some room and try again");
	}
	if (rc)
		return db_fail(store, NULL, rc, "write to", err);
	if (write)
		space_keep_ahead(store, 0);
	return 0;
}

void store_abort(struct store_txn *txn)
{
	if (!txn)
		return;
	mdb_txn_abort(txn->txn);
	txn_over(txn);
}

uint64_t store_broken_records(const struct store *store)
{
	return store->broken;
}
