/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "platform/platform.h"

static void test_clean_paths_have_whole_names_only(void **state)
{
	static const struct {
		const char *path;
		bool clean;
	} cases[] = {
		{ "/home/me", true },   { "/a", true },        { "/a/.b/..c", true }, { "", false },
		{ "/", false },         { "a/b", false },      { "/a/", false },      { "//a", false },
		{ "/a//b", false },     { "/a/./b", false },   { "/a/..", false },    { "/..", false },
		{ "/.", false },        { "/a/.../b", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (platform_path_is_clean(cases[i].path) != cases[i].clean)
			fail_msg("'%s': wanted %d", cases[i].path, cases[i].clean);
	}
}

static void test_within_compares_names_not_prefixes(void **state)
{
	(void)state;
	assert_true(platform_path_is_within("/usr", "/usr"));
	assert_true(platform_path_is_within("/usr/lib", "/usr"));
	assert_false(platform_path_is_within("/usr2", "/usr"));
	assert_false(platform_path_is_within("/us", "/usr"));
	assert_false(platform_path_is_within("/", "/usr"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean_paths_have_whole_names_only),
		cmocka_unit_test(test_within_compares_names_not_prefixes),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
