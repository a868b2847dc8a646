/* SPDX-License-Identifier: MIT */
#include "store_dir.h"

#include <errno.h>

static void fill_app(struct app_record *a, const char *id)
{
	memset(a, 0, sizeof(*a));
	(void)snprintf(a->id, sizeof(a->id), "%s", id);
	a->state = APP_READY;
	a->base = 10 * ID_RANGE;
	a->live = 77;
	a->in_session = true;
	a->head = 4;
	a->install = 1;
	a->next_generation = 5;
	(void)snprintf(a->title, sizeof(a->title), "Nano's");
	(void)snprintf(a->source, sizeof(a->source), "file nano_7.2-1_amd64.deb");
	a->installed_wall_ms = 1790000000000u;
	a->command_count = 2;
	a->commands[0] = xstrdup("/usr/bin/nano");
	a->commands[1] = xstrdup("/usr/bin/rnano");
}

static void put_app(struct store_dir *d, const char *id)
{
	struct app_record a;

	fill_app(&a, id);
	GOOD(store_app_put(d->txn, &a, &d->err));
	app_record_finish(&a);
}

static void fill_grant(struct grant_record *g, const char *app, const char *permission, const char *item)
{
	memset(g, 0, sizeof(*g));
	(void)snprintf(g->app, sizeof(g->app), "%s", app);
	(void)snprintf(g->permission, sizeof(g->permission), "%s", permission);
	(void)snprintf(g->item, sizeof(g->item), "%s", item);
	g->give = GIVE_READ;
	g->lasts.lasts = LASTS_TIME;
	g->lasts.ms = 60000;
	g->until_boot_ms = 99;
	g->wall_ms = 1;
	g->copy_serial = 3;
	g->locked = true;
	(void)snprintf(g->boot_id, sizeof(g->boot_id), "0f2a");
	(void)snprintf(g->by, sizeof(g->by), "uid 1000, cowbell run");
}

static void put_grant(struct store_dir *d, const char *app, const char *permission, const char *item)
{
	struct grant_record g;

	fill_grant(&g, app, permission, item);
	GOOD(store_grant_put(d->txn, &g, &d->err));
}

static void put_generation(struct store_dir *d, const char *app, uint32_t number)
{
	struct generation_record g = { .number = number, .parent = number - 1, .layer_count = 2, .layers = { 9, 8 } };

	(void)snprintf(g.app, sizeof(g.app), "%s", app);
	g.pinned = true;
	g.root_hash[31] = 0xee;
	g.kind = GENERATION_UNCLEAN;
	GOOD(store_generation_put(d->txn, &g, &d->err));
}

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

struct names {
	char text[256];
};

static int add_grant(void *data, const struct grant_record *g)
{
	struct names *n = data;
	size_t used = strlen(n->text);

	(void)snprintf(n->text + used, sizeof(n->text) - used, "%s/%s/%s ", g->app, g->permission, g->item);
	return 0;
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
	char text[1025];

	memset(text, 'x', 1024);
	text[1024] = '\0';
	dir_begin(d, true);
	assert_int_equal(store_generation_put(d->txn, &g, &d->err), -1);
	assert_contains(d->err.msg, "25 layers are more than 24");
	assert_int_equal(store_journal_put(d->txn, &j, &d->err), -1);
	assert_contains(d->err.msg, "97 layers are too many");
	assert_int_equal(store_app_put(d->txn, &a, &d->err), -1);
	assert_contains(d->err.msg, "65 commands are more than 64");
	assert_int_equal(store_text_put(d->txn, "mark", text, &d->err), -1);
	assert_contains(d->err.msg, "longer than 1023 bytes");
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

/* --- counters and texts --- */

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

/* --- broken records --- */

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
		T(test_an_app_comes_back_as_it_was),
		T(test_a_grant_comes_back_as_it_was),
		T(test_grants_come_in_order_and_by_app),
		T(test_a_walk_ends_with_the_value_that_ended_it),
		T(test_a_generation_and_a_journal_entry_come_back),
		T(test_the_journal_has_one_entry_an_app),
		T(test_more_than_a_record_holds_is_refused),
		T(test_a_key_too_long_finds_nothing),
		T(test_counters_count_and_last),
		T(test_a_broken_counter_never_gives_a_number_twice),
		T(test_a_range_is_taken_once_and_free_only_after_its_wipe),
		T(test_a_range_takes_no_other_step),
		T(test_a_broken_app_gives_back_its_own_range_and_no_other),
		T(test_a_broken_app_costs_itself),
		T(test_a_broken_grant_means_ask),
		T(test_every_bit_of_a_grant_counts),
		T(test_a_record_that_moved_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
