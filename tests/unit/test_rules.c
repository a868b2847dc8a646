/* SPDX-License-Identifier: MIT
 *
 * Folders of policy files: what stays in force of those that are bad.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/fd.h"
#include "policy/rules.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct folder {
	char path[64];
	int fd;
	struct ruleset set;
	struct err err;
};

static int setup(void **state)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	(void)snprintf(f->path, sizeof(f->path), "/tmp/cowbell-rules-XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return f->fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct folder *f = *state;

	ruleset_finish(&f->set);
	(void)unlinkat(f->fd, "10-a.rules", 0);
	(void)unlinkat(f->fd, "20-b.rules", 0);
	(void)close(f->fd);
	(void)rmdir(f->path);
	free(f);
	return 0;
}

static void put(struct folder *f, const char *file, const char *text)
{
	int fd = openat(f->fd, file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
	(void)close(fd);
}

/* As the broker does: what was read last is what is fallen back on. */
static int load(struct folder *f, int dirfd)
{
	struct ruleset now;
	int rc;

	memset(&f->err, 0, sizeof(f->err));
	rc = ruleset_load(&now, dirfd, &f->set, &f->err);
	ruleset_finish(&f->set);
	f->set = now;
	return rc;
}

static enum give says(const struct folder *f, const char *permission)
{
	struct permission_ref ref = { .permission = permission_find(permission) };
	const struct rule *rule = ruleset_match(&f->set, "app", &ref, false);

	return rule ? rule->give : GIVE_ASK;
}

static void test_a_bad_file_goes_on_as_it_was(void **state)
{
	struct folder *f = *state;

	put(f, "10-a.rules", "app contacts empty\n");
	put(f, "20-b.rules", "app contacts read\napp storage copy\n");
	assert_int_equal(load(f, f->fd), 0);
	put(f, "10-a.rules", "app contacts write\nbad\n");
	for (int i = 0; i < 3; i++) { /* as often as it is read */
		assert_int_equal(load(f, f->fd), -1);
		assert_string_equal(f->err.msg, "10-a.rules:2: a rule has at least three words (APP PERMISSION ANSWER "
						"[for=DURATION] [enforce])");
		assert_false(f->set.broken);
		assert_int_equal(says(f, "contacts"), GIVE_EMPTY); /* and in its place before the other */
		assert_int_equal(says(f, "storage"), GIVE_COPY);
	}
	put(f, "10-a.rules", "app contacts write\n");
	assert_int_equal(load(f, f->fd), 0);
	assert_int_equal(says(f, "contacts"), GIVE_WRITE);
}

static void test_a_file_without_rules_has_a_good_version_too(void **state)
{
	struct folder *f = *state;

	put(f, "10-a.rules", "# not yet\n");
	assert_int_equal(load(f, f->fd), 0);
	put(f, "10-a.rules", "bad\n");
	assert_int_equal(load(f, f->fd), -1);
	assert_false(f->set.broken);
	assert_int_equal(says(f, "contacts"), GIVE_ASK);
}

static void test_without_a_good_version_the_set_is_broken(void **state)
{
	struct folder *f = *state;

	put(f, "10-a.rules", "app contacts empty\n");
	put(f, "20-b.rules", "bad\n");
	assert_int_equal(load(f, f->fd), -1);
	assert_true(f->set.broken);
	assert_int_equal(says(f, "contacts"), GIVE_EMPTY);
	/* One that was taken away has none either. */
	assert_int_equal(unlinkat(f->fd, "10-a.rules", 0), 0);
	put(f, "20-b.rules", "app storage no\n");
	assert_int_equal(load(f, f->fd), 0);
	put(f, "10-a.rules", "bad\n");
	assert_int_equal(load(f, f->fd), -1);
	assert_true(f->set.broken);
}

static void test_a_folder_that_cannot_be_listed(void **state)
{
	struct folder *f = *state;
	int file;

	put(f, "10-a.rules", "app contacts empty\n");
	assert_int_equal(load(f, f->fd), 0);
	file = openat(f->fd, "10-a.rules", O_RDONLY | O_CLOEXEC);
	assert_int_equal(load(f, file), -1);
	assert_string_equal(f->err.msg, "list policy folder: Not a directory");
	assert_false(f->set.broken);
	assert_int_equal(says(f, "contacts"), GIVE_EMPTY);
	assert_int_equal(load(f, -1), 0); /* not there: no rules */
	assert_int_equal(says(f, "contacts"), GIVE_ASK);
	assert_int_equal(load(f, file), -1);
	assert_true(f->set.broken);
	(void)close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_bad_file_goes_on_as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_file_without_rules_has_a_good_version_too, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_a_good_version_the_set_is_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_folder_that_cannot_be_listed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
