/* SPDX-License-Identifier: MIT
 *
 * The app's root: base view, install layers, generations, upper, as two
 * overlays; and the change of this process's root to it.
 */
#ifndef PLATFORM_ROOT_H
#define PLATFORM_ROOT_H

#include "base/err.h"

#include <sys/types.h>

#define ROOT_LAYERS_MAX 48u

/* Folders of the scratch tmpfs, each a place to attach one mount. */
#define ROOT_SCRATCH_HOST "host"
#define ROOT_SCRATCH_MASK "mask"
#define ROOT_SCRATCH_BASE "base"
#define ROOT_SCRATCH_ROOT "root"
#define ROOT_SCRATCH_DEV "dev"
#define ROOT_SCRATCH_SYS "sys"
#define ROOT_SCRATCH_PROC "proc"

/* Covers the folder behind over_fd with a tmpfs that has the folders above:
 * overlay takes only layers that are attached in this mount namespace (Linux
 * 6.1). Returns the tmpfs's own folder; over_fd stays valid below it. */
int root_scratch(int over_fd, struct err *err);

/* Refuses a host whose root file system cannot lie below an app's, with the
 * reason. */
int root_check_host(struct err *err);

struct root_layers {
	int frozen[ROOT_LAYERS_MAX]; /* top first */
	size_t frozen_count;
	int upper, work;
};

struct root {
	int mnt; /* the app's overlay; kept for the freeze barrier */
	int fd;  /* its root folder, O_PATH */
};

/* Puts the app's root together below scratch. mask_mnt is detached, shows its
 * owners as the app's ids, and becomes attached. userns_fd maps the host's root.
 * On failure nothing of ret is open; mounts that were attached stay in the
 * scratch. Changes the working directory. */
int root_build(struct root *ret, int scratch, int mask_mnt, int userns_fd, const struct root_layers *layers,
	       struct err *err);

struct root_owner {
	uid_t uid;
	gid_t gid;
};

/* Opens the folder at path (absolute) inside the app's root as a mount point, by
 * descriptor only. What is missing is made, the last strlen(path) - below bytes
 * of it for owner, what lies above for first; what is no folder there is renamed
 * to NAME.cowbell-saved first. O_PATH fd, the caller's; -1 with err. */
int root_mount_point(int root_fd, const char *path, size_t below, struct root_owner first, struct root_owner owner,
		     struct err *err);

/* Makes the app's root this process's, and every waiting child's whose root was
 * the old one; the old tree is gone after it. */
int root_enter(const struct root *root, struct err *err);

#endif
