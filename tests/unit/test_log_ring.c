/* SPDX-License-Identifier: MIT
 *
 * A log keeps its last bytes as whole lines, and counts what it lost.
 */
#include "broker/log_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

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
	assert_int_equal(ring.used, LOG_RING_BYTES);
	assert_true(ring.lost > 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
