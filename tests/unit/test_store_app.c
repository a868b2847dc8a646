/* SPDX-License-Identifier: MIT */
#include "store_dir.h"

#include <errno.h>

/* Something of every kind. */
static void put_everything(struct store_dir *d, const char *id, uint32_t base)
{
	struct app_record a = { .state = APP_READY, .command_count = 1, .commands = { (char *)(uintptr_t)"/usr/bin/x" } };
	struct grant_record g = { .permission = "storage", .item = "Music", .give = GIVE_READ };
	struct generation_record gen = { .number = 1, .layer_count = 1, .layers = { 5 } };
	struct version_record v = { .generation = 1, .kind = ENTRY_FILE };
	struct journal_record j = { .op = JOURNAL_SETTLE };
	struct traffic_record t = { .item = "local", .local = true, .cap = 5 };
	struct history_record h = { .kind = HISTORY_ACCESS, .session = 3, .what = "used" };

	GOOD(store_range_add(d->txn, base, &d->err));
	GOOD(store_range_take(d->txn, id, &a.base, &d->err));
	(void)snprintf(a.id, sizeof(a.id), "%s", id);
	(void)snprintf(g.app, sizeof(g.app), "%s", id);
	(void)snprintf(gen.app, sizeof(gen.app), "%s", id);
	(void)snprintf(j.app, sizeof(j.app), "%s", id);
	(void)snprintf(t.app, sizeof(t.app), "%s", id);
	(void)snprintf(h.app, sizeof(h.app), "%s", id);
	GOOD(store_app_put(d->txn, &a, &d->err));
	GOOD(store_grant_put(d->txn, &g, &d->err));
	GOOD(store_generation_put(d->txn, &gen, &d->err));
	v.path = (char *)(uintptr_t)"home/me/.config/a";
	v.target = (char *)(uintptr_t)"";
	GOOD(store_version_put(d->txn, id, &v, &d->err));
	v.path = (char *)(uintptr_t)"home/me/.config/b";
	GOOD(store_version_put(d->txn, id, &v, &d->err));
	GOOD(store_journal_put(d->txn, &j, &d->err));
	GOOD(store_traffic_put(d->txn, &t, &d->err));
	GOOD(store_history_append(d->txn, &h, &d->err));
}

/* How many keys, or keys and values, of the whole file hold the text. */
static unsigned int count_naming(struct store_dir *d, const char *text, bool values)
{
	unsigned int n = 0;

	for (int db = 0; db < DB_COUNT; db++) {
		MDB_cursor *cursor;
		MDB_val k, v;

		assert_int_equal(mdb_cursor_open(d->txn->txn, d->store->dbi[db], &cursor), 0);
		while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
			n += memmem(k.mv_data, k.mv_size, text, strlen(text)) != NULL;
			n += values && db != DB_HISTORY && memmem(v.mv_data, v.mv_size, text, strlen(text)) != NULL;
		}
		mdb_cursor_close(cursor);
	}
	return n;
}

static void test_an_app_that_went_is_named_nowhere(void **state)
{
	struct store_dir *d = *state;
	unsigned int others;

	dir_begin(d, true);
	put_everything(d, "quokka", 10 * ID_RANGE);
	put_everything(d, "quok", 11 * ID_RANGE); /* the beginning of the other's name */
	put_everything(d, "wombat", 12 * ID_RANGE);
	dir_commit(d);
	dir_begin(d, true);
	assert_true(count_naming(d, "quokka", false) >= 10);
	others = count_naming(d, "wombat", true);
	GOOD(store_app_delete(d->txn, "quokka", &d->err));
	GOOD(store_range_release(d->txn, 10 * ID_RANGE, &d->err));
	dir_commit(d);
	dir_begin(d, false);
	assert_int_equal(count_naming(d, "quokka", true), 0);
	assert_int_equal(count_naming(d, "wombat", true), others);
	assert_int_equal(count_naming(d, "quok", true), others);
}

static int count_history(void *data, const struct history_record *h)
{
	(void)h;
	++*(unsigned int *)data;
	return 0;
}

static void test_history_outlives_its_app(void **state)
{
	struct store_dir *d = *state;
	unsigned int n = 0;

	dir_begin(d, true);
	put_everything(d, "quokka", 10 * ID_RANGE);
	GOOD(store_app_delete(d->txn, "quokka", &d->err));
	GOOD(store_history_each(d->txn, "quokka", NULL, 0, count_history, &n, &d->err));
	assert_int_equal(n, 1);
}

/* By and by, and to the same end. */
static void test_an_app_can_be_deleted_in_parts(void **state)
{
	struct store_dir *d = *state;
	unsigned int parts = 0, others;
	int more;

	dir_begin(d, true);
	put_everything(d, "quokka", 10 * ID_RANGE);
	put_everything(d, "quoll", 11 * ID_RANGE);
	others = count_naming(d, "quoll", false);
	do {
		more = store_app_shrink(d->txn, "quokka", 2, &d->err);
		GOOD(more);
		parts++;
	} while (more);
	assert_true(parts > 1);
	assert_int_equal(store_app_shrink(d->txn, "quokka", 2, &d->err), 0);
	GOOD(store_app_delete(d->txn, "quokka", &d->err));
	assert_int_equal(count_naming(d, "quokka", false), 0);
	assert_int_equal(count_naming(d, "quoll", false), others);
}

static int count_version(void *data, const struct version_record *v)
{
	assert_true(strncmp(v->path, "home/me/.config/", 16) == 0);
	++*(unsigned int *)data;
	return 0;
}

static void test_a_name_moves_everything(void **state)
{
	struct store_dir *d = *state;
	struct app_record a;
	struct grant_record g;
	struct generation_record gen;
	unsigned int n = 0, keys;
	uint32_t base;

	dir_begin(d, true);
	put_everything(d, "new-7", 10 * ID_RANGE);
	keys = count_naming(d, "new-7", true);
	GOOD(store_app_rename(d->txn, "new-7", "nano", &d->err));
	dir_commit(d);
	dir_begin(d, false);
	assert_int_equal(count_naming(d, "new-7", true), 0);
	assert_int_equal(count_naming(d, "nano", true), keys);
	assert_int_equal(store_app_get(d->txn, "nano", &a, &d->err), 1);
	assert_string_equal(a.id, "nano");
	assert_int_equal(a.state, APP_READY);
	assert_string_equal(a.commands[0], "/usr/bin/x");
	app_record_finish(&a);
	assert_int_equal(store_grant_get(d->txn, "nano", "storage", "Music", &g, &d->err), 1);
	assert_int_equal(store_generation_get(d->txn, "nano", 1, &gen, &d->err), 1);
	GOOD(store_version_each(d->txn, "nano", NULL, count_version, &n, &d->err));
	GOOD(store_version_each(d->txn, "nano", "home/me/.config/b", count_version, &n, &d->err));
	assert_int_equal(n, 3);
	GOOD(range_of_app(d->txn, "nano", &base, &d->err));
	assert_int_equal(base, 10 * ID_RANGE);
	assert_int_equal(store_broken_records(d->store), 0);
}

static void test_a_name_that_is_taken_or_not_there_moves_nothing(void **state)
{
	struct store_dir *d = *state;
	struct app_record a;
	struct key key;

	dir_begin(d, true);
	put_everything(d, "new-7", 10 * ID_RANGE);
	put_everything(d, "nano", 11 * ID_RANGE);
	assert_int_equal(store_app_rename(d->txn, "new-7", "nano", &d->err), -1);
	assert_int_equal(d->err.code, EEXIST);
	assert_contains(d->err.msg, "app 'nano' is installed already");
	assert_int_equal(store_app_rename(d->txn, "new-8", "vim", &d->err), -1);
	assert_int_equal(d->err.code, ENOENT);
	assert_int_equal(store_app_rename(d->txn, "new-7", "", &d->err), -1);
	assert_contains(d->err.msg, "is not an id");
	assert_int_equal(store_app_get(d->txn, "new-7", &a, &d->err), 1);
	app_record_finish(&a);
	dir_commit(d);

	/* A broken app keeps its name, so that it can be told and removed. */
	key_init(&key);
	key_text(&key, "new-7");
	dir_break(d, DB_APPS, &key);
	dir_begin(d, true);
	assert_int_equal(store_app_rename(d->txn, "new-7", "vim", &d->err), -1);
	assert_contains(d->err.msg, "it has no good record");
	assert_int_equal(store_app_get(d->txn, "new-7", &a, &d->err), 1);
	/* And a broken one's name is taken, too. */
	assert_int_equal(store_app_rename(d->txn, "nano", "new-7", &d->err), -1);
	assert_int_equal(d->err.code, EEXIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, dir_setup, dir_teardown)
		T(test_an_app_that_went_is_named_nowhere),
		T(test_an_app_can_be_deleted_in_parts),
		T(test_history_outlives_its_app),
		T(test_a_name_moves_everything),
		T(test_a_name_that_is_taken_or_not_there_moves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
