/* SPDX-License-Identifier: MIT
 *
 * Reads /proc; a process that is gone by the time it is looked at holds nothing. An
 * app may have very much open: what is looked at is bounded, and beyond that "somebody
 * holds it" is assumed.
 */
#include "platform/arm/holders.h"

#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define LOOKS_MAX 400000u /* names in /proc, lines of fdinfo */

struct walk {
	const struct holders_of *of;
	unsigned int left; /* of LOOKS_MAX */
	bool unseen;       /* there may be what was not looked at */
};

/* Whether one more may be looked at. */
static bool may_look(struct walk *walk)
{
	if (walk->left == 0)
		walk->unseen = true;
	else
		walk->left--;
	return walk->left > 0;
}

static bool same_mount_namespace(int proc_fd, const char *pid)
{
	char path[64];
	struct stat mine, its;

	(void)snprintf(path, sizeof(path), "%s/ns/mnt", pid);
	return fstatat(proc_fd, "self/ns/mnt", &mine, 0) == 0 && fstatat(proc_fd, path, &its, 0) == 0 &&
	       mine.st_ino == its.st_ino && mine.st_dev == its.st_dev;
}

/* Does this magic link (cwd, root, fd/3, map_files/...) lead onto the mount? */
static uint32_t leads_to(const struct holders_of *of, int dir_fd, const char *name)
{
	cleanup_fd int fd = openat(dir_fd, name, O_PATH | O_CLOEXEC);
	struct statx stx;

	return fd >= 0 && statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) == 0 &&
	       stx.stx_mnt_id == of->mnt_id;
}

static FILE *open_text(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f && fd >= 0)
		(void)close(fd);
	return f;
}

static bool is_other(const struct holders_of *of, uint64_t inode)
{
	for (size_t i = 0; i < of->other_count; i++) {
		if (of->others[i] == inode)
			return true;
	}
	return false;
}

/* A line of fdinfo: "inotify wd:1 ino:1c2 sdev:800013 mask:...", where sdev has 20 bits
 * for the minor number (the kernel's fs/notify/fdinfo.c). */
static bool watches(const struct holders_of *of, const char *line)
{
	uint64_t inode;
	unsigned int dev;

	return sscanf(line, "inotify wd:%*x ino:%" SCNx64 " sdev:%x", &inode, &dev) == 2 &&
	       major(of->watch_dev) == dev >> 20 && minor(of->watch_dev) == (dev & 0xfffff) && !is_other(of, inode);
}

static uint32_t count_watches(struct walk *walk, FILE *info)
{
	char line[512];
	uint32_t n = 0;

	while (may_look(walk) && fgets(line, sizeof(line), info))
		n += watches(walk->of, line);
	return n;
}

/* "scm_fds: 2" (net/unix/af_unix.c): descriptors that wait in it to be received. */
static bool has_fds(FILE *info)
{
	char line[512];
	unsigned int n = 0;

	while (n == 0 && fgets(line, sizeof(line), info))
		(void)sscanf(line, "scm_fds: %u", &n);
	return n > 0;
}

/* What the descriptor name hears of, or carries. */
static uint32_t look_inside(struct walk *walk, int process_fd, const char *name)
{
	char path[64], kind[64] = "";
	uint32_t n = 0;
	FILE *info;

	(void)snprintf(path, sizeof(path), "fd/%.20s", name);
	if (readlinkat(process_fd, path, kind, sizeof(kind) - 1) < 0)
		return 0;
	if (strcmp(kind, "anon_inode:inotify") != 0 && strncmp(kind, "socket:", 7) != 0)
		return 0;
	(void)snprintf(path, sizeof(path), "fdinfo/%.20s", name);
	info = open_text(process_fd, path);
	if (!info)
		return 0;
	if (kind[0] == 'a')
		n = walk->of->watch_dev ? count_watches(walk, info) : 0;
	else
		walk->unseen |= has_fds(info);
	(void)fclose(info);
	return n;
}

static DIR *open_folder(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		(void)close(fd);
	return dir;
}

static uint32_t count_in(struct walk *walk, int process_fd, const char *folder)
{
	DIR *dir = open_folder(process_fd, folder);
	struct dirent *entry;
	uint32_t n = 0;

	while (dir && may_look(walk) && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		n += leads_to(walk->of, dirfd(dir), entry->d_name);
		if (strcmp(folder, "fd") == 0)
			n += look_inside(walk, process_fd, entry->d_name);
	}
	if (dir)
		(void)closedir(dir);
	return n;
}

/* A thread may have descriptors and folders of its own; those that it shares are
 * counted once. Without kcmp they are looked at again, which counts too many. */
static uint32_t count_threads(struct walk *walk, int process_fd, pid_t pid)
{
	DIR *dir = open_folder(process_fd, "task");
	struct dirent *entry;
	uint32_t n = 0;

	while (dir && may_look(walk) && (entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
		cleanup_fd int fd = -1;

		if (tid <= 0 || tid == pid)
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && syscall(SYS_kcmp, pid, tid, KCMP_FILES, 0UL, 0UL) != 0)
			n += count_in(walk, fd, "fd");
		if (fd >= 0 && syscall(SYS_kcmp, pid, tid, KCMP_FS, 0UL, 0UL) != 0)
			n += leads_to(walk->of, fd, "cwd") + leads_to(walk->of, fd, "root");
	}
	if (dir)
		(void)closedir(dir);
	return n;
}

static uint32_t count_process(struct walk *walk, int proc_fd, const char *name)
{
	cleanup_fd int fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = (pid_t)strtol(name, NULL, 10);

	if (fd < 0 || pid == getpid() || !same_mount_namespace(proc_fd, name))
		return 0;
	return count_in(walk, fd, "fd") + count_in(walk, fd, "map_files") + leads_to(walk->of, fd, "cwd") +
	       leads_to(walk->of, fd, "root") + count_threads(walk, fd, pid);
}

uint32_t holders_count(int proc_fd, const struct holders_of *of, bool *ret_unseen)
{
	struct walk walk = { .of = of, .left = LOOKS_MAX };
	DIR *dir = open_folder(proc_fd, ".");
	struct dirent *entry;
	uint32_t n = 0;

	while (dir && may_look(&walk) && (entry = readdir(dir))) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			n += count_process(&walk, proc_fd, entry->d_name);
	}
	*ret_unseen = walk.unseen || !dir; /* unknown is not "nobody" */
	if (dir)
		(void)closedir(dir);
	return n;
}

dev_t holders_mount_dev(int proc_fd, uint64_t mnt_id)
{
	FILE *f = open_text(proc_fd, "self/mountinfo");
	char line[512];
	dev_t found = 0;
	bool begins = true;

	while (f && !found && fgets(line, sizeof(line), f)) {
		unsigned int dev_major, dev_minor;
		uint64_t id;

		if (begins && sscanf(line, "%" SCNu64 " %*u %u:%u", &id, &dev_major, &dev_minor) == 3 && id == mnt_id)
			found = makedev(dev_major, dev_minor);
		begins = strchr(line, '\n');
	}
	if (f)
		(void)fclose(f);
	return found;
}
