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
#include "base/md5.h"
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
	expect_mark(view, "etc", "trusted.overlay.opaque", "y");
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

static void test_hidden_names_are_hidden_whether_they_exist_or_not(void **state)
{
	static const char *const names[] = { "var/lib/dbus/machine-id", "usr/share/doc" };
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

/* The real /etc: whatever is private to this host is not in the mask. */
static void test_secrets_of_etc_do_not_show(void **state)
{
	static const char *const names[] = {
		"etc/machine-id", "etc/sudoers", "etc/wireguard", "etc/shadow-", "etc/environment", "etc/npmrc",
		"etc/pip.conf", "etc/fstab", "etc/subuid", "etc/motd", "etc/ssl/private", "etc/profile", "etc/cowbell",
	};
	const struct platform_view spec = sample();
	int view = build(&spec, 0);
	struct stat st;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (fstatat(view, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			fail_msg("'%s' shows", names[i]);
	}
	(void)stat_of(view, "etc/ld.so.cache");
	(void)stat_of(view, "etc/debian_version");
	expect_mark(view, "etc/alternatives", "trusted.overlay.redirect", "/etc/alternatives");
	(void)close(view);
}

#define MD5_OF_A "60b725f10c9c85c70d97880dfe8191b3" /* "a\n" */

static const char status[] = "Package: x\nStatus: install ok installed\nConffiles:\n"
			     " /etc/same " MD5_OF_A "\n /etc/changed " MD5_OF_A "\n /etc/sub/old " MD5_OF_A
			     " obsolete\n /etc/private " MD5_OF_A "\n /etc/closed/in " MD5_OF_A "\n"
			     " /etc/link-as-file " MD5_OF_A "\n /etc/short 60b7\nDescription: y\n /etc/claimed " MD5_OF_A
			     "\n\nPackage: z\nConffiles:\n /etc/second " MD5_OF_A "\n";

static void put(int dir, const char *name, const char *text, mode_t mode)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void fill_etc(int dir)
{
	static const char *const plain[] = { "same", "sub/old", "claimed", "short", "second", "closed/in", "ld.so.conf" };

	assert_int_equal(mkdirat(dir, "etc", 0755) | mkdirat(dir, "view", 0755), 0);
	put(dir, "status", status, 0644);
	dir = openat(dir, "etc", O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0);
	assert_int_equal(mkdirat(dir, "sub", 0755) | mkdirat(dir, "closed", 0700) | mkdirat(dir, "empty", 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		put(dir, plain[i], "a\n", 0644);
	put(dir, "private", "a\n", 0640);
	put(dir, "changed", "token=1\n", 0644);
	put(dir, "unknown", "a\n", 0644);
	assert_int_equal(symlinkat("unknown", dir, "link-as-file"), 0);
	assert_int_equal(symlinkat("../same", dir, "sub/to-same"), 0);
	assert_int_equal(symlinkat("changed", dir, "to-changed"), 0);
	assert_int_equal(symlinkat("/usr/lib/os-release", dir, "to-usr"), 0);
	assert_int_equal(symlinkat("/srv/customer", dir, "to-srv"), 0);
	assert_int_equal(symlinkat("../../../../usr/x", dir, "out"), 0);
	assert_int_equal(mknodat(dir, "fifo", S_IFIFO | 0644, 0), 0);
	(void)close(dir);
}

static void test_public_is_what_packages_brought_unchanged(void **state)
{
	static const char *const shown[] = { "same", "sub/old", "second", "ld.so.conf", "sub/to-same", "to-usr" };
	static const char *const not_shown[] = { "changed", "private", "closed", "claimed", "short", "unknown", "empty",
						 "link-as-file", "to-changed", "to-srv", "out", "fifo" };
	char top[] = "/tmp/test_mask.XXXXXX", etc[64], name[64], command[64];
	const struct platform_view spec = { .owner = { .name = "ada", .home = "/home/ada", .uid = 1000, .gid = 1000 } };
	struct mask mask = { .spec = &spec };
	struct err err = { 0 };
	struct stat st;
	int dir;

	(void)state;
	assert_non_null(mkdtemp(top));
	dir = open(top, O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0);
	fill_etc(dir);
	mask.view = openat(dir, "view", O_RDONLY | O_DIRECTORY);
	(void)snprintf(etc, sizeof(etc), "%s/etc", top);
	if (mask_public(&mask, etc, top + 1, &err) < 0)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		(void)snprintf(name, sizeof(name), "etc/%s", shown[i]);
		(void)stat_of(mask.view, name);
	}
	for (size_t i = 0; i < ARRAY_LEN(not_shown); i++) {
		(void)snprintf(name, sizeof(name), "etc/%s", not_shown[i]);
		if (fstatat(mask.view, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			fail_msg("'%s' shows", name);
	}
	(void)close(mask.view);
	(void)close(dir);
	(void)snprintf(command, sizeof(command), "rm -r %s", top);
	assert_int_equal(system(command), 0);
}

static void test_md5_of_all_lengths(void **state)
{
	/* Of so many "a": one block, its edges, more. */
	static const struct {
		size_t n;
		const char *hex;
	} cases[] = {
		{ 0, "d41d8cd98f00b204e9800998ecf8427e" },
		{ 1, "0cc175b9c0f1b6a831c399e269772661" },
		{ 55, "ef1772b6dff9a122358552954ad0df65" },
		{ 56, "3b0c8ac703f828b04c6c197006d17218" },
		{ 63, "b06521f39153d618550606be297466d5" },
		{ 64, "014842d480b571495a4a0363793f7367" },
		{ 65, "c743a45e0d2e6a95cb859adae0248435" },
		{ 119, "8a7bd0732ed6a28ce75f6dabc90e1613" },
		{ 120, "5f61c0ccad4cac44c75ff505e1f1e537" },
		{ 128, "e510683b3f5ffe4093d021808bc6ff70" },
	};
	char text[128], hex[MD5_HEX_SIZE];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		md5_hex(text, cases[i].n, hex);
		assert_string_equal(hex, cases[i].hex);
	}
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
		cmocka_unit_test(test_hidden_names_are_hidden_whether_they_exist_or_not),
		cmocka_unit_test(test_secrets_of_etc_do_not_show),
		cmocka_unit_test(test_public_is_what_packages_brought_unchanged),
		cmocka_unit_test(test_md5_of_all_lengths),
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
