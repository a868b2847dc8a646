/* SPDX-License-Identifier: MIT
 *
 * Old states go, what a state is made of stays known, and no number is too large.
 */
#include "store_dir.h"

#include "broker/ancestry.h"
#include "broker/retention.h"

#include <errno.h>

#define DAY ((uint64_t)24 * 3600 * 1000)
#define MANY 400u

struct line {
	struct generation_record all[MANY];
	uint32_t into[MANY];
	size_t count;
};

static struct generation_record *add(struct line *l, enum generation_kind kind, uint32_t from, uint64_t wall_ms)
{
	struct generation_record *g = &l->all[l->count++];

	memset(g, 0, sizeof(*g));
	(void)snprintf(g->app, sizeof(g->app), "wombat");
	g->number = (uint32_t)l->count;
	g->kind = kind;
	g->wall_ms = wall_ms;
	g->parent = from;
	if (ancestry_takes_up(g)) {
		g->of = from;
		g->parent = g->number - 1;
	} else {
		g->own_layer = 1000 + g->number;
		g->layers[g->layer_count++] = g->own_layer;
	}
	if (g->number > 1 && kind != GENERATION_INSTALL)
		g->layers[g->layer_count++] = 1001;
	return g;
}

static struct line *new_line(void)
{
	struct line *l = xcalloc(1, sizeof(*l));

	add(l, GENERATION_INSTALL, 0, DAY);
	return l;
}

static void pick(struct line *l)
{
	retention_pick(l->all, l->count, (uint32_t)l->count, 1, l->into);
}

static size_t staying(const struct line *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += l->into[i] == 0;
	return n;
}

static void test_the_newest_stay(void **state)
{
	struct line *l = new_line();

	(void)state;
	for (uint32_t n = 2; n <= 300; n++)
		add(l, GENERATION_RUN, n - 1, DAY + n);
	pick(l);
	assert_int_equal(staying(l), RETENTION_LAST + 1);
	assert_int_equal(l->into[0], 0); /* the install */
	for (size_t i = 300 - RETENTION_LAST; i < 300; i++)
		assert_int_equal(l->into[i], 0);
	/* all the others go into the oldest that stays */
	assert_int_equal(l->into[1], 300 - RETENTION_LAST + 1);
	assert_int_equal(l->into[300 - RETENTION_LAST - 1], 300 - RETENTION_LAST + 1);
	free(l);
}

static void test_of_each_day_the_last_stays(void **state)
{
	struct line *l = new_line();

	(void)state;
	for (uint32_t n = 2; n <= 381; n++)
		add(l, GENERATION_RUN, n - 1, DAY * (n / 10 + 1));
	pick(l);
	assert_int_equal(l->into[269], 270 + 9); /* not the last of its day */
	assert_int_equal(l->into[278], 0);	 /* 279 is the last one of its day */
	assert_true(staying(l) <= RETENTION_LAST + RETENTION_DAYS + 1);
	assert_true(staying(l) > RETENTION_DAYS);
	free(l);
}

static void test_a_clock_that_stands_still_costs_days_alone(void **state)
{
	struct line *l = new_line();

	(void)state;
	for (uint32_t n = 2; n <= 100; n++)
		add(l, GENERATION_RUN, n - 1, 0);
	pick(l);
	assert_int_equal(staying(l), RETENTION_LAST + 1);
	free(l);
}

static void test_pinned_and_dropped_ones_stay(void **state)
{
	struct line *l = new_line();

	(void)state;
	for (uint32_t n = 2; n <= 100; n++)
		add(l, GENERATION_RUN, n - 1, DAY);
	l->all[9].pinned = true;
	l->all[19].doomed_powered_ms = 1;
	pick(l);
	assert_int_equal(l->into[9], 0);
	assert_int_equal(l->into[19], 0);
	assert_int_equal(l->into[5], 10);
	assert_int_equal(l->into[15], 20);
	assert_int_equal(l->into[25], 81);
	free(l);
}

static void test_what_a_rollback_goes_back_to_stays(void **state)
{
	struct line *l = new_line();

	(void)state;
	for (uint32_t n = 2; n <= 50; n++)
		add(l, GENERATION_RUN, n - 1, DAY);
	add(l, GENERATION_ROLLBACK, 7, DAY); /* 51 */
	for (uint32_t n = 52; n <= 65; n++)
		add(l, GENERATION_RUN, n - 1, DAY);
	pick(l);
	assert_int_equal(l->into[6], 0);
	assert_int_equal(l->into[5], 7);
	/* 8 to 45 lead to 46, which is among the newest and nobody's past but its own */
	assert_int_equal(l->into[44], 46);
	free(l);
}

static void test_where_nothing_goes_on_it_only_goes(void **state)
{
	struct line *l = new_line();

	(void)state;
	for (uint32_t n = 2; n <= 50; n++)
		add(l, GENERATION_RUN, n - 1, DAY);
	add(l, GENERATION_ROLLBACK, 7, DAY); /* 51 */
	for (uint32_t n = 52; n <= 100; n++)
		add(l, GENERATION_RUN, n - 1, DAY);
	l->all[50].pinned = true;
	pick(l);
	assert_int_equal(l->into[6], 0);
	assert_int_equal(l->into[30], RETENTION_DROPPED);
	assert_int_equal(l->into[60], 81);
	free(l);
}

static void test_where_two_lines_part_it_stays(void **state)
{
	struct line *l = new_line();

	(void)state;
	for (uint32_t n = 2; n <= 30; n++)
		add(l, GENERATION_RUN, n - 1, DAY);
	add(l, GENERATION_RUN, 10, DAY); /* 31: goes on from 10, as a store of another time may say */
	for (uint32_t n = 32; n <= 60; n++)
		add(l, GENERATION_RUN, n - 1, DAY);
	l->all[29].pinned = true;
	pick(l);
	assert_int_equal(l->into[9], 0);
	assert_int_equal(l->into[8], 10);
	free(l);
}

static void test_an_install_stays_under_what_stands_on_it(void **state)
{
	struct line *l = new_line();

	(void)state;
	for (uint32_t n = 2; n <= 10; n++)
		add(l, GENERATION_RUN, n - 1, DAY);
	l->all[4].pinned = true;
	add(l, GENERATION_INSTALL, 10, DAY);
	for (uint32_t n = 12; n <= 60; n++) {
		struct generation_record *g = add(l, GENERATION_RUN, n - 1, DAY);

		g->layers[g->layer_count - 1] = 1011;
	}
	retention_pick(l->all, l->count, 60, 11, l->into);
	assert_int_equal(l->into[0], 0);
	assert_int_equal(l->into[4], 0);
	assert_int_equal(l->into[10], 0);
	l->all[4].pinned = false;
	retention_pick(l->all, l->count, 60, 11, l->into);
	assert_int_not_equal(l->into[0], 0); /* an update, and nothing of the time before it */
	free(l);
}

/* --- with a store --- */

static void put_version(struct store_dir *d, const char *path, uint32_t generation, uint64_t size)
{
	char copy[64], none[] = "";
	struct version_record v = { .generation = generation, .kind = ENTRY_FILE, .path = copy, .target = none, .size = size };

	(void)snprintf(copy, sizeof(copy), "%s", path);
	GOOD(store_version_put(d->txn, "wombat", &v, &d->err));
}

static int write_down(void *data, const struct version_record *v)
{
	char *text = data;

	(void)snprintf(text + strlen(text), 256 - strlen(text), "%s@%u=%u ", v->path, v->generation, (unsigned int)v->size);
	return 0;
}

static void test_versions_go_into_what_goes_on(void **state)
{
	static const struct absorbed list[] = { { 2, 4 }, { 3, 4 }, { 5, 0 } };
	struct store_dir *d = *state;
	struct generation_record g = { .app = "wombat" };
	char text[256] = "";

	dir_begin(d, true);
	for (g.number = 1; g.number <= 6; g.number++)
		GOOD(store_generation_put(d->txn, &g, &d->err));
	put_version(d, "a", 1, 10);
	put_version(d, "a", 2, 20);
	put_version(d, "a", 3, 30);
	put_version(d, "b", 2, 21);
	put_version(d, "b", 4, 41);
	put_version(d, "c/d", 3, 31);
	put_version(d, "e", 5, 51);
	put_version(d, "f", 5, 52);
	put_version(d, "f", 6, 62);
	GOOD(store_generations_absorb(d->txn, "wombat", list, ARRAY_LEN(list), &d->err));
	dir_commit(d);
	dir_reopen(d);
	dir_begin(d, false);
	GOOD(store_version_each(d->txn, "wombat", NULL, write_down, text, &d->err));
	assert_string_equal(text, "a@1=10 a@4=30 b@4=41 c/d@4=31 f@6=62 ");
	for (uint32_t n = 1; n <= 6; n++)
		assert_int_equal(store_generation_get(d->txn, "wombat", n, &g, &d->err), n == 1 || n == 4 || n == 6);
	assert_int_equal(store_broken_records(d->store), 0);
	dir_abort(d);
}

static void test_no_number_is_too_large(void **state)
{
	struct store_dir *d = *state;
	struct generation_record g = { .app = "wombat" };
	struct ancestry a;

	dir_begin(d, true);
	for (uint32_t n = 0; n < 10; n++) {
		g.number = 4000000000u + 2 * n;
		g.parent = n ? g.number - 2 : 0;
		GOOD(store_generation_put(d->txn, &g, &d->err));
	}
	GOOD(ancestry_of(d->txn, "wombat", 4000000000u + 12, &a, &d->err));
	assert_int_equal(a.count, 7);
	assert_true(ancestry_has(&a, 4000000000u));
	assert_true(ancestry_has(&a, 4000000012u));
	assert_false(ancestry_has(&a, 4000000011u));
	assert_false(ancestry_has(&a, 4000000014u));
	ancestry_finish(&a);
	g.number = 7;
	g.parent = 9; /* a broken store must not make a walk without end */
	GOOD(store_generation_put(d->txn, &g, &d->err));
	GOOD(ancestry_of(d->txn, "wombat", 7, &a, &d->err));
	assert_int_equal(a.count, 1);
	ancestry_finish(&a);
	dir_abort(d);
}

static void test_answers_have_a_bound(void **state)
{
	struct store_dir *d = *state;
	struct grant_record g = { .app = "wombat", .permission = "network", .give = GIVE_ALLOW };

	dir_begin(d, true);
	for (unsigned int n = 0; n < GRANTS_PER_APP_MAX; n++) {
		(void)snprintf(g.item, sizeof(g.item), "host%u", n);
		GOOD(store_grant_put(d->txn, &g, &d->err));
	}
	GOOD(store_grant_put(d->txn, &g, &d->err)); /* another answer to the same */
	(void)snprintf(g.item, sizeof(g.item), "more");
	assert_int_equal(store_grant_put(d->txn, &g, &d->err), -1);
	assert_int_equal(d->err.code, E2BIG);
	assert_contains(d->err.msg, "'wombat' has 512 answers already, as many as are kept");
	(void)snprintf(g.app, sizeof(g.app), "wombat2");
	GOOD(store_grant_put(d->txn, &g, &d->err));
	dir_abort(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_newest_stay),
		cmocka_unit_test(test_of_each_day_the_last_stays),
		cmocka_unit_test(test_a_clock_that_stands_still_costs_days_alone),
		cmocka_unit_test(test_pinned_and_dropped_ones_stay),
		cmocka_unit_test(test_what_a_rollback_goes_back_to_stays),
		cmocka_unit_test(test_where_nothing_goes_on_it_only_goes),
		cmocka_unit_test(test_where_two_lines_part_it_stays),
		cmocka_unit_test(test_an_install_stays_under_what_stands_on_it),
		cmocka_unit_test_setup_teardown(test_versions_go_into_what_goes_on, dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(test_no_number_is_too_large, dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(test_answers_have_a_bound, dir_setup, dir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
