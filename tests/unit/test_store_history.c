/* SPDX-License-Identifier: MIT */
#include "store_dir.h"

#define MOST 100000u

static struct history_record access_of(uint64_t session, const char *app, uint64_t wall_ms)
{
	struct history_record h = { .kind = HISTORY_ACCESS, .session = session, .wall_ms = wall_ms, .count = 1,
				    .last_wall_ms = wall_ms, .give = GIVE_READ, .permission = "storage",
				    .item = "Music", .what = "used", .program = "/usr/bin/x" };

	(void)snprintf(h.app, sizeof(h.app), "%s", app);
	return h;
}

struct seen {
	size_t count;
	struct history_record first, last;
	uint64_t seq;
	uint64_t total;
};

static int see(void *data, const struct history_record *h)
{
	struct seen *seen = data;

	if (h->seq <= seen->seq)
		fail_msg("entry %llu came after %llu", (unsigned long long)h->seq, (unsigned long long)seen->seq);
	seen->seq = h->seq;
	if (seen->count++ == 0)
		seen->first = *h;
	seen->last = *h;
	seen->total += h->count;
	return 0;
}

static struct seen look(struct store_dir *d, const char *app, const char *permission, uint64_t since)
{
	struct seen seen = { 0 };

	GOOD(store_history_each(d->txn, app, permission, since, see, &seen, &d->err));
	return seen;
}

static void test_equal_accesses_of_a_session_are_one_entry(void **state)
{
	struct store_dir *d = *state;
	struct seen seen;

	dir_begin(d, true);
	for (uint64_t i = 0; i < 10; i++) {
		struct history_record a = access_of(1, "nano", 100 + i), b = access_of(1, "vim", 200 + i);

		GOOD(store_history_append(d->txn, &a, &d->err));
		GOOD(store_history_append(d->txn, &b, &d->err));
	}
	seen = look(d, "nano", NULL, 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.first.count, 10);
	assert_int_equal(seen.first.wall_ms, 100);
	assert_int_equal(seen.first.last_wall_ms, 109);
	assert_string_equal(seen.first.program, "/usr/bin/x");
}

static void test_what_differs_is_not_folded(void **state)
{
	struct store_dir *d = *state;
	struct history_record base = access_of(1, "nano", 1), h;
	size_t want = 1;

	dir_begin(d, true);
	GOOD(store_history_append(d->txn, &base, &d->err));
#define DIFFERS(change)                                                                                                \
	do {                                                                                                           \
		h = base;                                                                                              \
		change;                                                                                                \
		GOOD(store_history_append(d->txn, &h, &d->err));                                                       \
		want++;                                                                                                \
		if (look(d, NULL, NULL, 0).count != want)                                                              \
			fail_msg("folded in spite of: %s", #change);                                                   \
	} while (0)
	DIFFERS(h.session = 2);
	DIFFERS(h.app[0] = 'x');
	DIFFERS(h.permission[0] = 'x');
	DIFFERS(h.item[0] = 'x');
	DIFFERS(h.what[0] = 'x');
	DIFFERS(h.give = GIVE_EMPTY);
	DIFFERS(h.program[0] = 'x');
	DIFFERS(h.session = 0); /* of no session */
	DIFFERS(h.session = 0);
	DIFFERS(h.kind = HISTORY_DECISION);
	DIFFERS(h.kind = HISTORY_DECISION);
	DIFFERS(h.kind = HISTORY_LIFE);
}

static void test_filters_are_by_app_permission_and_last_time(void **state)
{
	struct store_dir *d = *state;
	struct history_record a = access_of(1, "nano", 100), b = access_of(1, "nano", 200), c = access_of(1, "vim", 300);

	(void)snprintf(b.permission, sizeof(b.permission), "contacts");
	dir_begin(d, true);
	GOOD(store_history_append(d->txn, &a, &d->err));
	GOOD(store_history_append(d->txn, &b, &d->err));
	GOOD(store_history_append(d->txn, &c, &d->err));
	assert_int_equal(look(d, NULL, NULL, 0).count, 3);
	assert_int_equal(look(d, "nano", NULL, 0).count, 2);
	assert_int_equal(look(d, "nano", "contacts", 0).count, 1);
	assert_int_equal(look(d, NULL, "storage", 0).count, 2);
	assert_int_equal(look(d, NULL, NULL, 200).count, 2);
	assert_int_equal(look(d, "nan", NULL, 0).count, 0);
	a.wall_ms = a.last_wall_ms = 400; /* folded: the entry of 100 is of now */
	GOOD(store_history_append(d->txn, &a, &d->err));
	assert_int_equal(look(d, NULL, NULL, 350).count, 1);
}

static void test_it_is_bounded_and_the_oldest_go(void **state)
{
	struct store_dir *d = *state;
	struct seen seen;
	size_t entries;

	for (unsigned int i = 0; i < MOST + 700;) {
		dir_begin(d, true);
		for (unsigned int k = 0; k < 20140; k++, i++) {
			struct history_record h = { .kind = HISTORY_DECISION, .wall_ms = i + 1, .count = 1 };

			GOOD(store_history_append(d->txn, &h, &d->err));
			if (i > MOST - 10 && i % 5 == 0) {
				GOOD(db_count(d->txn, DB_HISTORY, &entries, &d->err));
				assert_true(entries <= MOST);
			}
		}
		dir_commit(d);
	}
	dir_begin(d, false);
	seen = look(d, NULL, NULL, 0);
	assert_true(seen.count <= MOST && seen.count > MOST - 300);
	assert_int_equal(seen.last.wall_ms, MOST + 700);
	assert_int_equal(seen.first.wall_ms, MOST + 700 - seen.count + 1);
}

static void test_sessions_long_over_leave_the_fold_index(void **state)
{
	struct store_dir *d = *state;
	size_t entries;

	dir_begin(d, true);
	for (uint64_t session = 1; session < 3000; session += 1 + session % 7) { /* not every session uses something */
		struct history_record h = access_of(session, "nano", session);

		GOOD(store_history_append(d->txn, &h, &d->err));
	}
	GOOD(db_count(d->txn, DB_HISTORY_FOLD, &entries, &d->err));
	assert_true(entries <= 257);
	assert_true(entries > 0);
}

static void test_a_broken_entry_costs_itself_and_no_number_comes_twice(void **state)
{
	struct store_dir *d = *state;
	struct history_record h = access_of(1, "nano", 5);
	struct seen seen;
	struct key key;

	dir_begin(d, true);
	h.kind = HISTORY_LIFE;
	GOOD(store_history_append(d->txn, &h, &d->err));
	GOOD(store_history_append(d->txn, &h, &d->err));
	dir_commit(d);
	key_init(&key);
	key_u64(&key, 2);
	dir_break(d, DB_HISTORY, &key);
	dir_begin(d, true);
	GOOD(store_history_append(d->txn, &h, &d->err));
	seen = look(d, NULL, NULL, 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.first.seq, 1);
	assert_int_equal(seen.last.seq, 3);
}

static void test_a_broken_entry_is_not_folded_into(void **state)
{
	struct store_dir *d = *state;
	struct history_record h = access_of(1, "nano", 5);
	struct seen seen;
	struct key key;

	dir_begin(d, true);
	GOOD(store_history_append(d->txn, &h, &d->err));
	dir_commit(d);
	key_init(&key);
	key_u64(&key, 1);
	dir_break(d, DB_HISTORY, &key);
	dir_begin(d, true);
	GOOD(store_history_append(d->txn, &h, &d->err));
	GOOD(store_history_append(d->txn, &h, &d->err));
	seen = look(d, NULL, NULL, 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.first.seq, 2);
	assert_int_equal(seen.first.count, 2);
}

static void test_a_count_does_not_wrap(void **state)
{
	struct store_dir *d = *state;
	struct history_record h = access_of(1, "nano", 5);

	dir_begin(d, true);
	h.count = UINT32_MAX - 1;
	GOOD(store_history_append(d->txn, &h, &d->err));
	h.count = 5;
	GOOD(store_history_append(d->txn, &h, &d->err));
	assert_int_equal(look(d, NULL, NULL, 0).first.count, UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, dir_setup, dir_teardown)
		T(test_equal_accesses_of_a_session_are_one_entry),
		T(test_what_differs_is_not_folded),
		T(test_filters_are_by_app_permission_and_last_time),
		T(test_it_is_bounded_and_the_oldest_go),
		T(test_sessions_long_over_leave_the_fold_index),
		T(test_a_broken_entry_costs_itself_and_no_number_comes_twice),
		T(test_a_broken_entry_is_not_folded_into),
		T(test_a_count_does_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
