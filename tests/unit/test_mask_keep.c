/* SPDX-License-Identifier: MIT
 *
 * When a mask may be used again, and that all who use it see the same and can
 * change nothing. Needs root, and a mount namespace that the test makes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/fd.h"
#include "platform/arm/mask.h"
#include "platform/arm/mask_keep.h"
#include "platform/arm/witness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

#define SHIFT 0x70000000u

static const struct platform_gate gates[] = { { .gate = 7, .path = "/home/ada/Documents" } };
static const char *const hidden[] = { "/usr/share/doc" };
static const struct platform_view spec = {
	.owner = { .name = "ada", .home = "/home/ada", .uid = 1000, .gid = 1000 },
	.gates = gates,
	.gate_count = 1,
	.hidden = hidden,
	.hidden_count = 1,
};
static int home_ns, proc;

/* --- the witness --- */

static char top[64];

static char *in_top(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static void write_text(const char *name, const char *text)
{
	int fd = open(in_top(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
	(void)close(fd);
}

static void see(struct witness *w, enum witness_care care, const char *name)
{
	struct stat st;

	witness_add(w, care, in_top(name), lstat(in_top(name), &st) == 0 ? &st : NULL);
}

/* As it was looked at long after the last change. */
static struct witness look(void)
{
	struct witness w;

	witness_begin(&w);
	w.began_s += 60;
	see(&w, WITNESS_CONTENT, "dir");
	see(&w, WITNESS_CONTENT, "dir/file");
	see(&w, WITNESS_CONTENT, "none");
	see(&w, WITNESS_SHAPE, "shape");
	see(&w, WITNESS_SHAPE, "link");
	assert_false(w.young);
	return w;
}

static void do_rewrite(void)
{
	const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

	write_text("dir/file", "two"); /* as long, and with the same time again */
	assert_int_equal(utimensat(AT_FDCWD, in_top("dir/file"), times, 0), 0);
}

static void do_chmod(void)
{
	assert_int_equal(chmod(in_top("dir/file"), 0600), 0);
}

static void do_chmod_back(void)
{
	assert_int_equal(chmod(in_top("dir/file"), 0600), 0);
	assert_int_equal(chmod(in_top("dir/file"), 0644), 0);
}

static void do_remove(void)
{
	assert_int_equal(unlink(in_top("dir/file")), 0);
}

static void do_add(void)
{
	write_text("dir/new", "");
}

static void do_appear(void)
{
	write_text("none", "");
}

static void do_shape(void)
{
	assert_int_equal(chmod(in_top("shape"), 0700), 0);
}

static void do_relink(void)
{
	assert_int_equal(unlink(in_top("link")), 0);
	assert_int_equal(symlink("elsewhere", in_top("link")), 0);
}

static void make_top(void)
{
	(void)snprintf(top, sizeof(top), "/tmp/test_mask_keep.XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(mkdir(in_top("dir"), 0755), 0);
	assert_int_equal(mkdir(in_top("shape"), 0755), 0);
	assert_int_equal(symlink("shape", in_top("link")), 0);
	write_text("dir/file", "one");
}

static void drop_top(void)
{
	char command[100];

	(void)snprintf(command, sizeof(command), "rm -r %s", top);
	assert_int_equal(system(command), 0);
}

static void test_a_witness_notices(void **state)
{
	static const struct {
		const char *what;
		void (*fn)(void);
	} cases[] = {
		{ "other bytes, same size and time", do_rewrite }, { "another mode", do_chmod },
		{ "another mode and back", do_chmod_back },        { "removed", do_remove },
		{ "added", do_add },                               { "appeared", do_appear },
		{ "another mode of a folder", do_shape },          { "another link", do_relink },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct witness w;

		make_top();
		w = look();
		assert_true(witness_holds(w.bytes, w.len));
		(void)usleep(20000); /* times have steps */
		cases[i].fn();
		if (witness_holds(w.bytes, w.len))
			fail_msg("%s: not noticed", cases[i].what);
		witness_finish(&w);
		drop_top();
	}
}

static void test_a_witness_does_not_mind_what_lies_in_a_shape(void **state)
{
	struct witness w;

	(void)state;
	make_top();
	w = look();
	write_text("shape/x", "");
	assert_true(witness_holds(w.bytes, w.len));
	witness_finish(&w);
	drop_top();
}

/* Its next change could have the time that we saw. */
static void test_what_has_just_changed_is_no_witness(void **state)
{
	struct witness w;

	(void)state;
	make_top();
	witness_begin(&w);
	see(&w, WITNESS_CONTENT, "dir/file");
	assert_true(w.young);
	witness_finish(&w);
	drop_top();
}

static void test_broken_witnesses_do_not_hold(void **state)
{
	struct witness w;

	(void)state;
	make_top();
	w = look();
	for (size_t n = 1; n < w.len; n++) {
		uint8_t *part = malloc(n); /* of its own: the sanitizer sees a byte too far */

		assert_non_null(part);
		memcpy(part, w.bytes, n);
		if (part[n - 1] != '\0' && witness_holds(part, n))
			fail_msg("%zu bytes of %zu hold", n, w.len);
		(void)witness_holds(part, n);
		free(part);
	}
	witness_finish(&w);
	drop_top();
}

/* --- the mask --- */

static int create(uint32_t shift)
{
	struct err err = { 0 };
	int mnt = mask_create(&spec, shift, &err);

	if (mnt < 0)
		fail_msg("%s", err.msg);
	return mnt;
}

/* Names, kinds, modes, owners, marks and contents of two trees. */
static void compare(int a, int b, const char *dir)
{
	DIR *d = fdopendir(openat(a, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t here = 0, there = 0;
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d))) {
		struct stat x, y;
		char path[4096], text[2][4096] = { "", "" };
		int fd[2];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		here++;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		assert_int_equal(fstatat(a, e->d_name, &x, AT_SYMLINK_NOFOLLOW), 0);
		if (fstatat(b, e->d_name, &y, AT_SYMLINK_NOFOLLOW) < 0)
			fail_msg("'%s' is not there", path);
		if (x.st_mode != y.st_mode || x.st_uid != y.st_uid || x.st_gid != y.st_gid || x.st_rdev != y.st_rdev ||
		    (!S_ISDIR(x.st_mode) && x.st_size != y.st_size))
			fail_msg("'%s': mode %o %o, owner %u %u", path, x.st_mode, y.st_mode, x.st_uid, y.st_uid);
		if (S_ISLNK(x.st_mode)) {
			assert_true(readlinkat(a, e->d_name, text[0], sizeof(text[0]) - 1) > 0);
			assert_true(readlinkat(b, e->d_name, text[1], sizeof(text[1]) - 1) > 0);
			assert_string_equal(text[0], text[1]);
		}
		if (!S_ISDIR(x.st_mode) && !S_ISREG(x.st_mode))
			continue;
		fd[0] = openat(a, e->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		fd[1] = openat(b, e->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		for (int i = 0; i < 2; i++) {
			assert_true(fd[i] >= 0);
			if (S_ISREG(x.st_mode))
				(void)fd_read_full(fd[i], text[i], sizeof(text[i]));
			else if (fgetxattr(fd[i], "trusted.overlay.redirect", text[i], sizeof(text[i])) < 0)
				(void)fgetxattr(fd[i], "trusted.overlay.opaque", text[i], sizeof(text[i]));
		}
		if (memcmp(text[0], text[1], sizeof(text[0])) != 0)
			fail_msg("'%s' differs", path);
		if (S_ISDIR(x.st_mode))
			compare(fd[0], fd[1], path);
		(void)close(fd[0]);
		(void)close(fd[1]);
	}
	(void)closedir(d);
	d = fdopendir(openat(b, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	while ((e = readdir(d)))
		there++;
	(void)closedir(d);
	assert_int_equal(here + 2, there);
}

static int view_of(int mnt)
{
	int view = openat(mnt, MASK_VIEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(view >= 0);
	return view;
}

static void test_a_copy_is_what_would_be_made(void **state)
{
	struct err err = { 0 };
	int from = create(0), made = create(SHIFT), copied = mask_copy(from, SHIFT, &err);
	int a = view_of(made), b;

	(void)state;
	if (copied < 0)
		fail_msg("%s", err.msg);
	b = view_of(copied);
	compare(a, b, "");
	(void)close(a), (void)close(b), (void)close(from), (void)close(made), (void)close(copied);
}

static void test_a_kept_mask_is_the_same_for_all_and_nobodys_to_change(void **state)
{
	struct err err = { 0 };
	int made = create(0), keep = mask_keep(create(0), home_ns, proc, &err);
	int one, two, a, b;
	struct platform_view other = spec;

	(void)state;
	if (keep < 0)
		fail_msg("%s", err.msg);
	if (!mask_is_fresh(made, &spec)) { /* the host's /etc was changed a second ago */
		print_message("skip: /etc is being changed\n");
		return;
	}
	one = mask_take(keep, home_ns, &spec);
	two = mask_take(keep, home_ns, &spec);
	assert_true(one >= 0 && two >= 0);
	a = view_of(made);
	b = view_of(one);
	compare(a, b, "");
	assert_int_equal(openat(b, "etc/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644), -1);
	assert_int_equal(errno, EROFS);
	assert_int_equal(openat(b, "etc/passwd", O_WRONLY | O_CLOEXEC), -1);
	assert_int_equal(errno, EROFS);
	other.owner.uid = 1001;
	assert_int_equal(mask_take(keep, home_ns, &other), -1);
	(void)close(a), (void)close(b), (void)close(made), (void)close(one), (void)close(two), (void)close(keep);
}

/* A mount over a shared folder would show what lies below it. */
static void test_a_new_mount_is_noticed(void **state)
{
	int mnt = create(0);

	(void)state;
	if (mask_is_fresh(mnt, &spec)) {
		assert_int_equal(mount("none", "/usr/share/doc", "tmpfs", 0, NULL), 0);
		assert_false(mask_is_fresh(mnt, &spec));
		assert_int_equal(umount2("/usr/share/doc", MNT_DETACH), 0);
		assert_true(mask_is_fresh(mnt, &spec));
	}
	(void)close(mnt);
}

static void test_a_mask_knows_what_it_was_made_from(void **state)
{
	static const char *const names[] = { "/etc", "/etc/passwd", "/etc/group", "/etc/ssl/certs", "/etc/pam.d", "/home/ada",
					     "/var/lib/dpkg/status", "/usr", "/usr/local/etc" };
	struct err err = { 0 };
	int mnt = create(0);
	char *bytes;
	size_t size;

	(void)state;
	if (fd_read_file(mnt, MASK_WITNESS, 16 << 20, &bytes, &size, &err) == 0) {
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			if (!memmem(bytes, size, names[i], strlen(names[i]) + 1))
				fail_msg("'%s' was not looked at", names[i]);
		}
		free(bytes);
	}
	(void)close(mnt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_witness_notices),
		cmocka_unit_test(test_a_witness_does_not_mind_what_lies_in_a_shape),
		cmocka_unit_test(test_what_has_just_changed_is_no_witness),
		cmocka_unit_test(test_broken_witnesses_do_not_hold),
		cmocka_unit_test(test_a_copy_is_what_would_be_made),
		cmocka_unit_test(test_a_kept_mask_is_the_same_for_all_and_nobodys_to_change),
		cmocka_unit_test(test_a_new_mount_is_noticed),
		cmocka_unit_test(test_a_mask_knows_what_it_was_made_from),
	};

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("skip mask_keep: needs root\n");
		return 0;
	}
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	home_ns = openat(proc, "thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return cmocka_run_group_tests_name("mask_keep", tests, NULL, NULL);
}
