/* SPDX-License-Identifier: MIT
 *
 * Mounts by descriptor: made detached, set up, then attached. Nothing here
 * takes a path that an app could have shaped.
 */
#ifndef PLATFORM_MNT_H
#define PLATFORM_MNT_H

#include "base/err.h"

#include <sys/mount.h>

struct mnt_option {
	const char *key;
	const char *value; /* NULL: a flag */
};

/* What most private file systems get. */
#define MNT_PLAIN (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* A new, detached mount of a file system; attrs as MOUNT_ATTR_*. options ends
 * with a NULL key, or is NULL. The caller owns the fd; -1 with err, in which the
 * kernel's own reason stands where it gives one. */
int mnt_new(const char *type, unsigned int attrs, const struct mnt_option *options, struct err *err);

/* A detached clone of the mount at path below dirfd, without what is mounted
 * below it. path "" takes dirfd itself. */
int mnt_clone(int dirfd, const char *path, struct err *err);

/* Attaches mnt (detached, or attached elsewhere in this namespace) over the
 * object behind target_fd. what names the place in errors. */
int mnt_attach(int mnt, int target_fd, const char *what, struct err *err);

/* Attaches over a name below dirfd, which is a tree of our own. */
int mnt_attach_at(int mnt, int dirfd, const char *name, struct err *err);

/* Adds MOUNT_ATTR_* to mnt and takes it out of propagation; userns_fd -1, or
 * the user namespace by whose maps owners are shown. */
int mnt_set(int mnt, uint64_t attrs, int userns_fd, struct err *err);

/* Turns the whole file system of mnt read-only. EBUSY when anybody anywhere
 * still has a file open for writing: the barrier before a layer is frozen. */
int mnt_freeze(int mnt, struct err *err);

#endif
