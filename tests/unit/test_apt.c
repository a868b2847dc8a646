/* SPDX-License-Identifier: MIT
 *
 * What becomes of apt's complaints: one sentence, bounded, with a way on.
 */
#include "packages/apt_impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* main.c has these; nothing here comes to them. */
struct package_item *item_find(const struct item_list *list, const char *name)
{
	(void)list;
	(void)name;
	return NULL;
}

struct package_item *item_add(struct item_list *list)
{
	(void)list;
	return NULL;
}

/* The sentence that apt's output and errors become. */
static const char *sentence(const char *out, const char *errors)
{
	static struct err err;
	static const char *const argv[] = { "apt-get", NULL };
	struct child_run run = { .argv = argv, .status = 100 };

	err = (struct err){ 0 };
	run.out = (char *)out;
	(void)snprintf(run.errors, sizeof(run.errors), "%s", errors);
	assert_int_equal(apt_failed(&run, &err), -1);
	return err.msg;
}

static void test_its_own_words(void **state)
{
	(void)state;
	assert_string_equal(sentence("", ""), "apt failed without saying why");
	assert_string_equal(sentence(NULL, "W: something old\nE: Unable to locate package x\n"), "Unable to locate package x");
	assert_string_equal(sentence("The following packages have unmet dependencies:\n a : Depends: b but it is not installable\nx\n",
				     "E: Unable to correct problems, you have held broken packages.\n"),
			    "a : Depends: b but it is not installable");
}

static void test_what_the_host_would_lose(void **state)
{
	const char *disabled = "E: Packages need to be removed but remove is disabled.\n";
	char many[8192] = "The following packages will be REMOVED:\n";
	size_t n = strlen(many);

	(void)state;
	assert_non_null(strstr(sentence("x\nThe following packages will be REMOVED:\n  systemd-sysv libpam*\n  dbus\nThe following NEW\n", disabled),
			       "it cannot stand beside what this system has itself: systemd-sysv, libpam, dbus (cowbell search"));
	assert_non_null(strstr(sentence("The following packages will be REMOVED:", disabled), "has itself: "));
	assert_non_null(strstr(sentence("The following packages will be REMOVED:\n", disabled), "has itself: "));
	assert_non_null(strstr(sentence("The following packages will be REMOVED:\n   \n  \n", disabled), "has itself: "));
	while (n < sizeof(many) - 64)
		n += (size_t)snprintf(many + n, sizeof(many) - n, "  package-number-%zu\n", n);
	assert_non_null(strstr(sentence(many, disabled), "has itself: package-number-40, "));
	memset(many + 40, 'x', sizeof(many) - 41);
	many[40] = many[41] = ' ';
	many[sizeof(many) - 1] = '\0';
	assert_non_null(strstr(sentence(many, disabled), "has itself: xxxx")); /* a name without end */
}

static void test_held_and_from_elsewhere(void **state)
{
	(void)state;
	assert_non_null(strstr(sentence("", "E: Held packages were changed and -y was used without --allow-change-held-packages.\n"),
			       "on hold on this system (apt-mark showhold"));
	assert_non_null(strstr(sentence("", "E: Can't find a source to download version '20.20.2-1' of 'nodejs:amd64'\n"),
			       "(this system has it itself, from where its lists do not lead: install runs that one)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_its_own_words),
		cmocka_unit_test(test_what_the_host_would_lose),
		cmocka_unit_test(test_held_and_from_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
