/* SPDX-License-Identifier: MIT
 *
 * One file as it was in a generation: its layers are stacked read-only in the
 * keeper's own room, so that overlayfs itself decides what is visible.
 */
#include "keeper/keeper.h"

#include "base/fd.h"
#include "platform/arm/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

static int stack_layers(const uint64_t *lids, size_t count, struct err *err)
{
	char lower[4096] = "";
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		n += (size_t)snprintf(lower + n, sizeof(lower) - n, "store/layers/%016" PRIx64 "/fs:", lids[i]);
		if (n >= sizeof(lower) - 64)
			return err_set(err, E2BIG, "more layers than can be stacked");
	}
	/* A read-only overlay wants two lower folders. */
	(void)snprintf(lower + n, sizeof(lower) - n, "none,redirect_dir=follow,metacopy=off");
	memmove(lower + 9, lower, strlen(lower) + 1);
	memcpy(lower, "lowerdir=", 9);
	if (chdir("/") < 0 ||
	    mount("overlay", "view", "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, lower) < 0)
		return err_sys(err, "stack the layers of the generation");
	return 0;
}

static int copy_out(int in, int out, uint64_t *ret_size, struct err *err)
{
	static char buf[1 << 16];
	ssize_t n;

	*ret_size = 0;
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (fd_write_full(out, buf, (size_t)n) < 0)
			return err_sys(err, "write the file out");
		*ret_size += (uint64_t)n;
	}
	return n < 0 ? err_sys(err, "read the file") : 0;
}

int cat_file(const struct keeper *k, const char *path, const uint64_t *lids, size_t count, int out, uint64_t *ret_size,
	     struct err *err)
{
	cleanup_fd int view = -1, file = -1;
	struct stat st;

	(void)k;
	if (stack_layers(lids, count, err) < 0)
		return -1;
	view = open("/view", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (view < 0)
		return err_sys(err, "open the generation");
	file = fd_open_beneath(view, path, O_PATH | O_NOFOLLOW, 0);
	if (file < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV))
		return err_set(err, ENOENT, "'%s' is not among the files that the app changed", path);
	if (file < 0 || fstat(file, &st) < 0)
		return err_sys(err, "open '%s'", path);
	if (S_ISDIR(st.st_mode))
		return err_set(err, EISDIR, "'%s' is a folder", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "'%s' is not a regular file", path);
	(void)close(steal_fd(&file));
	file = fd_open_beneath(view, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (file < 0)
		return err_sys(err, "open '%s'", path);
	return copy_out(file, out, ret_size, err);
}
