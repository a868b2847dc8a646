/* SPDX-License-Identifier: MIT
 *
 * One whole range a namespace, and at most one group of Cowbell's own: anything
 * else could leave an id of the host inside.
 */
#include "platform/arm/ids.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

long ids_clone(struct clone_args *args, uint32_t counted_uid)
{
	int saved, bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	long pid;

	/* Capabilities stay what they are; the real uid too, by which processes are bounded. */
	if (bits < 0 || prctl(PR_SET_SECUREBITS, (unsigned long)bits | SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0 ||
	    setresuid((uid_t)-1, counted_uid, (uid_t)-1) < 0)
		return -1;
	pid = syscall(SYS_clone3, args, sizeof(*args));
	if (pid == 0)
		return 0;
	saved = errno;
	if (setresuid((uid_t)-1, 0, (uid_t)-1) < 0 || prctl(PR_SET_SECUREBITS, (unsigned long)bits, 0, 0, 0) < 0)
		_exit(1); /* never on with two minds; the child goes with us */
	errno = saved;
	return pid;
}

static int write_map(pid_t pid, const char *kind, uint32_t base, uint32_t more, struct err *err)
{
	char path[64], line[128], second[64] = "";
	cleanup_fd int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s_map", pid, kind);
	if (more)
		(void)snprintf(second, sizeof(second), "65536 %u 1\n", more);
	(void)snprintf(line, sizeof(line), "0 %u 65536\n%s", base, second);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || fd_write_full(fd, line, strlen(line)) < 0)
		return err_sys(err, "map the app's ids in '%s'", path);
	return 0;
}

int ids_map(pid_t pid, uint32_t base, uint32_t device_gid, struct err *err)
{
	if (write_map(pid, "uid", base, 0, err) < 0)
		return -1;
	return write_map(pid, "gid", base, device_gid, err);
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
