/* SPDX-License-Identifier: MIT
 *
 * Room on the disk, and the part of it that apps may not have.
 */
#ifndef BASE_DISK_H
#define BASE_DISK_H

#include "base/mem.h"

struct disk_room {
	uint64_t free;  /* bytes that users may have */
	uint64_t floor; /* bytes that are kept free for everybody else: 5 %, at most 200 MiB */
	uint64_t inodes, free_inodes; /* inodes 0: the file system makes them as it goes */
};

/* Of the file system that fd lies on; -1 with errno. */
int disk_room(int fd, struct disk_room *ret);

#endif
