/* SPDX-License-Identifier: MIT
 *
 * Who still reaches, or hears of, what was taken off the tree.
 */
#ifndef PLATFORM_HOLDERS_H
#define PLATFORM_HOLDERS_H

#include "base/err.h"

#include <sys/types.h>

/* A mount that was taken off, as the kernel numbers it. */
struct holders_of {
	uint64_t mnt_id;
	/* Its file system, where watches on it count too; 0: they do not. A watch outlives
	 * the mount that it was set through, and says no more than a number of what it is
	 * on: all of that file system are taken for one, but for those on these. */
	dev_t watch_dev;
	const uint64_t *others; /* inode numbers */
	size_t other_count;
};

/* Counts open files, working and root folders, mappings and watches (inotify) on it in
 * all processes of the caller's mount namespace but the caller. proc_fd is the host's
 * /proc. *ret_unseen: there may be more: descriptors on their way through a socket,
 * which can be anything, or so many that not all were looked at. */
uint32_t holders_count(int proc_fd, const struct holders_of *of, bool *ret_unseen);

/* The file system of the mount mnt_id of the caller's namespace as the kernel names it,
 * which stat(2) does not do for all; 0: not found. */
dev_t holders_mount_dev(int proc_fd, uint64_t mnt_id);

#endif
