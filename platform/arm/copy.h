/* SPDX-License-Identifier: MIT
 *
 * A private copy of a tree, made by a child that has no more rights than the
 * app itself: what the copy may read is what the app could be given to read.
 */
#ifndef PLATFORM_COPY_H
#define PLATFORM_COPY_H

#include "base/err.h"

#include <sys/types.h>

struct copy_limits {
	uint64_t max_bytes;
	uint32_t max_files;
};

struct copy_result {
	int code; /* errno; 0: the copy is complete */
	uint64_t bytes;
	uint32_t files;
	char why[256];
};

/* Forks a child with this host uid and gid, no groups and no capabilities that
 * copies everything below src_fd (a directory) into dst_fd (an empty directory
 * owned by uid). Regular files by reflink where the file systems can, folders,
 * symlinks; sockets, fifos and devices are left out; set-id bits are dropped.
 * ret_fd becomes readable when the result is there; the caller closes it and
 * reaps the child. Both descriptors are borrowed until then. Returns the pid,
 * -1 with err. */
pid_t copy_start(int src_fd, int dst_fd, uid_t uid, gid_t gid, const struct copy_limits *limits, int *ret_fd,
		 struct err *err);

/* Reads the result; a child that died without one is a failure with a sentence. */
void copy_result_read(int fd, struct copy_result *ret);

/* The work itself, in this process: for the child, and for tests. */
void copy_tree(int src_fd, int dst_fd, const struct copy_limits *limits, struct copy_result *ret);

#endif
