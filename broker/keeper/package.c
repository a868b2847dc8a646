/* SPDX-License-Identifier: MIT
 *
 * The packages that an install layer was made of, kept beside it
 * (layers/<id>/pkg/<n>) for as long as the layer itself: an app is installed
 * from what is kept, so what is kept is what was installed, and it can be
 * installed again when the host below it has changed.
 */
#include "keeper/keeper.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PACKAGE_MAX_BYTES ((uint64_t)4 << 30)

static int open_folder(const struct keeper *k, uint64_t lid, bool make, struct err *err)
{
	char path[LAYER_NAME_SIZE];
	cleanup_fd int layer = -1;
	int fd;

	layer_name(lid, path);
	layer = fd_open_beneath(k->store, path, O_RDONLY | O_DIRECTORY, 0);
	if (layer < 0)
		return err_sys(err, "open layer %016" PRIx64, lid);
	if (make && mkdirat(layer, "pkg", 0700) < 0 && errno != EEXIST)
		return err_sys(err, "make a folder for packages");
	fd = openat(layer, "pkg", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && !(errno == ENOENT && !make))
		return err_sys(err, "open the folder of packages");
	return fd;
}

/* A file is read from its beginning, wherever its descriptor stands: that is
 * shared with whoever passed it. */
static ssize_t read_source(int fd, bool seekable, char *buf, size_t size, uint64_t at)
{
	return seekable ? pread(fd, buf, size, (off_t)at) : read(fd, buf, size);
}

static int copy_in(int in, int out, uint64_t *ret_size, struct err *err)
{
	static char buf[1 << 16];
	struct stat st;
	bool seekable;
	ssize_t n;

	if (fstat(in, &st) < 0)
		return err_sys(err, "look at the package");
	seekable = S_ISREG(st.st_mode);
	for (*ret_size = 0; (n = read_source(in, seekable, buf, sizeof(buf), *ret_size)) > 0; *ret_size += (uint64_t)n) {
		if (*ret_size > PACKAGE_MAX_BYTES)
			return err_set(err, EFBIG, "the package is larger than %" PRIu64 " bytes", PACKAGE_MAX_BYTES);
		if (fd_write_full(out, buf, (size_t)n) < 0)
			return err_sys(err, "keep the package");
	}
	if (n < 0)
		return err_sys(err, "read the package");
	return fsync(out) < 0 ? err_sys(err, "sync the package") : 0;
}

int package_put(const struct keeper *k, uint64_t lid, unsigned int index, int in, uint64_t *ret_size, struct err *err)
{
	cleanup_fd int folder = open_folder(k, lid, true, err), out = -1;
	char name[16];

	if (folder < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%u", index);
	out = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(err, "keep the package");
	return copy_in(in, out, ret_size, err);
}

int package_get(const struct keeper *k, uint64_t lid, unsigned int index, int out, uint64_t *ret_size, struct err *err)
{
	cleanup_fd int folder = open_folder(k, lid, false, err), in = -1;
	static char buf[1 << 16];
	char name[16];
	ssize_t n;

	(void)snprintf(name, sizeof(name), "%u", index);
	if (folder >= 0)
		in = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0)
		return err_set(err, errno ? errno : ENOENT, "package %u of the install was not kept", index);
	for (*ret_size = 0; (n = read(in, buf, sizeof(buf))) > 0; *ret_size += (uint64_t)n) {
		if (fd_write_full(out, buf, (size_t)n) < 0)
			return err_sys(err, "pass the kept package on");
	}
	return n < 0 ? err_sys(err, "read the kept package") : 0;
}

int package_carry(const struct keeper *k, uint64_t from, uint64_t to, uint64_t *ret_count, uint64_t *ret_bytes,
		  struct err *err)
{
	cleanup_fd int source = open_folder(k, from, false, err), target = -1;
	char name[16];

	struct stat st;

	*ret_count = *ret_bytes = 0;
	if (source < 0)
		return err->msg[0] ? -1 : 0;
	target = open_folder(k, to, true, err);
	if (target < 0)
		return -1;
	for (;; (*ret_count)++) {
		(void)snprintf(name, sizeof(name), "%" PRIu64, *ret_count);
		if (linkat(source, name, target, name, 0) == 0) {
			if (fstatat(target, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
				*ret_bytes += (uint64_t)st.st_size;
			continue;
		}
		return errno == ENOENT ? 0 : err_sys(err, "carry a kept package over");
	}
}
