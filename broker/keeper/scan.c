/* SPDX-License-Identifier: MIT
 *
 * What a session changed, told path by path in sorted order, with a hash of
 * every file and one over all of it. Only regular files are opened. What lies too
 * deep for a path is not told, but counts: an app that makes it must not thereby
 * escape from becoming a generation that can be gone back from.
 */
#include "keeper/keeper.h"
#include "keeper/names.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PATH_BYTES 4096u

struct scan {
	const struct scan_ops *ops;
	struct keeper_result *result;
	crypto_generichash_state root;
	char path[PATH_BYTES];
};

static int hash_extent(crypto_generichash_state *state, int fd, off_t from, off_t end)
{
	static uint8_t buf[1 << 16];
	int64_t place[2] = { from, end };

	(void)crypto_generichash_update(state, (const uint8_t *)place, sizeof(place));
	while (from < end) {
		size_t most = end - from < (off_t)sizeof(buf) ? (size_t)(end - from) : sizeof(buf);
		ssize_t n = pread(fd, buf, most, from);

		if (n <= 0)
			return n < 0 ? -1 : 0;
		(void)crypto_generichash_update(state, buf, (unsigned long long)n);
		from += n;
	}
	return 0;
}

/* What the disk holds, and where: the holes of a file can be as large as an app
 * likes, and reading their zeros would keep us busy for days. */
static int hash_mostly_holes(int fd, off_t size, uint8_t hash[32])
{
	crypto_generichash_state state;
	off_t from = 0, end;

	(void)crypto_generichash_init(&state, NULL, 0, 32);
	(void)crypto_generichash_update(&state, (const uint8_t *)&size, sizeof(size));
	while ((from = lseek(fd, from, SEEK_DATA)) >= 0 && (end = lseek(fd, from, SEEK_HOLE)) > from) {
		if (hash_extent(&state, fd, from, end) < 0)
			return -1;
		from = end;
	}
	if (from < 0 && errno != ENXIO)
		return -1;
	(void)crypto_generichash_final(&state, hash, 32);
	return 0;
}

static int hash_file(int fd, uint8_t hash[32])
{
	static uint8_t buf[1 << 16];
	crypto_generichash_state state;
	ssize_t n;

	(void)crypto_generichash_init(&state, NULL, 0, 32);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		(void)crypto_generichash_update(&state, buf, (unsigned long long)n);
	if (n < 0)
		return -1;
	(void)crypto_generichash_final(&state, hash, 32);
	return 0;
}

static void hash_entry(struct scan *s, enum entry_kind kind, const char *target, const struct stat *st,
		       const uint8_t hash[32])
{
	uint64_t numbers[5] = { (uint64_t)kind, st->st_mode, st->st_uid, st->st_gid, (uint64_t)st->st_size };

	if (kind != ENTRY_FILE)
		numbers[4] = 0;
	(void)crypto_generichash_update(&s->root, (const uint8_t *)s->path, strlen(s->path) + 1);
	(void)crypto_generichash_update(&s->root, (const uint8_t *)target, strlen(target) + 1);
	(void)crypto_generichash_update(&s->root, (const uint8_t *)numbers, sizeof(numbers));
	(void)crypto_generichash_update(&s->root, hash, 32);
}

static int tell(struct scan *s, enum entry_kind kind, const char *target, const struct stat *st,
		const uint8_t hash[32], struct err *err)
{
	s->result->entries++;
	/* All names of a file lie in this layer: each takes its part. */
	s->result->bytes += (uint64_t)st->st_blocks * 512 / (kind == ENTRY_FILE && st->st_nlink > 1 ? st->st_nlink : 1);
	hash_entry(s, kind, target, st, hash);
	return s->ops->on_entry(s->ops->data, kind, s->path, target, st, hash, err);
}

static int scan_file(struct scan *s, int dir, const char *name, const struct stat *st, struct err *err)
{
	uint8_t hash[32];
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int rc = fd < 0 ? -1 : mark_mostly_holes(st) ? hash_mostly_holes(fd, st->st_size, hash) : hash_file(fd, hash);

	if (rc < 0)
		err_sys(err, "read a file of the layer");
	if (fd >= 0)
		(void)close(fd);
	return rc < 0 ? -1 : tell(s, ENTRY_FILE, "", st, hash, err);
}

static int scan_link(struct scan *s, int dir, const char *name, const struct stat *st, struct err *err)
{
	static const uint8_t none[32];
	char target[PATH_BYTES];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return err_sys(err, "read a symlink of the layer");
	target[n] = '\0';
	return tell(s, ENTRY_SYMLINK, target, st, none, err);
}

/* Its name and the time of its last change stand for all that lies there. */
static int pass_over(struct scan *s, int dir, const char *name, struct err *err)
{
	struct stat st;
	int64_t when[2];

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "look at a file of the layer");
	when[0] = st.st_ctim.tv_sec;
	when[1] = st.st_ctim.tv_nsec;
	(void)crypto_generichash_update(&s->root, (const uint8_t *)name, strlen(name) + 1);
	(void)crypto_generichash_update(&s->root, (const uint8_t *)when, sizeof(when));
	s->result->too_deep++;
	return 0;
}

static int scan_folder(struct scan *s, int dir, bool inside_new, int depth, struct err *err);

/* A folder counts when it is new: opaque, moved, or inside one that is. One that
 * merely leads to a change below it does not. */
static int scan_subfolder(struct scan *s, int dir, const char *name, const struct stat *st, bool inside_new, int depth,
			  struct err *err)
{
	static const uint8_t none[32];
	cleanup_fd int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_free char *redirect = NULL;
	bool opaque;
	int rc = 0;

	if (fd < 0)
		return err_sys(err, "open a folder of the layer");
	redirect = mark_redirect(fd);
	opaque = mark_is_opaque(fd);
	if (redirect)
		rc = tell(s, ENTRY_MOVED, redirect, st, none, err);
	else if (opaque)
		rc = tell(s, ENTRY_REPLACED, "", st, none, err);
	else if (inside_new)
		rc = tell(s, ENTRY_DIR, "", st, none, err);
	return rc < 0 ? -1 : scan_folder(s, fd, !redirect && (opaque || inside_new), depth + 1, err);
}

static int scan_entry(struct scan *s, int dir, const char *name, bool inside_new, int depth, struct err *err)
{
	static const uint8_t none[32];
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "look at a file of the layer");
	if (mark_is_whiteout(&st))
		return tell(s, ENTRY_DELETED, "", &st, none, err);
	if (S_ISREG(st.st_mode))
		return scan_file(s, dir, name, &st, err);
	if (S_ISLNK(st.st_mode))
		return scan_link(s, dir, name, &st, err);
	if (S_ISDIR(st.st_mode))
		return scan_subfolder(s, dir, name, &st, inside_new, depth, err);
	if (S_ISFIFO(st.st_mode))
		return tell(s, ENTRY_FIFO, "", &st, none, err);
	if (S_ISSOCK(st.st_mode))
		return tell(s, ENTRY_SOCKET, "", &st, none, err);
	return 0; /* other nodes cannot be made by an app and are not opened by anybody */
}

static int scan_folder(struct scan *s, int dir, bool inside_new, int depth, struct err *err)
{
	struct names names = { 0 };
	size_t len = strlen(s->path);
	int rc = names_read(&names, dir, err);

	names_sort(&names);
	for (size_t i = 0; i < names.count && rc == 0; i++) {
		int n = snprintf(s->path + len, sizeof(s->path) - len, "%s%s", len ? "/" : "", names.of[i]);

		if (n < 0 || (size_t)n >= sizeof(s->path) - len || depth > KEEPER_DEPTH_MAX)
			rc = pass_over(s, dir, names.of[i], err);
		else
			rc = scan_entry(s, dir, names.of[i], inside_new, depth, err);
		s->path[len] = '\0';
	}
	names_finish(&names);
	return rc;
}

int scan_layer(int fs_fd, const struct scan_ops *ops, struct keeper_result *ret, struct err *err)
{
	struct scan *s = xcalloc(1, sizeof(*s));
	int rc;

	s->ops = ops;
	s->result = ret;
	(void)crypto_generichash_init(&s->root, NULL, 0, 32);
	rc = scan_folder(s, fs_fd, false, 0, err);
	(void)crypto_generichash_final(&s->root, ret->root_hash, 32);
	ret->changed = ret->entries != 0 || ret->too_deep != 0;
	free(s);
	return rc;
}
