/* SPDX-License-Identifier: MIT */
#include "store_dir.h"

#include <errno.h>

static int put(struct store_dir *d, const char *app, uint32_t generation, const char *path)
{
	struct version_record v = { .generation = generation, .kind = ENTRY_FILE, .size = generation * 10,
				    .mode = 0644, .uid = 1, .gid = 2, .mtime_ns = 3 };

	v.path = (char *)(uintptr_t)path;
	v.target = (char *)(uintptr_t)"";
	v.hash[0] = (uint8_t)generation;
	return store_version_put(d->txn, app, &v, &d->err);
}

struct list {
	char text[512];
	size_t count;
};

static int add(void *data, const struct version_record *v)
{
	struct list *l = data;
	size_t used = strlen(l->text);

	l->count++;
	assert_int_equal(v->size, v->generation * 10);
	assert_int_equal(v->hash[0], (uint8_t)v->generation);
	(void)snprintf(l->text + used, sizeof(l->text) - used, "%.40s@%u ", v->path, v->generation);
	return 0;
}

static struct list list(struct store_dir *d, const char *app, const char *path)
{
	struct list l = { "", 0 };

	GOOD(store_version_each(d->txn, app, path, add, &l, &d->err));
	return l;
}

static void test_states_of_a_path_come_oldest_first(void **state)
{
	struct store_dir *d = *state;

	dir_begin(d, true);
	GOOD(put(d, "nano", 300, "home/me/a"));
	GOOD(put(d, "nano", 2, "home/me/a"));
	GOOD(put(d, "nano", 2, "home/me"));
	GOOD(put(d, "nano", 2, "home/me/ab"));
	GOOD(put(d, "vim", 2, "home/me/a"));
	assert_string_equal(list(d, "nano", "home/me/a").text, "home/me/a@2 home/me/a@300 ");
	assert_string_equal(list(d, "nano", "home/me").text, "home/me@2 ");
	assert_string_equal(list(d, "nano", "home").text, "");
	assert_string_equal(list(d, "nano", "home/you").text, "");
	assert_int_equal(list(d, "nano", NULL).count, 4);
	assert_int_equal(list(d, "vim", NULL).count, 1);
}

static int keep_whole(void *data, const struct version_record *v)
{
	struct version_record *ret = data;

	*ret = *v;
	ret->path = xstrdup(v->path);
	ret->target = xstrdup(v->target);
	return 0;
}

static void test_the_longest_names_and_targets_come_back(void **state)
{
	struct store_dir *d = *state;
	struct version_record v = { .generation = 1, .kind = ENTRY_SYMLINK }, got = { 0 };
	char app[APP_ID_SIZE], path[PATH_SIZE], target[PATH_SIZE];

	memset(app, 'a', sizeof(app) - 1);
	app[sizeof(app) - 1] = '\0';
	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	for (size_t i = 0; i < sizeof(path) - 1; i++)
		path[i] = i % 256 == 255 ? '/' : (char)(0x80 + i % 100); /* names of 255 bytes, no UTF-8 */
	path[sizeof(path) - 1] = '\0';
	v.path = path;
	v.target = target;
	dir_begin(d, true);
	GOOD(store_version_put(d->txn, app, &v, &d->err));
	GOOD(store_version_each(d->txn, app, path, keep_whole, &got, &d->err));
	assert_non_null(got.path);
	assert_string_equal(got.path, path);
	assert_string_equal(got.target, target);
	free(got.path);
	free(got.target);
}

static void test_the_deepest_path_comes_back(void **state)
{
	struct store_dir *d = *state;
	char path[PATH_SIZE];
	struct version_record got = { 0 };

	for (size_t i = 0; i < sizeof(path) - 1; i++)
		path[i] = i % 2 ? '/' : 'd';
	path[sizeof(path) - 1] = '\0'; /* 4095 bytes: 2048 names */
	dir_begin(d, true);
	GOOD(put(d, "nano", 1, path));
	GOOD(store_version_each(d->txn, "nano", path, keep_whole, &got, &d->err));
	assert_non_null(got.path);
	assert_string_equal(got.path, path);
	free(got.path);
	free(got.target);
}

static void test_what_no_file_is_called_is_refused(void **state)
{
	static char name256[257], long_path[PATH_SIZE + 1];
	static const struct {
		const char *path, *text;
	} cases[] = {
		{ "/etc", "not one that a file can have" },    { "a//b", "not one that a file can have" },
		{ "../etc", "a name '..'" },		       { "a/../b", "a name '..'" },
		{ "a/./b", "a name '.'" },		       { name256, "a name of 256 bytes: more than 255" },
		{ long_path, "path of 4096 bytes: more than 4095" },
	};
	struct store_dir *d = *state;

	memset(name256, 'n', 256);
	for (size_t i = 0; i < PATH_SIZE; i++)
		long_path[i] = i % 2 ? '/' : 'd';
	dir_begin(d, true);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (put(d, "nano", 1, cases[i].path) == 0)
			fail_msg("'%.20s' was stored", cases[i].path);
		assert_contains(d->err.msg, cases[i].text);
	}
}

static void test_a_target_too_long_is_refused(void **state)
{
	struct store_dir *d = *state;
	static char target[PATH_SIZE + 1];
	struct version_record v = { .generation = 1, .kind = ENTRY_SYMLINK, .target = target };

	memset(target, 't', PATH_SIZE);
	v.path = (char *)(uintptr_t)"a";
	dir_begin(d, true);
	assert_int_equal(store_version_put(d->txn, "nano", &v, &d->err), -1);
	assert_contains(d->err.msg, "its target has more than 4095 bytes");
}

static size_t count(struct store_dir *d, enum db db)
{
	size_t n = 0;

	GOOD(db_count(d->txn, db, &n, &d->err));
	return n;
}

static void test_a_generation_takes_its_versions_and_unused_paths_along(void **state)
{
	struct store_dir *d = *state;

	dir_begin(d, true);
	GOOD(put(d, "nano", 1, "usr/bin/nano"));
	GOOD(put(d, "nano", 2, "usr/bin/nano"));
	GOOD(put(d, "nano", 2, "home/me/deep/deeper/file"));
	GOOD(put(d, "nano", 2, "home/me/kept"));
	GOOD(put(d, "nano", 3, "home/me/kept"));
	GOOD(put(d, "vim", 2, "home/me/kept"));
	GOOD(store_generation_delete(d->txn, "nano", 2, &d->err));
	assert_string_equal(list(d, "nano", "usr/bin/nano").text, "usr/bin/nano@1 ");
	assert_string_equal(list(d, "nano", "home/me/kept").text, "home/me/kept@3 ");
	assert_int_equal(list(d, "nano", "home/me/deep/deeper/file").count, 0);
	assert_int_equal(list(d, "vim", NULL).count, 1);
	/* usr, bin, nano, home, me, kept; and vim's home, me, kept: two records each. */
	assert_int_equal(count(d, DB_PATHS), 18);
	GOOD(store_generation_delete(d->txn, "nano", 1, &d->err));
	GOOD(store_generation_delete(d->txn, "nano", 3, &d->err));
	GOOD(store_generation_delete(d->txn, "vim", 2, &d->err));
	assert_int_equal(count(d, DB_PATHS), 0);
	assert_int_equal(count(d, DB_VERSIONS), 0);
}

/* Each generation has other names: nothing of the old ones may pile up. */
static void test_names_that_come_and_go_leave_nothing(void **state)
{
	struct store_dir *d = *state;
	size_t most = 0;

	for (uint32_t g = 1; g < 60; g++) {
		dir_begin(d, true);
		for (unsigned int i = 0; i < 100; i++) {
			char path[64];

			(void)snprintf(path, sizeof(path), "cache/%u/%u", g, i);
			GOOD(put(d, "nano", g, path));
		}
		if (g > 3)
			GOOD(store_generation_delete(d->txn, "nano", g - 3, &d->err));
		if (count(d, DB_PATHS) > most)
			most = count(d, DB_PATHS);
		dir_commit(d);
	}
	assert_true(most <= 2 * (3 * 101 + 1));
}

static void break_id(struct store_dir *d, uint32_t id)
{
	struct key key;

	key_init(&key);
	key_text(&key, "nano");
	key_u32(&key, 0xffffffffu);
	key_u32(&key, id);
	dir_break(d, DB_PATHS, &key);
}

static void test_a_broken_name_costs_its_versions_and_no_others(void **state)
{
	struct store_dir *d = *state;

	dir_begin(d, true);
	GOOD(put(d, "nano", 1, "a")); /* id 1 */
	GOOD(put(d, "nano", 1, "b")); /* id 2 */
	dir_commit(d);
	break_id(d, 2);
	dir_begin(d, true);
	assert_string_equal(list(d, "nano", NULL).text, "a@1 ");
	/* The id of the broken one is not given again. */
	GOOD(put(d, "nano", 1, "c"));
	assert_string_equal(list(d, "nano", "c").text, "c@1 ");
	assert_int_equal(list(d, "nano", NULL).count, 2);
	assert_true(store_broken_records(d->store) > 0);
	/* Nor is it when its generation goes: a broken record may be all that holds it. */
	GOOD(store_generation_delete(d->txn, "nano", 1, &d->err));
	GOOD(put(d, "nano", 2, "d"));
	assert_string_equal(list(d, "nano", NULL).text, "d@2 ");
}

static void test_a_chain_that_bites_its_tail_ends(void **state)
{
	struct store_dir *d = *state;
	struct key key;
	struct wr *w;

	dir_begin(d, true);
	GOOD(put(d, "nano", 1, "a"));
	key_init(&key);
	key_text(&key, "nano");
	key_u32(&key, 0xffffffffu);
	key_u32(&key, 1);
	w = db_record(d->txn);
	wr_u32(w, 1);
	wr_str(w, "a");
	GOOD(db_put(d->txn, DB_PATHS, &key, w, &d->err));
	assert_int_equal(list(d, "nano", NULL).count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, dir_setup, dir_teardown)
		T(test_states_of_a_path_come_oldest_first),
		T(test_the_longest_names_and_targets_come_back),
		T(test_the_deepest_path_comes_back),
		T(test_what_no_file_is_called_is_refused),
		T(test_a_target_too_long_is_refused),
		T(test_a_generation_takes_its_versions_and_unused_paths_along),
		T(test_names_that_come_and_go_leave_nothing),
		T(test_a_broken_name_costs_its_versions_and_no_others),
		T(test_a_chain_that_bites_its_tail_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
