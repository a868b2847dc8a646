/* SPDX-License-Identifier: MIT
 *
 * In a child: what is closed stays closed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "platform/arm/guard.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The step that went wrong, 0 for none. */
static int try_all(void)
{
	char *none[] = { NULL };
	struct err err = { 0 };
	int pair[2];
	pid_t pid;

	if (guard_close(&err) < 0)
		return 1;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 2;
	if (execve("/bin/true", none, none) == 0 || errno != EPERM)
		return 3;
	if (unshare(0) == 0 || errno != EPERM)
		return 4;
	if (syscall(SYS_personality, 0xffffffff) >= 0 || errno != EPERM)
		return 5;
#ifdef __x86_64__
	if (syscall(0x40000000 + SYS_getpid) >= 0 || errno != EPERM)
		return 6;
#endif
	/* What it lives by. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 || getpid() <= 0)
		return 7;
	pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		return 8;
	return 0;
}

static void test_what_is_closed_is_refused_and_the_rest_works(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(try_all());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_closed_is_refused_and_the_rest_works),
	};

	if (geteuid() != 0) {
		print_message("skip guard: needs root\n");
		return 0;
	}
	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
