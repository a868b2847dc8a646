/* SPDX-License-Identifier: MIT */
#include "base/disk.h"

#include <sys/statvfs.h>

#define FLOOR_MAX ((uint64_t)200 << 20)
#define FLOOR_SHARE 20u

int disk_room(int fd, struct disk_room *ret)
{
	struct statvfs fs;
	uint64_t share;

	if (fstatvfs(fd, &fs) < 0)
		return -1;
	share = (uint64_t)fs.f_blocks * fs.f_frsize / FLOOR_SHARE;
	ret->free = (uint64_t)fs.f_bavail * fs.f_frsize;
	ret->floor = share > FLOOR_MAX ? FLOOR_MAX : share;
	ret->inodes = fs.f_files;
	ret->free_inodes = fs.f_favail;
	return 0;
}
