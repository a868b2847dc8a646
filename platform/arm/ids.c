/* SPDX-License-Identifier: MIT
 *
 * One whole range a namespace, in one line: anything else could leave an id of
 * the host inside.
 */
#include "platform/arm/ids.h"

#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int write_map(pid_t pid, const char *kind, uint32_t base, struct err *err)
{
	char path[64], line[64];
	cleanup_fd int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s_map", pid, kind);
	(void)snprintf(line, sizeof(line), "0 %u 65536\n", base);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || fd_write_full(fd, line, strlen(line)) < 0)
		return err_sys(err, "map the app's ids in '%s'", path);
	return 0;
}

int ids_map(pid_t pid, uint32_t base, struct err *err)
{
	if (write_map(pid, "uid", base, err) < 0)
		return -1;
	return write_map(pid, "gid", base, err);
}

int ids_namespace(pid_t pid, const char *kind, struct err *err)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open namespace '%s'", path);
	return fd;
}
