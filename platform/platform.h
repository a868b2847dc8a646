/* SPDX-License-Identifier: MIT
 *
 * What the programs need from a machine: the words that all of platform/ shares.
 * Each mechanism has a header of its own below platform/arm/.
 */
#ifndef PLATFORM_PLATFORM_H
#define PLATFORM_PLATFORM_H

#include "base/err.h"

/* The device's owner, as inside every app. */
struct platform_owner {
	const char *name;
	const char *home; /* absolute, no symlinks, "." or ".." */
	uint32_t uid, gid;
};

/* What stands behind a gate. 0 is the strictest. */
enum platform_gate_kind {
	PLATFORM_GATE_FOLDER = 0, /* a folder of the owner's */
	PLATFORM_GATE_SYSFS = 1,  /* a device's folder in /sys */
	PLATFORM_GATE_NODES = 2,  /* device nodes, in a folder of /dev that names lead to */
};

struct platform_gate {
	uint16_t gate;
	enum platform_gate_kind kind;
	const char *path; /* absolute, inside the app's root */
};

/* A symlink of the app's private /dev or /sys. */
struct platform_link {
	const char *path, *target;
};

/* What of the host an app sees below its own layers. Everything is borrowed. */
struct platform_view {
	struct platform_owner owner;
	const struct platform_gate *gates;
	size_t gate_count;
	const struct platform_link *links;
	size_t link_count;
	const char *const *volumes; /* folders for volumes: the app's own, empty */
	size_t volume_count;
	uint32_t device_gid; /* host id of the group of devices that were given; 0: none */
	const char *const *hidden; /* absolute host paths */
	size_t hidden_count;
};

/* Where the app's own answers live inside its root, out of its reach: for each
 * gate a folder of its number. */
#define PLATFORM_VAULT ".cowbell"

/* True for an absolute path of one or more names, none of them "", "." or "..". */
bool platform_path_is_clean(const char *path);

/* True when path is below or at dir, name by name. Both clean. */
bool platform_path_is_within(const char *path, const char *dir);

#endif
