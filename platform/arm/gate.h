/* SPDX-License-Identifier: MIT
 *
 * Gates: autofs triggers (protocol 5, direct) in an app's mount namespace. The
 * kernel holds every path walk into one and hands out one packet; the walk goes
 * on when something was attached and the packet's token made ready, or ends
 * with the errno it is denied with. Sources: the kernel's
 * Documentation/filesystems/autofs.rst and autofs-mount-control.rst.
 */
#ifndef PLATFORM_GATE_H
#define PLATFORM_GATE_H

#include "base/err.h"

#include <sys/types.h>

struct gate_engine;

struct gate_request {
	uint16_t gate;
	uint32_t token; /* must be denied or attached in the end */
	pid_t pid;      /* of the waiting process, as the host counts: a label, it may be gone */
};

/* Opens /dev/autofs, the host's /proc and the packet pipe; call it while these
 * paths are the host's. The caller leads or has joined a process group of its
 * own: members of that group are never held at a gate. NULL with err. */
struct gate_engine *gate_engine_create(struct err *err);
void gate_engine_destroy(struct gate_engine *engine);

/* Readable when a request waits; non-blocking; borrowed. */
int gate_engine_fd(const struct gate_engine *engine);

/* Puts a trigger over target (O_PATH, borrowed). Call it from inside the app's
 * mount namespace, before the app runs: newer kernels (6.19) bind a trigger to
 * the namespace of its maker. */
int gate_add(struct gate_engine *engine, uint16_t gate, int target, struct err *err);

/* 1 a request, 0 none now, -1 err (the kernel broke the protocol). */
int gate_read(struct gate_engine *engine, struct gate_request *ret, struct err *err);

/* The waiting walks end with -code. */
int gate_deny(struct gate_engine *engine, uint16_t gate, uint32_t token, int code, struct err *err);

/* Attaches mnt (detached, borrowed) over the trigger, unless something is
 * attached already, and lets the tokens go on. After -1 nothing was let go on;
 * the caller denies. */
int gate_attach(struct gate_engine *engine, uint16_t gate, int mnt, const uint32_t *tokens, size_t count,
		struct err *err);

/* Takes off what is attached, if anything is; the trigger is armed again. ret_held
 * counts the open files, mappings and folders through which processes of this mount
 * namespace still reach it, or what was taken off before, and with watched the watches
 * by which they hear of it; at least 1 while the kernel says that somebody does. */
int gate_detach(struct gate_engine *engine, uint16_t gate, bool watched, uint32_t *ret_held, struct err *err);

/* gate_detach (not watched), and takes the trigger itself away. Whoever waits at it is denied by the
 * caller before, whoever comes late by the engine, with ENODEV. After -1 it may still stand, with nothing attached. */
int gate_remove(struct gate_engine *engine, uint16_t gate, uint32_t *ret_held, struct err *err);

#endif
