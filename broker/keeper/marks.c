/* SPDX-License-Identifier: MIT
 *
 * Overlayfs' own marks in a layer (Documentation/filesystems/overlayfs.rst):
 * whiteouts are character devices 0:0; opaque and redirect are attributes that
 * only the system's root can write, so an app cannot forge them.
 */
#include "keeper/keeper.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define OPAQUE "trusted.overlay.opaque"
#define REDIRECT "trusted.overlay.redirect"

bool mark_mostly_holes(const struct stat *st)
{
	return st->st_size > (off_t)64 << 20 && st->st_blocks < st->st_size / 1024;
}

bool mark_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

bool mark_is_opaque(int dir_fd)
{
	char value[4];

	return fgetxattr(dir_fd, OPAQUE, value, sizeof(value)) >= 1 && value[0] == 'y';
}

char *mark_redirect(int dir_fd)
{
	char value[4096];
	ssize_t n = fgetxattr(dir_fd, REDIRECT, value, sizeof(value) - 1);

	if (n <= 0)
		return NULL;
	value[n] = '\0';
	return xstrdup(value);
}

int mark_set_opaque(int dir_fd, struct err *err)
{
	if (fsetxattr(dir_fd, OPAQUE, "y", 1, 0) < 0)
		return err_sys(err, "mark a folder opaque");
	return 0;
}

int mark_set_redirect(int dir_fd, const char *target, struct err *err)
{
	if (fsetxattr(dir_fd, REDIRECT, target, strlen(target), 0) < 0)
		return err_sys(err, "mark a folder as moved");
	return 0;
}
