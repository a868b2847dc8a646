/* SPDX-License-Identifier: MIT
 *
 * Layers on the disk: layers/<id>/fs and, for an upper, work beside it. One is
 * built in tmp/ and moved into place by rename, each step synced: under
 * layers/ there are only whole ones.
 */
#include "keeper/keeper.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#define XATTR_LIST_MAX 65536u
#define XATTR_VALUE_MAX 65536u

void layer_name(uint64_t lid, char buf[LAYER_NAME_SIZE])
{
	(void)snprintf(buf, LAYER_NAME_SIZE, "layers/%016" PRIx64, lid);
}

static int no_layer(uint64_t lid, struct err *err)
{
	return err_sys(err, "open layer %016" PRIx64, lid);
}

int layer_open(const struct keeper *k, uint64_t lid, struct err *err)
{
	char path[LAYER_NAME_SIZE + 8];
	int fd;

	layer_name(lid, path);
	(void)strcat(path, "/fs");
	fd = fd_open_beneath(k->store, path, O_RDONLY | O_DIRECTORY, 0);
	return fd < 0 ? no_layer(lid, err) : fd;
}

static int copy_xattrs(int src, int dst)
{
	cleanup_free char *names = xcalloc(1, XATTR_LIST_MAX), *value = xcalloc(1, XATTR_VALUE_MAX);
	ssize_t n = flistxattr(src, names, XATTR_LIST_MAX), len;

	for (char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
		if (strncmp(name, "trusted.overlay.", 16) == 0)
			continue;
		len = fgetxattr(src, name, value, XATTR_VALUE_MAX);
		if (len >= 0 && fsetxattr(dst, name, value, (size_t)len, 0) < 0)
			return -1;
	}
	return n < 0 && errno != ENOTSUP ? -1 : 0;
}

int layer_copy_attributes(int src, int dst, struct err *err)
{
	struct stat st;
	struct timespec times[2];

	if (fstat(src, &st) < 0 || fchown(dst, st.st_uid, st.st_gid) < 0 || fchmod(dst, st.st_mode & 07777) < 0 ||
	    copy_xattrs(src, dst) < 0)
		return err_sys(err, "copy a folder's attributes");
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (futimens(dst, times) < 0)
		return err_sys(err, "copy a folder's times");
	return 0;
}

static void tmp_name(uint64_t lid, char buf[LAYER_NAME_SIZE])
{
	(void)snprintf(buf, LAYER_NAME_SIZE, "tmp/%016" PRIx64, lid);
}

int layer_begin(const struct keeper *k, uint64_t lid, int *ret_fs, struct err *err)
{
	char name[LAYER_NAME_SIZE];
	cleanup_fd int dir = -1;

	tmp_name(lid, name);
	if (remove_tree(k->store, name, err) < 0)
		return -1;
	if (mkdirat(k->store, name, 0700) < 0)
		return err_sys(err, "make layer %016" PRIx64, lid);
	dir = fd_open_beneath(k->store, name, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0 || mkdirat(dir, "fs", 0755) < 0 || mkdirat(dir, "work", 0700) < 0)
		return err_sys(err, "make layer %016" PRIx64, lid);
	*ret_fs = openat(dir, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fs < 0 ? no_layer(lid, err) : 0;
}

static int sync_folder(int store, const char *name)
{
	cleanup_fd int fd = openat(store, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -1 : fsync(fd);
}

int layer_finish(const struct keeper *k, uint64_t lid, struct err *err)
{
	char from[LAYER_NAME_SIZE], to[LAYER_NAME_SIZE];

	tmp_name(lid, from);
	layer_name(lid, to);
	if (sync_folder(k->store, from) < 0 || renameat(k->store, from, k->store, to) < 0 ||
	    sync_folder(k->store, "layers") < 0 || sync_folder(k->store, "tmp") < 0)
		return err_sys(err, "put layer %016" PRIx64 " in place", lid);
	return 0;
}

int layer_make(const struct keeper *k, uint64_t lid, int attrs_fd, uint32_t base, struct err *err)
{
	cleanup_fd int fs = -1;

	if (layer_begin(k, lid, &fs, err) < 0)
		return -1;
	if (attrs_fd >= 0) {
		if (layer_copy_attributes(attrs_fd, fs, err) < 0)
			return -1;
	} else if (fchown(fs, base, base) < 0 || fchmod(fs, 0755) < 0) {
		return err_sys(err, "give layer %016" PRIx64 " its owner", lid);
	}
	if (fsync(fs) < 0)
		return err_sys(err, "sync layer %016" PRIx64, lid);
	return layer_finish(k, lid, err);
}
