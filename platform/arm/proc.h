/* SPDX-License-Identifier: MIT
 *
 * The app's /proc: of its own process ids, mounted for it, because it has no
 * mount namespace of its own to mount one in.
 */
#ifndef PLATFORM_PROC_H
#define PLATFORM_PROC_H

#include "base/err.h"

/* A detached /proc of the pid namespace behind pidns_fd. The caller owns it. */
int proc_create(int pidns_fd, struct err *err);

/* Covers what tells of the host or can be written. proc_mnt is attached by now;
 * dev_fd is a folder with a "null" device on an attached mount. */
int proc_cover(int proc_mnt, int dev_fd, struct err *err);

#endif
