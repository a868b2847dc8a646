/* SPDX-License-Identifier: MIT
 *
 * Answers that lie unused, on a clock of our own.
 */
#include "policy/lapse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DAY ((uint64_t)24 * 3600 * 1000)

static void test_what_lapses(void **state)
{
	(void)state;
	assert_true(lapse_concerns(GIVE_READ, LASTS_ALWAYS, false));
	assert_true(lapse_concerns(GIVE_WRITE, LASTS_ALWAYS, false));
	assert_true(lapse_concerns(GIVE_ALLOW, LASTS_ALWAYS, false));
	assert_false(lapse_concerns(GIVE_READ, LASTS_ALWAYS, true)); /* its owner said so twice */
	assert_false(lapse_concerns(GIVE_READ, LASTS_BOOT, false));
	assert_false(lapse_concerns(GIVE_READ, LASTS_TIME, false));
	assert_false(lapse_concerns(GIVE_NO, LASTS_ALWAYS, false));
	assert_false(lapse_concerns(GIVE_EMPTY, LASTS_ALWAYS, false));
	assert_false(lapse_concerns(GIVE_COPY, LASTS_ALWAYS, false));
	assert_false(lapse_concerns(GIVE_ASK, LASTS_ALWAYS, false));
}

static void test_time(void **state)
{
	const struct lapse_rule rule = { .days = 90 };
	uint64_t used = 1000 * DAY;

	(void)state;
	assert_int_equal(lapse_left_ms(&rule, used, used), 90 * DAY);
	assert_int_equal(lapse_left_ms(&rule, used, used + 74 * DAY), 16 * DAY);
	assert_false(lapse_is_soon(&rule, 16 * DAY));
	assert_true(lapse_is_soon(&rule, 15 * DAY));
	assert_int_equal(lapse_left_ms(&rule, used, used + 90 * DAY - 1), 1);
	assert_int_equal(lapse_left_ms(&rule, used, used + 90 * DAY), 0);
	assert_int_equal(lapse_left_ms(&rule, used, used + 900 * DAY), 0);
}

static void test_off(void **state)
{
	const struct lapse_rule off = { .days = 0 };

	(void)state;
	assert_true(lapse_left_ms(&off, 0, 5000 * DAY) == UINT64_MAX);
	assert_false(lapse_is_soon(&off, 0));
}

/* Who shortens the time, or turns it on after years, is told before anything goes. */
static void test_announced_first(void **state)
{
	const struct lapse_rule rule = { .days = 30, .since_ms = 1000 * DAY };

	(void)state;
	assert_int_equal(lapse_left_ms(&rule, 1, 1000 * DAY), 5 * DAY);
	assert_true(lapse_is_soon(&rule, 5 * DAY));
	assert_int_equal(lapse_left_ms(&rule, 1, 1005 * DAY), 0);
	assert_int_equal(lapse_left_ms(&rule, 999 * DAY, 1000 * DAY), 29 * DAY);
}

/* A store that lost its time counts from 0 again. */
static void test_time_lost(void **state)
{
	const struct lapse_rule rule = { .days = 90, .since_ms = 0 };

	(void)state;
	assert_int_equal(lapse_left_ms(&rule, 500 * DAY, 1 * DAY), 90 * DAY);
	assert_int_equal(lapse_left_ms(&rule, UINT64_MAX, 1 * DAY), 90 * DAY);
}

static void check_rule(const char *text, uint32_t days, uint64_t since)
{
	struct lapse_rule rule = lapse_rule_parse(text);

	assert_int_equal(rule.days, days);
	assert_int_equal(rule.since_ms, since);
}

static void test_rule_text(void **state)
{
	struct lapse_rule rule = { .days = 0, .since_ms = 77 };
	char text[LAPSE_TEXT_SIZE];

	(void)state;
	lapse_rule_format(&rule, text);
	check_rule(text, 0, 77);
	check_rule("30 123456789012", 30, 123456789012ull);
	check_rule("", 90, 0);
	check_rule("30", 90, 0);
	check_rule("30 1x", 90, 0);
	check_rule("-1 1", 90, 0);
	check_rule("4000 1", 90, 0);
	check_rule("99999999999999999999 1", 90, 0);
}

static void test_days(void **state)
{
	static const char *const bad[] = { "", "0", "0d", "3651", "90h", "d", "-3", "9 0", "OFF", "9999999999999999999999" };
	struct err err = { 0 };
	uint32_t days = 7;

	(void)state;
	assert_int_equal(lapse_days_parse("off", &days, &err), 0);
	assert_int_equal(days, 0);
	assert_int_equal(lapse_days_parse("90", &days, &err), 0);
	assert_int_equal(days, 90);
	assert_int_equal(lapse_days_parse("3650d", &days, &err), 0);
	assert_int_equal(days, 3650);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&err, 0, sizeof(err));
		assert_int_equal(lapse_days_parse(bad[i], &days, &err), -1);
		assert_non_null(strstr(err.msg, "is no number of days (1 to 3650, or off)"));
	}
}

static void test_use(void **state)
{
	(void)state;
	assert_true(lapse_is_use_of("contacts", "", ""));
	assert_true(lapse_is_use_of("storage", "Music", "Music"));
	assert_true(lapse_is_use_of("storage", "Music", ""));
	assert_false(lapse_is_use_of("storage", "Music", "Documents"));
	assert_true(lapse_is_use_of("network", "a.example.org", ""));
	assert_true(lapse_is_use_of("network", "a.example.org", "a.example.org:443"));
	assert_true(lapse_is_use_of("network", "a.example.org", "*.example.org"));
	assert_true(lapse_is_use_of("network", "a.example.org", "*.example.org:443"));
	assert_true(lapse_is_use_of("network", "192.168.1.4", "local"));
	assert_true(lapse_is_use_of("network", "2001:db8::1", "[2001:db8::1]:443"));
	assert_false(lapse_is_use_of("network", "a.example.org", "b.example.org"));
	assert_false(lapse_is_use_of("network", "example.org", "*.example.org"));
	assert_false(lapse_is_use_of("network", "badexample.org", "*.example.org"));
	assert_false(lapse_is_use_of("network", "2001:db8::1", "2001:db8::2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_lapses), cmocka_unit_test(test_time),	   cmocka_unit_test(test_off),
		cmocka_unit_test(test_announced_first), cmocka_unit_test(test_time_lost), cmocka_unit_test(test_rule_text),
		cmocka_unit_test(test_days),	    cmocka_unit_test(test_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
