/* SPDX-License-Identifier: MIT
 *
 * Counters, texts and ranges of ids.
 */
#include "store_samples.h"

#include <errno.h>

static void test_counters_count_and_last(void **state)
{
	struct store_dir *d = *state;
	uint64_t v;

	dir_begin(d, true);
	GOOD(store_counter_add(d->txn, COUNTER_LAYER, 1, &v, &d->err));
	assert_int_equal(v, 1);
	GOOD(store_counter_add(d->txn, COUNTER_SESSION, 5, &v, &d->err));
	assert_int_equal(v, 5);
	dir_commit(d);
	dir_reopen(d);
	dir_begin(d, true);
	GOOD(store_counter_add(d->txn, COUNTER_LAYER, 1, &v, &d->err));
	assert_int_equal(v, 2);
	dir_abort(d);
	dir_begin(d, true);
	GOOD(store_counter_add(d->txn, COUNTER_LAYER, 1, &v, &d->err));
	assert_int_equal(v, 2);
}

static void counter_key(struct key *key, const char *name, bool copy)
{
	key_init(key);
	key_text(key, name);
	if (copy)
		key_text(key, "copy");
}

static void test_a_broken_counter_never_gives_a_number_twice(void **state)
{
	static const struct {
		enum counter counter;
		const char *name;
		uint64_t at_least;
	} cases[] = {
		{ COUNTER_LAYER, "counter-layer", (uint64_t)1 << 40 },
		{ COUNTER_SESSION, "counter-session", (uint64_t)1 << 40 },
		{ COUNTER_COPY, "counter-copy", (uint64_t)1 << 40 },
		{ COUNTER_POWERED, "counter-powered", 0 }, /* time must not leap: things would lapse at once */
	};
	struct store_dir *d = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct key key;
		uint64_t v;

		dir_begin(d, true);
		GOOD(store_counter_add(d->txn, cases[i].counter, 100, &v, &d->err));
		dir_commit(d);
		counter_key(&key, cases[i].name, i % 2 == 0);
		dir_break(d, DB_META, &key);
		dir_begin(d, true);
		GOOD(store_counter_add(d->txn, cases[i].counter, 1, &v, &d->err));
		if (v != 101)
			fail_msg("%s, one broken: wanted 101, got %llu", cases[i].name, (unsigned long long)v);
		dir_commit(d);
		for (int copy = 0; copy < 2; copy++) {
			counter_key(&key, cases[i].name, copy);
			dir_break(d, DB_META, &key);
		}
		dir_begin(d, true);
		GOOD(store_counter_add(d->txn, cases[i].counter, 1, &v, &d->err));
		if (v != cases[i].at_least + 1)
			fail_msg("%s, both broken: got %llu", cases[i].name, (unsigned long long)v);
		dir_commit(d);
	}
}

/* --- ranges --- */

static void test_a_range_is_taken_once_and_free_only_after_its_wipe(void **state)
{
	struct store_dir *d = *state;
	uint32_t a, b, c;

	dir_begin(d, true);
	GOOD(store_range_add(d->txn, 20 * ID_RANGE, &d->err));
	GOOD(store_range_add(d->txn, 10 * ID_RANGE, &d->err));
	GOOD(store_range_take(d->txn, "a", &a, &d->err));
	assert_int_equal(a, 10 * ID_RANGE);
	GOOD(store_range_add(d->txn, 10 * ID_RANGE, &d->err)); /* told again at each start: stays taken */
	GOOD(store_range_take(d->txn, "b", &b, &d->err));
	assert_int_equal(b, 20 * ID_RANGE);
	assert_int_equal(store_range_take(d->txn, "c", &c, &d->err), -1);
	assert_int_equal(d->err.code, ENOSPC);
	assert_contains(d->err.msg, "no range of host ids is free");
	GOOD(store_range_release(d->txn, a, &d->err));
	assert_int_equal(store_range_take(d->txn, "c", &c, &d->err), -1);
	GOOD(store_range_wiped(d->txn, a, &d->err));
	GOOD(store_range_take(d->txn, "c", &c, &d->err));
	assert_int_equal(c, a);
}

static void test_a_range_takes_no_other_step(void **state)
{
	struct store_dir *d = *state;
	const uint32_t base = 10 * ID_RANGE;
	uint32_t got;

	dir_begin(d, true);
	assert_int_equal(store_range_add(d->txn, 0, &d->err), -1);
	assert_contains(d->err.msg, "they are the system's");
	assert_int_equal(store_range_release(d->txn, base, &d->err), -1);
	assert_contains(d->err.msg, "no such range");
	GOOD(store_range_add(d->txn, base, &d->err));
	assert_int_equal(store_range_release(d->txn, base, &d->err), -1);
	assert_contains(d->err.msg, "not in that state");
	GOOD(store_range_take(d->txn, "a", &got, &d->err));
	assert_int_equal(store_range_wiped(d->txn, base, &d->err), -1);
	assert_contains(d->err.msg, "not in that state");
	/* 0 is no range: nothing happens, and above all it does not become free. */
	assert_int_equal(store_range_release(d->txn, 0, &d->err), 0);
	assert_int_equal(store_range_wiped(d->txn, 0, &d->err), 0);
	assert_int_equal(store_range_take(d->txn, "b", &got, &d->err), -1);
}

static void test_a_broken_app_gives_back_its_own_range_and_no_other(void **state)
{
	struct store_dir *d = *state;
	struct app_record a = { .id = "nano", .state = APP_READY };
	struct key key;
	uint32_t base, got;

	dir_begin(d, true);
	GOOD(store_range_add(d->txn, 10 * ID_RANGE, &d->err));
	GOOD(store_range_take(d->txn, "nano", &base, &d->err));
	a.base = base;
	GOOD(store_app_put(d->txn, &a, &d->err));
	dir_commit(d);
	key_init(&key);
	key_text(&key, "nano");
	dir_break(d, DB_APPS, &key);
	dir_begin(d, true);
	assert_int_equal(store_app_get(d->txn, "nano", &a, &d->err), 1);
	assert_int_equal(a.state, APP_BROKEN);
	assert_int_equal(a.base, base);
	GOOD(store_app_delete(d->txn, "nano", &d->err));
	GOOD(store_range_release(d->txn, a.base, &d->err));
	GOOD(store_range_wiped(d->txn, a.base, &d->err));
	GOOD(store_range_take(d->txn, "next", &got, &d->err));
	assert_int_equal(got, base);
	assert_int_equal(store_range_take(d->txn, "other", &got, &d->err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, dir_setup, dir_teardown)
		T(test_counters_count_and_last),
		T(test_a_broken_counter_never_gives_a_number_twice),
		T(test_a_range_is_taken_once_and_free_only_after_its_wipe),
		T(test_a_range_takes_no_other_step),
		T(test_a_broken_app_gives_back_its_own_range_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
