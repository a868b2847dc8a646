/* SPDX-License-Identifier: MIT
 *
 * What the payload of a bundle may hold: files, folders and links below /usr, /opt
 * and /etc, each path once, none through a link of the payload's own, so that it is
 * unpacked where it says. Pure.
 */
#ifndef INSPECT_MEMBERS_H
#define INSPECT_MEMBERS_H

#include "base/err.h"
#include "inspect/tar.h"

#define MEMBERS_COUNT_MAX 100000u
#define MEMBERS_DEPTH_MAX 64u

struct members {
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
