/* SPDX-License-Identifier: MIT
 *
 * Policy files are tested by the decision itself, and rules that never speak
 * are found.
 */
#include "policy/policy_test.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char said[4096];

static void note(void *data, const char *text)
{
	size_t n = strlen(said);

	(void)data;
	(void)snprintf(said + n, sizeof(said) - n, "%s\n", text);
}

static int read_text(void *data, const char *name, char **ret, size_t *ret_size, struct err *err)
{
	(void)data;
	if (strcmp(name, "a.rules") != 0)
		return err_set(err, ENOENT, "no file '%s'", name);
	*ret = xstrdup("* contacts empty\ngame storage no enforce\n");
	*ret_size = strlen(*ret);
	return 0;
}

static int run(const char *text, struct policy_test_report *report, struct err *err)
{
	memset(report, 0, sizeof(*report));
	memset(err, 0, sizeof(*err));
	report->on_failed = note;
	report->read_file = read_text;
	said[0] = '\0';
	return policy_test_run("t", text, strlen(text), report, err);
}

static void test_expectations(void **state)
{
	struct policy_test_report report;
	struct err err;

	(void)state;
	assert_int_equal(run("admin a.rules\nexpect x contacts empty by=policy\nexpect x storage ask by=nobody\n"
			     "expect game storage:Music no by=enforced\n",
			     &report, &err), 0);
	assert_int_equal(report.passed, 3);
	assert_int_equal(report.failed, 0);
	assert_int_equal(run("admin a.rules\ngrant x contacts read\nexpect x contacts read by=grant\nforget\n"
			     "expect x contacts read\nexpect x contacts empty by=grant\n",
			     &report, &err), 0);
	assert_int_equal(report.passed, 1);
	assert_int_equal(report.failed, 2);
	assert_string_equal(said, "t:5: x contacts is empty, decided by policy (a.rules:1), not read\n"
				  "t:6: x contacts is empty, decided by policy (a.rules:1), not empty by grant\n");
	/* vendor below admin, a lock above both */
	assert_int_equal(run("vendor a.rules\nexpect x contacts empty by=vendor\ngrant x contacts copy lock\n"
			     "expect x contacts copy by=lock\n",
			     &report, &err), 0);
	assert_int_equal(report.passed, 2);
}

static void test_bad_tests(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "expect x contacts\n", "t:1: wanted: expect" },
		{ "\nexpect X contacts no\n", "t:2: " },
		{ "grant x contacts read forever\n", "t:1: wanted: grant" },
		{ "grant x contacts maybe\n", "'maybe' is not an answer" },
		{ "admin b.rules\n", "t:1: no file 'b.rules'" },
		{ "hope for the best\n", "t:1: 'hope' means nothing here" },
		{ "expect x nothing no\n", "nothing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct policy_test_report report;
		struct err err;

		assert_int_equal(run(bad[i].text, &report, &err), -1);
		if (!strstr(err.msg, bad[i].says))
			fail_msg("'%s' is not in '%s'", bad[i].says, err.msg);
	}
}

static unsigned int lint(const char *text)
{
	struct ruleset set = { 0 };
	struct err err = { 0 };
	unsigned int n;

	said[0] = '\0';
	assert_int_equal(ruleset_parse(&set, "f", text, strlen(text), &err), 0);
	n = policy_lint(&set, note, NULL);
	ruleset_finish(&set);
	return n;
}

static void test_lint(void **state)
{
	(void)state;
	assert_int_equal(lint("a contacts read\n* contacts no\n* * no\n"), 0);
	assert_int_equal(lint("* contacts no\na contacts read\n"), 1);
	assert_string_equal(said, "f:2: is never reached: f:1 speaks first\n");
	assert_int_equal(lint("a storage:Music read\na storage no\n"), 0);
	assert_int_equal(lint("a storage no\na storage:Music read\n"), 1);
	assert_int_equal(lint("a contacts read\n* * no enforce\n"), 1); /* enforced ones are looked at first */
	assert_int_equal(lint("* * no\na contacts read enforce\n"), 0);
	assert_int_equal(lint("a contacts no\na contacts read\n"), 1); /* contradiction */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expectations),
		cmocka_unit_test(test_bad_tests),
		cmocka_unit_test(test_lint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
