/* SPDX-License-Identifier: MIT
 *
 * How long an answer stands: by the start of the device and the time since, never
 * by the wall clock.
 */
#include "broker/broker.h"
#include "broker/traffic_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_live(void **state)
{
	static const struct {
		enum lasts lasts;
		bool this_boot;
		long long until; /* ms from now */
		bool live;
	} cases[] = {
		{ LASTS_ALWAYS, true, 0, true },       { LASTS_ALWAYS, false, 0, true },
		{ LASTS_BOOT, true, 0, true },	       { LASTS_BOOT, false, 0, false },
		{ LASTS_TIME, true, 60000, true },     { LASTS_TIME, true, -1, false },
		{ LASTS_TIME, false, 3600000, false }, /* another start counts from nothing */
		{ LASTS_RUN, true, 60000, false },     { LASTS_ONCE, true, 60000, false }, /* never stored */
	};
	struct broker *broker = xcalloc(1, sizeof(*broker));

	(void)state;
	(void)snprintf(broker->boot_id, sizeof(broker->boot_id), "this");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct grant_record grant = { .lasts = { .lasts = cases[i].lasts, .ms = 60000 } };

		(void)snprintf(grant.boot_id, sizeof(grant.boot_id), "%s", cases[i].this_boot ? "this" : "that");
		grant.until_boot_ms = loop_boot_ms() + (uint64_t)cases[i].until;
		for (int k = 0; k < 3; k++) { /* whatever the wall clock said when it was given, or says */
			grant.wall_ms = k == 0 ? 0 : k == 1 ? loop_wall_ms() + 86400000ull * 365 : 1;
			if (broker_grant_live(broker, &grant) != cases[i].live)
				fail_msg("case %zu is %s", i, cases[i].live ? "over" : "live");
		}
	}
	free(broker);
}

/* A month that a clock which was ahead began: it lasts, until the cap is set anew. */
static void test_months(void **state)
{
	struct traffic_record r = { .month = traffic_month() + 900, .this_month = { .up = 7, .down = 8 }, .cap = 10 };

	(void)state;
	r.spent = r.month;
	traffic_turn_month(&r);
	assert_int_equal(r.this_month.up, 7);
	traffic_set_cap(&r, 20);
	assert_int_equal(r.month, traffic_month());
	assert_int_equal(r.this_month.up + r.this_month.down + r.spent, 0);
	assert_int_equal(r.cap, 20);
	r.this_month.up = 3;
	traffic_set_cap(&r, 30); /* within the month what was used counts */
	assert_int_equal(r.this_month.up, 3);
	r.month--;
	traffic_turn_month(&r);
	assert_int_equal(r.this_month.up, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_live), cmocka_unit_test(test_months) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
