/* SPDX-License-Identifier: MIT
 *
 * Prints how long the store takes with 4,000 apps and 1,000,000 versions.
 * Nothing is asserted: figures are for people. By hand:
 *
 *   gcc -O2 -std=gnu11 -D_GNU_SOURCE -Ibroker -I. -o bench_store tests/bench/bench_store.c broker/store/[a-z]*.c \
 *       broker/base/{err,fd,log,mem}.c broker/proto/wire.c -llmdb && ./bench_store FOLDER
 */
#include "store/db.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define APPS 4000u
#define VERSIONS 1000000u
#define PER_GENERATION 100000u
#define BATCH 400u /* what one message of a keeper brings */

static struct err err;

static double now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(int rc)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "bench_store: %s\n", err.msg);
	exit(1);
}

static struct store_txn *begin(struct store *store, bool write)
{
	struct store_txn *txn = store_begin(store, write, &err);

	must(txn ? 0 : -1);
	return txn;
}

static void tell(const char *what, double start, unsigned int times)
{
	double ms = now_ms() - start;

	if (times > 1)
		printf("%-52s %10.1f ms  %10.2f us each\n", what, ms, ms * 1e3 / times);
	else
		printf("%-52s %10.1f ms\n", what, ms);
}

static void path_of(unsigned int i, char *buf, size_t size)
{
	(void)snprintf(buf, size, "home/me/.cache/folder-%u/sub-%u/file-%u.dat", i % 1000, i / 1000 % 100, i);
}

static void put_apps(struct store *store)
{
	struct store_txn *txn = begin(store, true);

	for (unsigned int i = 0; i < APPS; i++) {
		struct app_record a = { .state = APP_READY, .title = "An app", .head = 1, .install = 1 };
		struct grant_record g = { .permission = "storage", .item = "Music", .give = GIVE_READ };
		struct generation_record gen = { .number = 1, .layer_count = 1, .layers = { i + 1 } };

		(void)snprintf(a.id, sizeof(a.id), "app-%u", i);
		(void)snprintf(g.app, sizeof(g.app), "app-%u", i);
		(void)snprintf(gen.app, sizeof(gen.app), "app-%u", i);
		must(store_app_put(txn, &a, &err));
		must(store_grant_put(txn, &g, &err));
		must(store_generation_put(txn, &gen, &err));
	}
	must(store_commit(txn, &err));
}

static void put_versions(struct store *store)
{
	struct store_txn *txn = NULL;
	char path[128];

	for (unsigned int i = 0; i < VERSIONS; i++) {
		struct version_record v = { .generation = 2 + i / PER_GENERATION, .kind = ENTRY_FILE, .path = path };

		v.target = (char *)(uintptr_t)"";
		if (i % BATCH == 0)
			txn = begin(store, true);
		path_of(i / 2, path, sizeof(path)); /* two states of each path */
		v.generation += (i % 2) * 100;
		must(store_version_put(txn, "app-1", &v, &err));
		if (i % BATCH == BATCH - 1)
			must(store_commit(txn, &err));
	}
}

static int count_app(void *data, const struct app_record *a)
{
	(void)a;
	++*(unsigned int *)data;
	return 0;
}

static int count_grant(void *data, const struct grant_record *g)
{
	(void)g;
	++*(unsigned int *)data;
	return 0;
}

static int count_version(void *data, const struct version_record *v)
{
	(void)v;
	++*(unsigned int *)data;
	return 0;
}

static void look_up(struct store *store)
{
	struct store_txn *txn = begin(store, false);
	struct app_record a;
	struct grant_record g;
	unsigned int n = 0;
	char path[128], id[32];
	double start = now_ms();

	must(store_app_each(txn, count_app, &n, &err));
	tell("list 4,000 apps", start, 1);
	start = now_ms();
	must(store_grant_each(txn, NULL, count_grant, &n, &err));
	tell("list 4,000 grants", start, 1);
	start = now_ms();
	for (unsigned int i = 0; i < 10000; i++) {
		(void)snprintf(id, sizeof(id), "app-%u", i * 7 % APPS);
		must(store_app_get(txn, id, &a, &err));
		app_record_finish(&a);
		must(store_grant_get(txn, id, "storage", "Music", &g, &err));
	}
	tell("look up an app and its grant", start, 10000);
	start = now_ms();
	for (unsigned int i = 0; i < 10000; i++) {
		path_of(i * 37 % (VERSIONS / 2), path, sizeof(path));
		must(store_version_each(txn, "app-1", path, count_version, &n, &err));
	}
	tell("the states of one path among 1,000,000", start, 10000);
	start = now_ms();
	n = 0;
	must(store_version_each(txn, "app-1", NULL, count_version, &n, &err));
	tell("walk over 1,000,000 versions", start, n);
	store_abort(txn);
}

static void small_writes(struct store *store)
{
	double start = now_ms();

	for (unsigned int i = 0; i < 100; i++) {
		struct store_txn *txn = begin(store, true);
		struct grant_record g = { .app = "app-9", .permission = "network", .give = GIVE_ALLOW };
		struct history_record h = { .kind = HISTORY_DECISION, .app = "app-9", .wall_ms = i + 1 };

		must(store_grant_put(txn, &g, &err));
		must(store_history_append(txn, &h, &err));
		must(store_commit(txn, &err));
	}
	tell("an answer with its history, synced", start, 100);
}

static void delete_all(struct store *store)
{
	double start = now_ms();
	struct store_txn *txn = begin(store, true);

	must(store_generation_delete(txn, "app-1", 2, &err));
	must(store_commit(txn, &err));
	tell("delete a generation of 50,000 among 1,000,000", start, 1);
	start = now_ms();
	txn = begin(store, true);
	must(store_app_delete(txn, "app-1", &err));
	must(store_commit(txn, &err));
	tell("delete the app with the rest", start, 1);
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct store *store;
	struct stat st;
	double start;

	if (fd < 0) {
		fprintf(stderr, "usage: bench_store FOLDER (an empty one)\n");
		return 2;
	}
	store = store_open(fd, &err);
	must(store ? 0 : -1);
	start = now_ms();
	put_apps(store);
	tell("put 4,000 apps, grants, generations", start, APPS);
	start = now_ms();
	put_versions(store);
	tell("put 1,000,000 versions, 400 a transaction", start, VERSIONS);
	store_close(store);
	start = now_ms();
	store = store_open(fd, &err);
	must(store ? 0 : -1);
	tell("open", start, 1);
	look_up(store);
	small_writes(store);
	delete_all(store);
	store_close(store);
	if (fstatat(fd, "data.mdb", &st, 0) == 0)
		printf("%-52s %10.1f MB\n", "data.mdb", (double)st.st_size / 1048576);
	(void)close(fd);
	return 0;
}
