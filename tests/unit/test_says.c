/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "broker/says.h"

static void expect(const char *list, const char *ref_text, const char *want)
{
	struct permission_ref ref;
	struct err err = { 0 };
	char got[SAYS_TEXT_SIZE];

	assert_int_equal(permission_ref_parse(ref_text, &ref, &err), 0);
	says_find(list, &ref, got);
	assert_string_equal(got, want);
}

static void test_each_use_has_its_own_word(void **state)
{
	char list[APP_SAYS_SIZE] = "";

	(void)state;
	says_add(list, "contacts find friends");
	says_add(list, "storage  keep letters");
	says_add(list, "storage:Music play them");
	expect(list, "contacts", "find friends");
	expect(list, "storage", "keep letters");
	expect(list, "storage:Documents", "keep letters");
	expect(list, "storage:Music", "play them");
	expect(list, "network", "");
	expect("", "contacts", "");
}

static void test_what_is_no_word_is_left_out(void **state)
{
	char list[APP_SAYS_SIZE] = "";

	(void)state;
	says_add(list, "contacts");
	says_add(list, "contacts ");
	says_add(list, " contacts why");
	says_add(list, "");
	says_add(list, "camera see\nnetwork trust me");
	assert_string_equal(list, "");
}

static void test_nothing_of_it_can_draw(void **state)
{
	char list[APP_SAYS_SIZE] = "";

	(void)state;
	says_add(list, "contacts \x1b[2Jclear");
	expect(list, "contacts", "\\x1b[2Jclear");
}

static void test_there_is_a_bound(void **state)
{
	char list[APP_SAYS_SIZE] = "", fact[600], got[SAYS_TEXT_SIZE];
	struct permission_ref ref = { .permission = permission_find("contacts") };

	(void)state;
	memset(fact, 'w', sizeof(fact) - 1);
	fact[sizeof(fact) - 1] = '\0';
	memcpy(fact, "contacts ", 9);
	for (int i = 0; i < 40; i++)
		says_add(list, fact);
	assert_true(strlen(list) < sizeof(list));
	assert_int_equal(list[strlen(list) - 1], '\n'); /* whole lines alone */
	says_find(list, &ref, got);
	assert_int_equal(strlen(got), SAYS_TEXT_SIZE - 1);
	assert_string_equal(got + strlen(got) - 3, "...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_use_has_its_own_word),
		cmocka_unit_test(test_what_is_no_word_is_left_out),
		cmocka_unit_test(test_nothing_of_it_can_draw),
		cmocka_unit_test(test_there_is_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
