/* SPDX-License-Identifier: MIT
 *
 * What the payload of a bundle and a package may hold: files, folders and links, each
 * path once, none through a link of its own, so that it is unpacked where it says. Of
 * a bundle all of it lies below /usr, /opt and /etc, and nothing is set-id. Pure.
 */
#ifndef INSPECT_MEMBERS_H
#define INSPECT_MEMBERS_H

#include "base/err.h"
#include "inspect/tar.h"

#define MEMBERS_COUNT_MAX 100000u /* of a bundle; a package may have as many as an archive */
#define MEMBERS_DEPTH_MAX 64u

struct members {
	bool package; /* not a bundle: set by the caller, who zeroes the rest */
	struct seen *slots;
	size_t size, used;
	uint64_t count;
};

/* Checks the next member and remembers it; -1 with err naming it. */
int members_take(struct members *members, const struct tar_member *m, struct err *err);

/* Whether the payload brought path ("/usr/bin/x") as something that can be started:
 * a file or hard link with an x bit, or a symbolic link. */
bool members_has_program(const struct members *members, const char *path);

void members_finish(struct members *members);

#endif
