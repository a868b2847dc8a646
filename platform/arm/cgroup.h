/* SPDX-License-Identifier: MIT
 *
 * Control groups (version 2) of this system and its sessions, at
 * cowbell.<instance>/<pid of a session's supervisor> below the hierarchy's root. The hierarchy is
 * reached through a mount of our own that is attached nowhere. Source: the
 * kernel's Documentation/admin-guide/cgroup-v2.rst.
 */
#ifndef PLATFORM_CGROUP_H
#define PLATFORM_CGROUP_H

#include "base/err.h"
#include "proto/msg.h"

struct cgroup_root {
	int hierarchy;      /* the hierarchy's root */
	int fd;             /* cowbell.<instance> */
	char name[64];
	uint64_t features; /* FEATURE_CGROUP_* */
};

/* Makes or takes over the system's group. Controllers that the kernel keeps on
 * version 1 are missing from features; that is no error. */
int cgroup_root_open(struct cgroup_root *root, uint64_t instance, struct err *err);

/* Removes the group, as far as it is empty. */
void cgroup_root_close(struct cgroup_root *root);

/* A new, empty group; the caller owns the fd. -1 with err. 0: no limit. */
int cgroup_session_create(struct cgroup_root *root, const char *name, uint64_t memory_max, uint32_t pids_max,
			  struct err *err);

/* Kills everything in it. */
int cgroup_kill(int fd, struct err *err);

/* Freezes everything in it, or lets it go on; a frozen process can still be killed. */
int cgroup_freeze(int fd, bool frozen, struct err *err);

/* Bytes that its processes, and those that they waited for, have written to files so
 * far; what is allocated without being written does not count. proc is the host's
 * /proc. */
uint64_t cgroup_bytes_written(int fd, int proc);

/* True while a process is in it. */
bool cgroup_populated(int fd);

/* -1 with EBUSY in errno while processes end. */
int cgroup_session_remove(struct cgroup_root *root, const char *name);

#endif
