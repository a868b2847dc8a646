/* SPDX-License-Identifier: MIT
 *
 * A detached mount cannot be cloned (before Linux 6.15), and the host's namespace
 * gets no mount of ours: so the mask is attached in a namespace of its own. That
 * one pins nothing of the host: it is entered by pivot_root and the host's tree is
 * taken off it.
 */
#include "platform/arm/mask_keep.h"

#include "base/fd.h"
#include "platform/arm/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

bool mask_is_fresh(int mnt, const struct platform_view *view)
{
	cleanup_free char *bytes = NULL;
	struct mask_witness was;
	struct err err = { 0 };
	uint64_t mounts;
	size_t size;

	if (fd_read_file(mnt, MASK_WITNESS, 16 << 20, &bytes, &size, &err) < 0 || size < sizeof(was))
		return false;
	memcpy(&was, bytes, sizeof(was));
	return was.view == mask_view_print(view) && mask_mounts_print(&mounts, &err) == 0 && was.mounts == mounts &&
	       witness_holds((const uint8_t *)bytes + sizeof(was), size - sizeof(was));
}

/* Whoever cannot come back must not go on. */
static void come_back(int home_ns)
{
	if (setns(home_ns, CLONE_NEWNS) < 0 || chdir("/") < 0)
		abort();
}

int mask_take(int keep, int home_ns, const struct platform_view *view)
{
	cleanup_fd int mnt = -1;
	struct err err = { 0 };

	if (keep < 0 || setns(keep, CLONE_NEWNS) < 0)
		return -1;
	mnt = mnt_clone(AT_FDCWD, "/", &err);
	come_back(home_ns);
	return mnt >= 0 && mask_is_fresh(mnt, view) ? steal_fd(&mnt) : -1;
}

/* In the new namespace, a copy of ours: the mask becomes all there is. */
static int settle_in(int mnt, struct err *err)
{
	cleanup_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0 || mnt_freeze(mnt, err) < 0 || mnt_attach(mnt, root, "/", err) < 0)
		return root < 0 ? err_sys(err, "open '/'") : -1;
	if (fchdir(mnt) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return err_sys(err, "put the mask into a namespace of its own");
	return 0;
}

int mask_keep(int mnt, int home_ns, int proc, struct err *err)
{
	cleanup_fd int own = mnt;
	int keep = -1;

	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(err, "make a mount namespace for the mask");
	if (settle_in(own, err) == 0) {
		keep = openat(proc, "thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
		if (keep < 0)
			(void)err_sys(err, "open the mask's namespace");
	}
	come_back(home_ns);
	return keep;
}

/* --- copying --- */

struct copying {
	int from, to; /* folders */
	uint32_t shift;
};

static int copy_marks(int from, int to, struct err *err)
{
	static const char *const keys[] = { "trusted.overlay.opaque", "trusted.overlay.redirect" };
	char value[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		ssize_t n = fgetxattr(from, keys[i], value, sizeof(value));

		if (n >= 0 && fsetxattr(to, keys[i], value, (size_t)n, 0) < 0)
			return err_sys(err, "copy a mark of the mask");
	}
	return 0;
}

static int copy_dir(int from, int to, uint32_t shift, struct err *err);

static int copy_subdir(const struct copying *c, const char *name, const struct stat *st, struct err *err)
{
	cleanup_fd int from = openat(c->from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_fd int to = -1;

	if (from < 0 || mkdirat(c->to, name, 0700) < 0 ||
	    (to = openat(c->to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0 ||
	    fchown(to, c->shift + st->st_uid, c->shift + st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return err_sys(err, "copy folder '%s' of the mask", name);
	if (copy_marks(from, to, err) < 0)
		return -1;
	return copy_dir(from, to, c->shift, err);
}

static int copy_file(const struct copying *c, const char *name, const struct stat *st, struct err *err)
{
	cleanup_free char *bytes = NULL;
	cleanup_fd int to = -1;
	size_t size;

	if (fd_read_file(c->from, name, (size_t)st->st_size + 1, &bytes, &size, err) < 0)
		return -1;
	to = openat(c->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0 || fd_write_full(to, bytes, size) < 0 || fchown(to, c->shift + st->st_uid, c->shift + st->st_gid) < 0 ||
	    fchmod(to, st->st_mode & 07777) < 0)
		return err_sys(err, "copy '%s' of the mask", name);
	return 0;
}

static int copy_entry(void *data, const struct mask_entry *e, struct err *err)
{
	const struct copying *c = data;
	char text[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fstatat(c->from, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "look at '%s' of the mask", e->name);
	if (S_ISDIR(st.st_mode))
		return copy_subdir(c, e->name, &st, err);
	if (S_ISREG(st.st_mode))
		return copy_file(c, e->name, &st, err);
	if (S_ISLNK(st.st_mode)) {
		n = readlinkat(c->from, e->name, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		return n > 0 && symlinkat(text, c->to, e->name) == 0 ? 0 : err_sys(err, "copy link '%s' of the mask", e->name);
	}
	if (mknodat(c->to, e->name, S_IFCHR, st.st_rdev) < 0)
		return err_sys(err, "copy what hides '%s'", e->name);
	return 0;
}

static int copy_dir(int from, int to, uint32_t shift, struct err *err)
{
	struct copying c = { from, to, shift };
	int dir = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(err, "open a folder of the mask");
	return mask_each(dir, "", copy_entry, &c, 0, err);
}

int mask_copy(int mnt, uint32_t shift, struct err *err)
{
	cleanup_fd int to = mnt_new("tmpfs", 0, mask_tmpfs, err);
	struct copying c = { .from = mnt, .to = to, .shift = shift };
	struct stat st;

	if (to < 0)
		return err_wrap(err, "copy the base view");
	if (fstatat(mnt, MASK_VIEW, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "look at the mask");
	return copy_subdir(&c, MASK_VIEW, &st, err) < 0 ? -1 : steal_fd(&to);
}
