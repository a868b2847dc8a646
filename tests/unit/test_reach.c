/* SPDX-License-Identifier: MIT */
#include "policy/decide.h"
#include "policy/reach.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void spells(const char *item, const char *want)
{
	char got[REACH_ITEM_SIZE];
	struct err err = { 0 };

	assert_int_equal(reach_item_parse(item, got, &err), 0);
	assert_string_equal(got, want);
}

static void test_one_spelling(void **state)
{
	(void)state;
	spells("local", "local");
	spells("Example.COM.", "example.com");
	spells("*.Example.com:0443", "*.example.com:443");
	spells("203.0.113.10", "203.0.113.10");
	spells("203.0.113.10:80", "203.0.113.10:80");
	spells("2001:DB8:0::1", "2001:db8::1");
	spells("[2001:db8::1]:443", "[2001:db8::1]:443");
	spells("_srv.example.com", "_srv.example.com");
}

static void test_what_is_none(void **state)
{
	static const char *const bad[] = {
		"", "/", "a/b", "http://example.com", "example.com:", "example.com:0", "example.com:65536", "example..com",
		".example.com", "*", "*.", "*.*.com", "exa mple.com", "203.0.113.10:80:81", "[2001:db8::1]", "[2001:db8::1]:x",
		"[203.0.113.10]:80", "203.0.113", "::1%eth0", "caf\xc3\xa9.example", "example.com:443 ", "\033[2J.com",
		"12345", "local:80.",
	};
	char got[REACH_ITEM_SIZE], long_name[200];
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(reach_item_parse(bad[i], got, &err), -1);
		assert_non_null(strstr(err.msg, "names no destination"));
	}
	memset(long_name, 'a', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(reach_item_parse(long_name, got, &err), -1);
}

static struct reach to(const char *address, uint16_t port, const char *name, bool local)
{
	struct reach r = { .port = port, .local = local };

	if (address)
		r.version = inet_pton(AF_INET, address, r.to) == 1 ? 4 : inet_pton(AF_INET6, address, r.to) == 1 ? 6 : 0;
	(void)snprintf(r.name, sizeof(r.name), "%s", name);
	return r;
}

static void test_what_covers_what(void **state)
{
	struct reach site = to("198.51.100.10", 443, "ads.example.com", false);
	struct reach home = to("192.168.1.20", 80, "", true);
	struct reach look = to(NULL, 0, "ads.example.com", false);

	(void)state;
	assert_int_equal(reach_covers("", &site), 1);
	assert_int_equal(reach_covers("", &home), 0);
	assert_int_equal(reach_covers("local", &home), 1);
	assert_int_equal(reach_covers("local", &site), 0);
	assert_true(reach_covers("ads.example.com:443", &site) > reach_covers("ads.example.com", &site));
	assert_true(reach_covers("ads.example.com", &site) > reach_covers("*.example.com", &site));
	assert_true(reach_covers("*.example.com", &site) > reach_covers("", &site));
	assert_int_equal(reach_covers("ads.example.com:80", &site), 0);
	assert_int_equal(reach_covers("example.com", &site), 0);
	assert_int_equal(reach_covers("*.ads.example.com", &site), 0);
	assert_int_equal(reach_covers("*.xample.com", &site), 0);
	assert_int_equal(reach_covers("198.51.100.11", &site), 0);
	assert_true(reach_covers("198.51.100.10", &site) > 1);
	assert_true(reach_covers("ads.example.com:443", &look) > 0);
	assert_int_equal(reach_covers("198.51.100.10", &look), 0);
}

/* Whoever answers for a name must not lead an app into the house with it. */
static void test_names_do_not_lead_home(void **state)
{
	struct reach evil = to("192.168.1.1", 80, "evil.example.com", true);
	struct reach nas = to("192.168.1.2", 80, "nas.lan", true);
	struct reach out = to("198.51.100.1", 80, "nas.lan", false);
	char item[REACH_ITEM_SIZE];

	(void)state;
	assert_int_equal(reach_covers("evil.example.com", &evil), 0);
	assert_int_equal(reach_covers("*.example.com", &evil), 0);
	reach_item_of(&evil, item);
	assert_string_equal(item, "192.168.1.1:80");
	assert_true(reach_covers("nas.lan", &nas) > 0);
	assert_int_equal(reach_covers("nas.lan", &out), 0);
}

static struct decision decided(const struct grant_view *grants, size_t count, const struct reach *where)
{
	struct decide_input in = {
		.app = "web",
		.ref = { .permission = permission_find("network"), .to = where },
		.grants = grants,
		.grant_count = count,
	};

	reach_item_of(where, in.ref.item);
	return decide(&in);
}

static void test_the_most_exact_decides(void **state)
{
	struct reach ads = to("198.51.100.10", 443, "ads.example.com", false);
	struct reach www = to("198.51.100.11", 443, "www.example.com", false);
	struct reach home = to("192.168.1.20", 80, "", true);
	const struct grant_view some[] = {
		{ .give = GIVE_ALLOW, .item = "" },
		{ .give = GIVE_NO, .item = "ads.example.com" },
	};
	const struct grant_view none[] = { { .give = GIVE_NO, .item = "" } };

	(void)state;
	assert_int_equal(decided(some, 2, &ads).give, GIVE_NO);
	assert_int_equal(decided(some, 2, &www).give, GIVE_ALLOW);
	assert_int_equal(decided(some, 2, &home).give, GIVE_ASK);
	assert_int_equal(decided(none, 1, &home).give, GIVE_NO);
}

static void test_rules_speak_of_destinations(void **state)
{
	static const char text[] = "web network:*.example.com allow\nweb network no\n";
	struct reach in = to("198.51.100.10", 443, "ads.example.com", false), out = to("198.51.100.9", 22, "", false);
	struct permission_ref ref = { .permission = permission_find("network"), .to = &in };
	struct ruleset set = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(ruleset_parse(&set, "10-net.rules", text, sizeof(text) - 1, &err), 0);
	assert_int_equal(ruleset_match(&set, "web", &ref, false)->line, 1);
	ref.to = &out;
	assert_int_equal(ruleset_match(&set, "web", &ref, false)->line, 2);
	ruleset_finish(&set);
}

static void test_what_the_question_says(void **state)
{
	char text[256];
	struct reach r = to("203.0.113.10", 443, "", false);

	(void)state;
	reach_about(&r, text, sizeof(text));
	assert_string_equal(text, "to reach an address without a name, 203.0.113.10 (port 443)");
	r = to("198.51.100.1", 443, "ads.example.com", false);
	reach_about(&r, text, sizeof(text));
	assert_string_equal(text, "to reach ads.example.com (port 443)");
	r = to("192.168.1.20", 8080, "", true);
	reach_about(&r, text, sizeof(text));
	assert_string_equal(text, "to reach devices on your own network: 192.168.1.20 (port 8080)");
	r = to("8.8.8.8", 443, "", false);
	reach_about(&r, text, sizeof(text));
	assert_non_null(strstr(text, "a resolver of its own"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_spelling),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_what_covers_what),
		cmocka_unit_test(test_names_do_not_lead_home),
		cmocka_unit_test(test_the_most_exact_decides),
		cmocka_unit_test(test_rules_speak_of_destinations),
		cmocka_unit_test(test_what_the_question_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
