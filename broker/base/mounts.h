/* SPDX-License-Identifier: MIT
 *
 * The mounts of this process's namespace, as proc_pid_mountinfo(5) has them.
 */
#ifndef BASE_MOUNTS_H
#define BASE_MOUNTS_H

#include "base/err.h"

#include <stdint.h>

#define MOUNTS_TABLE "/proc/self/mountinfo"

/* Calls fn for each, in the order in which they were made, with its number and its
 * place (borrowed), until one returns other than 0; that is returned. -1 with err. */
int mounts_each(int (*fn)(void *data, uint64_t id, const char *path, struct err *err), void *data, struct err *err);

#endif
