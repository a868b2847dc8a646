/* SPDX-License-Identifier: MIT
 *
 * Which databases there are, and from which schema they come. A store of a newer
 * program is refused before a byte of it is written; an older one is copied
 * aside, then upgraded with its new number in one transaction.
 */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

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
	[DB_GRANTS_THEN] = "grants-then",
	[DB_TRAFFIC] = "traffic",
	[DB_POLICY] = "policy",
};

/* Schema 0 differs in nothing but its number. In schema 2 records may end with what
 * those of schema 1 have not: a reader of 2 takes both, one of 1 would take the new ones
 * for broken. */
static int upgrade_nothing(struct store_txn *txn, struct err *err)
{
	(void)txn;
	(void)err;
	return 0;
}

/* upgrades[n] makes schema n + 1 of n. */
static int (*const upgrades[STORE_SCHEMA])(struct store_txn *txn, struct err *err) = {
	[0] = upgrade_nothing,
	[1] = upgrade_nothing,
};

/* 1 with the number, 0 for a store that is empty yet, -1. */
static int read_schema(struct store *store, uint64_t *ret, struct err *err)
{
	struct store_txn *txn = store_begin(store, false, err);
	size_t entries = 0;
	int rc;

	if (!txn)
		return -1;
	rc = mdb_dbi_open(txn->txn, db_names[DB_META], 0, &store->dbi[DB_META]);
	if (rc == MDB_NOTFOUND) {
		store_abort(txn);
		return 0;
	}
	rc = rc ? db_fail(store, txn, rc, "open", err) : meta_get_number(txn, "schema", ret, err);
	if (rc == 0 && db_count(txn, DB_META, &entries, err) < 0)
		rc = -1;
	/* A commit, so that the handle of the database stays. */
	if (rc < 0)
		store_abort(txn);
	else if (store_commit(txn, err) < 0)
		rc = -1;
	if (rc == 2 || (rc == 0 && entries)) {
		err_set(err, EINVAL, "open the store in '%s': its schema number is damaged", store->folder);
		return db_hint_copy(err);
	}
	return rc;
}

static int back_up(struct store *store, uint64_t schema, struct err *err)
{
	char name[48], part[64];
	cleanup_fd int fd = -1;
	int rc;

	(void)snprintf(name, sizeof(name), "data.mdb.schema%llu", (unsigned long long)schema);
	(void)snprintf(part, sizeof(part), "%s.part", name);
	fd = openat(store->dir_fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, "copy the store in '%s' to '%s'", store->folder, part);
	rc = mdb_env_copyfd2(store->env, fd, 0);
	if (rc) {
		(void)unlinkat(store->dir_fd, part, 0);
		return db_fail(store, NULL, rc, "copy", err);
	}
	if (fsync(fd) < 0 || renameat(store->dir_fd, part, store->dir_fd, name) < 0 || fsync(store->dir_fd) < 0)
		return err_sys(err, "copy the store in '%s' to '%s'", store->folder, name);
	return 0;
}

/* from: the schema found, STORE_SCHEMA for a new store, which gets its number here. */
static int open_all(struct store *store, uint64_t from, bool number, struct err *err)
{
	struct store_txn *txn = store_begin(store, true, err);
	int rc = 0;

	if (!txn)
		return -1;
	for (int i = 0; i < DB_COUNT && rc == 0; i++)
		rc = mdb_dbi_open(txn->txn, db_names[i], MDB_CREATE, &store->dbi[i]);
	if (rc)
		rc = db_fail(store, txn, rc, "open", err);
	for (uint64_t n = from; n < STORE_SCHEMA && rc == 0; n++)
		rc = upgrades[n](txn, err);
	if (rc == 0 && number)
		rc = meta_put_number(txn, "schema", STORE_SCHEMA, err);
	if (rc == 0)
		return store_commit(txn, err);
	store_abort(txn);
	return -1;
}

int schema_open(struct store *store, struct err *err)
{
	uint64_t schema = 0;
	int found = read_schema(store, &schema, err);

	if (found < 0)
		return -1;
	if (found && schema > STORE_SCHEMA) {
		err_set(err, EINVAL, "open the store in '%s': its schema %llu is newer than this program's %u",
			store->folder, (unsigned long long)schema, STORE_SCHEMA);
		return err_hint(err, "run the newer program again, or put 'data.mdb.schema%u' back as data.mdb",
				STORE_SCHEMA);
	}
	if (found && schema < STORE_SCHEMA && back_up(store, schema, err) < 0)
		return -1;
	return open_all(store, found ? schema : STORE_SCHEMA, !found || schema != STORE_SCHEMA, err);
}
