/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "supervise/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int open_place(char *path)
{
	assert_non_null(mkdtemp(path));
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool exists(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void make_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

/* Deeper than any stack or descriptor table would bear. */
static void make_deep(int dir, const char *name, unsigned int depth)
{
	int at = fcntl(dir, F_DUPFD_CLOEXEC, 3);

	for (unsigned int i = 0; i < depth; i++) {
		int next;

		assert_int_equal(mkdirat(at, i ? "d" : name, 0700), 0);
		next = openat(at, i ? "d" : name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(at);
		at = next;
	}
	make_file(at, "leaf");
	(void)close(at);
}

static void test_only_what_has_the_prefix_goes(void **state)
{
	char path[] = "/tmp/test-sweep.XXXXXX";
	int dir = open_place(path);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(sweep_wanted(dir, "copy.", &err), 0);
	assert_int_equal(mkdirat(dir, "copy.1", 0700), 0);
	make_file(dir, "copy.1/x");
	make_file(dir, "copy.1.done");
	assert_int_equal(mkdirat(dir, "empty", 0700), 0);
	make_file(dir, "empty/keep");
	assert_int_equal(sweep_wanted(dir, "copy.", &err), 1);
	assert_int_equal(sweep(dir, "copy."), 0);
	assert_false(exists(dir, "copy.1"));
	assert_false(exists(dir, "copy.1.done"));
	assert_true(exists(dir, "empty/keep"));
	assert_int_equal(unlinkat(dir, "empty/keep", 0), 0);
	assert_int_equal(unlinkat(dir, "empty", AT_REMOVEDIR), 0);
	assert_int_equal(rmdir(path), 0);
	(void)close(dir);
}

static void test_links_are_removed_and_not_followed(void **state)
{
	char path[] = "/tmp/test-sweep.XXXXXX", other[] = "/tmp/test-sweep.XXXXXX";
	int dir = open_place(path), away = open_place(other);

	(void)state;
	make_file(away, "precious");
	assert_int_equal(symlinkat(other, dir, "copy.1"), 0);
	assert_int_equal(mkdirat(dir, "copy.2", 0700), 0);
	assert_int_equal(symlinkat(other, dir, "copy.2/link"), 0);
	assert_int_equal(sweep(dir, "copy."), 0);
	assert_true(exists(away, "precious"));
	assert_int_equal(unlinkat(away, "precious", 0), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(other), 0);
	(void)close(dir);
	(void)close(away);
}

static void test_a_tree_of_any_depth_goes(void **state)
{
	char path[] = "/tmp/test-sweep.XXXXXX";
	int dir = open_place(path), status;
	struct err err = { 0 };
	pid_t pid;

	(void)state;
	make_deep(dir, "copy.1", 3000);
	pid = sweep_start(dir, "copy.", &err);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(rmdir(path), 0);
	(void)close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_what_has_the_prefix_goes),
		cmocka_unit_test(test_links_are_removed_and_not_followed),
		cmocka_unit_test(test_a_tree_of_any_depth_goes),
	};

	return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
