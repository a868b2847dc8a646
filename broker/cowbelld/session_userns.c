/* SPDX-License-Identifier: MIT
 *
 * The user namespace by whose maps a session sees the owners of files that it is
 * given. It has no process.
 */
#include "cowbelld/session_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define USERNS_DELAY_MS 15u

static int hold_namespace(void *data)
{
	const int *fds = data;
	char byte;

	/* Until our maker has what it wants, or is gone: with our own copy of the
	 * other end we would never hear of that, and hold its locks for good. */
	(void)close(fds[1]);
	(void)!read(fds[0], &byte, 1);
	return 0;
}

/* An app is in the group of its own games, which its owner is not in: what is given
 * must not show it the host's files of that number as its group's. */
static int write_map(pid_t pid, bool groups, uint32_t base, struct err *err)
{
	char path[64], map[160];
	cleanup_fd int fd = -1;
	int n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, groups ? "gid_map" : "uid_map");
	if (groups)
		n = snprintf(map, sizeof(map), "0 %u %u\n%u %u 1\n%u %u %u\n", base, GAMES_GID, GAMES_GID,
			     base + NOBODYS_GID, GAMES_GID + 1, base + GAMES_GID + 1, NOBODYS_GID - GAMES_GID - 1);
	else
		n = snprintf(map, sizeof(map), "0 %u %u\n", base, ID_RANGE);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, map, (size_t)n) != n)
		return err_sys(err, "map ids");
	return 0;
}

static int make_userns(uint32_t base, struct err *err)
{
	static char stack[16384] __attribute__((aligned(16)));
	char path[64];
	int fds[2], ns = -1;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	pid = clone(hold_namespace, stack + sizeof(stack), CLONE_NEWUSER | SIGCHLD, fds);
	if (pid < 0) {
		err_sys(err, "make a user namespace");
		goto out;
	}
	if (write_map(pid, false, base, err) < 0 || write_map(pid, true, base, err) < 0)
		goto reap;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		err_sys(err, "open a user namespace");
reap:
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
out:
	(void)close(fds[0]);
	(void)close(fds[1]);
	return ns;
}

/* Made once the app runs, so that the first answer does not wait for it. */
static void on_userns_due(void *data)
{
	struct session *s = data;
	struct err err = { 0 };

	loop_remove(s->timer);
	s->timer = NULL;
	if (s->userns < 0)
		s->userns = make_userns(s->launch.base, &err);
}

void userns_make_soon(struct session *s)
{
	s->timer = loop_add_timer(s->d->loop, USERNS_DELAY_MS, on_userns_due, s);
}

int session_userns(struct daemon *d, uint64_t id, struct err *err)
{
	struct session *s = session_of(d, id);

	if (!s || s->state != LIVE)
		return err_set(err, ESRCH, "the session is over");
	if (s->userns < 0)
		s->userns = make_userns(s->launch.base, err);
	return s->userns;
}
