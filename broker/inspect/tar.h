/* SPDX-License-Identifier: MIT
 *
 * Reading tar as a stream: ustar with GNU's and pax' long names. Pure but for its
 * source. Nothing is unpacked; what cannot be told for sure ends the reading.
 */
#ifndef INSPECT_TAR_H
#define INSPECT_TAR_H

#include "base/err.h"

#include <sys/types.h>

#define TAR_NAME_SIZE 4096u

enum tar_kind { TAR_FILE, TAR_DIR, TAR_SYMLINK, TAR_HARDLINK, TAR_FIFO, TAR_CHAR, TAR_BLOCK };

struct tar_member {
	enum tar_kind kind;
	char name[TAR_NAME_SIZE]; /* as it stands there: may be absolute, may hold anything but NUL */
	char target[TAR_NAME_SIZE];
	uint32_t mode;
	uint64_t uid, gid, size; /* size: of a file's content */
};

struct tar {
	ssize_t (*read)(void *source, void *buf, size_t size); /* as read(2) */
	void *source;
	uint64_t left, padding; /* of the current member */
	uint64_t members;
	char long_name[TAR_NAME_SIZE], long_target[TAR_NAME_SIZE];
};

/* 1 a member, 0 the end, -1 err: EPROTO for what is no tar, is cut off, or has a
 * field out of its bounds. Skips what was not read of the member before. */
int tar_next(struct tar *tar, struct tar_member *ret, struct err *err);

/* Content of the current file; 0 at its end; -1 err (cut off). */
ssize_t tar_read(struct tar *tar, void *buf, size_t size, struct err *err);

#endif
