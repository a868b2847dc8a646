/* SPDX-License-Identifier: MIT
 *
 * The only file that knows of EINTR and of openat2's flags.
 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

ssize_t fd_read_full(int fd, void *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, (char *)buf + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int fd_write_full(int fd, const void *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(fd, (const char *)buf + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

int fd_read_file(int dirfd, const char *path, size_t max, char **ret, size_t *ret_size, struct err *err)
{
	/* A FIFO somebody put there must not hold us up; files of /proc are regular. */
	cleanup_fd int fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	cleanup_free char *buf = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return err_sys(err, "open '%s'", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "read '%s': not a regular file", path);
	buf = xcalloc(1, max + 2);
	n = fd_read_full(fd, buf, max + 1);
	if (n < 0)
		return err_sys(err, "read '%s'", path);
	if ((size_t)n > max)
		return err_set(err, EFBIG, "read '%s': larger than %zu bytes", path, max);
	buf[n] = '\0';
	*ret = steal_ptr(&buf);
	if (ret_size)
		*ret_size = (size_t)n;
	return 0;
}

static int open_how(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.mode = (flags & O_CREAT) ? mode : 0,
		.resolve = resolve | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

int fd_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	return open_how(dirfd, path, flags, mode, RESOLVE_BENEATH);
}

int fd_open_in_root(int rootfd, const char *path, int flags, mode_t mode)
{
	return open_how(rootfd, path, flags, mode, RESOLVE_IN_ROOT);
}

int fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	return fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

int fd_fill_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return -1;
	} while (fd <= 2);
	return close(fd);
}
