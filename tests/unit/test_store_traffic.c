/* SPDX-License-Identifier: MIT */
#include "store_dir.h"

#include <errno.h>

static void test_sums_come_back(void **state)
{
	struct store_dir *d = *state;
	struct traffic_record t = { .app = "nano", .item = "example.com", .ever = { 1, 2, 3, 4 }, .month = 24311,
				    .this_month = { 5, 6, 7, 8 }, .session = 9, .seen = { 10, 11, 12, 13 }, .cap = 14, .spent = 15 };
	struct traffic_record got;

	dir_begin(d, true);
	GOOD(store_traffic_put(d->txn, &t, &d->err));
	dir_commit(d);
	dir_begin(d, false);
	assert_int_equal(store_traffic_get(d->txn, "nano", "example.com", &got, &d->err), 1);
	assert_string_equal(got.app, "nano");
	assert_string_equal(got.item, "example.com");
	assert_memory_equal(&got.ever, &t.ever, sizeof(t.ever));
	assert_memory_equal(&got.this_month, &t.this_month, sizeof(t.this_month));
	assert_memory_equal(&got.seen, &t.seen, sizeof(t.seen));
	assert_int_equal(got.month, 24311);
	assert_int_equal(got.session, 9);
	assert_int_equal(got.cap, 14);
	assert_int_equal(got.spent, 15);
	assert_int_equal(store_traffic_get(d->txn, "nano", "", &got, &d->err), 0);
	assert_int_equal(got.cap, 0);
	dir_abort(d);
}

static void test_a_broken_one_is_not_none(void **state)
{
	struct store_dir *d = *state;
	struct traffic_record t = { .app = "nano", .cap = 14 }, got;
	struct key key;

	dir_begin(d, true);
	GOOD(store_traffic_put(d->txn, &t, &d->err));
	dir_commit(d);
	key_init(&key);
	key_text(&key, "nano");
	key_text(&key, "");
	dir_break(d, DB_TRAFFIC, &key);
	dir_begin(d, true);
	assert_int_equal(store_traffic_get(d->txn, "nano", "", &got, &d->err), -1);
	assert_int_equal(d->err.code, EBADMSG);
	assert_string_equal(d->err.msg, "the record of what 'nano' sent and received is damaged");
	GOOD(store_traffic_put(d->txn, &t, &d->err)); /* said anew it is good again */
	assert_int_equal(store_traffic_get(d->txn, "nano", "", &got, &d->err), 1);
	dir_abort(d);
}

static int collect(void *data, const struct traffic_record *t)
{
	char *text = data;

	strcat(text, t->item);
	strcat(text, ";");
	return 0;
}

static void test_each_is_of_one_app(void **state)
{
	struct store_dir *d = *state;
	static const char *const of[][2] = { { "nano", "local" }, { "nano", "" }, { "nano2", "x.example" }, { "nano", "b.example" } };
	struct traffic_record t = { .cap = 1 };
	char text[256] = "";

	dir_begin(d, true);
	for (size_t i = 0; i < ARRAY_LEN(of); i++) {
		(void)snprintf(t.app, sizeof(t.app), "%s", of[i][0]);
		(void)snprintf(t.item, sizeof(t.item), "%s", of[i][1]);
		GOOD(store_traffic_put(d->txn, &t, &d->err));
	}
	dir_commit(d);
	dir_begin(d, false);
	GOOD(store_traffic_each(d->txn, "nano", collect, text, &d->err));
	assert_string_equal(text, ";b.example;local;");
	dir_abort(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sums_come_back, dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(test_a_broken_one_is_not_none, dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(test_each_is_of_one_app, dir_setup, dir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
