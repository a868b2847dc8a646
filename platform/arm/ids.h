/* SPDX-License-Identifier: MIT
 *
 * An app's 65,536 host ids, and the kernel objects that carry them.
 */
#ifndef PLATFORM_IDS_H
#define PLATFORM_IDS_H

#include "base/err.h"

#include <sys/types.h>

struct clone_args;

/* As clone3(2) with a user namespace, whose maker is counted_uid: all that the kernel
 * counts for users and bounds (instances and watches of inotify, queued signals, message
 * queues; since Linux 5.14 also by rlimit) it counts in the new namespace and, on top,
 * for the one who made it (inc_ucount, kernel/ucount.c). Made as root, an app would use
 * up what the host's root has. The caller has one thread and the uid 0; its death
 * signal is cleared. -1 with errno. */
long ids_clone(struct clone_args *args, uint32_t counted_uid);

/* Maps ids 0 to 65535 of pid's new user namespace to base and up. setgroups(2)
 * stays allowed in it: pid has to drop its host groups, and installers use it. device_gid, if it is not
 * 0, becomes group 65536 inside. */
int ids_map(pid_t pid, uint32_t base, uint32_t device_gid, struct err *err);

/* A namespace of pid ("user", "pid", ...). The caller owns the fd. */
int ids_namespace(pid_t pid, const char *kind, struct err *err);

#endif
