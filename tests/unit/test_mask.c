/* SPDX-License-Identifier: MIT
 *
 * The mask as a tree of its own; needs root for the detached tmpfs.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/fd.h"
#include "platform/arm/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static const struct platform_gate gates[] = { { .gate = 7, .path = "/home/ada/Documents" }, { .gate = 9, .path = "/home/ada/.local/share/contacts" } };
static const char *const hidden[] = { "/usr/share/doc", "/srv/x" };

static struct platform_view sample(void)
{
	return (struct platform_view){
		.owner = { .name = "ada", .home = "/home/ada", .uid = 1000, .gid = 1000 },
		.gates = gates,
		.gate_count = ARRAY_LEN(gates),
		.hidden = hidden,
		.hidden_count = ARRAY_LEN(hidden),
	};
}

static int build(const struct platform_view *view, uint32_t shift)
{
	struct err err = { 0 };
	int mnt = mask_create(view, shift, &err), fd;

	if (mnt < 0)
		fail_msg("%s", err.msg);
	fd = openat(mnt, MASK_VIEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)close(mnt);
	assert_true(fd >= 0);
	return fd;
}

static struct stat stat_of(int view, const char *name)
{
	struct stat st;

	if (fstatat(view, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("'%s' is not in the mask", name);
	return st;
}

static void expect_mark(int view, const char *name, const char *key, const char *value)
{
	int fd = fd_open_beneath(view, name, O_RDONLY | O_DIRECTORY, 0);
	char buf[64] = "";

	assert_true(fd >= 0);
	if (fgetxattr(fd, key, buf, sizeof(buf) - 1) < 0 || strcmp(buf, value) != 0)
		fail_msg("'%s': %s is '%s', wanted '%s'", name, key, buf, value);
	(void)close(fd);
}

static void test_nothing_shows_but_what_is_named(void **state)
{
	const struct platform_view spec = sample();
	int view = build(&spec, 0);

	(void)state;
	expect_mark(view, ".", "trusted.overlay.opaque", "y");
	expect_mark(view, "usr", "trusted.overlay.redirect", "/usr");
	expect_mark(view, "etc", "trusted.overlay.redirect", "/etc");
	expect_mark(view, "var", "trusted.overlay.opaque", "y");
	expect_mark(view, "home/ada", "trusted.overlay.opaque", "y");
	expect_mark(view, "var/lib/dpkg", "trusted.overlay.redirect", "/var/lib/dpkg");
	(void)close(view);
}

static void test_owners_follow_the_shift(void **state)
{
	const struct platform_view spec = sample();
	int view = build(&spec, 0x70000000);

	(void)state;
	assert_int_equal(stat_of(view, "home/ada").st_uid, 0x70000000 + 1000);
	assert_int_equal(stat_of(view, "home").st_uid, 0x70000000);
	assert_int_equal(stat_of(view, "home/ada/.local/share").st_uid, 0x70000000 + 1000);
	assert_int_equal(stat_of(view, "etc/passwd").st_uid, 0x70000000);
	assert_int_equal(stat_of(view, ".cowbell").st_uid, 0x70000000);
	assert_int_equal(stat_of(view, ".cowbell").st_mode & 07777, 0700);
	assert_int_equal(stat_of(view, ".cowbell/9/empty").st_uid, 0x70000000 + 1000);
	(void)close(view);
}

static void test_secrets_are_hidden_whether_they_exist_or_not(void **state)
{
	static const char *const names[] = {
		"etc/machine-id", "etc/sudoers", "etc/wireguard", "etc/shadow-", "var/lib/dbus/machine-id", "usr/share/doc",
	};
	const struct platform_view spec = sample();
	int view = build(&spec, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct stat st = stat_of(view, names[i]);

		if (!S_ISCHR(st.st_mode) || st.st_rdev != 0)
			fail_msg("'%s' is not hidden", names[i]);
	}
	(void)close(view);
}

static void test_accounts_are_the_systems_and_the_owner(void **state)
{
	const struct platform_view spec = sample();
	int view = build(&spec, 0);
	struct err err = { 0 };
	char *text;

	(void)state;
	assert_int_equal(fd_read_file(view, "etc/passwd", 1 << 20, &text, NULL, &err), 0);
	assert_non_null(strstr(text, "root:x:0:0:"));
	assert_non_null(strstr(text, "\nada:x:1000:1000::/home/ada:"));
	free(text);
	assert_int_equal(fd_read_file(view, "etc/shadow", 1 << 20, &text, NULL, &err), 0);
	assert_non_null(strstr(text, "ada:*:"));
	assert_null(strchr(text, '$'));
	free(text);
	assert_int_equal(stat_of(view, "etc/shadow").st_mode & 0777, 0640);
	(void)close(view);
}

static void test_impossible_homes_are_refused(void **state)
{
	static const struct {
		const char *home, *why;
	} cases[] = {
		{ "/", "not a clean absolute path" },
		{ "/home/../etc", "not a clean absolute path" },
		{ "/usr", "holds what apps share with the host" },
		{ "/var", "holds what apps share with the host" },
		{ "/var/lib/dpkg/x", "lies in what apps share with the host" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform_view spec = sample();
		struct err err = { 0 };

		spec.owner.home = cases[i].home;
		spec.gate_count = 0;
		assert_int_equal(mask_create(&spec, 0, &err), -1);
		if (!strstr(err.msg, cases[i].why))
			fail_msg("'%s': '%s' does not say '%s'", cases[i].home, err.msg, cases[i].why);
	}
}

static void test_hiding_what_apps_need_is_refused(void **state)
{
	static const char *const all[] = { "/usr" };
	struct platform_view spec = sample();
	struct err err = { 0 };

	(void)state;
	spec.hidden = all;
	spec.hidden_count = 1;
	assert_int_equal(mask_create(&spec, 0, &err), -1);
	assert_string_equal(err.msg, "hide '/usr': apps cannot run without what lies in it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_shows_but_what_is_named),
		cmocka_unit_test(test_owners_follow_the_shift),
		cmocka_unit_test(test_secrets_are_hidden_whether_they_exist_or_not),
		cmocka_unit_test(test_accounts_are_the_systems_and_the_owner),
		cmocka_unit_test(test_impossible_homes_are_refused),
		cmocka_unit_test(test_hiding_what_apps_need_is_refused),
	};

	if (geteuid() != 0) {
		print_message("skip mask: needs root\n");
		return 0;
	}
	return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
