/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "supervise/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static void expect(int fd, const char *why)
{
	struct err err = { 0 };
	int r = runs_check_fd(fd, 1, &err);

	(void)close(fd);
	if (!why) {
		if (r != 0)
			fail_msg("refused: %s", err.msg);
		return;
	}
	if (r == 0)
		fail_msg("passed, wanted '%s'", why);
	assert_int_equal(err.code, EINVAL);
	if (!strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
}

static int socket_of(int type)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, type, 0, pair), 0);
	(void)close(pair[1]);
	return pair[0];
}

static void test_files_pipes_streams_and_null_pass(void **state)
{
	char name[] = "/tmp/test-runs.XXXXXX";
	int fd = mkstemp(name), p[2];

	(void)state;
	expect(fd, NULL);
	(void)unlink(name);
	assert_int_equal(pipe(p), 0);
	expect(p[0], NULL);
	expect(p[1], NULL);
	expect(socket_of(SOCK_STREAM), NULL);
	expect(open("/dev/null", O_RDWR), NULL);
}

static void test_ways_to_the_host_are_refused(void **state)
{
	(void)state;
	expect(open("/", O_RDONLY | O_DIRECTORY), "standard fd 1 is a folder");
	expect(open("/", O_PATH), "only a name (O_PATH)");
	expect(open("/etc/passwd", O_PATH), "only a name (O_PATH)");
	expect(open("/dev/zero", O_RDONLY), "a device other than /dev/null");
	expect(open("/dev/ptmx", O_RDWR | O_NOCTTY), "a device other than /dev/null");
	expect(socket_of(SOCK_SEQPACKET), "a socket that is no stream");
	expect(socket_of(SOCK_DGRAM), "a socket that is no stream");
	expect(epoll_create1(0), "of an unknown kind");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_pipes_streams_and_null_pass),
		cmocka_unit_test(test_ways_to_the_host_are_refused),
	};

	return cmocka_run_group_tests_name("runs", tests, NULL, NULL);
}
