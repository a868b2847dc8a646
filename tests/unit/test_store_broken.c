/* SPDX-License-Identifier: MIT
 *
 * A broken record costs that record.
 */
#include "store_samples.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int count_apps(void *data, const struct app_record *a)
{
	unsigned int *counts = data;

	counts[a->state == APP_BROKEN]++;
	if (a->state == APP_BROKEN)
		assert_string_equal(a->id, "b");
	return 0;
}

static void test_a_broken_app_costs_itself(void **state)
{
	struct store_dir *d = *state;
	unsigned int counts[2] = { 0, 0 };
	struct key key;

	dir_begin(d, true);
	put_app(d, "a");
	put_app(d, "b");
	put_app(d, "c");
	dir_commit(d);
	key_init(&key);
	key_text(&key, "b");
	dir_break(d, DB_APPS, &key);
	assert_int_equal(store_broken_records(d->store), 0);
	dir_begin(d, false);
	GOOD(store_app_each(d->txn, count_apps, counts, &d->err));
	assert_int_equal(counts[0], 2);
	assert_int_equal(counts[1], 1);
	assert_int_equal(store_broken_records(d->store), 1);
}

static void test_a_broken_grant_means_ask(void **state)
{
	struct store_dir *d = *state;
	struct grant_record g;
	struct names all = { "" };
	struct key key;

	dir_begin(d, true);
	put_grant(d, "a", "storage", "");
	put_grant(d, "b", "storage", "");
	dir_commit(d);
	key_init(&key);
	key_text(&key, "a");
	key_text(&key, "storage");
	key_text(&key, "");
	dir_break(d, DB_GRANTS, &key);
	dir_begin(d, false);
	assert_int_equal(store_grant_get(d->txn, "a", "storage", "", &g, &d->err), 0);
	GOOD(store_grant_each(d->txn, NULL, add_grant, &all, &d->err));
	assert_string_equal(all.text, "b/storage/ ");
	assert_int_equal(store_broken_records(d->store), 2);
}

static void test_every_bit_of_a_grant_counts(void **state)
{
	struct store_dir *d = *state;
	struct grant_record g;
	struct key key;
	MDB_val k, v;
	uint8_t good[1024], bad[1024];
	size_t size;

	key_init(&key);
	key_text(&key, "a");
	key_text(&key, "storage");
	key_text(&key, "");
	dir_begin(d, true);
	put_grant(d, "a", "storage", "");
	k = (MDB_val){ .mv_size = key.len, .mv_data = key.buf };
	assert_int_equal(mdb_get(d->txn->txn, d->store->dbi[DB_GRANTS], &k, &v), 0);
	size = v.mv_size;
	memcpy(good, v.mv_data, size);
	for (size_t bit = 0; bit < size * 8; bit++) {
		memcpy(bad, good, size);
		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
		v = (MDB_val){ .mv_size = size, .mv_data = bad };
		assert_int_equal(mdb_put(d->txn->txn, d->store->dbi[DB_GRANTS], &k, &v, 0), 0);
		if (store_grant_get(d->txn, "a", "storage", "", &g, &d->err) != 0)
			fail_msg("bit %zu flipped and the grant still stands", bit);
	}
	for (size_t cut = 0; cut < size; cut++) {
		v = (MDB_val){ .mv_size = cut, .mv_data = good };
		assert_int_equal(mdb_put(d->txn->txn, d->store->dbi[DB_GRANTS], &k, &v, 0), 0);
		if (store_grant_get(d->txn, "a", "storage", "", &g, &d->err) != 0)
			fail_msg("cut to %zu bytes and the grant still stands", cut);
	}
}

static void test_a_record_that_moved_is_broken(void **state)
{
	struct store_dir *d = *state;
	struct grant_record g;
	struct key from, to;
	MDB_val k, v;
	uint8_t copy[1024];

	dir_begin(d, true);
	put_grant(d, "good", "storage", "");
	key_init(&from);
	key_text(&from, "good");
	key_text(&from, "storage");
	key_text(&from, "");
	key_init(&to);
	key_text(&to, "evil");
	key_text(&to, "storage");
	key_text(&to, "");
	k = (MDB_val){ .mv_size = from.len, .mv_data = from.buf };
	assert_int_equal(mdb_get(d->txn->txn, d->store->dbi[DB_GRANTS], &k, &v), 0);
	memcpy(copy, v.mv_data, v.mv_size);
	v.mv_data = copy;
	k = (MDB_val){ .mv_size = to.len, .mv_data = to.buf };
	assert_int_equal(mdb_put(d->txn->txn, d->store->dbi[DB_GRANTS], &k, &v, 0), 0);
	assert_int_equal(store_grant_get(d->txn, "evil", "storage", "", &g, &d->err), 0);
	assert_int_equal(store_grant_get(d->txn, "good", "storage", "", &g, &d->err), 1);
}

/* Of every page of records: it ends before it begins. A page has its number (a word),
 * then four times 16 bits: padding, flags, where its free room begins, and ends. */
static void spoil_pages(const struct store_dir *d)
{
	const uint16_t leaf = 0x02, nothing = 0;
	const off_t page = sysconf(_SC_PAGESIZE);
	cleanup_fd int fd = openat(d->fd, "data.mdb", O_RDWR | O_CLOEXEC);
	uint16_t flags;

	assert_true(fd >= 0);
	for (off_t at = 2 * page; pread(fd, &flags, 2, at + (off_t)sizeof(size_t) + 2) == 2; at += page) {
		if (flags == leaf)
			assert_int_equal(pwrite(fd, &nothing, 2, at + (off_t)sizeof(size_t) + 6), 2);
	}
}

static void write_something(struct store_dir *d, int said)
{
	(void)dup2(said, 2);
	d->store = store_open(d->fd, &d->err);
	d->txn = d->store ? store_begin(d->store, true, &d->err) : NULL;
	if (d->txn)
		(void)store_text_put(d->txn, "another", "text", &d->err);
	(void)dprintf(2, "%s", d->err.msg);
	_exit(1);
}

static void test_a_page_that_cannot_be_is_told(void **state)
{
	struct store_dir *d = *state;
	char said[1024] = "";
	int fds[2], status;
	pid_t pid;

	dir_begin(d, true);
	GOOD(store_text_put(d->txn, "mark", "short", &d->err));
	put_app(d, "a");
	dir_commit(d);
	store_close(d->store);
	d->store = NULL;
	spoil_pages(d);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		write_something(d, fds[1]);
	(void)close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(read(fds[0], said, sizeof(said) - 1) > 0);
	(void)close(fds[0]);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_contains(said, d->path);
	assert_contains(said, "is damaged: ");
	assert_contains(said, "put a good copy back");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, dir_setup, dir_teardown)
		T(test_a_broken_app_costs_itself),
		T(test_a_broken_grant_means_ask),
		T(test_every_bit_of_a_grant_counts),
		T(test_a_record_that_moved_is_broken),
		T(test_a_page_that_cannot_be_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
