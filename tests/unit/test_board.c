/* SPDX-License-Identifier: MIT
 *
 * Board profiles: what is taken, what is refused with which words, and which one
 * speaks of a machine. Every profile in board/ is read, too.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "policy/board.h"

static int parse(struct board *b, const char *text, struct err *err)
{
	return board_parse(b, "phone", "board/phone/profile", text, strlen(text), err);
}

static void test_a_whole_profile(void **state)
{
	static const char text[] = "# a phone\n\nmodel  Some  Phone 2\ncompatible vendor,phone-2\ncompatible vendor,phone\n"
				   "torch white:flash  # on the back\ncamera /dev/video* dt=ov,ov5640\n"
				   "gps /dev/ttyUSB1 unverified\nsensors /sys/bus/iio/devices/iio:device0\n"
				   "contacts .local/share/contacts\nremovable /media\nowner 1000\nhome /home/phone\n"
				   "console 40x20 unverified\nmemory 2048M\nmachine aarch64\npage 16384\noffer found\n";
	static struct board b;
	struct err err = { 0 };

	(void)state;
	if (parse(&b, text, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(b.model, "Some Phone 2");
	assert_int_equal(b.compatible_count, 2);
	assert_int_equal(b.thing_count, 6);
	assert_int_equal(b.things[0].kind, BOARD_TORCH);
	assert_string_equal(b.things[0].value, "white:flash");
	assert_int_equal(b.things[0].line, 6);
	assert_string_equal(b.things[1].dt, "ov,ov5640");
	assert_false(b.things[1].unverified);
	assert_true(b.things[2].unverified);
	assert_string_equal(b.owner, "1000");
	assert_string_equal(b.home, "/home/phone");
	assert_int_equal(b.columns, 40);
	assert_int_equal(b.rows, 20);
	assert_int_equal(b.memory_mib, 2048);
	assert_int_equal(b.page, 16384);
	assert_true(b.found_only);
}

static void test_what_is_refused(void **state)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
		{ "torch", "board/phone/profile:2: a line has a key and a value (torch white:flash)" },
		{ "light white:flash", "2: 'light' is no key of a profile (model, compatible," },
		{ "torch ../../../etc", "2: '../../../etc' is no place for torch (an LED's name" },
		{ "torch ..", "2: '..' is no place for torch" },
		{ "torch a/b", "is no place for torch" },
		{ "torch [a]", "is no place for torch" },
		{ "camera video0", "is no place for camera (/dev/video*)" },
		{ "camera /dev", "is no place for camera" },
		{ "camera /dev/", "is no place for camera" },
		{ "camera /dev/../etc/shadow", "is no place for camera" },
		{ "camera /dev/./video0", "is no place for camera" },
		{ "camera /dev//video0", "is no place for camera" },
		{ "camera /etc/video0", "is no place for camera" },
		{ "camera /dev/{a,b}", "is no place for camera" },
		{ "camera /dev/video0 verified", "'verified' means nothing here (dt=COMPATIBLE, unverified)" },
		{ "camera /dev/video0 unverified unverified", "means nothing here" },
		{ "camera /dev/video0 dt=", "means nothing here" },
		{ "sensors /dev/iio0", "is no place for sensors" },
		{ "contacts /etc", "is no place for contacts" },
		{ "contacts ../other", "is no place for contacts" },
		{ "removable media", "is no place for removable" },
		{ "compatible a\\b", "'compatible a\\b' cannot be taken" },
		{ "compatible a b", "cannot be taken" },
		{ "owner root", "'owner root' cannot be taken (once: a name or a uid, not root's)" },
		{ "owner 0", "cannot be taken" },
		{ "home home/x", "cannot be taken" },
		{ "home /home/../root", "cannot be taken" },
		{ "console 40", "'console 40' cannot be taken (once: COLUMNSxROWS" },
		{ "console 0x20", "cannot be taken" },
		{ "console 99999x20", "cannot be taken" },
		{ "memory 2G", "cannot be taken (once: MiB" },
		{ "memory M", "cannot be taken" },
		{ "page 5000", "cannot be taken" },
		{ "machine a/b", "cannot be taken" },
		{ "offer everything", "cannot be taken (once: found)" },
		{ "model Twice", "'model Twice' cannot be taken" },
		{ "torch \033[2J", "is no place for torch" },
	};
	static struct board b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };
		char text[300];

		(void)snprintf(text, sizeof(text), "model Phone\n%s\n", rows[i].line);
		if (parse(&b, text, &err) == 0)
			fail_msg("taken: %s", rows[i].line);
		if (!strstr(err.msg, rows[i].want))
			fail_msg("%s: got '%s', wanted '%s'", rows[i].line, err.msg, rows[i].want);
		assert_null(strchr(err.msg, '\033'));
		assert_int_equal(b.thing_count, 0);
	}
}

static void test_bounds(void **state)
{
	static struct board b;
	struct err err = { 0 };
	char text[8192];
	size_t n = (size_t)snprintf(text, sizeof(text), "model Phone\n");

	(void)state;
	assert_int_equal(parse(&b, "compatible a,b\n", &err), -1);
	assert_non_null(strstr(err.msg, "names no model"));
	for (unsigned int i = 0; i <= BOARD_THINGS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "camera /dev/video%u\n", i);
	assert_int_equal(parse(&b, text, &err), -1);
	assert_non_null(strstr(err.msg, "more than 64 lines"));
	assert_int_equal(board_parse(&b, "../x", "f", "model x\n", 8, &err), -1);
	assert_int_equal(board_parse(&b, "x", "f", "model\0x\n", 8, &err), -1);
	assert_non_null(strstr(err.msg, "f:1: the line holds a NUL byte"));
	assert_int_equal(board_parse(&b, "x", "f", text, BOARD_FILE_MAX + 1, &err), -1);
}

static void test_the_most_specific_fits(void **state)
{
	static const char tree[] = "vendor,phone-1.2\0vendor,phone\0vendor,soc";
	const struct {
		const char *text, *machine;
		uint32_t page;
		int want;
	} rows[] = {
		{ "compatible vendor,phone-1.2", "aarch64", 4096, 0 },
		{ "compatible vendor,phone", "aarch64", 4096, 1 },
		{ "compatible vendor,soc", "aarch64", 4096, 2 },
		{ "compatible vendor,phone-1", "aarch64", 4096, -1 },
		{ "compatible vendor,phone-1.2\nmachine armv7l", "aarch64", 4096, -1 },
		{ "compatible vendor,phone-1.2\npage 16384", "aarch64", 4096, -1 },
		{ "compatible vendor,phone-1.2\npage 16384", "aarch64", 16384, 0 },
		{ "torch white:flash", "aarch64", 4096, -1 },
	};
	static struct board b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct board_machine m = { tree, sizeof(tree), rows[i].machine, rows[i].page };
		struct err err = { 0 };
		char text[200];

		(void)snprintf(text, sizeof(text), "model Phone\n%s\n", rows[i].text);
		assert_int_equal(parse(&b, text, &err), 0);
		if (board_match(&b, &m) != rows[i].want)
			fail_msg("%s: %d", rows[i].text, board_match(&b, &m));
		m.compatible_size = 0;
		assert_int_equal(board_match(&b, &m), -1);
	}
}

static void test_every_profile_is_good(void **state)
{
	static struct board b;
	DIR *dir = opendir("board");
	struct dirent *e;
	unsigned int n = 0;

	(void)state;
	assert_non_null(dir);
	while ((e = readdir(dir))) {
		char path[300], *text;
		struct err err = { 0 };
		size_t size;

		(void)snprintf(path, sizeof(path), "board/%s/profile", e->d_name);
		if (!board_name_is_good(e->d_name) || access(path, F_OK) < 0)
			continue;
		if (fd_read_file(AT_FDCWD, path, BOARD_FILE_MAX, &text, &size, &err) < 0 ||
		    board_parse(&b, e->d_name, path, text, size, &err) < 0)
			fail_msg("%s", err.msg);
		assert_true(b.found_only == (strcmp(b.name, "generic") == 0));
		assert_true(b.compatible_count > 0 || b.found_only);
		free(text);
		n++;
	}
	(void)closedir(dir);
	assert_true(n >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_profile),	      cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_bounds),		      cmocka_unit_test(test_the_most_specific_fits),
		cmocka_unit_test(test_every_profile_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
