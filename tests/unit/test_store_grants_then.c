/* SPDX-License-Identifier: MIT */
#include "store_dir.h"

#include <errno.h>

static void put_grant(struct store_dir *d, const char *permission, enum give give)
{
	struct grant_record g = { .give = give, .lasts = { .lasts = LASTS_ALWAYS } };

	(void)snprintf(g.app, sizeof(g.app), "wombat");
	(void)snprintf(g.permission, sizeof(g.permission), "%s", permission);
	GOOD(store_grant_put(d->txn, &g, &d->err));
}

struct seen {
	struct grant_record of[4];
	size_t count;
};

static int see(void *data, const struct grant_record *grant)
{
	struct seen *seen = data;

	assert_true(seen->count < ARRAY_LEN(seen->of));
	seen->of[seen->count++] = *grant;
	return 0;
}

static void test_answers_are_kept_as_they_stood(void **state)
{
	struct store_dir *d = *state;
	struct seen seen = { 0 };

	dir_begin(d, true);
	put_grant(d, "contacts", GIVE_READ);
	GOOD(store_grants_keep(d->txn, "wombat", 3, &d->err));
	put_grant(d, "contacts", GIVE_NO);
	put_grant(d, "storage", GIVE_WRITE);
	GOOD(store_grants_keep(d->txn, "wombat", 4, &d->err));
	dir_commit(d);
	dir_reopen(d);
	dir_begin(d, false);
	GOOD(store_grants_then_each(d->txn, "wombat", 3, see, &seen, &d->err));
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.of[0].app, "wombat");
	assert_string_equal(seen.of[0].permission, "contacts");
	assert_int_equal(seen.of[0].give, GIVE_READ);
	GOOD(store_grants_then_each(d->txn, "wombat", 4, see, &seen, &d->err));
	assert_int_equal(seen.count, 3);
	dir_abort(d);
}

static void test_none_stood_is_not_nobody_knows(void **state)
{
	struct store_dir *d = *state;
	struct seen seen = { 0 };

	dir_begin(d, true);
	GOOD(store_grants_keep(d->txn, "wombat", 1, &d->err));
	GOOD(store_grants_then_each(d->txn, "wombat", 1, see, &seen, &d->err));
	assert_int_equal(seen.count, 0);
	assert_int_equal(store_grants_then_each(d->txn, "wombat", 2, see, &seen, &d->err), -1);
	assert_int_equal(d->err.code, ENOENT);
	assert_string_equal(d->err.msg, "which answers of 'wombat' stood at generation 2 is not written down");
	dir_abort(d);
}

static void test_they_go_with_their_generation(void **state)
{
	struct store_dir *d = *state;
	struct generation_record g = { .number = 1, .app = "wombat" };
	struct seen seen = { 0 };

	dir_begin(d, true);
	put_grant(d, "contacts", GIVE_READ);
	GOOD(store_generation_put(d->txn, &g, &d->err));
	GOOD(store_grants_keep(d->txn, "wombat", 1, &d->err));
	GOOD(store_grants_keep(d->txn, "wombat", 12, &d->err));
	GOOD(store_generation_delete(d->txn, "wombat", 1, &d->err));
	assert_int_equal(store_grants_then_each(d->txn, "wombat", 1, see, &seen, &d->err), -1);
	GOOD(store_grants_then_each(d->txn, "wombat", 12, see, &seen, &d->err));
	assert_int_equal(seen.count, 1);
	dir_abort(d);
}

static void test_half_of_them_never_pass_for_all(void **state)
{
	struct store_dir *d = *state;
	struct seen seen = { 0 };
	struct key key;
	MDB_val k, v = { 4, (void *)(uintptr_t)"rot!" };

	dir_begin(d, true);
	put_grant(d, "contacts", GIVE_READ);
	put_grant(d, "storage", GIVE_NO);
	GOOD(store_grants_keep(d->txn, "wombat", 5, &d->err));
	key_init(&key);
	key_text(&key, "wombat");
	key_u32(&key, 5);
	key_text(&key, "storage");
	key_text(&key, "");
	k = (MDB_val){ key.len, key.buf };
	assert_int_equal(mdb_put(d->txn->txn, d->store->dbi[DB_GRANTS_THEN], &k, &v, 0), 0);
	assert_int_equal(store_grants_then_each(d->txn, "wombat", 5, see, &seen, &d->err), -1);
	assert_string_equal(d->err.msg, "which answers of 'wombat' stood at generation 5 is not readable any more");
	dir_abort(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers_are_kept_as_they_stood, dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(test_none_stood_is_not_nobody_knows, dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(test_they_go_with_their_generation, dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(test_half_of_them_never_pass_for_all, dir_setup, dir_teardown),
	};

	return cmocka_run_group_tests_name("answers of a generation", tests, NULL, NULL);
}
