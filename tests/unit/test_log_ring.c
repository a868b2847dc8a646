/* SPDX-License-Identifier: MIT
 *
 * A log keeps its last bytes as whole lines, and counts what it lost.
 */
#include "broker/log_ring.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *line_at(json_t *lines, size_t i)
{
	const char *s = json_string_value(json_array_get(lines, i));

	return s ? s : "(none)";
}

static void add(struct log_ring *ring, const char *text)
{
	log_ring_add(ring, text, strlen(text));
}

static void test_lines(void **state)
{
	struct log_ring ring = { 0 };
	json_t *lines = log_ring_lines(&ring);

	(void)state;
	assert_int_equal(json_array_size(lines), 0);
	json_decref(lines);
	add(&ring, "one\ntw");
	add(&ring, "o\n\x1b[2J\nlast");
	log_ring_add(&ring, "\0\n", 2);
	lines = log_ring_lines(&ring);
	assert_int_equal(json_array_size(lines), 4);
	assert_string_equal(line_at(lines, 1), "two");
	assert_string_equal(line_at(lines, 2), "\\x1b[2J");
	assert_string_equal(line_at(lines, 3), "last\\x00");
	json_decref(lines);
	log_ring_free(&ring);
}

static void test_bound(void **state)
{
	struct log_ring ring = { 0 };
	char text[32];
	json_t *lines;
	size_t n;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(text, sizeof(text), "line %d\n", i);
		add(&ring, text);
	}
	assert_true(log_ring_lost(&ring) > 0);
	lines = log_ring_lines(&ring);
	n = json_array_size(lines);
	assert_string_equal(line_at(lines, n - 1), "line 19999");
	for (size_t i = 0; i < n; i++) { /* none lacks its beginning, none is left out */
		(void)snprintf(text, sizeof(text), "line %zu", 20000 - n + i);
		assert_string_equal(line_at(lines, i), text);
	}
	json_decref(lines);
	log_ring_free(&ring);
}

static void test_long_line(void **state)
{
	struct log_ring ring = { 0 };
	json_t *lines;

	(void)state;
	for (int i = 0; i < 3000; i++)
		add(&ring, "x");
	lines = log_ring_lines(&ring);
	assert_int_equal(json_array_size(lines), 3); /* broken where it is too long, nothing lost */
	assert_int_equal(strlen(line_at(lines, 0)) + strlen(line_at(lines, 1)) + strlen(line_at(lines, 2)), 3000);
	json_decref(lines);
	log_ring_free(&ring);
}

static void test_a_file_goes_on(void **state)
{
	char dir[] = "/tmp/cowbell-ring.XXXXXX", path[64];
	struct log_ring ring = { 0 };
	struct err err = { 0 };
	json_t *lines;
	int fd, raw;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(log_ring_open(&ring, fd, "app", &err), 0);
	add(&ring, "first\n");
	log_ring_free(&ring); /* as at the death of whoever had it */
	assert_int_equal(log_ring_open(&ring, fd, "app", &err), 0);
	add(&ring, "second\n");
	lines = log_ring_lines(&ring);
	assert_int_equal(json_array_size(lines), 2);
	assert_string_equal(line_at(lines, 0), "first");
	json_decref(lines);
	log_ring_free(&ring);

	/* Numbers that point outside are none. */
	raw = openat(fd, "app", O_RDWR);
	assert_int_equal(pwrite(raw, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 4), 8);
	(void)close(raw);
	assert_int_equal(log_ring_open(&ring, fd, "app", &err), 0);
	lines = log_ring_lines(&ring);
	assert_int_equal(json_array_size(lines), 0);
	json_decref(lines);
	log_ring_free(&ring);

	assert_int_equal(unlinkat(fd, "app", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", fd, "app"), 0);
	assert_int_equal(log_ring_open(&ring, fd, "app", &err), -1);
	assert_non_null(strstr(err.msg, "open the log 'app'"));
	add(&ring, "in memory\n"); /* all the same */
	log_ring_free(&ring);
	(void)unlinkat(fd, "app", 0);
	(void)close(fd);
	(void)snprintf(path, sizeof(path), "%s", dir);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_a_file_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
