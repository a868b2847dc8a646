/* SPDX-License-Identifier: MIT
 *
 * Layers reach the kernel as descriptor numbers, so no path is long, raced or
 * shown to the app. Below the app's root every name is the app's word: it is
 * walked one name at a time, and never through a link.
 */
#include "platform/arm/root.h"

#include "base/fd.h"
#include "platform/arm/mask.h"
#include "platform/arm/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#define SAVED_SUFFIX ".cowbell-saved"
#define SAVED_MAX 64u

int root_check_host(struct err *err)
{
	struct statfs fs;

	if (statfs("/", &fs) < 0)
		return err_sys(err, "look at the root file system");
	if (fs.f_type != OVERLAYFS_SUPER_MAGIC)
		return 0;
	/* Base view and app are two; the kernel stacks no third. */
	(void)err_set(err, EOPNOTSUPP, "build the base view: the host's root is an overlay itself");
	return err_hint(err, "the kernel stacks two overlays at most, and an app needs both");
}

int root_scratch(int over_fd, struct err *err)
{
	static const struct mnt_option options[] = { { "mode", "0700" }, { "size", "64k" }, { NULL, NULL } };
	static const char *const names[] = {
		ROOT_SCRATCH_HOST, ROOT_SCRATCH_MASK, ROOT_SCRATCH_BASE, ROOT_SCRATCH_ROOT,
		ROOT_SCRATCH_DEV,  ROOT_SCRATCH_SYS,  ROOT_SCRATCH_PROC,
	};
	cleanup_fd int mnt = mnt_new("tmpfs", MNT_PLAIN, options, err);
	cleanup_fd int dir = -1;

	if (mnt < 0 || mnt_attach(mnt, over_fd, "scratch", err) < 0)
		return -1;
	dir = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, "open scratch");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (mkdirat(dir, names[i], 0700) < 0)
			return err_sys(err, "make scratch folder '%s'", names[i]);
	}
	return steal_fd(&dir);
}

static int attach_host(int scratch, int userns_fd, struct err *err)
{
	cleanup_fd int host = mnt_clone(AT_FDCWD, "/", err);

	if (host < 0)
		return -1;
	if (mnt_set(host, 0, userns_fd, err) < 0)
		return err_hint(err, "the root file system must support idmapped mounts");
	if (mnt_attach_at(host, scratch, ROOT_SCRATCH_HOST, err) < 0)
		return -1;
	return steal_fd(&host);
}

/* Mask over host. What apps get of it is the folder MASK_VIEW alone. */
static int attach_base(int scratch, int mask_mnt, int host, struct err *err)
{
	char lower[64];
	const struct mnt_option options[] = {
		{ "lowerdir", lower }, { "redirect_dir", "follow" }, { "ro", NULL }, { NULL, NULL },
	};
	cleanup_fd int base = -1;
	int view;

	(void)snprintf(lower, sizeof(lower), "%d:%d", mask_mnt, host);
	base = mnt_new("overlay", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, options, err);
	if (base < 0 || mnt_attach_at(base, scratch, ROOT_SCRATCH_BASE, err) < 0)
		return -1;
	view = openat(base, MASK_VIEW, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (view < 0)
		return err_sys(err, "open the base view");
	return view;
}

static int make_overlay(int view, const struct root_layers *layers, struct err *err)
{
	char lower[256], upper[16], work[16];
	const struct mnt_option options[] = {
		{ "upperdir", upper }, { "workdir", work }, { "lowerdir", lower }, { "redirect_dir", "on" },
		{ "index", "off" }, { "metacopy", "off" }, { NULL, NULL },
	};
	size_t n = 0;

	for (size_t i = 0; i <= layers->frozen_count; i++) {
		int fd = i < layers->frozen_count ? layers->frozen[i] : view;

		/* The kernel cuts a longer value silently in old interfaces; never get there. */
		n += (size_t)snprintf(lower + n, sizeof(lower) - n, "%s%d", i ? ":" : "", fd);
		if (n >= sizeof(lower))
			return err_set(err, E2BIG, "the app has too many layers");
	}
	(void)snprintf(upper, sizeof(upper), "%d", layers->upper);
	(void)snprintf(work, sizeof(work), "%d", layers->work);
	return mnt_new("overlay", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, options, err);
}

static int attach_root(struct root *ret, int scratch, int view, const struct root_layers *layers, struct err *err)
{
	cleanup_fd int mnt = make_overlay(view, layers, err);
	cleanup_fd int fd = -1;
	struct statvfs vfs;

	if (mnt < 0 || mnt_attach_at(mnt, scratch, ROOT_SCRATCH_ROOT, err) < 0)
		return -1;
	fd = openat(mnt, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstatvfs(fd, &vfs) < 0)
		return err_sys(err, "open the app's root");
	/* Overlay falls back to read-only without a word when it cannot use its work folder. */
	if ((vfs.f_flag & ST_RDONLY) && vfs.f_bavail == 0) {
		errno = ENOSPC;
		return err_sys(err, "begin the app's changes");
	}
	if (vfs.f_flag & ST_RDONLY)
		return err_set(err, EROFS, "the app's root came up read-only");
	ret->mnt = steal_fd(&mnt);
	ret->fd = steal_fd(&fd);
	return 0;
}

int root_build(struct root *ret, int scratch, int mask_mnt, int userns_fd, const struct root_layers *layers,
	       struct err *err)
{
	cleanup_fd int host = -1, view = -1;

	if (mnt_attach_at(mask_mnt, scratch, ROOT_SCRATCH_MASK, err) < 0)
		return -1;
	host = attach_host(scratch, userns_fd, err);
	if (host < 0)
		return -1;
	/* Layers are named by number, relative to here. */
	if (chdir("/proc/self/fd") < 0)
		return err_sys(err, "enter '/proc/self/fd'");
	view = attach_base(scratch, mask_mnt, host, err);
	if (view < 0)
		return err_wrap(err, "base view");
	if (attach_root(ret, scratch, view, layers, err) < 0)
		return err_wrap(err, "app's root");
	return 0;
}

/* Out of the way, under a name that was free. */
static int save_aside(int dir, const char *name, struct err *err)
{
	char saved[300];

	for (unsigned int i = 0; i < SAVED_MAX; i++) {
		if (i == 0)
			(void)snprintf(saved, sizeof(saved), "%s" SAVED_SUFFIX, name);
		else
			(void)snprintf(saved, sizeof(saved), "%s" SAVED_SUFFIX ".%u", name, i);
		if (renameat2(dir, name, dir, saved, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return err_sys(err, "rename what is in the way at '%s'", name);
}

static int step(int dir, const char *name, struct root_owner owner, struct err *err)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
	int next = fd_open_beneath(dir, name, flags, 0);

	if (next >= 0)
		return next;
	if (errno == ELOOP || errno == ENOTDIR) {
		if (save_aside(dir, name, err) < 0)
			return -1;
	} else if (errno != ENOENT) {
		return err_sys(err, "open '%s'", name);
	}
	if (mkdirat(dir, name, 0755) < 0)
		return err_sys(err, "make '%s'", name);
	if (fchownat(dir, name, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "give '%s' to its owner", name);
	next = fd_open_beneath(dir, name, flags, 0);
	return next < 0 ? err_sys(err, "open '%s'", name) : next;
}

int root_mount_point(int root_fd, const char *path, size_t below, struct root_owner first, struct root_owner owner,
		     struct err *err)
{
	int dir = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);

	if (dir < 0)
		return err_sys(err, "open the app's root");
	for (const char *p = path; *p;) {
		char name[256];
		size_t n = strcspn(p + 1, "/");
		int next;

		(void)snprintf(name, sizeof(name), "%.*s", (int)n, p + 1);
		next = step(dir, name, (size_t)(p - path) >= below ? owner : first, err);
		(void)close(dir);
		if (next < 0)
			return err_wrap(err, "mount point '%s' in the app's root", path);
		dir = next;
		p += n + 1;
	}
	return dir;
}

int root_enter(const struct root *root, struct err *err)
{
	if (fchdir(root->fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(err, "enter the app's root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(err, "leave the host's root");
	/* Shared among its own: Linux 6.19 lets autofs trigger only where a mount can be seen to arrive. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
		return err_sys(err, "share mounts inside the app's root");
	return 0;
}
