/* SPDX-License-Identifier: MIT
 *
 * A broken record costs that record.
 */
#include "store_samples.h"

#include <errno.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, dir_setup, dir_teardown)
		T(test_a_broken_app_costs_itself),
		T(test_a_broken_grant_means_ask),
		T(test_every_bit_of_a_grant_counts),
		T(test_a_record_that_moved_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
