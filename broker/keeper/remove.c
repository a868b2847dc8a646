/* SPDX-License-Identifier: MIT
 *
 * Deleting layers: out of layers/ by one rename, then away in the trash. What
 * apps leave behind to be hard to delete (deep trees, immutable files) is
 * deleted all the same.
 */
#include "keeper/keeper.h"
#include "keeper/names.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

static void make_mutable(int dir, const char *name)
{
	cleanup_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int flags;

	if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
		(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
}

static int unlink_one(int dir, const char *name, int flags)
{
	if (unlinkat(dir, name, flags) == 0 || errno == ENOENT)
		return 0;
	if (errno != EPERM)
		return -1;
	make_mutable(dir, ".");
	make_mutable(dir, name);
	return unlinkat(dir, name, flags) == 0 || errno == ENOENT ? 0 : -1;
}

/* Empties a folder whose subfolders hold only plain files; subfolders that hold
 * folders are first moved up beside it, so that no depth is too deep. */
static int empty_folder(int top, int dir, int depth, struct err *err);

static int remove_subfolder(int top, int dir, const char *name, int depth, struct err *err)
{
	static unsigned int serial;
	char moved[32];

	if (depth >= 64) {
		(void)snprintf(moved, sizeof(moved), ".deep-%u", serial++);
		if (renameat(dir, name, top, moved) == 0)
			return 0; /* its turn comes when the top is listed again */
	}
	{
		cleanup_fd int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			return errno == ENOENT ? 0 : err_sys(err, "open a folder to delete");
		if (empty_folder(top, fd, depth + 1, err) < 0)
			return -1;
	}
	return unlink_one(dir, name, AT_REMOVEDIR) < 0 ? err_sys(err, "delete a folder") : 0;
}

static int empty_folder(int top, int dir, int depth, struct err *err)
{
	struct names names = { 0 };
	int rc = names_read(&names, dir, err);

	for (size_t i = 0; i < names.count && rc == 0; i++) {
		struct stat st;

		if (fstatat(dir, names.of[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			rc = errno == ENOENT ? 0 : err_sys(err, "look at a file to delete");
		else if (S_ISDIR(st.st_mode))
			rc = remove_subfolder(top, dir, names.of[i], depth, err);
		else if (unlink_one(dir, names.of[i], 0) < 0)
			rc = err_sys(err, "delete a file");
	}
	names_finish(&names);
	return rc;
}

int remove_tree(int parent, const char *name, struct err *err)
{
	for (int round = 0; round < 1000; round++) {
		cleanup_fd int fd = fd_open_beneath(parent, name, O_RDONLY | O_DIRECTORY, 0);

		if (fd < 0)
			return errno == ENOENT ? 0 : err_sys(err, "open '%s' to delete it", name);
		if (empty_folder(fd, fd, 0, err) < 0)
			return -1;
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != ENOTEMPTY)
			return err_sys(err, "delete '%s'", name);
	}
	return err_set(err, EBUSY, "'%s' does not become empty", name);
}

static int empty_by_name(const struct keeper *k, const char *name, struct err *err)
{
	cleanup_fd int fd = openat(k->store, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct names names = { 0 };
	int rc;

	if (fd < 0)
		return err_sys(err, "open '%s'", name);
	rc = names_read(&names, fd, err);
	for (size_t i = 0; i < names.count && rc == 0; i++)
		rc = remove_tree(fd, names.of[i], err);
	names_finish(&names);
	return rc;
}

static int to_trash(const struct keeper *k, const char *hex, struct err *err)
{
	char from[64], to[64];

	(void)snprintf(from, sizeof(from), "layers/%.40s", hex);
	(void)snprintf(to, sizeof(to), "trash/%.40s", hex);
	/* An equal name in the trash is what an earlier try left of this one. */
	if (renameat(k->store, from, k->store, to) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return remove_tree(k->store, to, err) < 0 || renameat(k->store, from, k->store, to) < 0
			       ? err_sys(err, "drop layer %s", hex)
			       : 0;
	return err_sys(err, "drop layer %s", hex);
}

static int sync_layers(const struct keeper *k, struct err *err)
{
	cleanup_fd int fd = openat(k->store, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_sys(err, "sync the store");
	return 0;
}

int remove_layers(const struct keeper *k, const uint64_t *lids, size_t count, struct err *err)
{
	char hex[LAYER_NAME_SIZE];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(hex, sizeof(hex), "%016" PRIx64, lids[i]);
		if (to_trash(k, hex, err) < 0)
			return -1;
	}
	if (sync_layers(k, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(hex, sizeof(hex), "trash/%016" PRIx64, lids[i]);
		if (remove_tree(k->store, hex, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_kept(const struct keeper *k, uint64_t newest, const char *name)
{
	char *end;
	uint64_t lid = strtoull(name, &end, 16);

	if (*end != '\0' || strlen(name) != 16)
		return false;
	if (lid > newest)
		return true;
	for (size_t i = 0; i < k->keep_count; i++) {
		if (k->keep[i] == lid)
			return true;
	}
	return false;
}

int remove_garbage(const struct keeper *k, uint64_t newest, struct err *err)
{
	cleanup_fd int fd = openat(k->store, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct names names = { 0 };
	int rc = fd < 0 ? err_sys(err, "open the layers") : names_read(&names, fd, err);

	for (size_t i = 0; i < names.count && rc == 0; i++) {
		if (!is_kept(k, newest, names.of[i]))
			rc = to_trash(k, names.of[i], err);
	}
	names_finish(&names);
	if (rc == 0)
		rc = sync_layers(k, err);
	if (rc == 0)
		rc = empty_by_name(k, "tmp", err);
	return rc < 0 ? -1 : empty_by_name(k, "trash", err);
}
