/* SPDX-License-Identifier: MIT */
#include "store_samples.h"

#include <errno.h>

static void test_an_app_comes_back_as_it_was(void **state)
{
	struct store_dir *d = *state;
	struct app_record want, got;

	dir_begin(d, true);
	put_app(d, "nano");
	dir_commit(d);
	dir_reopen(d);
	dir_begin(d, false);
	assert_int_equal(store_app_get(d->txn, "nano", &got, &d->err), 1);
	fill_app(&want, "nano");
	assert_string_equal(got.commands[0], want.commands[0]);
	assert_string_equal(got.commands[1], want.commands[1]);
	app_record_finish(&want);
	app_record_finish(&got);
	memset(want.commands, 0, sizeof(want.commands));
	memset(got.commands, 0, sizeof(got.commands));
	assert_memory_equal(&got, &want, sizeof(want));
	assert_int_equal(store_app_get(d->txn, "nan", &got, &d->err), 0);
	assert_int_equal(store_app_get(d->txn, "nano2", &got, &d->err), 0);
}

/* A record of before apps said why ends earlier. */
static void test_an_older_app_is_no_broken_one(void **state)
{
	struct store_dir *d = *state;
	struct app_record app;
	struct wr tail, *w;
	struct key key;
	struct rd body;

	fill_app(&app, "nano");
	wr_init(&tail);
	wr_str(&tail, app.says);
	app_record_finish(&app);
	dir_begin(d, true);
	put_app(d, "nano");
	key_init(&key);
	key_text(&key, "nano");
	assert_int_equal(db_get(d->txn, DB_APPS, &key, &body, NULL, &d->err), 1);
	w = db_record(d->txn);
	wr_bytes(w, body.p, (size_t)(body.end - body.p) - tail.len);
	GOOD(db_put(d->txn, DB_APPS, &key, w, &d->err));
	assert_int_equal(store_app_get(d->txn, "nano", &app, &d->err), 1);
	assert_int_equal(app.state, APP_READY);
	assert_string_equal(app.title, "Nano's");
	assert_string_equal(app.says, "");
	app_record_finish(&app);
}

static void test_a_grant_comes_back_as_it_was(void **state)
{
	struct store_dir *d = *state;
	struct grant_record want, got;

	dir_begin(d, true);
	put_grant(d, "nano", "storage", "Documents");
	dir_commit(d);
	dir_begin(d, true);
	fill_grant(&want, "nano", "storage", "Documents");
	assert_int_equal(store_grant_get(d->txn, "nano", "storage", "Documents", &got, &d->err), 1);
	assert_memory_equal(&got, &want, sizeof(want));
	assert_int_equal(store_grant_get(d->txn, "nano", "storage", "", &got, &d->err), 0);
	assert_int_equal(store_grant_delete(d->txn, "nano", "storage", "Documents", &d->err), 1);
	assert_int_equal(store_grant_delete(d->txn, "nano", "storage", "Documents", &d->err), 0);
}

/* A record of before answers lapsed ends earlier. */
static void test_an_older_grant_is_no_broken_one(void **state)
{
	struct grant_record grant, got = { 0 };
	struct wr w;
	struct rd body;

	(void)state;
	fill_grant(&grant, "nano", "storage", "Documents");
	wr_init(&w);
	grant_encode(&w, &grant);
	rd_init(&body, w.buf, w.len - 8);
	assert_true(grant_decode(&body, &got));
	assert_int_equal(got.used_powered_ms, 4);
	assert_int_equal(got.lapsed_wall_ms, 0);
	rd_init(&body, w.buf, w.len - 4);
	assert_false(grant_decode(&body, &got));
}

static void test_grants_come_in_order_and_by_app(void **state)
{
	struct store_dir *d = *state;
	struct names all = { "" }, one = { "" };

	dir_begin(d, true);
	put_grant(d, "b", "network", "");
	put_grant(d, "a", "storage", "Music");
	put_grant(d, "a", "storage", "");
	put_grant(d, "ab", "contacts", "");
	GOOD(store_grant_each(d->txn, NULL, add_grant, &all, &d->err));
	assert_string_equal(all.text, "a/storage/ a/storage/Music ab/contacts/ b/network/ ");
	GOOD(store_grant_each(d->txn, "a", add_grant, &one, &d->err));
	assert_string_equal(one.text, "a/storage/ a/storage/Music ");
}

static int stop_at_second(void *data, const struct grant_record *g)
{
	unsigned int *seen = data;

	(void)g;
	return ++*seen == 2 ? 42 : 0;
}

static void test_a_walk_ends_with_the_value_that_ended_it(void **state)
{
	struct store_dir *d = *state;
	unsigned int seen = 0;

	dir_begin(d, true);
	put_grant(d, "a", "storage", "");
	put_grant(d, "b", "storage", "");
	put_grant(d, "c", "storage", "");
	assert_int_equal(store_grant_each(d->txn, NULL, stop_at_second, &seen, &d->err), 42);
	assert_int_equal(seen, 2);
}

static void test_a_generation_and_a_journal_entry_come_back(void **state)
{
	struct store_dir *d = *state;
	struct generation_record g;
	struct journal_record j = { .app = "nano", .op = JOURNAL_MERGE, .step = 3, .layer_count = 96, .text = "t" };

	dir_begin(d, true);
	put_generation(d, "nano", 3);
	j.layers[95] = 5;
	GOOD(store_journal_put(d->txn, &j, &d->err));
	assert_int_equal(store_generation_get(d->txn, "nano", 3, &g, &d->err), 1);
	assert_string_equal(g.app, "nano");
	assert_int_equal(g.number, 3);
	assert_int_equal(g.parent, 2);
	assert_int_equal(g.kind, GENERATION_UNCLEAN);
	assert_true(g.pinned);
	assert_int_equal(g.layers[1], 8);
	assert_int_equal(g.root_hash[31], 0xee);
	assert_int_equal(store_generation_get(d->txn, "nano", 4, &g, &d->err), 0);
}

static int add_journal(void *data, const struct journal_record *j)
{
	struct journal_record *ret = data;

	*ret = *j;
	return 0;
}

static void test_the_journal_has_one_entry_an_app(void **state)
{
	struct store_dir *d = *state;
	struct journal_record j = { .app = "nano", .op = JOURNAL_MERGE, .layer_count = 1, .layers = { 4 } }, got = { 0 };

	dir_begin(d, true);
	GOOD(store_journal_put(d->txn, &j, &d->err));
	j.step = 2;
	GOOD(store_journal_put(d->txn, &j, &d->err));
	assert_int_equal(store_journal_each(d->txn, add_journal, &got, &d->err), 0);
	assert_memory_equal(&got, &j, sizeof(j));
	GOOD(store_journal_delete(d->txn, "nano", &d->err));
	memset(&got, 0, sizeof(got));
	assert_int_equal(store_journal_each(d->txn, add_journal, &got, &d->err), 0);
	assert_int_equal(got.op, 0);
}

static void test_more_than_a_record_holds_is_refused(void **state)
{
	struct store_dir *d = *state;
	struct generation_record g = { .app = "a", .layer_count = LAYERS_MAX + 1 };
	struct journal_record j = { .app = "a", .op = JOURNAL_MERGE, .layer_count = LAYERS_MAX * 4 + 1 };
	struct app_record a = { .id = "a", .command_count = APP_COMMANDS_MAX + 1 };
	char text[STORE_TEXT_MAX + 2];

	memset(text, 'x', STORE_TEXT_MAX + 1);
	text[STORE_TEXT_MAX + 1] = '\0';
	dir_begin(d, true);
	assert_int_equal(store_generation_put(d->txn, &g, &d->err), -1);
	assert_contains(d->err.msg, "25 layers are more than 24");
	assert_int_equal(store_journal_put(d->txn, &j, &d->err), -1);
	assert_contains(d->err.msg, "97 layers are too many");
	assert_int_equal(store_app_put(d->txn, &a, &d->err), -1);
	assert_contains(d->err.msg, "129 commands are more than 128");
	assert_int_equal(store_text_put(d->txn, "mark", text, &d->err), -1);
	assert_contains(d->err.msg, "longer than 4095 bytes");
}

static void test_a_key_too_long_finds_nothing(void **state)
{
	struct store_dir *d = *state;
	struct grant_record g;
	struct app_record a;
	char longer[600];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	dir_begin(d, true);
	assert_int_equal(store_grant_get(d->txn, longer, "storage", "", &g, &d->err), 0);
	assert_int_equal(store_app_get(d->txn, longer, &a, &d->err), 0);
	assert_int_equal(store_grant_delete(d->txn, "a", longer, "", &d->err), 0);
	assert_int_equal(store_text_put(d->txn, longer, "x", &d->err), -1);
	assert_int_equal(d->err.code, E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, dir_setup, dir_teardown)
		T(test_an_app_comes_back_as_it_was),
		T(test_an_older_app_is_no_broken_one),
		T(test_a_grant_comes_back_as_it_was),
		T(test_an_older_grant_is_no_broken_one),
		T(test_grants_come_in_order_and_by_app),
		T(test_a_walk_ends_with_the_value_that_ended_it),
		T(test_a_generation_and_a_journal_entry_come_back),
		T(test_the_journal_has_one_entry_an_app),
		T(test_more_than_a_record_holds_is_refused),
		T(test_a_key_too_long_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
