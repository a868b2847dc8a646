/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/fields.h"
#include "broker/inspect.h"
#include "inspect/inspect.h"
#include "inspect/scan.h"
#include "inspect/tar.h"
#include "proto/package.h"

#include <stdio.h>
#include <string.h>

/* The readers' own words are counted, not sent. */
void tell_fact(enum inspect_key key, const char *value, size_t len)
{
	(void)key;
	(void)value;
	(void)len;
}

/* --- tar --- */

struct source {
	char buf[65536];
	size_t len, at, step;
};

static ssize_t read_source(void *data, void *buf, size_t size)
{
	struct source *s = data;
	size_t n = s->len - s->at;

	n = n < size ? n : size;
	n = s->step && n > s->step ? s->step : n;
	memcpy(buf, s->buf + s->at, n);
	s->at += n;
	return (ssize_t)n;
}

static void put(struct source *s, const char *name, char type, const char *size, const char *content, const char *link)
{
	char *h = s->buf + s->len;
	unsigned int sum = 0;
	size_t n = content ? strlen(content) : 0;

	memset(h, 0, 512);
	(void)snprintf(h, 100, "%s", name);
	(void)snprintf(h + 100, 8, "0000755");
	(void)snprintf(h + 108, 8, "0000000");
	(void)snprintf(h + 116, 8, "0000000");
	if (size)
		(void)snprintf(h + 124, 12, "%s", size);
	else
		(void)snprintf(h + 124, 12, "%08o", (unsigned int)n & 0xffff);
	h[156] = type;
	if (link)
		(void)snprintf(h + 157, 100, "%s", link);
	memcpy(h + 257, "ustar\0" "00", 8);
	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (uint8_t)h[i];
	(void)snprintf(h + 148, 8, "%06o", sum & 0777777u);
	s->len += 512;
	if (content)
		memcpy(s->buf + s->len, content, n);
	s->len += (n + 511) / 512 * 512;
}

static void finish(struct source *s)
{
	memset(s->buf + s->len, 0, 1024);
	s->len += 1024;
}

/* Names of the members, joined; -1 where the reading failed. */
static int read_all(struct source *s, char *names, size_t size, struct err *err)
{
	struct tar *tar = test_calloc(1, sizeof(*tar));
	struct tar_member *m = test_calloc(1, sizeof(*m));
	size_t n = 0;
	int rc;

	names[0] = '\0';
	tar->read = read_source;
	tar->source = s;
	while ((rc = tar_next(tar, m, err)) == 1)
		n += (size_t)snprintf(names + n, size - n, "%s;", m->name);
	test_free(m);
	test_free(tar);
	return rc;
}

static void test_members_are_read(void **state)
{
	struct source *s = test_calloc(1, sizeof(*s));
	struct err err = { 0 };
	char names[1000], long_name[300];

	(void)state;
	memset(long_name, 'a', 299);
	long_name[299] = '\0';
	put(s, "one", '0', NULL, "content", NULL);
	put(s, "folder/", '5', NULL, NULL, NULL);
	put(s, "././@LongLink", 'L', NULL, long_name, NULL);
	put(s, "cut", '0', NULL, "x", NULL);
	put(s, "pax", 'x', NULL, "18 path=elsewhere\n", NULL);
	put(s, "short", '2', NULL, NULL, "target");
	finish(s);
	for (s->step = 0; s->step < 600; s->step += 511) { /* in pieces too */
		s->at = 0;
		assert_int_equal(read_all(s, names, sizeof(names), &err), 0);
		assert_true(strncmp(names, "one;folder/;aaaa", 16) == 0);
		assert_non_null(strstr(names, ";elsewhere;"));
		assert_null(strstr(names, "cut"));
	}
	test_free(s);
}

static void test_what_is_no_tar_is_refused(void **state)
{
	static const struct {
		const char *name, *size, *content, *error;
		char type;
	} rows[] = {
		{ "a", "77777777777", NULL, "cut off", '0' },
		{ "a", "9", NULL, "a size is no number", '0' },
		{ "a", "-1", NULL, "a size is no number", '0' },
		{ "", NULL, NULL, "a member has no name", '0' },
		{ "a", NULL, NULL, "of a kind that is not known", 'S' },
		{ "a", "17", NULL, "something that is no file has a size", '5' },
		{ "a", "17777777", NULL, "larger than 1 MB", 'x' },
		{ "a", NULL, "9999 path=x\n", "has no length", 'x' },
		{ "a", NULL, "path=x\n", "has no length", 'x' },
		{ "a", NULL, "9 path x\n", "has no value", 'x' },
		{ "a", NULL, "16 size=99999999\n", "changes the size", 'x' },
		{ "a", NULL, "22 GNU.sparse.major=1\n", "changes the size", 'x' },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct source *s = test_calloc(1, sizeof(*s));
		struct err err = { 0 };
		char names[256], content[64] = "";

		(void)snprintf(content, sizeof(content), "%s", rows[i].content ? rows[i].content : "");
		if (strchr("x", rows[i].type) && strstr(content, "size="))
			(void)snprintf(content, sizeof(content), "17 size=99999999\n");
		put(s, rows[i].name, rows[i].type, rows[i].size, rows[i].content ? content : NULL, NULL);
		finish(s);
		if (read_all(s, names, sizeof(names), &err) != -1 || !strstr(err.msg, rows[i].error))
			fail_msg("row %zu: '%s' does not say '%s'", i, err.msg, rows[i].error);
		test_free(s);
	}
}

static void test_a_tar_that_is_cut_anywhere_is_refused(void **state)
{
	struct source *s = test_calloc(1, sizeof(*s));
	size_t whole;

	(void)state;
	put(s, "one", '0', NULL, "content", NULL);
	put(s, "two", '0', NULL, "more", NULL);
	whole = s->len;
	for (size_t n = 0; n < whole; n += 37) {
		struct err err = { 0 };
		char names[256];

		s->at = 0;
		s->len = n;
		assert_int_equal(read_all(s, names, sizeof(names), &err), -1);
		assert_non_null(strstr(err.msg, "cut off"));
	}
	test_free(s);
}

/* --- desktop entries --- */

static bool parse(const char *text, struct desktop *d)
{
	return desktop_parse(text, strlen(text), d);
}

#define HEAD "[Desktop Entry]\nType=Application\n"

static void test_desktop_entries(void **state)
{
	struct desktop d;

	(void)state;
	assert_true(parse("# c\n\n" HEAD "Name=Mail\nName[de]=Post\nExec=mail --to %u %%x\nIcon=m\nTerminal=true\n"
			  "Categories=Email;Network;\n[Desktop Action x]\nName=Other\nExec=other\n", &d));
	assert_string_equal(d.name, "Mail");
	assert_string_equal(d.exec, "mail --to %x");
	assert_string_equal(d.categories, "Email;Network;");
	assert_true(d.terminal);
	assert_false(d.hidden);
	assert_true(parse(HEAD "Name=\033[2J\nExec=x\nNoDisplay=true", &d));
	assert_null(strchr(d.name, '\033'));
	assert_true(d.hidden);
	assert_false(parse(HEAD "Name=x\n", &d));
	assert_false(parse(HEAD "Exec=x\n", &d));
	assert_false(parse("Name=x\nExec=y\nType=Application\n", &d));
	assert_false(parse("[Desktop Entry]\nType=Link\nName=x\nExec=y\n", &d));
	assert_false(parse(HEAD "Name=x\nExec=a\nExec=b\n", &d)); /* two readers, two programs */
	assert_false(parse(HEAD "Name=x\nExec=a\n[Desktop Entry]\nIcon=i\n", &d));
	assert_false(desktop_parse(HEAD "Name=x\0\nExec=a\n", sizeof(HEAD "Name=x\0\nExec=a\n") - 1, &d));
}

static void test_a_long_entry_is_cut_not_overrun(void **state)
{
	char text[3000] = HEAD "Name=";
	struct desktop d;

	(void)state;
	memset(text + strlen(text), 'n', 1000);
	strcat(text, "\nExec=");
	memset(text + strlen(text), '%', 1001);
	assert_true(parse(text, &d));
	assert_true(strlen(d.name) < sizeof(d.name));
	assert_true(strlen(d.exec) < sizeof(d.exec));
}

/* --- fields --- */

static void test_fields(void **state)
{
	const char text[] = "Package: a\nDescription: short\n long\n .\n more\nbroken\nVersion:  1 \n\nPackage: b\n";
	const char *p = text, *end = text + sizeof(text) - 1;
	struct field f;

	(void)state;
	assert_true(field_next(&p, end, &f) && field_is(&f, "package") && f.value_len == 1);
	assert_true(field_next(&p, end, &f) && field_is(&f, "Description") && f.value_len == 5 && f.more_len == 15);
	assert_true(field_next(&p, end, &f) && field_is(&f, "Version") && f.value_len == 1 && f.value[0] == '1');
	assert_false(field_next(&p, end, &f)); /* the end of the record */
	p++;
	assert_true(field_next(&p, end, &f) && f.value[0] == 'b');
	assert_false(field_next(&p, end, &f));
}

/* --- kinds and signs --- */

static void test_the_table_that_comes_with_us(void **state)
{
	struct kinds k;
	struct err err = { 0 };
	uint32_t set = 0;

	(void)state;
	assert_int_equal(kinds_parse(kinds_text, &k, &err), 0);
	assert_true(kinds_match(&k, KIND_WORD, "flashlight", 10, &set));
	assert_int_equal(set, 1u << kinds_number(&k, "torch"));
	set = 0;
	assert_true(kinds_match(&k, KIND_SECTION, "games", 5, &set));
	assert_int_equal(set, 0);
	assert_false(kinds_match(&k, KIND_SECTION, "nothing", 7, &set));
	for (size_t i = 0; i < k.kind_count; i++) { /* what a kind needs has a sign to be seen by */
		for (size_t p = 0; p < k.kinds[i].permission_count; p++)
			assert_true(kinds_number(&k, k.kinds[i].permissions[p]) >= 0);
	}
	kinds_finish(&k);
}

static void test_broken_tables_are_named_by_line(void **state)
{
	static const char *const rows[] = {
		"nonsense x y\n", "section\n", "section a b - c\n", "sign network is\n", "sign network is word why\n",
		"sign network smells word = why\n", "sign network is ab = too short\n", "section a 1 2 3 4 5 6 7 8 9\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct kinds k;
		struct err err = { 0 };
		char text[200];

		(void)snprintf(text, sizeof(text), "# first\n%s", rows[i]);
		if (kinds_parse(text, &k, &err) != -1 || !strstr(err.msg, "line 2"))
			fail_msg("'%s' gave '%s'", rows[i], err.msg);
	}
}

static void test_signs_are_found_across_pieces(void **state)
{
	static const char file[] = "\177ELF....\0getaddrinfo\0/home/me/.local/share/contacts\0ads.example.com\0libcurl.so.4\0"
				   "see https://Example.org/x and https://gnu.org/licenses\0not.a.host";
	struct err err = { 0 };
	struct scan scan = { 0 };
	struct kinds k;

	(void)state;
	assert_int_equal(kinds_parse(kinds_text, &k, &err), 0);
	for (size_t step = 1; step < 50; step += 7) {
		unsigned int network = 0, contacts = 0;

		memset(&scan, 0, sizeof(scan));
		scan.kinds = &k;
		scan.seen = test_calloc(k.sign_count, 1);
		scan_begin_file(&scan, true);
		for (size_t i = 0; i < sizeof(file); i += step)
			scan_bytes(&scan, file + i, sizeof(file) - i < step ? sizeof(file) - i : step);
		scan_end_file(&scan);
		for (size_t i = 0; i < k.sign_count; i++) {
			network += scan.seen[i] && strcmp(k.signs[i].permission, "network") == 0;
			contacts += scan.seen[i] && strcmp(k.signs[i].permission, "contacts") == 0;
		}
		assert_int_equal(network, 2);
		assert_int_equal(contacts, 1);
		assert_string_equal(scan.bare_host, "ads.example.com");
		assert_int_equal(scan.host_count, 2); /* and gnu.org; upper case is no host's */
		test_free(scan.seen);
	}
	kinds_finish(&k);
}

/* --- names and main programs --- */

static void test_names_that_may_reach_a_command_line(void **state)
{
	static const char *const good[] = { "figlet", "g++", "python3-minimal", "libc6", "0ad" };
	static const char *const bad[] = { "", "a", "-y", "foo-", "Foo", "a b", "a=1", "a/b", "a;b", "+x", ".x", "a*" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(package_name_good(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(package_name_good(bad[i]));
	assert_true(package_dependency_good("libc6 (>= 2.36) | libfoo:any"));
	assert_false(package_dependency_good("-o APT::x"));
	assert_false(package_dependency_good("a\nb"));
	assert_false(package_dependency_good("a;b"));
}

static void test_the_program_that_run_starts(void **state)
{
	static const struct {
		const char *id, *package, *commands[4], *exec, *want;
		uint16_t own;
	} rows[] = {
		{ "nano", "nano", { "/bin/rnano", "/bin/nano" }, NULL, "/bin/nano", 2 },
		{ "other", "nano", { "/bin/rnano", "/bin/nano" }, NULL, "/bin/nano", 2 },
		{ "mail", "mail", { "/usr/bin/a", "/usr/bin/b" }, "b --new", "/usr/bin/b", 2 },
		{ "nginx-light", "nginx-light", { "/usr/sbin/x", "/usr/sbin/nginx" }, NULL, "/usr/sbin/nginx", 0 },
		{ "vim-tiny", "vim-tiny", { "/usr/bin/vim.tiny", "/usr/bin/x" }, NULL, "/usr/bin/vim.tiny", 2 },
		{ "tool", "tool", { "/usr/bin/only", "/usr/bin/of-another" }, NULL, "/usr/bin/only", 1 },
		{ "many", "many", { "/usr/bin/a", "/usr/bin/b" }, NULL, "", 2 },
		{ "none", "none", { NULL }, NULL, "", 0 },
		{ "docker.io", "docker.io", { "/usr/bin/dnet", "/usr/bin/docker" }, NULL, "/usr/bin/docker", 2 },
		{ "db-server", "db-server", { "/usr/bin/dbd", "/usr/bin/dbsafe", "/usr/bin/db" }, NULL, "", 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct app_entry entry = { .name = "x" };
		uint16_t n = 0;

		while (n < 4 && rows[i].commands[n])
			n++;
		(void)snprintf(entry.exec, sizeof(entry.exec), "%s", rows[i].exec ? rows[i].exec : "");
		assert_string_equal(entry_main(rows[i].id, rows[i].package, (char *const *)(uintptr_t)rows[i].commands, n,
					       rows[i].own, &entry, rows[i].exec ? 1 : 0),
				    rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_are_read),
		cmocka_unit_test(test_what_is_no_tar_is_refused),
		cmocka_unit_test(test_a_tar_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(test_desktop_entries),
		cmocka_unit_test(test_a_long_entry_is_cut_not_overrun),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_the_table_that_comes_with_us),
		cmocka_unit_test(test_broken_tables_are_named_by_line),
		cmocka_unit_test(test_signs_are_found_across_pieces),
		cmocka_unit_test(test_names_that_may_reach_a_command_line),
		cmocka_unit_test(test_the_program_that_run_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
