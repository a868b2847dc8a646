/* SPDX-License-Identifier: MIT
 *
 * Folders of the system. All of them are root's own; the store is for nobody
 * else, the database's folder for the broker alone.
 */
#include "cowbelld/daemon.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define LOCK_TRIES 40u

/* The folder name below dir, made if it is missing, with this owner and mode;
 * shown names it in errors. By descriptor and without symlinks: the folder
 * above may be the owner's, who must not turn our chown on another file. */
static int make_dir(int dir, const char *name, mode_t mode, uid_t uid, const char *shown, struct err *err)
{
	cleanup_fd int fd = -1;
	struct stat st;

	if (mkdirat(dir, name, mode) < 0 && errno != EEXIST)
		return err_sys(err, "make folder '%s'", shown);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(err, ENOTDIR, "'%s' is not a folder", shown);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open folder '%s'", shown);
	if ((st.st_uid != uid || (st.st_mode & 07777) != mode) && (fchown(fd, uid, 0) < 0 || fchmod(fd, mode) < 0))
		return err_sys(err, "set owner and mode of '%s'", shown);
	return steal_fd(&fd);
}

static int open_dir(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(err, "open folder '%s'", path) : fd;
}

static uint64_t hash_bytes(uint64_t h, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * 0x100000001b3ull;
	return h;
}

static void make_instance(struct daemon *d)
{
	cleanup_free char *machine = NULL;
	struct err err = { 0 };
	size_t n = 0;

	d->instance = hash_bytes(0xcbf29ce484222325ull, d->state, strlen(d->state));
	if (fd_read_file(AT_FDCWD, "/etc/machine-id", 128, &machine, &n, &err) == 0)
		d->instance = hash_bytes(d->instance, machine, n);
}

static int read_boot_id(struct daemon *d, struct err *err)
{
	cleanup_free char *text = NULL;

	if (fd_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 128, &text, NULL, err) < 0)
		return -1;
	text[strcspn(text, "\n")] = '\0';
	(void)snprintf(d->boot_id, sizeof(d->boot_id), "%.36s", text);
	return 0;
}

static int set_names(struct daemon *d, struct err *err)
{
	if (!d->options.root) {
		(void)snprintf(d->state, sizeof(d->state), "/var/lib/cowbell");
		(void)snprintf(d->run, sizeof(d->run), "/run/cowbell");
	} else {
		cleanup_free char *real = NULL;

		if (mkdir(d->options.root, 0755) < 0 && errno != EEXIST)
			return err_sys(err, "make root '%s'", d->options.root);
		real = realpath(d->options.root, NULL);
		if (!real)
			return err_sys(err, "resolve root '%s'", d->options.root);
		if (strcmp(real, "/") == 0) {
			err_set(err, EINVAL, "root '%s' is the host's own root", d->options.root);
			return err_hint(err, "leave --root out, or name a folder");
		}
		if (strlen(real) > PATH_SIZE - 64)
			return err_set(err, ENAMETOOLONG, "root '%s' is too long", real);
		(void)snprintf(d->root, sizeof(d->root), "%s", real);
		(void)snprintf(d->state, sizeof(d->state), "%.4000s/state", d->root);
		(void)snprintf(d->run, sizeof(d->run), "%.4000s/run/cowbell", d->root);
	}
	(void)snprintf(d->store, sizeof(d->store), "%.4080s/store", d->state);
	return 0;
}

bool paths_wait_for_killed(unsigned int *tries)
{
	const struct timespec pause = { 0, 50000000 };

	if (*tries == LOCK_TRIES)
		return false;
	(*tries)++;
	(void)nanosleep(&pause, NULL);
	return true;
}

static int lock_folder(struct daemon *d, int fd, struct err *err)
{
	unsigned int tries = 0;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_sys(err, "lock '%s'", d->state);
		if (!paths_wait_for_killed(&tries)) {
			err_set(err, EBUSY, "another cowbelld runs on '%s'", d->root[0] ? d->root : d->state);
			return err_hint(err, "stop it first, or choose another --root");
		}
	}
	return 0;
}

static int lock_state(struct daemon *d, struct err *err)
{
	d->lock_fd = make_dir(AT_FDCWD, d->state, 0755, 0, d->state, err);
	return d->lock_fd < 0 ? -1 : lock_folder(d, d->lock_fd, err);
}

/* Whether files of the store can share their blocks. */
static bool can_reflink(int store)
{
	cleanup_fd int a = openat(store, "tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	cleanup_fd int b = openat(store, "tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return a >= 0 && b >= 0 && fd_write_full(a, "x", 1) == 0 && ioctl(b, FICLONE, a) == 0;
}

int paths_open_programs(struct daemon *d, struct err *err)
{
	char self[PATH_SIZE], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return err_sys(err, "find our own program");
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	d->bin_fd = open_dir(self, err);
	return d->bin_fd < 0 ? -1 : 0;
}

int paths_open(struct daemon *d, struct err *err)
{
	if (set_names(d, err) < 0 || read_boot_id(d, err) < 0 || lock_state(d, err) < 0)
		return -1;
	make_instance(d);
	d->store_fd = make_dir(d->lock_fd, "store", 0700, 0, d->store, err);
	/* Each keeper inherits this one, and with it the lock: two that know different
	 * records must never work on the layers at the same time. */
	if (d->store_fd < 0 || lock_folder(d, d->store_fd, err) < 0)
		return -1;
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "layers", "tmp", "trash" };
		char shown[PATH_SIZE + 8];
		int fd;

		(void)snprintf(shown, sizeof(shown), "%s/%s", d->store, names[i]);
		fd = make_dir(d->store_fd, names[i], 0700, 0, shown, err);
		if (fd < 0)
			return -1;
		(void)close(fd);
	}
	if (probe_store(d, err) < 0)
		return -1;
	if (can_reflink(d->store_fd))
		d->features |= FEATURE_REFLINK;
	return 0;
}

/* The database's folder belongs to the broker; an earlier start may have had
 * another uid for it. */
static int open_meta(struct daemon *d, struct err *err)
{
	char path[PATH_SIZE + 8];
	static const char *const files[] = { "data.mdb", "lock.mdb" };

	(void)snprintf(path, sizeof(path), "%s/meta", d->state);
	d->meta_fd = make_dir(d->lock_fd, "meta", 0700, d->broker_uid, path, err);
	if (d->meta_fd < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (fchownat(d->meta_fd, files[i], d->broker_uid, d->broker_uid, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno != ENOENT)
			return err_sys(err, "give '%s/%s' to the broker", path, files[i]);
	}
	return 0;
}

int paths_listen(struct daemon *d, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	cleanup_fd int dir = -1, fd = -1;
	char parent[PATH_SIZE];

	if (open_meta(d, err) < 0 || state_check(d, err) < 0)
		return -1;
	(void)snprintf(parent, sizeof(parent), "%.4080s/fetch", d->state);
	d->fetch_fd = make_dir(d->lock_fd, "fetch", 0700, d->packages_uid, parent, err);
	if (d->fetch_fd < 0)
		return -1;
	(void)snprintf(parent, sizeof(parent), "%s", d->run);
	*strrchr(parent, '/') = '\0';
	if (mkdir(parent, 0755) < 0 && errno != EEXIST)
		return err_sys(err, "make folder '%s'", parent);
	dir = make_dir(AT_FDCWD, d->run, 0755, 0, d->run, err);
	if (dir < 0)
		return -1;
	(void)unlinkat(dir, "io.cowbell", 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* By descriptor: the path may be longer than a socket address holds. */
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/io.cowbell", dir);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    fchownat(dir, "io.cowbell", d->owner_uid, 0, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(dir, "io.cowbell", 0600, 0) < 0 || listen(fd, 64) < 0)
		return err_sys(err, "listen on '%s/io.cowbell'", d->run);
	d->listen_fd = steal_fd(&fd);
	return 0;
}

void paths_close(struct daemon *d)
{
	char path[PATH_SIZE + 16];

	if (d->listen_fd >= 0) {
		(void)snprintf(path, sizeof(path), "%s/io.cowbell", d->run);
		(void)unlink(path);
		(void)rmdir(d->run);
	}
}
