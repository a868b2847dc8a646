/* SPDX-License-Identifier: MIT
 *
 * What is taken of a package's unit, and which of its units is an app's.
 */
#include "broker/unit.h"
#include "inspect/inspect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* The words with a "|" behind each, or "!" and why not. */
static const char *parse(const char *text, char user[33])
{
	static char out[1024];
	static struct unit u;
	const char *p = u.start.args;
	size_t n = 0;

	if (!unit_parse(text, strlen(text), &u)) {
		(void)snprintf(out, sizeof(out), "!%s", u.why);
		return out;
	}
	out[0] = '\0';
	for (size_t i = 0; i < u.start.count; i++, p += strlen(p) + 1)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s|", p);
	(void)snprintf(user, 33, "%s", u.user);
	return out;
}

/* What goes before, "HOW WORD WORD|" each. */
static const char *before(const char *text)
{
	static char out[2048];
	static struct unit u;
	size_t n = 0;

	assert_true(unit_parse(text, strlen(text), &u));
	out[0] = '\0';
	for (size_t i = 0; i < u.before_count; i++) {
		const char *p = u.before[i].what.args;

		n += (size_t)snprintf(out + n, sizeof(out) - n, "%c", u.before[i].how);
		for (size_t k = 0; k < u.before[i].what.count; k++, p += strlen(p) + 1)
			n += (size_t)snprintf(out + n, sizeof(out) - n, " %s", p);
		n += (size_t)snprintf(out + n, sizeof(out) - n, "|");
	}
	return out;
}

static void test_before(void **state)
{
	(void)state;
	assert_string_equal(before("[Service]\nExecStart=/bin/a\n"), "");
	assert_string_equal(before("[Service]\nExecStartPre=/bin/p 'q r'\nExecStartPre=-+/bin/s\nRuntimeDirectory=a b/c d:e\n"
				   "RuntimeDirectoryMode=0750\nStateDirectory=f\nUser=u\nExecStart=/bin/a\n"),
			    "d /run/a 0750 - -|d /run/b/c 0750 - -|d /run/d 0750 - -|d /var/lib/f - - -|u /bin/p q r|r /bin/s|");
	assert_string_equal(before("[Service]\nExecStart=/bin/a\nExecStartPre=/bin/p\nPermissionsStartOnly=yes\n"), "r /bin/p|");
	assert_string_equal(before("[Service]\nExecStart=/bin/a\nExecStartPre=/bin/p\nExecStartPre=\n"), "");
	assert_string_equal(before("[Service]\nExecStart=/bin/a\nExecStartPre=/bin/p %i\nExecStartPre=q\nExecStartPre=-\n"),
			    "x its command uses a specifier of systemd's|x its program has no absolute path|x it starts no command|");
	assert_string_equal(before("[Service]\nExecStart=/bin/a\nRuntimeDirectory=../x /y z/../z %N . a//b ok\nRuntimeDirectoryMode=999\n"),
			    "x a folder has a name that is not plain|x a folder has a name that is not plain|"
			    "x a folder has a name that is not plain|x a folder has a name that is not plain|"
			    "x a folder has a name that is not plain|x a folder has a name that is not plain|d /run/ok - - -|");
}

static void test_variables(void **state)
{
	char user[33];
	const char *text = "[Service]\nExecStart=/bin/a $OPTS ${ONE} x${ONE}y $NONE \"$ONE\" $ONE-\nEnvironment=ONE=1 \"OPTS=-a  -b c\" 2BAD\n"
			   "Environment='ONE=one $HOME' X%Y=z\n";

	(void)state;
	assert_string_equal(parse(text, user), "/bin/a|-a|-b|c|one $HOME|xone $HOMEy|$ONE|$ONE-|");
	assert_string_equal(before(text), "e ONE=1|e OPTS=-a  -b c|e ONE=one $HOME|");
	assert_string_equal(parse("[Service]\nEnvironment=A=1\nEnvironment=\nExecStart=/bin/a $A\n", user), "/bin/a|");
	assert_string_equal(parse("[Service]\nEnvironment=P=/bin/b\nExecStart=$P x\n", user), "/bin/b|x|");
}

static void test_before_is_bounded(void **state)
{
	char text[8000] = "[Service]\nExecStart=/bin/a\n";
	static struct unit u;

	(void)state;
	for (int i = 0; i < 100; i++)
		(void)strcat(text, "RuntimeDirectory=a b\nExecStartPre=/bin/b 'c\n");
	assert_true(unit_parse(text, strlen(text), &u));
	assert_int_equal(u.before_count, UNIT_BEFORE_MAX);
}

static void test_tmpfiles(void **state)
{
	static const char text[] =
		"# d /run/no\nd /run/a 0750 www-data adm -\nD! /var/run/b/c - - -\nd /var/lib/d\nd /run/../e\nf /run/f\n"
		"d\t/run/g 1777 :h ~i\nd /run/media/$x\nd /run/j 07777777 a/b k\nd /run/\nd /run\nd=~ /run/last";
	const char *p = text;
	char folder[TMPFILES_FOLDER_SIZE], out[1024] = "";

	(void)state;
	while (tmpfiles_next(&p, text + sizeof(text) - 1, folder)) {
		(void)strcat(out, folder);
		(void)strcat(out, "|");
	}
	assert_string_equal(out, "/run/a 0750 www-data adm|/run/b/c 0755 root root|/run/g 1777 h root|/run/j 0755 root k|"
				 "/run/last 0755 root root|");
}

static void test_commands(void **state)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		{ "/usr/bin/redis-server /etc/redis.conf --daemonize no", "/usr/bin/redis-server|/etc/redis.conf|--daemonize|no|" },
		{ "/usr/sbin/nginx -g 'daemon on; master_process on;'", "/usr/sbin/nginx|-g|daemon on; master_process on;|" },
		{ "-/bin/a \"b \\\"c\\\"\" d\\x", "!its command has an escape that is not known" },
		{ "-/bin/a \"b \\\"c\\\"\"", "/bin/a|b \"c\"|" },
		{ "@/bin/a other b", "/bin/a|b|" },
		{ "/bin/a $OPTS ${MORE} x${Y}z $$ 5$", "/bin/a||xz|$|5$|" },
		{ "/bin/a \\\n   b", "/bin/a|b|" },
		{ "/bin/a %%h", "/bin/a|%h|" },
		{ "/bin/a ''", "/bin/a||" },
		{ "/bin/a %i", "!its command uses a specifier of systemd's" },
		{ "a", "!its program has no absolute path" },
		{ "/bin/a ; /bin/b", "!it starts several commands" },
		{ "/bin/a 'b", "!its command has a quote without an end" },
		{ "/bin/a ${b", "!its command has a '${' without an end" },
		{ "/bin/a \033[2J", "!its command has characters that cannot be shown" },
		{ "/bin/a b\\nc", "!its command has characters that cannot be shown" },
		{ "", "!it starts no command" },
		{ "-", "!it starts no command" },
		{ "$NONE", "!it starts no command" },
	};
	char text[512], user[33];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		(void)snprintf(text, sizeof(text), "[Unit]\nExecStart=/not/this\n[Service]\nExecStart=%s\n", cases[i].value);
		if (strcmp(parse(text, user), cases[i].want) != 0)
			fail_msg("'%s': got '%s', wanted '%s'", cases[i].value, parse(text, user), cases[i].want);
	}
}

static void test_users_and_lists(void **state)
{
	char user[33] = "x";

	(void)state;
	assert_string_equal(parse("[Service]\nExecStart=/bin/a\n", user), "/bin/a|");
	assert_string_equal(user, "");
	assert_string_equal(parse("[Service]\r\nUser = www-data\r\nExecStart = /bin/a\r\n", user), "/bin/a|");
	assert_string_equal(user, "www-data");
	assert_string_equal(parse("[Service]\nUser=$X\nExecStart=/bin/a\n", user), "!its user is no name");
	assert_string_equal(parse("[Service]\nUser=-a\nExecStart=/bin/a\n", user), "!its user is no name");
	assert_string_equal(parse("[Service]\nExecStart=/bin/a\nExecStart=/bin/b\n", user), "!it starts several commands");
	assert_string_equal(parse("[Service]\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b\n", user), "/bin/b|");
	assert_string_equal(parse("[Service]\n#ExecStart=/bin/a\n[Install]\nExecStart=/bin/b\n", user), "!it starts no command");
}

static void test_a_long_command_is_refused(void **state)
{
	char text[6000] = "[Service]\nExecStart=/bin/a", user[33];

	(void)state;
	for (int i = 0; i < 70; i++)
		strcat(text, " b");
	assert_string_equal(parse(text, user), "!its command is too long");
	memset(text + 26, 'a', 900);
	text[926] = '\0';
	assert_string_equal(parse(text, user), "!its command is too long");
	memset(text + 26, ' ', 5000);
	text[5026] = '\0';
	assert_string_equal(parse(text, user), "!it has a line that is too long");
}

static const char *choose(const char *app, const char *package, const char *const *names)
{
	struct inspect_entries *e = xcalloc(1, sizeof(*e));
	static char found[128];
	const struct inspect_unit *unit;

	for (; *names; names++)
		inspect_entries_take(e, INSPECT_UNIT_NAME, *names);
	unit = unit_choose(e, app, package);
	(void)snprintf(found, sizeof(found), "%s", unit ? unit->name : "");
	free(e);
	return found;
}

static void test_which_of_them(void **state)
{
	static const char *const two[] = { "a.service", "nginx.service", NULL }, *const one[] = { "x.service", NULL },
				 *const many[] = { "1.service", "2.service", "3.service", "4.service", "5.service",
						   "6.service", "7.service", "8.service", "9.service", NULL };

	(void)state;
	assert_string_equal(choose("nginx", "", two), "nginx.service");
	assert_string_equal(choose("web", "nginx", two), "nginx.service");
	assert_string_equal(choose("web", "nginx-light", two), "nginx.service");
	assert_string_equal(choose("web", "", two), "");
	assert_string_equal(choose("web", "", one), "x.service");
	assert_string_equal(choose("9", "", many), "");
}

static void test_what_ends_is_no_service(void **state)
{
	static struct unit u;
	const char *once = "[Service]\nType=oneshot\nExecStart=/bin/a\n", *other = "[Service]\nType=simple\nExecStart=/bin/a\n";

	(void)state;
	assert_true(unit_parse(once, strlen(once), &u));
	assert_true(u.once);
	assert_true(unit_parse(other, strlen(other), &u));
	assert_false(u.once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_before),
		cmocka_unit_test(test_before_is_bounded),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_tmpfiles),
		cmocka_unit_test(test_users_and_lists),
		cmocka_unit_test(test_a_long_command_is_refused),
		cmocka_unit_test(test_which_of_them),
		cmocka_unit_test(test_what_ends_is_no_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
