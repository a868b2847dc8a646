/* SPDX-License-Identifier: MIT
 *
 * Nothing of the host's own /dev, /run or /tmp is in these: each is a new file
 * system with a written list of content.
 */
#include "platform/arm/tree.h"

#include "platform/arm/mnt.h"
#include "platform/arm/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

#define TTY_GID 5u
#define CPU_DIR "devices/system/cpu"

static const struct {
	const char *name;
	unsigned int major, minor;
} nodes[] = {
	{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 }, { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "ptmx", "pts/ptmx" }, { "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" }, { "core", "/proc/kcore" },
};

static int open_dir(int dirfd, const char *name, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(err, "open '%s' of a private tree", name) : fd;
}

static int make_tmpfs(const char *mode, const char *size, const char *inodes, unsigned int attrs, struct err *err)
{
	const struct mnt_option options[] = {
		{ "mode", mode }, { "size", size }, { "nr_inodes", inodes }, { NULL, NULL },
	};

	return mnt_new("tmpfs", attrs, options, err);
}

static int make_path(int dir, const char *root, const char *path, struct err *err)
{
	char part[4096];

	for (size_t n = 1; n <= strlen(path) && n < sizeof(part); n++) {
		if (path[n] && path[n] != '/')
			continue;
		memcpy(part, path, n);
		part[n] = '\0';
		if (mkdirat(dir, part, 0755) < 0 && errno != EEXIST)
			return err_sys(err, "make '%s/%s'", root, part);
	}
	return 0;
}

static int make_link(int dir, const char *root, const char *path, const char *target, struct err *err)
{
	char above[4096];
	size_t n = strrchr(path, '/') ? (size_t)(strrchr(path, '/') - path) : 0;

	(void)snprintf(above, sizeof(above), "%.*s", (int)n, path);
	if (n && make_path(dir, root, above, err) < 0)
		return -1;
	/* A name that a private tree has of its own stays what it is. */
	if (symlinkat(target, dir, path) < 0 && errno != EEXIST)
		return err_sys(err, "link '%s/%s'", root, path);
	return 0;
}

/* What of the view lies below root: places for gates, and names that lead there. */
static int make_places(int dir, const char *root, const struct platform_view *view, struct err *err)
{
	size_t n = strlen(root);

	for (size_t i = 0; i < view->gate_count; i++) {
		const char *path = view->gates[i].path;

		if (platform_path_is_within(path, root) && path[n] && make_path(dir, root, path + n + 1, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < view->link_count; i++) {
		const char *path = view->links[i].path;

		if (platform_path_is_within(path, root) && path[n] &&
		    make_link(dir, root, path + n + 1, view->links[i].target, err) < 0)
			return -1;
	}
	return 0;
}

static int make_dev(int scratch, const struct platform_view *view, struct err *err)
{
	cleanup_fd int mnt = make_tmpfs("0755", "256k", "4k", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);

	if (mnt < 0 || mnt_attach_at(mnt, scratch, ROOT_SCRATCH_DEV, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		if (mknodat(mnt, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0)
			return err_sys(err, "make '/dev/%s'", nodes[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		if (symlinkat(links[i].target, mnt, links[i].name) < 0)
			return err_sys(err, "link '/dev/%s'", links[i].name);
	}
	if (mkdirat(mnt, "pts", 0755) < 0 || mkdirat(mnt, "shm", 0755) < 0)
		return err_sys(err, "make folders of '/dev'");
	if (make_places(mnt, "/dev", view, err) < 0)
		return -1;
	return steal_fd(&mnt);
}

static int add_cpus(int sys, struct err *err)
{
	cleanup_fd int cpu = open_tree(AT_FDCWD, "/sys/" CPU_DIR, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (cpu < 0)
		return errno == ENOENT ? 0 : err_sys(err, "clone '/sys/" CPU_DIR "'");
	if (mnt_set(cpu, MNT_PLAIN | MOUNT_ATTR_RDONLY, -1, err) < 0)
		return -1;
	return mnt_attach_at(cpu, sys, CPU_DIR, err);
}

static int make_sys(int scratch, const struct platform_view *view, struct err *err)
{
	cleanup_fd int mnt = make_tmpfs("0755", "64k", "4k", MNT_PLAIN, err);
	cleanup_fd int dir = -1;

	if (mnt < 0 || mnt_attach_at(mnt, scratch, ROOT_SCRATCH_SYS, err) < 0)
		return -1;
	dir = open_dir(mnt, ".", err);
	if (dir < 0 || make_path(dir, "/sys", CPU_DIR, err) < 0 || make_path(dir, "/sys", "class/leds", err) < 0 ||
	    make_path(dir, "/sys", "fs/cgroup", err) < 0 || make_places(dir, "/sys", view, err) < 0)
		return -1;
	if (add_cpus(dir, err) < 0 || mnt_set(mnt, MNT_PLAIN | MOUNT_ATTR_RDONLY, -1, err) < 0)
		return -1;
	return steal_fd(&mnt);
}

int tree_prepare(struct tree *tree, int scratch, const struct platform_view *view, struct err *err)
{
	const unsigned int plain = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

	*tree = TREE_NONE;
	/* Where no memory controller bounds an app these are its way to eat the memory:
	 * together they take less than a quarter, and a name costs about 1 kB. */
	if ((tree->dev = make_dev(scratch, view, err)) < 0 || (tree->sys = make_sys(scratch, view, err)) < 0 ||
	    (tree->shm = make_tmpfs("01777", "8%", "8k", plain, err)) < 0 ||
	    (tree->tmp = make_tmpfs("01777", "14%", "48k", plain, err)) < 0 ||
	    (tree->run = make_tmpfs("01777", "2%", "8k", plain, err)) < 0)
		return err_wrap(err, "private trees");
	return 0;
}

/* Fills the app's /run, which nothing shares with the host's. Programs that a system
 * starts find a folder of theirs there; here the app itself makes it (screen), so all
 * may, as in /tmp. What is ours in it is root's: who did not make it cannot move it. */
static int fill_run(int run, uint32_t base, const struct platform_owner *owner, struct err *err)
{
	char user[32];

	(void)snprintf(user, sizeof(user), "user/%u", owner->uid);
	if (mkdirat(run, "lock", 0700) < 0 || mkdirat(run, "user", 0755) < 0 || mkdirat(run, user, 0700) < 0 ||
	    mkdirat(run, "given", 0755) < 0 || fchownat(run, "given", base, base, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchownat(run, "lock", base, base, AT_SYMLINK_NOFOLLOW) < 0 || fchmodat(run, "lock", 01777, 0) < 0 ||
	    fchownat(run, "user", base, base, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchownat(run, user, base + owner->uid, base + owner->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "fill '/run'");
	return 0;
}

static int give(struct tree *tree, uint32_t base, const struct platform_owner *owner, struct err *err)
{
	const int mounts[] = { tree->shm, tree->tmp, tree->run };
	cleanup_fd int run = -1;

	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		if (fchownat(mounts[i], "", base, base, AT_EMPTY_PATH) < 0)
			return err_sys(err, "give a private tree to the app");
	}
	/* /dev stays the host root's: not even root inside can take a node away or put one there. */
	run = open_dir(tree->run, ".", err);
	return run < 0 ? -1 : fill_run(run, base, owner, err);
}

static int make_pts(uint32_t base, uid_t uid, struct err *err)
{
	char uid_text[16], gid_text[16];
	const struct mnt_option options[] = {
		/* The machine has one count of terminals for all instances. */
		{ "newinstance", NULL }, { "max", "256" },       { "ptmxmode", "0666" }, { "mode", "0620" },
		{ "uid", uid_text },     { "gid", gid_text },    { NULL, NULL },
	};

	(void)snprintf(uid_text, sizeof(uid_text), "%u", base + uid);
	(void)snprintf(gid_text, sizeof(gid_text), "%u", base + TTY_GID);
	return mnt_new("devpts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, options, err);
}

static int attach(int mnt, int root_fd, const char *path, uint32_t base, struct err *err)
{
	const struct root_owner owner = { base, base };
	cleanup_fd int target = root_mount_point(root_fd, path, 0, owner, owner, err);

	return target < 0 ? -1 : mnt_attach(mnt, target, path, err);
}

int tree_attach(struct tree *tree, int root_fd, uint32_t base, const struct platform_owner *owner, struct err *err)
{
	if (give(tree, base, owner, err) < 0)
		return -1;
	tree->pts = make_pts(base, owner->uid, err);
	if (tree->pts < 0 || mnt_attach_at(tree->pts, tree->dev, "pts", err) < 0 ||
	    mnt_attach_at(tree->shm, tree->dev, "shm", err) < 0)
		return -1;
	if (attach(tree->dev, root_fd, "/dev", base, err) < 0 || attach(tree->sys, root_fd, "/sys", base, err) < 0 ||
	    attach(tree->tmp, root_fd, "/tmp", base, err) < 0 || attach(tree->run, root_fd, "/run", base, err) < 0)
		return -1;
	return 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void tree_finish(struct tree *tree)
{
	close_one(&tree->dev);
	close_one(&tree->sys);
	close_one(&tree->shm);
	close_one(&tree->tmp);
	close_one(&tree->run);
}

int tree_open_pty(const struct tree *tree, uint32_t base, uint32_t uid, uint16_t rows, uint16_t columns,
		  int *ret_master, int *ret_slave, struct err *err)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	cleanup_fd int master = openat(tree->pts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	cleanup_fd int slave = -1;
	int unlock = 0;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(err, "open a terminal for the command");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || ioctl(master, TIOCSWINSZ, &size) < 0 || fchown(slave, base + uid, base + TTY_GID) < 0)
		return err_sys(err, "set up a terminal for the command");
	*ret_master = steal_fd(&master);
	*ret_slave = steal_fd(&slave);
	return 0;
}
