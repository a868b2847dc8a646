/* SPDX-License-Identifier: MIT
 *
 * A tree may be deeper than there are descriptors or stack: below a bound the
 * rest is moved up to the top, under a name that the next round removes.
 */
#include "supervise/sweep.h"

#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define DEPTH_MAX 64u

struct sweep {
	int top;
	const char *prefix;
	unsigned int moved; /* makes names at the top unique */
};

static DIR *open_list(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		(void)close(fd);
	return d;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int empty(struct sweep *s, int dir_fd, unsigned int depth);

static int move_up(struct sweep *s, int dir_fd, const char *name)
{
	char to[300];

	for (;;) {
		(void)snprintf(to, sizeof(to), "%s.deep.%u", s->prefix, s->moved++);
		if (renameat2(dir_fd, name, s->top, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
}

static int remove_entry(struct sweep *s, int dir_fd, const char *name, unsigned int depth)
{
	cleanup_fd int sub = -1;

	if (unlinkat(dir_fd, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (depth == DEPTH_MAX)
		return move_up(s, dir_fd, name);
	sub = fd_open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (sub < 0 || empty(s, sub, depth + 1) < 0)
		return -1;
	return unlinkat(dir_fd, name, AT_REMOVEDIR);
}

static int empty(struct sweep *s, int dir_fd, unsigned int depth)
{
	DIR *d = open_list(dir_fd);
	struct dirent *e;
	int r = 0;

	if (!d)
		return -1;
	while (r == 0 && (errno = 0, e = readdir(d))) {
		if (!is_dots(e->d_name))
			r = remove_entry(s, dir_fd, e->d_name, depth);
	}
	if (r == 0 && errno)
		r = -1;
	(void)closedir(d);
	return r;
}

/* The first match, so that entries which arrive meanwhile are found too. */
static int find_match(int dir_fd, const char *prefix, char *name, size_t size)
{
	DIR *d = open_list(dir_fd);
	struct dirent *e;
	int found = 0;

	if (!d)
		return -1;
	while (!found && (errno = 0, e = readdir(d))) {
		if (strncmp(e->d_name, prefix, strlen(prefix)) != 0)
			continue;
		(void)snprintf(name, size, "%s", e->d_name);
		found = 1;
	}
	if (!found && errno)
		found = -1;
	(void)closedir(d);
	return found;
}

int sweep(int dir_fd, const char *prefix)
{
	struct sweep s = { .top = dir_fd, .prefix = prefix };
	char name[256];
	int n;

	while ((n = find_match(dir_fd, prefix, name, sizeof(name))) > 0) {
		if (remove_entry(&s, dir_fd, name, 0) < 0)
			return -1;
	}
	return n;
}

int sweep_wanted(int dir_fd, const char *prefix, struct err *err)
{
	char name[256];
	int n = find_match(dir_fd, prefix, name, sizeof(name));

	return n < 0 ? err_sys(err, "look for older private copies") : n;
}

pid_t sweep_start(int dir_fd, const char *prefix, struct err *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(err, "start to remove older private copies");
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	_exit(sweep(dir_fd, prefix) < 0 ? 1 : 0);
}
