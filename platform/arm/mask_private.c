/* SPDX-License-Identifier: MIT
 *
 * In folders that are shared as they are, what is private by its mode is hidden:
 * an installer is root inside and would pass the mode. And the walk through a
 * folder of the host, which mask_public.c uses too.
 */
#include "platform/arm/mask.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

int mask_each(int dirfd, const char *dir, mask_entry_fn fn, void *data, unsigned int depth, struct err *err)
{
	DIR *d = fdopendir(dirfd);
	struct mask_entry entry = { .dirfd = dirfd, .dir = dir, .depth = depth };
	struct dirent *e;
	int r = 0;

	if (!d) {
		(void)close(dirfd);
		return err_sys(err, "read folder '/%s'", dir);
	}
	while (r == 0 && (errno = 0, e = readdir(d))) {
		entry.name = e->d_name;
		entry.type = e->d_type;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (snprintf(entry.path, sizeof(entry.path), "%s/%s", dir, e->d_name) >= (int)sizeof(entry.path))
			r = err_set(err, ENAMETOOLONG, "read folder '/%s': a path is too long", dir);
		else
			r = fn(data, &entry, err);
	}
	if (r == 0 && errno)
		r = err_sys(err, "read folder '/%s'", dir);
	(void)closedir(d);
	return r;
}

bool mask_is_private(const struct stat *st)
{
	return !(st->st_mode & S_IROTH) || (S_ISDIR(st->st_mode) && !(st->st_mode & S_IXOTH));
}

static bool is_hidden(const struct mask *mask, const char *path)
{
	struct stat st;

	return fstatat(mask->view, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode);
}

static int hide_private(void *data, const struct mask_entry *e, struct err *err)
{
	const struct mask *mask = data;
	struct stat st;
	int fd;

	if (e->type == DT_LNK)
		return 0;
	if (fstatat(e->dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "look at '/%s'", e->path);
	if (S_ISLNK(st.st_mode))
		return 0;
	mask_saw_as(mask, WITNESS_CONTENT, e->path, &st);
	if (mask_is_private(&st) || (S_ISDIR(st.st_mode) && e->depth >= MASK_DEPTH_MAX))
		return mask_hide(mask, e->path, err);
	if (!S_ISDIR(st.st_mode) || is_hidden(mask, e->path))
		return 0;
	fd = openat(e->dirfd, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "open folder '/%s'", e->path);
	return mask_each(fd, e->path, hide_private, data, e->depth + 1, err);
}

int mask_hide_private(const struct mask *mask, const char *name, struct err *err)
{
	char path[PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "/%s", name);
	mask_saw(mask, WITNESS_CONTENT, name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "open folder '%s'", path);
	return mask_each(fd, name, hide_private, (void *)(uintptr_t)mask, 0, err);
}
