/* SPDX-License-Identifier: MIT
 *
 * Who speaks first decides: a row a case.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "policy/decide.h"

struct row {
	const char *what, *admin, *vendor;
	bool admin_broken, vendor_broken;
	struct grant_view grants[3];
	size_t grant_count;
	const char *declared; /* NULL: no manifest */
	const char *permission;
	enum give want;
	enum decided_by by;
};

#define GRANT(g, l, i) { .give = (g), .locked = (l), .item = i }

static const struct row rows[] = {
	{ .what = "nobody spoke: ask", .permission = "contacts", .want = GIVE_ASK, .by = DECIDED_DEFAULT },
	{ .what = "a vendor rule", .vendor = "* contacts empty\n", .permission = "contacts", .want = GIVE_EMPTY, .by = DECIDED_VENDOR },
	{ .what = "a manifest that does not declare stands above the vendor", .vendor = "* contacts read\n", .declared = "storage",
	  .permission = "contacts", .want = GIVE_NO, .by = DECIDED_MANIFEST },
	{ .what = "one that declares does not speak", .vendor = "* contacts read\n", .declared = "contacts", .permission = "contacts",
	  .want = GIVE_READ, .by = DECIDED_VENDOR },
	{ .what = "the admin above the manifest", .admin = "app contacts copy\n", .declared = "storage", .permission = "contacts",
	  .want = GIVE_COPY, .by = DECIDED_ADMIN },
	{ .what = "a grant above the admin", .admin = "app contacts no\n", .grants = { GRANT(GIVE_READ, false, "") }, .grant_count = 1,
	  .permission = "contacts", .want = GIVE_READ, .by = DECIDED_GRANT },
	{ .what = "a lock above a grant", .grants = { GRANT(GIVE_READ, false, ""), GRANT(GIVE_EMPTY, true, "") }, .grant_count = 2,
	  .permission = "contacts", .want = GIVE_EMPTY, .by = DECIDED_LOCK },
	{ .what = "an enforced rule above all", .admin = "app contacts no enforce\n", .grants = { GRANT(GIVE_WRITE, true, "") },
	  .grant_count = 1, .permission = "contacts", .want = GIVE_NO, .by = DECIDED_ENFORCE },
	{ .what = "an enforced rule of another app does not speak", .admin = "other contacts no enforce\n", .permission = "contacts",
	  .want = GIVE_ASK, .by = DECIDED_DEFAULT },
	{ .what = "an exact item beats the whole", .grants = { GRANT(GIVE_READ, false, ""), GRANT(GIVE_NO, false, "Music") },
	  .grant_count = 2, .permission = "storage:Music", .want = GIVE_NO, .by = DECIDED_GRANT },
	{ .what = "the whole covers an item", .grants = { GRANT(GIVE_READ, false, "") }, .grant_count = 1,
	  .permission = "storage:Music", .want = GIVE_READ, .by = DECIDED_GRANT },
	{ .what = "another item does not", .grants = { GRANT(GIVE_READ, false, "Videos") }, .grant_count = 1,
	  .permission = "storage:Music", .want = GIVE_ASK, .by = DECIDED_DEFAULT },
	{ .what = "an answer that does not fit is no", .grants = { GRANT(GIVE_ALLOW, false, "") }, .grant_count = 1,
	  .permission = "contacts", .want = GIVE_NO, .by = DECIDED_GRANT },
	{ .what = "broken admin policy: not even a grant gives", .admin_broken = true, .grants = { GRANT(GIVE_READ, false, "") },
	  .grant_count = 1, .permission = "contacts", .want = GIVE_NO, .by = DECIDED_BROKEN },
	{ .what = "an enforced rule of a good file still speaks", .admin = "app contacts empty enforce\n", .admin_broken = true,
	  .permission = "contacts", .want = GIVE_EMPTY, .by = DECIDED_ENFORCE },
	{ .what = "broken vendor policy: a grant gives", .vendor_broken = true, .grants = { GRANT(GIVE_READ, false, "") },
	  .grant_count = 1, .permission = "contacts", .want = GIVE_READ, .by = DECIDED_GRANT },
	{ .what = "broken vendor policy: nothing below it asks", .vendor_broken = true, .permission = "contacts", .want = GIVE_NO,
	  .by = DECIDED_BROKEN },
};

static void parse(struct ruleset *set, const char *text)
{
	struct err err = { 0 };

	if (text && ruleset_parse(set, "test.rules", text, strlen(text), &err) < 0)
		fail_msg("%s", err.msg);
}

static void test_precedence(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const char *declared[] = { r->declared, NULL };
		struct ruleset admin = { .broken = r->admin_broken }, vendor = { .broken = r->vendor_broken };
		struct decide_input in = { .app = "app", .admin = &admin, .vendor = &vendor, .grants = r->grants,
					   .grant_count = r->grant_count, .declared = r->declared ? declared : NULL };
		struct decision got;
		struct err err = { 0 };

		parse(&admin, r->admin);
		parse(&vendor, r->vendor);
		assert_int_equal(permission_ref_parse(r->permission, &in.ref, &err), 0);
		got = decide(&in);
		if (got.give != r->want || got.by != r->by)
			fail_msg("%s: got %s by %s", r->what, give_name(got.give), decided_by_name(got.by));
		ruleset_finish(&admin);
		ruleset_finish(&vendor);
	}
}

static void test_broken_files_are_refused_whole(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{ "app contacts\n", "t.rules:1: a rule has at least three words" },
		{ "ok contacts no\napp contacts maybe\n", "t.rules:2: 'maybe' is not an answer" },
		{ "App contacts no\n", "t.rules:1: app name 'App' is not allowed" },
		{ "app teapot no\n", "t.rules:1: 'teapot' is not a permission" },
		{ "app contacts:x no\n", "contacts has no parts to name" },
		{ "app storage:../x no\n", "names no part of storage" },
		{ "app contacts allow\n", "'allow' is no answer for contacts" },
		{ "app contacts no for=ever\n", "'ever' is not a duration" },
		{ "app contacts no perhaps\n", "'perhaps' means nothing here" },
		{ "a b c d e f g h i\n", "more than 8 words" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct ruleset set = { 0 };
		struct err err = { 0 };

		if (ruleset_parse(&set, "t.rules", bad[i].text, strlen(bad[i].text), &err) == 0 || set.count)
			fail_msg("taken: %s", bad[i].text);
		if (!strstr(err.msg, bad[i].error))
			fail_msg("'%s' does not say '%s'", err.msg, bad[i].error);
		ruleset_finish(&set);
	}
}

static void test_comments_and_reasons(void **state)
{
	static const char text[] = "# all of it\n\n  app contacts no for=90m enforce   # not \033[2J here\n";
	struct ruleset set = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(ruleset_parse(&set, "t.rules", text, sizeof(text) - 1, &err), 0);
	assert_int_equal(set.count, 1);
	assert_int_equal(set.rules[0].line, 3);
	assert_true(set.rules[0].enforce);
	assert_int_equal(set.rules[0].lasts.ms, 90 * 60000);
	assert_string_equal(set.rules[0].why, "not \\x1b[2J here");
	ruleset_finish(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_broken_files_are_refused_whole),
		cmocka_unit_test(test_comments_and_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
