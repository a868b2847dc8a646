/* SPDX-License-Identifier: MIT
 *
 * Both trees are walked by descriptor, name by name, without following
 * anything. A copy is whole or it is not given: one file that cannot be copied
 * fails it, so that nobody takes a part for the whole.
 */
#include "platform/arm/copy.h"

#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DEPTH_MAX 128
#define NO_FOLLOW (O_NOFOLLOW | O_CLOEXEC)

struct copying {
	const struct copy_limits *limits;
	struct copy_result *result;
	dev_t dev;
};

static int fail(struct copying *c, const char *name, const char *what)
{
	c->result->code = errno;
	(void)snprintf(c->result->why, sizeof(c->result->why), "%s '%.100s': %s", what, name, strerror(errno));
	return -1;
}

static int too_much(struct copying *c)
{
	c->result->code = EFBIG;
	(void)snprintf(c->result->why, sizeof(c->result->why),
		       "they hold more than a private copy may (%llu MB, %u files)",
		       (unsigned long long)(c->limits->max_bytes >> 20), c->limits->max_files);
	return -1;
}

static int copy_bytes(struct copying *c, int in, int out)
{
	char buf[65536];
	uint64_t left = c->limits->max_bytes - c->result->bytes;
	ssize_t n;

	if (ioctl(out, FICLONE, in) == 0)
		return 0;
	for (;;) {
		n = copy_file_range(in, NULL, out, NULL, 1 << 20, 0);
		if (n <= 0)
			break;
		if ((uint64_t)n > left)
			return too_much(c);
		left -= (uint64_t)n;
	}
	if (n == 0)
		return 0;
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if ((uint64_t)n > left)
			return too_much(c);
		left -= (uint64_t)n;
		if (fd_write_full(out, buf, (size_t)n) < 0)
			return -1;
	}
	return n < 0 ? -1 : 0;
}

static void copy_times(int fd, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	(void)futimens(fd, times);
}

static int copy_file(struct copying *c, int src, int dst, const char *name)
{
	cleanup_fd int in = openat(src, name, O_RDONLY | O_NONBLOCK | NO_FOLLOW);
	cleanup_fd int out = -1;
	struct stat st;

	if (in < 0 || fstat(in, &st) < 0)
		return fail(c, name, "read");
	if (!S_ISREG(st.st_mode)) /* changed under our feet */
		return 0;
	if ((uint64_t)st.st_size > c->limits->max_bytes - c->result->bytes)
		return too_much(c);
	out = openat(dst, name, O_WRONLY | O_CREAT | O_EXCL | NO_FOLLOW, 0600);
	if (out < 0)
		return fail(c, name, "create");
	if (copy_bytes(c, in, out) < 0)
		return c->result->code ? -1 : fail(c, name, "copy");
	if (fchmod(out, (st.st_mode & 0777) | 0600) < 0)
		return fail(c, name, "set the mode of");
	copy_times(out, &st);
	c->result->bytes += (uint64_t)st.st_size;
	return 0;
}

static int copy_link(struct copying *c, int src, int dst, const char *name)
{
	char target[4096];
	ssize_t n = readlinkat(src, name, target, sizeof(target) - 1);

	if (n < 0)
		return fail(c, name, "read");
	target[n] = '\0';
	if (symlinkat(target, dst, name) < 0)
		return fail(c, name, "create");
	return 0;
}

static int copy_folder(struct copying *c, int src, int dst, int depth);

static int copy_subfolder(struct copying *c, int src, int dst, const char *name, const struct stat *st, int depth)
{
	cleanup_fd int in = openat(src, name, O_RDONLY | O_DIRECTORY | NO_FOLLOW);
	cleanup_fd int out = -1;

	if (in < 0)
		return fail(c, name, "read");
	if (depth == DEPTH_MAX) {
		errno = ELOOP;
		return fail(c, name, "go down to");
	}
	if (mkdirat(dst, name, 0700) < 0)
		return fail(c, name, "create");
	out = openat(dst, name, O_RDONLY | O_DIRECTORY | NO_FOLLOW);
	if (out < 0)
		return fail(c, name, "create");
	if (copy_folder(c, in, out, depth + 1) < 0)
		return -1;
	(void)fchmod(out, (st->st_mode & 0777) | 0700);
	copy_times(out, st);
	return 0;
}

static int copy_entry(struct copying *c, int src, int dst, const char *name, int depth)
{
	struct stat st;

	if (fstatat(src, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(c, name, "read");
	if (++c->result->files > c->limits->max_files)
		return too_much(c);
	if (S_ISREG(st.st_mode))
		return copy_file(c, src, dst, name);
	if (S_ISLNK(st.st_mode))
		return copy_link(c, src, dst, name);
	if (S_ISDIR(st.st_mode) && st.st_dev == c->dev)
		return copy_subfolder(c, src, dst, name, &st, depth);
	return 0;
}

static int copy_folder(struct copying *c, int src, int dst, int depth)
{
	int list_fd = openat(src, ".", O_RDONLY | O_DIRECTORY | NO_FOLLOW);
	DIR *dir = list_fd < 0 ? NULL : fdopendir(list_fd);
	struct dirent *entry;
	int rc = 0;

	if (!dir) {
		if (list_fd >= 0)
			(void)close(list_fd);
		return fail(c, ".", "list");
	}
	while (rc == 0 && (errno = 0, entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = copy_entry(c, src, dst, entry->d_name, depth);
	}
	if (rc == 0 && errno)
		rc = fail(c, ".", "list");
	(void)closedir(dir);
	return rc;
}

void copy_tree(int src_fd, int dst_fd, const struct copy_limits *limits, struct copy_result *ret)
{
	struct copying c = { .limits = limits, .result = ret };
	struct stat st;

	memset(ret, 0, sizeof(*ret));
	if (fstat(src_fd, &st) < 0) {
		(void)fail(&c, ".", "read");
		return;
	}
	c.dev = st.st_dev;
	(void)copy_folder(&c, src_fd, dst_fd, 0);
}

/* --- the child --- */

static void drop_rights(uid_t uid, gid_t gid)
{
	const struct rlimit none = { 0, 0 };

	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		_exit(70);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
}

/* 0, 1, 2: the result, the source, the destination; nothing else stays open. */
static void keep_three(int result, int src, int dst)
{
	int r = fcntl(result, F_DUPFD, 10), s = fcntl(src, F_DUPFD, 10), d = fcntl(dst, F_DUPFD, 10);

	if (r < 0 || s < 0 || d < 0 || dup2(r, 0) < 0 || dup2(s, 1) < 0 || dup2(d, 2) < 0)
		_exit(70);
	(void)syscall(SYS_close_range, 3u, ~0u, 0u);
}

pid_t copy_start(int src_fd, int dst_fd, uid_t uid, gid_t gid, const struct copy_limits *limits, int *ret_fd,
		 struct err *err)
{
	struct copy_result result;
	sigset_t none;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe for the copy");
	pid = fork();
	if (pid < 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return err_sys(err, "start the copy");
	}
	if (pid == 0) {
		sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		keep_three(fds[1], src_fd, dst_fd);
		drop_rights(uid, gid);
		copy_tree(1, 2, limits, &result);
		_exit(fd_write_full(0, &result, sizeof(result)) < 0 ? 70 : 0);
	}
	(void)close(fds[1]);
	*ret_fd = fds[0];
	return pid;
}

void copy_result_read(int fd, struct copy_result *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (fd_read_full(fd, ret, sizeof(*ret)) == (ssize_t)sizeof(*ret)) {
		ret->why[sizeof(ret->why) - 1] = '\0';
		return;
	}
	memset(ret, 0, sizeof(*ret));
	ret->code = EIO;
	(void)snprintf(ret->why, sizeof(ret->why), "the copy broke off");
}
