/* SPDX-License-Identifier: MIT
 *
 * Opening a file for writing copies it up even if nothing is written. Such a
 * copy, equal in everything to the frozen layer below, is taken out of the
 * upper again before it counts as a change. In doubt a file stays.
 */
#include "keeper/keeper.h"
#include "keeper/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

struct trim {
	int *layers;
	size_t count;
	char path[4096];
};

/* The regular file at path as the layers show it, open for reading; -1 when it
 * is not a plain case (missing, hidden, moved about, no file). */
static int find_below(const struct trim *t, const char *path)
{
	for (size_t i = 0; i < t->count; i++) {
		cleanup_fd int dir = openat(t->layers[i], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		const char *p = path;
		bool last_layer = false, missing = false;

		while (dir >= 0 && !missing) {
			size_t n = strcspn(p, "/");
			char name[256];
			struct stat st;
			int next;

			if (n >= sizeof(name))
				return -1;
			memcpy(name, p, n);
			name[n] = '\0';
			if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
				missing = true;
				break;
			}
			if (mark_is_whiteout(&st))
				return -1;
			if (!p[n])
				return S_ISREG(st.st_mode)
					       ? openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
					       : -1;
			if (!S_ISDIR(st.st_mode))
				return -1;
			next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			(void)close(dir);
			dir = next;
			if (dir >= 0 && mark_is_opaque(dir))
				last_layer = true;
			if (dir >= 0) {
				cleanup_free char *redirect = mark_redirect(dir);

				if (redirect)
					return -1;
			}
			p += n + 1;
		}
		if (last_layer)
			return -1;
	}
	return -1;
}

static bool same_content(int a, int b)
{
	static uint8_t x[1 << 16], y[1 << 16];
	ssize_t n, m;

	for (;;) {
		n = read(a, x, sizeof(x));
		m = read(b, y, sizeof(y));
		if (n != m || n < 0)
			return false;
		if (n == 0)
			return true;
		if (memcmp(x, y, (size_t)n) != 0)
			return false;
	}
}

static bool plain_xattrs(int fd)
{
	char names[4096];
	ssize_t n = flistxattr(fd, names, sizeof(names));

	for (char *p = names; n > 0 && p < names + n; p += strlen(p) + 1) {
		if (strncmp(p, "trusted.overlay.", 16) != 0)
			return false;
	}
	return n >= 0 || errno == ENOTSUP;
}

static bool is_equal(int dir, const char *name, int below)
{
	cleanup_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat x, y;

	return fd >= 0 && fstat(fd, &x) == 0 && fstat(below, &y) == 0 && S_ISREG(y.st_mode) &&
	       x.st_mode == y.st_mode && x.st_uid == y.st_uid && x.st_gid == y.st_gid && x.st_size == y.st_size &&
	       x.st_nlink == 1 && !mark_mostly_holes(&x) && x.st_mtim.tv_sec == y.st_mtim.tv_sec && x.st_mtim.tv_nsec == y.st_mtim.tv_nsec &&
	       plain_xattrs(fd) && plain_xattrs(below) && same_content(fd, below);
}

static int trim_folder(struct trim *t, int dir, int depth, struct err *err)
{
	struct names names = { 0 };
	size_t len = strlen(t->path);
	int rc = names_read(&names, dir, err);

	for (size_t i = 0; i < names.count && rc == 0; i++) {
		struct stat st;
		int n = snprintf(t->path + len, sizeof(t->path) - len, "%s%s", len ? "/" : "", names.of[i]);

		if (n > 0 && (size_t)n < sizeof(t->path) - len && depth < KEEPER_DEPTH_MAX &&
		    fstatat(dir, names.of[i], &st, AT_SYMLINK_NOFOLLOW) == 0) {
			if (S_ISREG(st.st_mode)) {
				cleanup_fd int below = find_below(t, t->path);

				if (below >= 0 && is_equal(dir, names.of[i], below))
					(void)unlinkat(dir, names.of[i], 0);
			} else if (S_ISDIR(st.st_mode)) {
				cleanup_fd int sub =
					openat(dir, names.of[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
				cleanup_free char *redirect = sub < 0 ? NULL : mark_redirect(sub);

				if (sub >= 0 && !redirect && !mark_is_opaque(sub))
					rc = trim_folder(t, sub, depth + 1, err);
			}
		}
		t->path[len] = '\0';
	}
	names_finish(&names);
	return rc;
}

int trim_upper(const struct keeper *k, int fs_fd, const uint64_t *lids, size_t count, struct err *err)
{
	struct trim *t = xcalloc(1, sizeof(*t));
	int rc = 0;

	t->layers = xcalloc(count, sizeof(*t->layers));
	while (t->count < count && rc == 0) {
		t->layers[t->count] = layer_open(k, lids[t->count], err);
		rc = t->layers[t->count] < 0 ? -1 : 0;
		t->count += rc == 0;
	}
	if (rc == 0 && count)
		rc = trim_folder(t, fs_fd, 0, err);
	for (size_t i = 0; i < t->count; i++)
		(void)close(t->layers[i]);
	free(t->layers);
	free(t);
	return rc;
}
