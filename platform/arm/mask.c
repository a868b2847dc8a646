/* SPDX-License-Identifier: MIT
 *
 * Built from empty each time, so that nothing can be left over in it. What the
 * mask does not name does not exist for an app.
 */
#include "platform/arm/mask.h"

#include "base/fd.h"
#include "platform/arm/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static const struct {
	const char *name;
	mode_t mode;
} own[] = {
	{ "home", 0755 }, { "root", 0700 }, { "boot", 0755 }, { "srv", 0755 }, { "mnt", 0755 }, { "media", 0755 },
	{ "opt", 0755 }, { "tmp", 01777 }, { "run", 0755 }, { "proc", 0555 }, { "sys", 0555 }, { "dev", 0755 },
	{ "var", 0755 }, { "var/lib", 0755 }, { "var/cache", 0755 }, { "var/log", 0755 }, { "var/tmp", 01777 },
	{ "var/spool", 0755 }, { "var/mail", 02775 }, { "var/local", 02775 }, { "var/opt", 0755 },
	{ "var/backups", 0755 }, { "var/lib/misc", 0755 }, { "var/lib/systemd", 0755 }, { "var/cache/ldconfig", 0700 },
	{ "var/cache/apt", 0755 }, { "var/cache/apt/archives", 0755 }, { "var/cache/apt/archives/partial", 0700 },
	{ "var/lib/apt", 0755 }, { "var/lib/apt/lists", 0755 }, { "var/lib/apt/lists/partial", 0700 },
};

const struct mnt_option mask_tmpfs[] = {
	{ "mode", "0755" }, { "size", "16m" }, { "nr_inodes", "16k" }, { NULL, NULL },
};

static int set_xattr(const struct mask *mask, const char *name, const char *key, const char *value, struct err *err)
{
	cleanup_fd int fd = fd_open_beneath(mask->view, name, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0 || fsetxattr(fd, key, value, strlen(value), 0) < 0)
		return err_sys(err, "mark '/%s' in the mask", name);
	return 0;
}

static int set_owner(const struct mask *mask, const char *name, uid_t uid, gid_t gid, mode_t mode, struct err *err)
{
	cleanup_fd int fd = fd_open_beneath(mask->view, name, O_RDONLY | O_NOFOLLOW, 0);

	/* chown first: it clears set-id bits. */
	if (fd < 0 || fchown(fd, mask->shift + uid, mask->shift + gid) < 0 || fchmod(fd, mode & 07777) < 0)
		return err_sys(err, "set the owner of '/%s' in the mask", name);
	return 0;
}

void mask_saw_as(const struct mask *mask, enum witness_care care, const char *name, const struct stat *st)
{
	char path[PATH_MAX + 1];

	(void)snprintf(path, sizeof(path), "/%s", name);
	witness_add(mask->witness, care, path, st);
}

void mask_saw(const struct mask *mask, enum witness_care care, const char *name)
{
	struct stat st;

	mask_saw_as(mask, care, name, mask_host_stat(name, &st) ? &st : NULL);
}

static int make_dir(const struct mask *mask, const char *name, uid_t uid, gid_t gid, mode_t mode, struct err *err)
{
	if (mkdirat(mask->view, name, 0700) < 0) {
		if (errno == EEXIST)
			return 0;
		return err_sys(err, "make '/%s' in the mask", name);
	}
	return set_owner(mask, name, uid, gid, mode, err);
}

int mask_dir(const struct mask *mask, const char *name, struct err *err)
{
	size_t len = strlen(name);
	char part[PATH_MAX];

	if (len >= sizeof(part))
		return err_set(err, ENAMETOOLONG, "make '/%s' in the mask: the path is too long", name);
	for (size_t n = 1; n <= len; n++) {
		struct stat st;

		if (name[n] && name[n] != '/')
			continue;
		memcpy(part, name, n);
		part[n] = '\0';
		if (fstatat(mask->view, part, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		mask_saw(mask, WITNESS_SHAPE, part);
		if (!mask_host_stat(part, &st) || !S_ISDIR(st.st_mode))
			st = (struct stat){ .st_mode = S_IFDIR | 0755 };
		if (make_dir(mask, part, st.st_uid, st.st_gid, st.st_mode, err) < 0)
			return -1;
	}
	return 0;
}

static int make_parent(const struct mask *mask, const char *name, struct err *err)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(name, '/');
	struct stat st;

	if (!slash)
		return 0;
	(void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - name), name);
	if (fstatat(mask->view, parent, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return mask_dir(mask, parent, err);
}

int mask_hide(const struct mask *mask, const char *name, struct err *err)
{
	struct err why = { 0 };

	if (make_parent(mask, name, &why) < 0) {
		/* A folder that leads to it is hidden already, or is our own file. */
		if (why.code == ENOTDIR)
			return 0;
		*err = why;
		return -1;
	}
	if (mknodat(mask->view, name, S_IFCHR, makedev(0, 0)) < 0 && errno != EEXIST)
		return err_sys(err, "hide '/%s'", name);
	return 0;
}

int mask_bytes(const struct mask *mask, const char *name, const void *data, size_t size, mode_t mode, gid_t gid,
	       struct err *err)
{
	cleanup_fd int fd = -1;

	if (make_parent(mask, name, err) < 0)
		return -1;
	fd = fd_open_beneath(mask->view, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0 || fd_write_full(fd, data, size) < 0 ||
	    ((mask->shift || gid) && fchown(fd, mask->shift, mask->shift + gid) < 0) || fchmod(fd, mode) < 0)
		return err_sys(err, "write '/%s' in the mask", name);
	return 0;
}

int mask_file(const struct mask *mask, const char *name, const char *text, mode_t mode, gid_t gid, struct err *err)
{
	return mask_bytes(mask, name, text, strlen(text), mode, gid, err);
}

int mask_link(const struct mask *mask, const char *name, const char *target, struct err *err)
{
	if (make_parent(mask, name, err) < 0)
		return -1;
	if (symlinkat(target, mask->view, name) < 0)
		return err_sys(err, "link '/%s' in the mask", name);
	return 0;
}

int mask_share(const struct mask *mask, const char *name, struct err *err)
{
	char path[PATH_MAX], target[PATH_MAX];
	struct stat st;
	ssize_t n;

	mask_saw(mask, WITNESS_SHAPE, name);
	if (!mask_host_stat(name, &st))
		return 0;
	(void)snprintf(path, sizeof(path), "/%s", name);
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			return err_sys(err, "read link '%s'", path);
		target[n] = '\0';
		return mask_link(mask, name, target, err);
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (mask_dir(mask, name, err) < 0)
		return -1;
	return set_xattr(mask, name, "trusted.overlay.redirect", path, err);
}

static int make_own(const struct mask *mask, struct err *err)
{
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		/* A link such as /var/mail -> spool/mail stays one; where it leads is ours again. */
		if (strncmp(own[i].name, "var/", 4) == 0)
			mask_saw(mask, WITNESS_SHAPE, own[i].name);
		if (strncmp(own[i].name, "var/", 4) == 0 && mask_host_stat(own[i].name, &st) && S_ISLNK(st.st_mode)) {
			if (mask_share(mask, own[i].name, err) < 0)
				return -1;
			continue;
		}
		if (make_dir(mask, own[i].name, 0, own[i].mode & S_ISGID ? 8 : 0, own[i].mode, err) < 0 ||
		    set_xattr(mask, own[i].name, "trusted.overlay.opaque", "y", err) < 0)
			return -1;
	}
	if (symlinkat("/run", mask->view, "var/run") < 0 || symlinkat("/run/lock", mask->view, "var/lock") < 0)
		return err_sys(err, "link '/var/run' in the mask");
	return 0;
}

/* Makes path; of what leads to it, everything below from is the owner's. */
static int make_owned(const struct mask *mask, const char *path, const char *from, mode_t mode, struct err *err)
{
	const struct platform_owner *o = &mask->spec->owner;
	char part[PATH_MAX];

	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(p - path - 1), path + 1);
		if (strlen(part) + 1 > strlen(from)) {
			if (make_dir(mask, part, o->uid, o->gid, 0755, err) < 0)
				return -1;
		} else if (mask_dir(mask, part, err) < 0) {
			return -1;
		}
	}
	return make_dir(mask, path + 1, o->uid, o->gid, mode, err);
}

static int make_home(const struct mask *mask, struct err *err)
{
	const char *home = mask->spec->owner.home;
	char part[PATH_MAX];
	struct stat st;
	mode_t mode = 0700;

	if (!platform_path_is_clean(home) || strlen(home) >= sizeof(part))
		return err_set(err, EINVAL, "home '%s' is not a clean absolute path", home);
	for (size_t i = 0; mask_shared_var[i]; i++) {
		(void)snprintf(part, sizeof(part), "/%s", mask_shared_var[i]);
		if (platform_path_is_within(home, part))
			return err_set(err, EINVAL, "home '%s' lies in what apps share with the host", home);
	}
	if (mask_covers_shared(home))
		return err_set(err, EINVAL, "home '%s' holds what apps share with the host", home);
	/* Below the top, what leads to the home is there and empty: it may hold other people's. */
	for (const char *p = strchr(home + 1, '/'); p; p = strchr(p + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(p - home - 1), home + 1);
		if (make_dir(mask, part, 0, 0, 0755, err) < 0)
			return -1;
		if (strchr(part, '/') && set_xattr(mask, part, "trusted.overlay.opaque", "y", err) < 0)
			return -1;
	}
	mask_saw(mask, WITNESS_SHAPE, home + 1);
	if (lstat(home, &st) == 0 && S_ISDIR(st.st_mode))
		mode = (st.st_mode & 0755) | 0700;
	if (make_dir(mask, home + 1, mask->spec->owner.uid, mask->spec->owner.gid, mode, err) < 0 ||
	    set_owner(mask, home + 1, mask->spec->owner.uid, mask->spec->owner.gid, mode, err) < 0)
		return -1;
	return set_xattr(mask, home + 1, "trusted.overlay.opaque", "y", err);
}

static int make_gate(const struct mask *mask, const struct platform_gate *gate, struct err *err)
{
	const struct platform_owner *o = &mask->spec->owner;
	const char *from = gate->path;
	char name[64];

	if (!platform_path_is_clean(gate->path) || strlen(gate->path) >= PATH_MAX)
		return err_set(err, EINVAL, "gate '%s' is not a clean absolute path", gate->path);
	if (platform_path_is_within(gate->path, o->home))
		from = o->home;
	if (make_owned(mask, gate->path, from, 0755, err) < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%s/%u", PLATFORM_VAULT, gate->gate);
	if (make_dir(mask, name, 0, 0, 0700, err) < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%s/%u/empty", PLATFORM_VAULT, gate->gate);
	return make_dir(mask, name, o->uid, o->gid, 0700, err);
}

static int fill(const struct mask *mask, struct err *err)
{
	for (size_t i = 0; mask_shared[i]; i++) {
		if (strcmp(mask_shared[i], "etc") != 0 && mask_share(mask, mask_shared[i], err) < 0)
			return -1;
	}
	/* Of /etc shows what is copied or named, nothing else. */
	if (mask_dir(mask, "etc", err) < 0 || set_xattr(mask, "etc", "trusted.overlay.opaque", "y", err) < 0)
		return -1;
	if (make_own(mask, err) < 0)
		return -1;
	for (size_t i = 0; mask_shared_var[i]; i++) {
		if (mask_share(mask, mask_shared_var[i], err) < 0)
			return -1;
	}
	if (mask_etc_fill(mask, err) < 0 || mask_hide(mask, "var/lib/dbus/machine-id", err) < 0 ||
	    mask_hide(mask, "var/lib/dpkg/lock", err) < 0 || mask_hide(mask, "var/lib/dpkg/lock-frontend", err) < 0 ||
	    mask_hide_private(mask, "var/cache/debconf", err) < 0 ||
	    mask_hide_private(mask, "usr/local/etc", err) < 0)
		return -1;
	if (mask_check_mounts(mask, err) < 0)
		return -1;
	for (size_t i = 0; i < mask->spec->hidden_count; i++) {
		if (mask_hide_path(mask, mask->spec->hidden[i], err) < 0)
			return -1;
	}
	if (make_home(mask, err) < 0 || make_dir(mask, PLATFORM_VAULT, 0, 0, 0700, err) < 0)
		return -1;
	for (size_t i = 0; i < mask->spec->gate_count; i++) {
		/* Devices have their places in the private /dev and /sys. */
		if (mask->spec->gates[i].kind == PLATFORM_GATE_FOLDER &&
		    make_gate(mask, &mask->spec->gates[i], err) < 0)
			return -1;
	}
	return 0;
}

/* A mask that something young went into has no witness: nobody can say that the
 * host is still the same. */
static int write_witness(const struct mask *mask, int mnt, struct err *err)
{
	struct mask_witness head = { .view = mask_view_print(mask->spec) };
	cleanup_fd int fd = -1;

	if (mask->witness->young)
		return 0;
	if (mask_mounts_print(&head.mounts, err) < 0)
		return -1;
	fd = openat(mnt, MASK_WITNESS, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || fd_write_full(fd, &head, sizeof(head)) < 0 ||
	    fd_write_full(fd, mask->witness->bytes, mask->witness->len) < 0)
		return err_sys(err, "write down what the mask was made from");
	return 0;
}

int mask_create(const struct platform_view *view, uint32_t shift, struct err *err)
{
	cleanup_fd int mnt = mnt_new("tmpfs", 0, mask_tmpfs, err);
	struct witness witness;
	struct mask mask = { .view = -1, .shift = shift, .spec = view, .witness = &witness };
	int r = -1;

	if (mnt < 0)
		return err_wrap(err, "build the base view");
	witness_begin(&witness);
	if (mkdirat(mnt, MASK_VIEW, 0755) < 0 ||
	    (mask.view = openat(mnt, MASK_VIEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    fchown(mask.view, shift, shift) < 0 ||
	    fsetxattr(mask.view, "trusted.overlay.opaque", "y", 1, 0) < 0)
		(void)err_sys(err, "make the mask's root");
	else if (fill(&mask, err) == 0)
		r = write_witness(&mask, mnt, err);
	witness_finish(&witness);
	if (mask.view >= 0)
		(void)close(mask.view);
	return r < 0 ? -1 : steal_fd(&mnt);
}
