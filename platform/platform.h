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

struct platform_gate {
	uint16_t gate;
	const char *path; /* absolute, inside the app's root */
};

/* What of the host an app sees below its own layers. Everything is borrowed. */
struct platform_view {
	struct platform_owner owner;
	const struct platform_gate *gates;
	size_t gate_count;
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
