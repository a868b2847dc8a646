/* SPDX-License-Identifier: MIT
 *
 * Whether apps can live where the store lies. Asked once, at the start, of the
 * kernel itself: a list of file systems would be wrong with its next version.
 */
#include "cowbelld/daemon.h"

#include "platform/arm/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *const folders[] = { "tmp/probe", "tmp/probe/lower", "tmp/probe/upper", "tmp/probe/work" };

/* A mount that was never attached goes with its descriptor; the kernel's own
 * folders in the work folder stay. */
static void clean_up(int store)
{
	(void)unlinkat(store, "tmp/probe/work/work", AT_REMOVEDIR);
	(void)unlinkat(store, "tmp/probe/work/index", AT_REMOVEDIR);
	for (size_t i = ARRAY_LEN(folders); i > 0; i--)
		(void)unlinkat(store, folders[i - 1], AT_REMOVEDIR);
}

int probe_store(const struct daemon *d, struct err *err)
{
	char text[3][48];
	const struct mnt_option options[] = {
		{ "lowerdir", text[0] }, { "upperdir", text[1] }, { "workdir", text[2] },
		{ "index", "off" },      { "metacopy", "off" },   { NULL, NULL },
	};
	cleanup_fd int mnt = -1;
	int fds[3] = { -1, -1, -1 };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (mkdirat(d->store_fd, folders[i], 0700) < 0 && errno != EEXIST) {
			err_sys(err, "make folder '%s/%s'", d->store, folders[i]);
			goto out;
		}
		if (i == 0)
			continue;
		fds[i - 1] = openat(d->store_fd, folders[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		(void)snprintf(text[i - 1], sizeof(text[i - 1]), "/proc/self/fd/%d", fds[i - 1]);
	}
	mnt = mnt_new("overlay", 0, options, err);
	if (mnt < 0) {
		err_wrap(err, "the file system of '%s' cannot hold the changes of apps", d->store);
		err_hint(err, "choose a --root on ext4, btrfs, xfs or tmpfs");
	}
out:
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
	clean_up(d->store_fd);
	return mnt < 0 ? -1 : 0;
}
