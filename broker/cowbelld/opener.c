/* SPDX-License-Identifier: MIT
 *
 * Turns "gate 3, read" into a detached mount of the owner's folder. The path is
 * our own table's; it is walked with the owner's rights, so that a symlink the
 * owner made leads no farther than the owner could go.
 */
#include "cowbelld/daemon.h"

#include "base/log.h"
#include "platform/arm/mnt.h"
#include "policy/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/statfs.h>

/* Whether dir is the folder from, or one above it. */
static bool holds(const struct stat *dir, int from)
{
	cleanup_fd int at = openat(from, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st, above;

	while (at >= 0 && fstat(at, &st) == 0) {
		int next;

		if (st.st_dev == dir->st_dev && st.st_ino == dir->st_ino)
			return true;
		next = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (next < 0 || fstat(next, &above) < 0 || (above.st_dev == st.st_dev && above.st_ino == st.st_ino)) {
			if (next >= 0)
				(void)close(next);
			break;
		}
		(void)close(at);
		at = next;
	}
	return false;
}

/* Missing folders are made only for an answer that lets the app write there, and
 * only when it does: then the owner wants them. */
static int make_as_owner(const char *path, mode_t mode)
{
	char part[PATH_SIZE];

	for (const char *p = strchr(path + 1, '/');; p = strchr(p + 1, '/')) {
		size_t n = p ? (size_t)(p - path) : strlen(path);

		memcpy(part, path, n);
		part[n] = '\0';
		if (mkdir(part, p ? 0755 : mode) < 0 && errno != EEXIST && errno != EACCES && errno != EROFS)
			return -1;
		if (!p)
			return 0;
	}
}

/* Whether dir is, or lies in, a folder that an answer can let an app write to. */
static bool is_shared(const struct daemon *d, int dir)
{
	for (size_t i = 0; i < d->resources.count; i++) {
		const struct resource *r = &d->resources.resources[i];
		struct stat st;

		/* One that leads to all of the home is never given. */
		if (r->kind == RESOURCE_FOLDER && stat(r->path, &st) == 0 && holds(&st, dir) &&
		    !opener_is_or_holds(&st, d->home))
			return true;
	}
	return false;
}

/* The link that was opened as link, found in dir, in front of what is left of the
 * path. A link that an app can make must lead to nowhere: an answer about Pictures
 * would open what the app likes. */
static int follow(const struct daemon *d, int dir, int link, char rest[PATH_SIZE])
{
	char target[PATH_SIZE], left[PATH_SIZE];
	ssize_t n = readlinkat(link, "", target, sizeof(target) - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	(void)snprintf(left, sizeof(left), "%s", rest);
	errno = is_shared(d, dir) ? EXDEV
		: snprintf(rest, PATH_SIZE, "%.4000s/%.4000s", target, left) >= (int)PATH_SIZE ? ENAMETOOLONG
											     : 0;
	return errno ? -1 : 0;
}

/* Opens the folder at an absolute path with the rights in force. EXDEV: it leads
 * through a link that an app may have made. */
static int walk(const struct daemon *d, const char *path)
{
	cleanup_fd int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char rest[PATH_SIZE], name[256];
	unsigned int links = 0;
	const char *p = rest;

	(void)snprintf(rest, sizeof(rest), "%s", path);
	while (at >= 0 && *(p += strspn(p, "/"))) {
		size_t n = strcspn(p, "/");
		struct stat st;
		int next;

		if (n >= sizeof(name)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, p, n);
		name[n] = '\0';
		p += n;
		next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 || fstat(next, &st) < 0)
			return -1;
		if (S_ISLNK(st.st_mode)) {
			memmove(rest, p, strlen(p) + 1);
			errno = ELOOP;
			if (++links > 40 || follow(d, at, next, rest) < 0) {
				int why = errno;

				(void)close(next);
				errno = why;
				return -1;
			}
			(void)close(next);
			p = rest;
			if (rest[0] != '/')
				continue;
			next = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		}
		(void)close(at);
		at = next;
	}
	return at < 0 ? -1 : openat(at, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int open_as_owner(struct daemon *d, const struct resource *r, bool make)
{
	mode_t mode = strcmp(r->permission, "contacts") == 0 ? 0700 : 0755;
	gid_t before[64];
	int count = getgroups(64, before), fd, saved;

	(void)setgroups(0, NULL);
	(void)setfsgid(d->owner_gid);
	(void)setfsuid(d->owner_uid);
	fd = walk(d, r->path);
	if (fd < 0 && errno == ENOENT && make) {
		mode_t mask = umask(022);

		if (make_as_owner(r->path, mode) == 0)
			fd = walk(d, r->path);
		(void)umask(mask);
	}
	saved = errno;
	(void)setfsuid(0);
	(void)setfsgid(0);
	if (count >= 0)
		(void)setgroups((size_t)count, before);
	errno = saved;
	return fd;
}

const char *opener_fs_name(int fd)
{
	static char text[32];
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return "unknown";
	switch ((unsigned long)fs.f_type) {
	case 0x01021994:
		return "tmpfs";
	case 0x794c7630:
		return "overlay";
	case 0x65735546:
		return "FUSE";
	case 0x2011bab0:
		return "exFAT";
	}
	(void)snprintf(text, sizeof(text), "type 0x%lx", (unsigned long)fs.f_type);
	return text;
}

bool opener_is_or_holds(const struct stat *dir, const char *path)
{
	cleanup_fd int at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return at >= 0 && holds(dir, at);
}

/* One answer opens one resource. A folder that is really a symlink to the whole
 * home, to what another gate guards, or to Cowbell's own files would open more
 * than the question said. */
static int check_scope(const struct daemon *d, const struct resource *r, int dir, struct err *err)
{
	const char *own[] = { d->home, d->state, d->run };
	char self[32], real[PATH_SIZE];
	struct stat st;
	ssize_t n;

	if (fstat(dir, &st) < 0)
		return err_sys(err, "look at '%s'", r->path);
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (opener_is_or_holds(&st, own[i]))
			return err_set(err, EPERM, "'%s' leads to a folder that also holds '%s'", r->path, own[i]);
	}
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", dir);
	n = readlink(self, real, sizeof(real) - 1);
	real[n > 0 ? n : 0] = '\0';
	if (strcmp(real, r->path) == 0)
		return 0; /* the owner put it there, in the folder that the question names */
	for (size_t i = 0; i < d->resources.count; i++) {
		const struct resource *other = &d->resources.resources[i];

		if (other->kind == RESOURCE_FOLDER && strcmp(other->permission, r->permission) != 0 && other->exists &&
		    opener_is_or_holds(&st, other->path))
			return err_set(err, EPERM, "'%s' leads to a folder that also holds '%s'", r->path, other->path);
	}
	return 0;
}

static int make_mount(struct daemon *d, uint64_t session, const struct resource *r, enum give give, bool ahead,
		      struct err *err)
{
	bool volume = volumes_resource(d, r->gate) == r;
	cleanup_fd int dir = -1, mnt = -1;
	uint64_t attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	int userns;

	if (volume && volumes_may_open(r, err) < 0)
		return -1;
	dir = open_as_owner(d, r, give == GIVE_WRITE && !ahead && !volume);
	if (dir < 0 && errno == ENOENT)
		return err_set(err, ENOENT, "'%s' does not exist yet", r->path);
	if (dir < 0 && errno == EXDEV) {
		err_set(err, EPERM, "'%s' leads through a link in a folder that apps may be given", r->path);
		return err_hint(err, "such a link can be an app's: name the folder itself in ~/.config/user-dirs.dirs");
	}
	if (dir < 0)
		return err_sys(err, "open '%s' as the owner", r->path);
	if ((volume && volumes_check(d, r, dir, err) < 0) || check_scope(d, r, dir, err) < 0)
		return -1;
	userns = session_userns(d, session, err);
	if (userns < 0)
		return -1;
	mnt = mnt_clone(dir, "", err);
	if (mnt < 0)
		return -1;
	if (give != GIVE_WRITE)
		attrs |= MOUNT_ATTR_RDONLY;
	if (mnt_set(mnt, attrs, userns, err) < 0) {
		if (err->code == EINVAL)
			err_set(err, EINVAL, "'%s' lies on a file system (%s) whose owners cannot be mapped for an app",
				r->path, opener_fs_name(dir));
		return -1;
	}
	return steal_fd(&mnt);
}

bool opener_handle(struct daemon *d, struct msg *m)
{
	uint16_t gate = rd_u16(&m->body);
	uint8_t give = rd_u8(&m->body), ahead = rd_u8(&m->body);
	const struct resource *volume = volumes_resource(d, gate), *r = volume ? volume : owner_resource(d, gate);
	struct err err = { 0 };
	struct wr *w;
	int mnt;

	if (!rd_end(&m->body) || !r)
		return false;
	if (r->kind != RESOURCE_FOLDER && give == GIVE_ALLOW && !ahead)
		mnt = devices_open(d, m->id, r, &err);
	else if (r->kind == RESOURCE_FOLDER && (give == GIVE_READ || give == GIVE_WRITE || (give == GIVE_COPY && !ahead)))
		mnt = make_mount(d, m->id, r, (enum give)give, ahead, &err);
	else
		return false;
	w = xcalloc(1, sizeof(*w));
	if (mnt >= 0) {
		chan_begin(w, MSG_MOUNT, m->id);
		wr_u16(w, gate);
		wr_u8(w, give);
		wr_u8(w, ahead);
		(void)session_pass(d, m->id, w, mnt);
	}
	chan_begin(w, MSG_OPENED, m->id);
	wr_u16(w, gate);
	wr_u8(w, give);
	wr_u8(w, ahead);
	wr_u32(w, mnt >= 0 ? 0 : (uint32_t)(err.code ? err.code : EIO));
	wr_str(w, err.msg);
	chan_send(d->broker, w, NULL, 0);
	free(w);
	return true;
}
