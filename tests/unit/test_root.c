/* SPDX-License-Identifier: MIT
 *
 * Mount points in a root that an app shaped: here a plain folder stands for it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/fd.h"
#include "platform/arm/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct place {
	char path[64];
	int fd;
};

static int set_up(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));

	(void)snprintf(p->path, sizeof(p->path), "/tmp/test-root.XXXXXX");
	if (!mkdtemp(p->path))
		return -1;
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = p;
	return p->fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	cleanup_free char *cmd = xasprintf("rm -rf %s", p->path);
	int r = system(cmd);

	(void)close(p->fd);
	free(p);
	return r;
}

static int mount_point(struct place *p, const char *path, struct err *err)
{
	const struct root_owner me = { getuid(), getgid() };

	return root_mount_point(p->fd, path, 0, me, me, err);
}

static ino_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	return st.st_ino;
}

static void test_an_existing_folder_is_taken_as_it_is(void **state)
{
	struct place *p = *state;
	struct err err = { 0 };
	struct stat st;
	int fd;

	assert_int_equal(mkdirat(p->fd, "home", 0755), 0);
	assert_int_equal(mkdirat(p->fd, "home/me", 0700), 0);
	assert_int_equal(fstatat(p->fd, "home/me", &st, 0), 0);
	fd = mount_point(p, "/home/me", &err);
	assert_true(fd >= 0);
	assert_int_equal(inode_of(fd), st.st_ino);
	(void)close(fd);
}

static void test_what_is_missing_is_made(void **state)
{
	struct place *p = *state;
	struct err err = { 0 };
	struct stat st;
	int fd = mount_point(p, "/a/b/c", &err);

	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(fstatat(p->fd, "a/b/c", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISDIR(st.st_mode));
}

static void test_a_link_is_put_aside_and_never_followed(void **state)
{
	struct place *p = *state;
	struct err err = { 0 };
	struct stat st, tmp;
	int fd;

	assert_int_equal(symlinkat("/tmp", p->fd, "dev"), 0);
	fd = mount_point(p, "/dev", &err);
	assert_true(fd >= 0);
	assert_int_equal(stat("/tmp", &tmp), 0);
	assert_int_not_equal(inode_of(fd), tmp.st_ino);
	(void)close(fd);
	assert_int_equal(fstatat(p->fd, "dev.cowbell-saved", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void test_a_link_half_way_is_put_aside_too(void **state)
{
	struct place *p = *state;
	struct err err = { 0 };
	struct stat st;
	int fd;

	assert_int_equal(mkdirat(p->fd, "x", 0755), 0);
	assert_int_equal(symlinkat("..", p->fd, "x/up"), 0);
	fd = mount_point(p, "/x/up/deep", &err);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(fstatat(p->fd, "deep", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(p->fd, "x/up/deep", &st, AT_SYMLINK_NOFOLLOW), 0);
}

static void test_a_file_keeps_its_content_under_its_new_name(void **state)
{
	struct place *p = *state;
	struct err err = { 0 };
	char *text;
	int fd = openat(p->fd, "tmp", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(fd_write_full(fd, "mine", 4), 0);
	(void)close(fd);
	fd = mount_point(p, "/tmp", &err);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(fd_read_file(p->fd, "tmp.cowbell-saved", 16, &text, NULL, &err), 0);
	assert_string_equal(text, "mine");
	free(text);
}

static void test_names_that_an_app_took_are_passed_over_up_to_a_bound(void **state)
{
	struct place *p = *state;
	struct err err = { 0 };
	char name[64];
	int fd;

	assert_int_equal(symlinkat("/", p->fd, "run"), 0);
	assert_int_equal(symlinkat("/", p->fd, "run.cowbell-saved"), 0);
	fd = mount_point(p, "/run", &err);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(symlinkat("/", p->fd, "sys"), 0);
	assert_int_equal(symlinkat("/", p->fd, "sys.cowbell-saved"), 0);
	for (int i = 1; i < 70; i++) {
		(void)snprintf(name, sizeof(name), "sys.cowbell-saved.%d", i);
		assert_int_equal(symlinkat("/", p->fd, name), 0);
	}
	assert_int_equal(mount_point(p, "/sys", &err), -1);
	assert_string_equal(err.msg, "mount point '/sys' in the app's root: rename what is in the way at 'sys': File exists");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_existing_folder_is_taken_as_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_missing_is_made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_link_is_put_aside_and_never_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_link_half_way_is_put_aside_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_file_keeps_its_content_under_its_new_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names_that_an_app_took_are_passed_over_up_to_a_bound, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("root", tests, NULL, NULL);
}
