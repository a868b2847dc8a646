/* SPDX-License-Identifier: MIT
 *
 * Descriptors: complete reads and writes with EINTR handled, here and nowhere
 * else; opening below a directory that somebody else controls.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include "base/err.h"

#include <sys/types.h>

/* Read until size bytes or the end; returns the count, -1 with errno. */
ssize_t fd_read_full(int fd, void *buf, size_t size);

/* Writes all or fails with errno; part may have been written then. */
int fd_write_full(int fd, const void *buf, size_t size);

/* Reads a whole small regular file of at most max bytes into a NUL-ended buffer
 * that the caller frees. Fails with EFBIG above max, with EINVAL and without
 * waiting on what is no regular file. ret_size may be NULL. */
int fd_read_file(int dirfd, const char *path, size_t max, char **ret, size_t *ret_size, struct err *err);

/* openat2(2) below dirfd, not leaving it, no symlinks, no magic links; always
 * O_CLOEXEC. For every path that an app or a package may have shaped. The
 * caller owns the fd; -1 with errno. mode counts with O_CREAT only. */
int fd_open_beneath(int dirfd, const char *path, int flags, mode_t mode);

/* As above, but "/" and ".." are taken inside dirfd as a root of its own. */
int fd_open_in_root(int rootfd, const char *path, int flags, mode_t mode);

/* Sets or clears O_NONBLOCK. -1 with errno. */
int fd_set_nonblock(int fd, bool on);

/* Opens /dev/null on each standard descriptor that the caller left closed. For
 * the start of a program: else the next file or socket it opens becomes its
 * standard output, and messages are written into it. -1 with errno. */
int fd_fill_standard(void);

#endif
