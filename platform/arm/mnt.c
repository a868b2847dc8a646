/* SPDX-License-Identifier: MIT
 *
 * The mount API of Linux 5.2 and later. Every descriptor is born O_CLOEXEC, so
 * that a mount which was never attached vanishes with its holder.
 */
#include "platform/arm/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* The kernel queues its reasons as lines "e text" on the context. */
static void read_reason(int fs, char *buf, size_t size)
{
	char line[256];
	int saved = errno;
	ssize_t n;

	buf[0] = '\0';
	while ((n = read(fs, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		(void)snprintf(buf, size, "%s", n > 2 && line[1] == ' ' ? line + 2 : line);
	}
	errno = saved;
}

static int fs_error(int fs, const char *type, const char *what, struct err *err)
{
	char reason[256];

	read_reason(fs, reason, sizeof(reason));
	(void)err_sys(err, "%s of a new %s", what, type);
	if (reason[0])
		(void)err_hint(err, "the kernel says: %s", reason);
	return -1;
}

int mnt_new(const char *type, unsigned int attrs, const struct mnt_option *options, struct err *err)
{
	cleanup_fd int fs = fsopen(type, FSOPEN_CLOEXEC);
	int mnt;

	if (fs < 0)
		return err_sys(err, "open file system type '%s'", type);
	for (; options && options->key; options++) {
		unsigned int cmd = options->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (fsconfig(fs, cmd, options->key, options->value, 0) < 0)
			return fs_error(fs, type, options->key, err);
	}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_error(fs, type, "creation", err);
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, attrs);
	if (mnt < 0)
		return fs_error(fs, type, "mount", err);
	return mnt;
}

int mnt_clone(int dirfd, const char *path, struct err *err)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (path[0] ? 0 : AT_EMPTY_PATH);
	int mnt = open_tree(dirfd, path, flags);

	if (mnt < 0)
		return err_sys(err, "clone mount at '%s'", path);
	return mnt;
}

int mnt_attach(int mnt, int target_fd, const char *what, struct err *err)
{
	if (move_mount(mnt, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "attach mount at '%s'", what);
	return 0;
}

int mnt_attach_at(int mnt, int dirfd, const char *name, struct err *err)
{
	cleanup_fd int target = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (target < 0)
		return err_sys(err, "open mount point '%s'", name);
	return mnt_attach(mnt, target, name, err);
}

int mnt_set(int mnt, uint64_t attrs, int userns_fd, struct err *err)
{
	struct mount_attr ma = { .attr_set = attrs, .propagation = MS_PRIVATE };

	if (userns_fd >= 0) {
		ma.attr_set |= MOUNT_ATTR_IDMAP;
		ma.userns_fd = (uint64_t)userns_fd;
	}
	if (mount_setattr(mnt, "", AT_EMPTY_PATH, &ma, sizeof(ma)) < 0)
		return err_sys(err, userns_fd >= 0 ? "map the owners of a mount" : "set the attributes of a mount");
	return 0;
}

int mnt_freeze(int mnt, struct err *err)
{
	cleanup_fd int fs = fspick(mnt, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);

	if (fs < 0)
		return err_sys(err, "take up the app's root file system");
	if (fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return err_sys(err, "ask for a read-only root file system");
	if (fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return err_sys(err, "turn the app's root file system read-only");
	return 0;
}
