/* SPDX-License-Identifier: MIT
 *
 * store-probe make|check DIR: makes a store, or tells what one holds. A store moves
 * with its disk: from a kernel with pages of 4 KiB to one with larger pages, and into
 * a machine of another word size.
 * store-probe age DIR DAYS: the device was on for so many days more.
 */
#include "base/fd.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define APPS 20
#define GRANTS 30

static int put_app(struct store_txn *txn, int n, struct err *err)
{
	struct app_record app = { .state = APP_READY, .base = 65536u * (uint32_t)(n + 1), .head = 1, .install = 1 };
	char path[64], target[] = "";
	struct version_record v = { .generation = 1, .kind = ENTRY_FILE, .path = path, .target = target, .size = 7 };

	(void)snprintf(app.id, sizeof(app.id), "app%d", n);
	if (store_app_put(txn, &app, err) < 0)
		return -1;
	for (int i = 0; i < GRANTS; i++) {
		struct grant_record g = { .give = GIVE_ALLOW, .lasts = { .lasts = LASTS_ALWAYS } };

		(void)snprintf(g.app, sizeof(g.app), "%s", app.id);
		(void)snprintf(g.permission, sizeof(g.permission), "network");
		(void)snprintf(g.item, sizeof(g.item), "host%d", i);
		(void)snprintf(path, sizeof(path), "home/person/file%d", i);
		if (store_grant_put(txn, &g, err) < 0 || store_version_put(txn, app.id, &v, err) < 0)
			return -1;
	}
	return 0;
}

static int make(struct store *store, struct err *err)
{
	/* Over several commits, so that both meta pages and free pages are in use. */
	for (int n = 0; n < APPS; n++) {
		struct store_txn *txn = store_begin(store, true, err);

		if (!txn)
			return -1;
		if (put_app(txn, n, err) < 0) {
			store_abort(txn);
			return -1;
		}
		if (store_commit(txn, err) < 0)
			return -1;
	}
	return 0;
}

static int count_app(void *data, const struct app_record *app)
{
	(void)app;
	++*(int *)data;
	return 0;
}

static int count_grant(void *data, const struct grant_record *grant)
{
	(void)grant;
	++*(int *)data;
	return 0;
}

static int count_version(void *data, const struct version_record *v)
{
	(void)v;
	++*(int *)data;
	return 0;
}

static int check(struct store *store, struct err *err)
{
	struct store_txn *txn = store_begin(store, true, err);
	int apps = 0, grants = 0, versions = 0;
	uint64_t layer;

	if (!txn)
		return -1;
	if (store_app_each(txn, count_app, &apps, err) < 0 || store_grant_each(txn, NULL, count_grant, &grants, err) < 0 ||
	    store_version_each(txn, "app3", NULL, count_version, &versions, err) < 0 ||
	    store_counter_add(txn, COUNTER_LAYER, 1, &layer, err) < 0) {
		store_abort(txn);
		return -1;
	}
	if (store_commit(txn, err) < 0)
		return -1;
	(void)printf("%d apps, %d grants, %d versions of one, %llu broken\n", apps, grants, versions,
		     (unsigned long long)store_broken_records(store));
	return 0;
}

static int age(struct store *store, const char *days, struct err *err)
{
	struct store_txn *txn = store_begin(store, true, err);
	uint64_t value;

	if (!txn)
		return -1;
	if (store_counter_add(txn, COUNTER_POWERED, strtoull(days, NULL, 10) * 24 * 3600 * 1000, &value, err) < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	struct store *store = NULL;
	cleanup_fd int dir = -1;
	int rc = -1;

	if (argc != 3 && !(argc == 4 && strcmp(argv[1], "age") == 0))
		return 2;
	dir = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		store = store_open(dir, &err);
	else
		err_sys(&err, "open '%s'", argv[2]);
	if (store && argc == 4)
		rc = age(store, argv[3], &err);
	else if (store)
		rc = strcmp(argv[1], "make") == 0 ? make(store, &err) : check(store, &err);
	store_close(store);
	if (rc < 0)
		(void)printf("%s\n", err.msg);
	return rc < 0;
}
