/* SPDX-License-Identifier: MIT
 *
 * The mounts of this process's namespace, as proc_pid_mountinfo(5) has them.
 */
#ifndef BASE_MOUNTS_H
#define BASE_MOUNTS_H

#include "base/err.h"

#include <stdint.h>

#define MOUNTS_TABLE "/proc/self/mountinfo"

struct mounted {
	uint64_t id;
	const char *path, *type; /* of the file system: "ext4", "fuse.sshfs" */
};

/* Calls fn for each (borrowed), in the order in which they were made: of several at one
 * place the last is the upper one. Until one returns other than 0; that is returned. -1 with err. */
int mounts_each(int (*fn)(void *data, const struct mounted *m, struct err *err), void *data, struct err *err);

#endif
