/* SPDX-License-Identifier: MIT
 *
 * Reads /proc; a process that is gone by the time it is looked at holds nothing.
 */
#include "platform/arm/holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool same_mount_namespace(int proc_fd, const char *pid)
{
	char path[64];
	struct stat mine, its;

	(void)snprintf(path, sizeof(path), "%s/ns/mnt", pid);
	return fstatat(proc_fd, "self/ns/mnt", &mine, 0) == 0 && fstatat(proc_fd, path, &its, 0) == 0 &&
	       mine.st_ino == its.st_ino && mine.st_dev == its.st_dev;
}

/* Does this magic link (cwd, root, fd/3, map_files/...) lead onto the mount? */
static bool leads_to(int dir_fd, const char *name, uint64_t mnt_id)
{
	cleanup_fd int fd = openat(dir_fd, name, O_PATH | O_CLOEXEC);
	struct statx stx;

	return fd >= 0 && statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) == 0 &&
	       stx.stx_mnt_id == mnt_id;
}

static uint32_t count_in(int process_fd, const char *folder, uint64_t mnt_id)
{
	int fd = openat(process_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint32_t n = 0;

	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			n += leads_to(dirfd(dir), entry->d_name, mnt_id);
	}
	(void)closedir(dir);
	return n;
}

static uint32_t count_process(int proc_fd, const char *pid, uint64_t mnt_id)
{
	cleanup_fd int fd = openat(proc_fd, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || !same_mount_namespace(proc_fd, pid))
		return 0;
	return count_in(fd, "fd", mnt_id) + count_in(fd, "map_files", mnt_id) + leads_to(fd, "cwd", mnt_id) +
	       leads_to(fd, "root", mnt_id);
}

uint32_t holders_count(int proc_fd, uint64_t mnt_id)
{
	int fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint32_t n = 0;
	char self[16];

	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return 1; /* unknown is not "nobody" */
	}
	(void)snprintf(self, sizeof(self), "%d", (int)getpid());
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && strcmp(entry->d_name, self) != 0)
			n += count_process(proc_fd, entry->d_name, mnt_id);
	}
	(void)closedir(dir);
	return n;
}
