/* SPDX-License-Identifier: MIT */
#include "store_dir.h"

#include <malloc.h>

#include <errno.h>

static void test_files_are_for_their_owner_only(void **state)
{
	struct store_dir *d = *state;
	const char *const names[] = { "data.mdb", "lock.mdb" };
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(fstatat(d->fd, names[i], &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void test_every_commit_syncs(void **state)
{
	struct store_dir *d = *state;
	unsigned int flags = ~0u;

	assert_int_equal(mdb_env_get_flags(d->store->env, &flags), 0);
	assert_int_equal(flags & (MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP | MDB_MAPASYNC | MDB_NOLOCK), 0);
}

static void test_a_second_opener_is_refused_by_name(void **state)
{
	struct store_dir *d = *state;
	struct err err = { 0 };

	assert_null(store_open(d->fd, &err));
	assert_int_equal(err.code, EBUSY);
	assert_contains(err.msg, d->path);
	assert_contains(err.msg, "another process has it open");
	assert_contains(err.msg, "stop the other one");
	/* And it is free again with its end. */
	dir_reopen(d);
}

static void put_schema(struct store_dir *d, uint64_t number, bool one_only)
{
	struct wr *w;
	struct key key;

	dir_begin(d, true);
	GOOD(meta_put_number(d->txn, "schema", number, &d->err));
	if (one_only) {
		key_init(&key);
		key_text(&key, "schema");
		w = db_record(d->txn);
		wr_u32(w, (uint32_t)number);
		GOOD(db_put(d->txn, DB_META, &key, w, &d->err));
		key_text(&key, "copy");
		assert_int_equal(db_delete(d->txn, DB_META, &key, &d->err), 1);
	}
	dir_commit(d);
}

static void read_whole(struct store_dir *d, char **ret, size_t *ret_size)
{
	GOOD(fd_read_file(d->fd, "data.mdb", 64 << 20, ret, ret_size, &d->err));
}

static void test_a_newer_schema_is_refused_and_not_touched(void **state)
{
	struct store_dir *d = *state;
	cleanup_free char *before = NULL, *after = NULL;
	size_t size_before, size_after;
	struct err err = { 0 };

	put_schema(d, 7, false);
	store_close(d->store);
	d->store = NULL;
	read_whole(d, &before, &size_before);
	assert_null(store_open(d->fd, &err));
	assert_contains(err.msg, "schema 7 is newer than this program's 2");
	assert_contains(err.msg, d->path);
	assert_contains(err.msg, "run the newer program again");
	read_whole(d, &after, &size_after);
	assert_int_equal(size_before, size_after);
	assert_memory_equal(before, after, size_before);
}

static void test_schema_0_is_upgraded_after_a_copy(void **state)
{
	struct store_dir *d = *state;
	char text[32];
	uint64_t number;
	struct stat st;

	dir_begin(d, true);
	GOOD(store_text_put(d->txn, "mark", "kept", &d->err));
	dir_commit(d);
	put_schema(d, 0, true);
	dir_reopen(d);

	dir_begin(d, false);
	assert_int_equal(meta_get_number(d->txn, "schema", &number, &d->err), 1);
	assert_int_equal(number, STORE_SCHEMA);
	GOOD(store_text_get(d->txn, "mark", text, sizeof(text), &d->err));
	assert_string_equal(text, "kept");
	dir_abort(d);

	/* The copy is a whole store of the old schema. */
	assert_int_equal(fstatat(d->fd, "data.mdb.schema0", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_not_equal(fstatat(d->fd, "data.mdb.schema0.part", &st, 0), 0);
	store_close(d->store);
	d->store = NULL;
	assert_int_equal(renameat(d->fd, "data.mdb.schema0", d->fd, "data.mdb"), 0);
	dir_open(d);
	dir_begin(d, false);
	GOOD(store_text_get(d->txn, "mark", text, sizeof(text), &d->err));
	assert_string_equal(text, "kept");
}

static void test_a_new_store_makes_no_copy(void **state)
{
	struct store_dir *d = *state;
	struct stat st;

	dir_reopen(d);
	assert_int_not_equal(fstatat(d->fd, "data.mdb.schema0", &st, 0), 0);
	assert_int_not_equal(fstatat(d->fd, "data.mdb.schema1", &st, 0), 0);
}

static void test_one_broken_schema_record_is_survived_two_are_not(void **state)
{
	struct store_dir *d = *state;
	struct err err = { 0 };
	struct key key;

	key_init(&key);
	key_text(&key, "schema");
	dir_break(d, DB_META, &key);
	dir_reopen(d);
	assert_true(store_broken_records(d->store) > 0);
	key_text(&key, "copy");
	dir_break(d, DB_META, &key);
	store_close(d->store);
	d->store = NULL;
	assert_null(store_open(d->fd, &err));
	assert_contains(err.msg, "its schema number is damaged");
	assert_contains(err.msg, "put a good copy back");
}

static void write_data(struct store_dir *d, const void *p, size_t n)
{
	cleanup_fd int fd = openat(d->fd, "data.mdb", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, p, n), 0);
}

/* A page's number comes first, then flags, then LMDB's mark: where they lie depends
 * on the size of a word. */
static void make_meta(uint8_t *page, size_t word, uint32_t version, uint32_t page_size)
{
	const uint16_t meta_flag = 0x08;
	const uint32_t magic = 0xBEEFC0DE;

	memcpy(page + word + 2, &meta_flag, 2);
	memcpy(page + word + 8, &magic, 4);
	memcpy(page + word + 12, &version, 4);
	memcpy(page + word + 16 + 2 * word, &page_size, 4);
}

static void make_other_word(uint8_t *page)
{
	make_meta(page, sizeof(void *) == 8 ? 4 : 8, 1, 4096);
}

static void make_other_version(uint8_t *page)
{
	make_meta(page, sizeof(void *), 999, 4096);
}

static void make_no_page_size(uint8_t *page)
{
	make_meta(page, sizeof(void *), 1, 0);
}

static void make_odd_page_size(uint8_t *page)
{
	make_meta(page, sizeof(void *), 1, 0x80000000u);
}

static void make_text(uint8_t *page)
{
	memcpy(page, "this is no store at all", 23);
}

static void test_a_foreign_file_is_refused_with_a_way_out(void **state)
{
	static const struct {
		const char *what;
		void (*make)(uint8_t *page);
	} cases[] = {
		{ "other word size", make_other_word }, { "other version", make_other_version }, { "text", make_text },
		{ "no page size", make_no_page_size }, { "odd page size", make_odd_page_size },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_dir *d = *state;
		static uint8_t pages[8192];
		struct err err = { 0 };

		memset(pages, 0, sizeof(pages));
		cases[i].make(pages);
		cases[i].make(pages + 4096);
		write_data(d, pages, sizeof(pages));
		if (store_open(d->fd, &err))
			fail_msg("%s: opened", cases[i].what);
		assert_contains(err.msg, d->path);
		assert_contains(err.msg, "another word size");
		assert_contains(err.msg, "move the whole state folder aside");
	}
}

static void test_what_is_no_file_is_refused(void **state)
{
	struct store_dir *d = *state;
	struct err err = { 0 };

	store_close(d->store);
	d->store = NULL;
	assert_int_equal(unlinkat(d->fd, "data.mdb", 0), 0);
	assert_int_equal(mkfifoat(d->fd, "data.mdb", 0600), 0);
	assert_null(store_open(d->fd, &err));
	assert_contains(err.msg, "data.mdb is damaged");
	assert_int_equal(unlinkat(d->fd, "data.mdb", 0), 0);
	assert_int_equal(mkdirat(d->fd, "data.mdb", 0700), 0);
	assert_null(store_open(d->fd, &err));
	assert_contains(err.msg, "data.mdb is damaged");
	assert_int_equal(unlinkat(d->fd, "data.mdb", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("data.mdb", d->fd, "data.mdb"), 0);
	assert_null(store_open(d->fd, &err));
	assert_contains(err.msg, "data.mdb: Too many levels of symbolic links");
	assert_int_equal(unlinkat(d->fd, "data.mdb", 0), 0);
	dir_open(d);
}

static void test_nothing_is_acknowledged_of_a_deleted_file(void **state)
{
	struct store_dir *d = *state;
	struct err err = { 0 };
	uint64_t value;

	dir_begin(d, true);
	GOOD(store_counter_add(d->txn, COUNTER_LAYER, 1, &value, &d->err));
	assert_int_equal(unlinkat(d->fd, "data.mdb", 0), 0);
	assert_int_equal(store_commit(d->txn, &err), -1);
	d->txn = NULL;
	assert_contains(err.msg, "data.mdb was deleted");
	assert_contains(err.msg, "start cowbelld again");
}

static void test_a_file_cut_short_is_refused(void **state)
{
	struct store_dir *d = *state;
	struct err err = { 0 };

	store_close(d->store);
	d->store = NULL;
	{
		cleanup_fd int fd = openat(d->fd, "data.mdb", O_RDWR | O_CLOEXEC);

		assert_int_equal(ftruncate(fd, 4096 * 3), 0);
	}
	assert_null(store_open(d->fd, &err));
	assert_contains(err.msg, "data.mdb was cut short, 12288 of ");
}

static void test_one_write_at_a_time(void **state)
{
	struct store_dir *d = *state;
	struct err err = { 0 };

	dir_begin(d, true);
	assert_null(store_begin(d->store, true, &err));
	assert_int_equal(err.code, EBUSY);
	assert_contains(err.msg, "another write is under way");
	dir_commit(d);
	dir_begin(d, true);
	dir_abort(d);
	dir_begin(d, true);
}

static void test_a_reader_sees_one_state_while_the_store_grows(void **state)
{
	struct store_dir *d = *state;
	struct store_txn *reader;
	MDB_envinfo before, after;
	char text[1024], big[1001], name[32];
	struct err err = { 0 };

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	dir_begin(d, true);
	GOOD(store_text_put(d->txn, "mark", "old", &d->err));
	dir_commit(d);
	assert_int_equal(mdb_env_info(d->store->env, &before), 0);
	reader = store_begin(d->store, false, &err);
	assert_non_null(reader);
	for (int i = 0; i < 6; i++) {
		dir_begin(d, true);
		GOOD(store_text_put(d->txn, "mark", "new", &d->err));
		for (int k = 0; k < 1000; k++) {
			(void)snprintf(name, sizeof(name), "t%d-%d", i, k);
			GOOD(store_text_put(d->txn, name, big, &d->err));
		}
		dir_commit(d);
	}
	GOOD(store_text_get(reader, "mark", text, sizeof(text), &d->err));
	assert_string_equal(text, "old");
	assert_int_equal(mdb_env_info(d->store->env, &after), 0);
	assert_int_equal(after.me_mapsize, before.me_mapsize); /* not under the reader */
	store_abort(reader);
	dir_begin(d, true);
	assert_int_equal(mdb_env_info(d->store->env, &after), 0);
	assert_true(after.me_mapsize > before.me_mapsize);
}

static int put_many(struct store_dir *d, int from, int to)
{
	char big[1001], name[32];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (int k = from; k < to; k++) {
		(void)snprintf(name, sizeof(name), "n%d", k);
		if (store_text_put(d->txn, name, big, &d->err) < 0)
			return -1;
	}
	return 0;
}

static void test_a_full_map_says_so_and_the_next_try_has_room(void **state)
{
	struct store_dir *d = *state;
	char text[16];
	struct err err = { 0 };

	/* 30 MB in one transaction are more than the map that it began with. */
	dir_begin(d, true);
	assert_int_equal(put_many(d, 0, 20000), -1);
	assert_int_equal(d->err.code, ENOSPC);
	assert_contains(d->err.msg, "its map was full");
	assert_contains(d->err.msg, "try again");
	assert_int_equal(store_text_put(d->txn, "more", "x", &err), -1);
	assert_contains(err.msg, "an earlier write of the same step failed");
	assert_int_equal(store_commit(d->txn, &err), -1);
	d->txn = NULL;
	dir_begin(d, false);
	GOOD(store_text_get(d->txn, "n0", text, sizeof(text), &d->err));
	assert_string_equal(text, "");
	dir_abort(d);
	for (int tries = 0; tries < 4; tries++) {
		dir_begin(d, true);
		if (put_many(d, 0, 20000) == 0)
			break;
		dir_abort(d);
	}
	assert_non_null(d->txn);
	dir_commit(d);
	/* And a store larger than the first map opens again. */
	dir_reopen(d);
	dir_begin(d, true);
	GOOD(put_many(d, 20000, 20100));
	dir_commit(d);
}

static size_t heap_in_use(void)
{
	return mallinfo2().uordblks;
}

/* LMDB keeps the page buffers of its largest transaction for ever. */
static void test_the_memory_of_a_large_transaction_is_given_back(void **state)
{
	struct store_dir *d = *state;
	struct err err = { 0 };
	struct store_txn *txn = store_begin(d->store, true, &err);
	struct app_record app = { 0 };
	size_t before = heap_in_use();
	uint64_t counter;

	for (unsigned int i = 0; i < 20000; i++) {
		struct grant_record grant = { .permission = "storage", .give = GIVE_READ };

		(void)snprintf(grant.app, sizeof(grant.app), "app%u", i);
		assert_int_equal(store_grant_put(txn, &grant, &err), 0);
	}
	assert_int_equal(store_commit(txn, &err), 0);
	txn = store_begin(d->store, true, &err);
	assert_non_null(txn);
	assert_int_equal(store_counter_add(txn, COUNTER_SESSION, 1, &counter, &err), 0);
	assert_int_equal(store_commit(txn, &err), 0);
	assert_true(heap_in_use() < before + (1 << 20));
	txn = store_begin(d->store, false, &err);
	assert_int_equal(store_app_get(txn, "app7", &app, &err), 0);
	assert_int_equal(store_grant_get(txn, "app19999", "storage", "", &(struct grant_record){ 0 }, &err), 1);
	store_abort(txn);
}

static void test_a_write_in_a_read_is_refused(void **state)
{
	struct store_dir *d = *state;

	dir_begin(d, false);
	assert_int_equal(store_text_put(d->txn, "a", "b", &d->err), -1);
	assert_int_equal(d->err.code, EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, dir_setup, dir_teardown)
		T(test_files_are_for_their_owner_only),
		T(test_every_commit_syncs),
		T(test_a_second_opener_is_refused_by_name),
		T(test_a_newer_schema_is_refused_and_not_touched),
		T(test_schema_0_is_upgraded_after_a_copy),
		T(test_a_new_store_makes_no_copy),
		T(test_one_broken_schema_record_is_survived_two_are_not),
		cmocka_unit_test_setup_teardown(test_a_foreign_file_is_refused_with_a_way_out, dir_setup_bare,
						dir_teardown),
		T(test_what_is_no_file_is_refused),
		T(test_nothing_is_acknowledged_of_a_deleted_file),
		T(test_a_file_cut_short_is_refused),
		T(test_one_write_at_a_time),
		T(test_a_reader_sees_one_state_while_the_store_grows),
		T(test_a_full_map_says_so_and_the_next_try_has_room),
		T(test_the_memory_of_a_large_transaction_is_given_back),
		T(test_a_write_in_a_read_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
