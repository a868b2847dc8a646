/* SPDX-License-Identifier: MIT
 *
 * What comes from outside and is parsed: cards, calls, package kinds.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "broker/install.h"
#include "broker/install_steps.h"
#include "contacts/vcard.h"
#include "proto/launch.h"
#include "varlink/check.h"

extern const char varlink_interface_text[];

static void test_cards(void **state)
{
	static const char text[] = "FN:outside\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nitem1.FN;CHARSET=UTF-8:Ada\r\n  Love\r\n lace\r\n"
				   "NOTE:FN: no\r\nEND:VCARD\r\nbegin:vcard\nFN:\033[2Jx\nend:vcard\nBEGIN:VCARD\nFNORD:y\n";
	static struct vcard_count count;

	(void)state;
	vcard_scan(text, sizeof(text) - 1, &count);
	assert_int_equal(count.cards, 3);
	assert_int_equal(count.name_count, 2);
	assert_string_equal(count.names[0], "Ada Lovelace");
	assert_string_equal(count.names[1], "\\x1b[2Jx");
}

static void test_calls_fit_the_interface(void **state)
{
	static const struct {
		const char *method, *params, *bad;
	} rows[] = {
		{ "List", "{}", NULL },
		{ "List", "{\"x\":1}", "x" },
		{ "Info", "{\"app\":\"a\"}", NULL },
		{ "Info", "{}", "app" },
		{ "Info", "{\"app\":null}", "app" },
		{ "Info", "{\"app\":[\"a\"]}", "app" },
		{ "Uninstall", "{\"app\":\"a\",\"stop\":true}", NULL },
		{ "Uninstall", "{\"app\":\"a\",\"stop\":null}", NULL },
		{ "Uninstall", "{\"app\":\"a\",\"stop\":1}", "stop" },
		{ "Answer", "{\"id\":1,\"answer\":\"no\",\"for\":\"run\",\"items\":[\"a\"]}", NULL },
		{ "Answer", "{\"id\":1,\"answer\":\"no\",\"for\":\"run\",\"items\":[1]}", "items" },
		{ "Answer", "{\"id\":1.5,\"answer\":\"no\",\"for\":\"run\"}", "id" },
	};
	char buf[64];
	bool known;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *params = json_loads(rows[i].params, 0, NULL);
		const char *bad = check_params(varlink_interface_text, rows[i].method, params, buf, sizeof(buf), &known);

		if (!known || (bad == NULL) != (rows[i].bad == NULL) || (bad && strcmp(bad, rows[i].bad) != 0))
			fail_msg("%s(%s): %s", rows[i].method, rows[i].params, bad ? bad : "taken");
		json_decref(params);
	}
	(void)check_params(varlink_interface_text, "Destroy", NULL, buf, sizeof(buf), &known);
	assert_false(known);
	(void)check_params(varlink_interface_text, "Lis", NULL, buf, sizeof(buf), &known);
	assert_false(known);
}

/* Whatever a package or folder is called is a parameter, never script text. */
static void test_words_never_become_script(void **state)
{
	char evil[] = "$(reboot);'\"", with[] = "/tmp/`reboot`";
	char *argv[] = { evil, NULL };
	struct install_request requests[] = {
		{ .kind = "directory", .name = evil, .source = "x", .file_count = 1 },
		{ .kind = "program", .name = evil, .source = "x", .file_count = 1 },
		{ .kind = "command", .name = "x", .source = "x", .argv = argv, .with = with, .file_count = 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		struct install_plan plan;
		struct err err = { 0 };

		assert_int_equal(install_plan_make(&plan, &requests[i], &err), 0);
		for (size_t s = 0; s < plan.count; s++) {
			char **words = install_step_argv(&plan.steps[s]);

			if (plan.steps[s].script)
				assert_null(strstr(words[2], "reboot"));
			strv_free(words);
		}
		install_plan_finish(&plan);
	}
}

static void test_requests_that_make_no_sense(void **state)
{
	char word[] = "make";
	char *argv[] = { word, NULL };
	static const struct {
		const char *kind, *with, *error;
		size_t files;
		bool command;
	} rows[] = {
		{ "rpm", NULL, "kind of package 'rpm' is not known", 1, false },
		{ "deb", NULL, "0 files came", 0, false },
		{ "deb", NULL, "999 files came", 999, false },
		{ "command", NULL, "no installer command was named", 0, false },
		{ "command", "relative", "is not an absolute path", 1, true },
		{ "directory", NULL, "2 files came", 2, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct install_request r = { .kind = rows[i].kind, .name = "x", .source = "x", .with = rows[i].with,
					     .file_count = rows[i].files, .argv = rows[i].command ? argv : NULL };
		struct install_plan plan;
		struct err err = { 0 };

		assert_int_equal(install_plan_make(&plan, &r, &err), -1);
		if (!strstr(err.msg, rows[i].error))
			fail_msg("'%s' does not say '%s'", err.msg, rows[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cards),
		cmocka_unit_test(test_calls_fit_the_interface),
		cmocka_unit_test(test_words_never_become_script),
		cmocka_unit_test(test_requests_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
