/* SPDX-License-Identifier: MIT
 *
 * Files below descriptors; no path of the host's cgroup mount is ever needed.
 */
#include "platform/arm/cgroup.h"

#include "base/fd.h"
#include "platform/arm/mnt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STALE_TRIES 100

static int write_file(int dir, const char *name, const char *text)
{
	cleanup_fd int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 || fd_write_full(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/* A controller is ours to hand down only if the root has it. */
static void enable_controllers(struct cgroup_root *root)
{
	static const struct {
		const char *word, *enable;
		uint64_t feature;
	} controllers[] = {
		{ "memory", "+memory", FEATURE_CGROUP_MEMORY },
		{ "pids", "+pids", FEATURE_CGROUP_PIDS },
		{ "cpu", "+cpu", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		if (write_file(root->hierarchy, "cgroup.subtree_control", controllers[i].enable) == 0 &&
		    write_file(root->fd, "cgroup.subtree_control", controllers[i].enable) == 0)
			root->features |= controllers[i].feature;
	}
}

/* What an earlier cowbelld of this system left when it was killed: its sessions
 * end now, and their groups go as soon as they are empty. */
static void remove_stale(struct cgroup_root *root)
{
	struct err err = { 0 };
	bool left = true;

	(void)cgroup_kill(root->fd, &err);
	for (int i = 0; i < STALE_TRIES && left; i++) {
		DIR *dir = fdopendir(openat(root->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		struct dirent *entry;

		left = false;
		while (dir && (entry = readdir(dir))) {
			if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
				left |= unlinkat(root->fd, entry->d_name, AT_REMOVEDIR) < 0;
		}
		if (dir)
			(void)closedir(dir);
		if (left)
			(void)usleep(10000);
	}
}

int cgroup_root_open(struct cgroup_root *root, uint64_t instance, struct err *err)
{
	cleanup_fd int mnt = mnt_new("cgroup2", MNT_PLAIN, NULL, err);

	memset(root, 0, sizeof(*root));
	root->hierarchy = root->fd = -1;
	if (mnt < 0)
		return err_hint(err, "the kernel needs CONFIG_CGROUPS");
	root->hierarchy = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(root->name, sizeof(root->name), "cowbell.%016llx", (unsigned long long)instance);
	if (root->hierarchy < 0 || (mkdirat(root->hierarchy, root->name, 0755) < 0 && errno != EEXIST))
		return err_sys(err, "make control group '%s'", root->name);
	root->fd = openat(root->hierarchy, root->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0)
		return err_sys(err, "open control group '%s'", root->name);
	if (faccessat(root->fd, "cgroup.kill", W_OK, 0) == 0)
		root->features |= FEATURE_CGROUP_KILL;
	remove_stale(root);
	enable_controllers(root);
	return 0;
}

void cgroup_root_close(struct cgroup_root *root)
{
	if (root->fd >= 0)
		(void)close(root->fd);
	if (root->hierarchy >= 0) {
		(void)unlinkat(root->hierarchy, root->name, AT_REMOVEDIR);
		(void)close(root->hierarchy);
	}
	root->fd = root->hierarchy = -1;
}

int cgroup_session_create(struct cgroup_root *root, const char *name, uint64_t memory_max, uint32_t pids_max,
			  struct err *err)
{
	cleanup_fd int fd = -1;
	char text[32];

	if (mkdirat(root->fd, name, 0755) < 0 && errno != EEXIST)
		return err_sys(err, "make control group '%s'", name);
	fd = openat(root->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open control group '%s'", name);
	if (memory_max && (root->features & FEATURE_CGROUP_MEMORY)) {
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)memory_max);
		if (write_file(fd, "memory.max", text) < 0)
			return err_sys(err, "limit the memory of '%s'", name);
	}
	if (pids_max && (root->features & FEATURE_CGROUP_PIDS)) {
		(void)snprintf(text, sizeof(text), "%u", pids_max);
		if (write_file(fd, "pids.max", text) < 0)
			return err_sys(err, "limit the processes of '%s'", name);
	}
	return steal_fd(&fd);
}

/* Before 5.14: until nobody is left that could fork. */
static int kill_each(int fd, struct err *err)
{
	for (int round = 0; round < 100; round++) {
		cleanup_free char *text = NULL;
		char *save = NULL;
		bool any = false;

		if (fd_read_file(fd, "cgroup.procs", 1 << 20, &text, NULL, err) < 0)
			return -1;
		for (char *w = strtok_r(text, "\n", &save); w; w = strtok_r(NULL, "\n", &save)) {
			any = true;
			(void)kill((pid_t)atoi(w), SIGKILL);
		}
		if (!any)
			return 0;
	}
	return err_set(err, EBUSY, "processes of a control group do not end");
}

int cgroup_kill(int fd, struct err *err)
{
	if (write_file(fd, "cgroup.kill", "1") == 0)
		return 0;
	if (errno != ENOENT)
		return err_sys(err, "kill a control group");
	return kill_each(fd, err);
}

int cgroup_freeze(int fd, bool frozen, struct err *err)
{
	if (write_file(fd, "cgroup.freeze", frozen ? "1" : "0") < 0)
		return err_sys(err, "%s a control group", frozen ? "freeze" : "thaw");
	return 0;
}

/* A process that is just ending counts with whoever waits for it. */
static uint64_t written_by(const char *pid, int proc)
{
	cleanup_free char *text = NULL, *path = xasprintf("%s/io", pid);
	struct err err = { 0 };
	const char *line;

	if (fd_read_file(proc, path, 4096, &text, NULL, &err) < 0)
		return 0;
	line = strstr(text, "\nwrite_bytes: ");
	return line ? strtoull(line + strlen("\nwrite_bytes: "), NULL, 10) : 0;
}

uint64_t cgroup_bytes_written(int fd, int proc)
{
	cleanup_free char *text = NULL;
	char *save = NULL;
	struct err err = { 0 };
	uint64_t sum = 0;

	if (fd_read_file(fd, "cgroup.procs", 1 << 20, &text, NULL, &err) < 0)
		return 0;
	for (char *w = strtok_r(text, "\n", &save); w; w = strtok_r(NULL, "\n", &save))
		sum += written_by(w, proc);
	return sum;
}

bool cgroup_populated(int fd)
{
	cleanup_free char *text = NULL;
	struct err err = { 0 };

	if (fd_read_file(fd, "cgroup.events", 4096, &text, NULL, &err) < 0)
		return false;
	return strstr(text, "populated 1") != NULL;
}

int cgroup_session_remove(struct cgroup_root *root, const char *name)
{
	if (unlinkat(root->fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -1;
	return 0;
}
