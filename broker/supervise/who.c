/* SPDX-License-Identifier: MIT
 *
 * An app decides how many processes and descriptors it has: the search is
 * bounded, and what is not found is said to be unknown.
 */
#include "supervise/who.h"

#include "base/err.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOKED_AT_MAX 20000u    /* descriptors, of all processes */
#define INIT_NAME "cowbell-init" /* a command on its way to its program's exec */

static void read_name(int proc, pid_t pid, const char *what, char *buf, size_t size)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	(void)snprintf(path, sizeof(path), "%d/%s", pid, what);
	if (strcmp(what, "exe") == 0) {
		n = readlinkat(proc, path, buf, size - 1);
	} else {
		fd = openat(proc, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0) {
			n = read(fd, buf, size - 1);
			(void)close(fd);
		}
	}
	buf[n > 0 ? n : 0] = '\0';
	if (n > 0 && buf[n - 1] == '\n')
		buf[n - 1] = '\0';
}

void who_name(int proc, pid_t pid, char *buf, size_t size)
{
	char comm[32], exe[256];
	const char *base;

	read_name(proc, pid, "comm", comm, sizeof(comm));
	read_name(proc, pid, "exe", exe, sizeof(exe));
	base = strrchr(exe, '/') ? strrchr(exe, '/') + 1 : exe;
	if (!exe[0] || strncmp(base, comm, 15) == 0 || strcmp(base, INIT_NAME) == 0)
		(void)snprintf(buf, size, "%s", comm[0] ? comm : "?");
	else
		(void)snprintf(buf, size, "%s (%.80s)", comm, exe);
}

static DIR *open_folder(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		(void)close(fd);
	return dir;
}

static bool has_socket(int proc, const char *pid, const char *wanted, unsigned int *left)
{
	char path[64], link[64];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%.16s/fd", pid);
	dir = open_folder(proc, path);
	while (dir && !found && *left && (e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);

		(*left)--;
		link[n > 0 ? n : 0] = '\0';
		found = strcmp(link, wanted) == 0;
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

/* A program that runs others may leave them its sockets: the youngest that has it
 * is the one at work. */
void who_holds(int proc, uint32_t inode, char *buf, size_t size)
{
	unsigned int left = LOOKED_AT_MAX;
	DIR *dir = inode ? open_folder(proc, ".") : NULL;
	struct dirent *e;
	char wanted[32];
	pid_t pid = 0;

	buf[0] = '\0';
	(void)snprintf(wanted, sizeof(wanted), "socket:[%u]", inode);
	while (dir && left && (e = readdir(dir))) {
		if (isdigit((unsigned char)e->d_name[0]) && has_socket(proc, e->d_name, wanted, &left) &&
		    atoi(e->d_name) > pid)
			pid = atoi(e->d_name);
	}
	if (dir)
		(void)closedir(dir);
	if (pid && left)
		who_name(proc, pid, buf, size);
}
