/* SPDX-License-Identifier: MIT
 *
 * Words: permissions, answers, durations, app ids, and text from outside.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "policy/permission.h"
#include "policy/resource.h"

static void test_durations(void **state)
{
	static const struct {
		const char *word;
		enum lasts lasts;
		uint64_t ms;
	} good[] = {
		{ "once", LASTS_ONCE, 0 }, { "run", LASTS_RUN, 0 },	  { "boot", LASTS_BOOT, 0 }, { "always", LASTS_ALWAYS, 0 },
		{ "90m", LASTS_TIME, 5400000 }, { "4h", LASTS_TIME, 14400000 }, { "31d", LASTS_TIME, 2678400000 },
	};
	static const char *const bad[] = { "", "m", "0m", "-1h", "32d", "1x", "1hh", "99999999h", "Run", " run", "1 h" };
	struct duration d;
	struct err err = { 0 };
	char text[DURATION_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		if (duration_parse(good[i].word, &d, &err) < 0 || d.lasts != good[i].lasts || d.ms != good[i].ms)
			fail_msg("%s", good[i].word);
		duration_format(d, text);
		assert_int_equal(duration_parse(text, &d, &err), 0);
		assert_int_equal(d.ms, good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (duration_parse(bad[i], &d, &err) == 0)
			fail_msg("taken: '%s'", bad[i]);
		assert_non_null(strstr(err.msg, "is not a duration (once, run, 90m"));
	}
}

static void test_app_ids(void **state)
{
	static const char *const good[] = { "a", "0ad", "gtk+3.0", "lib_x-y", "a.b" };
	static const char *const bad[] = { "", "A", ".x", "-x", "a/b", "..", "a..b", "a b", "\xc3\xa4", "a\n",
					   "0123456789012345678901234567890123456789012345678901234567890123" };
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(app_id_check(good[i], &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (app_id_check(bad[i], &err) == 0)
			fail_msg("taken: '%s'", bad[i]);
		assert_non_null(strstr(err.msg, "is not allowed (1 to 63 of"));
	}
}

static void test_references(void **state)
{
	struct permission_ref ref;
	struct err err = { 0 };
	static const char *const no_ports[] = { "listen:", "listen:0", "listen:65536", "listen:080", "listen:80 ",
						"listen:-1", "listen:http", "listen:4294967376" };
	char text[PERMISSION_TEXT_SIZE];

	(void)state;
	assert_int_equal(permission_ref_parse("storage:My Files", &ref, &err), 0);
	permission_ref_format(&ref, text);
	assert_string_equal(text, "storage:My Files");
	assert_int_equal(permission_ref_parse("storage:", &ref, &err), -1);
	assert_int_equal(permission_ref_parse("storage:a/b", &ref, &err), -1);
	assert_int_equal(permission_ref_parse("storage:\033[2J", &ref, &err), -1);
	assert_null(strchr(err.msg, '\033'));
	assert_int_equal(permission_ref_parse("listen:65535", &ref, &err), 0);
	assert_string_equal(ref.item, "65535");
	for (size_t i = 0; i < ARRAY_LEN(no_ports); i++) {
		assert_int_equal(permission_ref_parse(no_ports[i], &ref, &err), -1);
		assert_non_null(strstr(err.msg, "names no port"));
	}
	assert_int_equal(permission_ref_parse("everything", &ref, &err), -1);
	assert_non_null(strstr(err.msg, "'everything' is not a permission"));
}

static void test_text_is_made_safe(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "plain", "plain" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\033[2J", "\\x1b[2J" },
		{ "a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f" },
		{ "\xe2\x80\xae" "evil", "<U+202E>evil" },
		{ "a\xe2\x80\x8b" "b", "a<U+200B>b" },
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc0\xaf", "\\xc0\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xc2\x9b" "31m", "<U+009B>31m" },
		{ "\xc3", "\\xc3" },
	};
	char out[64], small[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		text_escape(rows[i].in, strlen(rows[i].in), out, sizeof(out));
		assert_string_equal(out, rows[i].want);
	}
	text_escape("0123456789", 10, small, sizeof(small));
	assert_string_equal(small, "0123...");
	text_escape("ab\033cd", 5, small, sizeof(small));
	assert_true(strlen(small) < sizeof(small));
	assert_null(strchr(small, '\033'));
}

static bool only_some(void *data, const char *path)
{
	return strcmp(path, data) == 0;
}

static const struct resource *find(const struct resource_table *t, const char *item)
{
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->resources[i].item, item) == 0)
			return &t->resources[i];
	}
	return NULL;
}

static void test_resources_stay_in_the_home(void **state)
{
	static struct resource_table t;
	static struct board board = { .thing_count = 2,
				      .things = { { .kind = BOARD_CONTACTS, .value = ".local/share/contacts" },
						  { .kind = BOARD_CONTACTS, .value = ".abook" } } };
	uint16_t documents;
	char there[] = "/home/u/.abook";
	static const char dirs[] = "XDG_DOCUMENTS_DIR=\"$HOME/Dokumente\"\nXDG_MUSIC_DIR=\"/etc\"\n"
				   "XDG_PICTURES_DIR=\"$HOME/../../etc\"\nXDG_VIDEOS_DIR=\"$HOME/\"\n"
				   "XDG_DOWNLOAD_DIR=\"$HOME/Dokumente/in\"\n";

	(void)state;
	resource_table_make(&t, &board, "/home/u", dirs, only_some, there);
	assert_string_equal(find(&t, "Documents")->path, "/home/u/Dokumente");
	assert_string_equal(find(&t, "Music")->path, "/home/u/Music"); /* the line is ignored */
	assert_null(find(&t, "Pictures"));                             /* it would have left the home */
	assert_null(find(&t, "Videos"));                               /* the owner has none */
	assert_null(find(&t, "Downloads"));                            /* inside another gate */
	assert_int_equal(t.ignored, 3);
	assert_string_equal(t.resources[0].permission, "contacts");
	assert_false(t.resources[0].exists);
	assert_string_equal(t.resources[1].path, "/home/u/.abook");
	for (size_t i = 0; i < t.count; i++)
		assert_true(strncmp(t.resources[i].path, "/home/u/", 8) == 0 && resource_path_is_clean(t.resources[i].path));
	/* What apps have under a number stays where it is when a neighbour goes. */
	documents = find(&t, "Documents")->gate;
	there[0] = 'x';
	resource_table_make(&t, &board, "/home/u", dirs, only_some, there);
	assert_string_equal(t.resources[1].permission, "storage");
	assert_int_equal(find(&t, "Documents")->gate, documents);
}

static void test_sizes_are_read_and_said(void **state)
{
	static const struct {
		const char *word;
		uint64_t bytes; /* 0: refused */
	} cases[] = {
		{ "1", 1 },        { "100k", 100000 }, { "100kB", 100000 }, { "500M", 500000000 },  { "2G", 2000000000 },
		{ "3T", 3000000000000 }, { "0", 0 },   { "", 0 },           { "k", 0 },             { "1K", 0 },
		{ "1.5M", 0 },     { "-1", 0 },        { "1MM", 0 },        { "1MBx", 0 },          { "99999999999999999999", 0 },
		{ "999999999999T", 0 },
	};
	char text[32];
	uint64_t got;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int rc = text_size_parse(cases[i].word, &got, &err);

		if (cases[i].bytes ? rc != 0 || got != cases[i].bytes : rc != -1 || !strstr(err.msg, "is not a size"))
			fail_msg("'%s': %d, %llu, %s", cases[i].word, rc, (unsigned long long)got, err.msg);
	}
	text_size(999, text, sizeof(text));
	assert_string_equal(text, "999 B");
	text_size(4100000, text, sizeof(text));
	assert_string_equal(text, "4.1 MB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_are_read_and_said),
		cmocka_unit_test(test_durations),	  cmocka_unit_test(test_app_ids),
		cmocka_unit_test(test_references),	  cmocka_unit_test(test_text_is_made_safe),
		cmocka_unit_test(test_resources_stay_in_the_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
