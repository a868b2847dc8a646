/* SPDX-License-Identifier: MIT
 *
 * Layers are frozen while this runs; every folder on the way was seen to be a
 * folder, and paths are opened without following anything all the same.
 */
#include "keeper/lookup.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_BYTES 8192u

void merged_dir_add(struct merged_dir *dir, size_t layer, const char *path)
{
	if (dir->count == ARRAY_LEN(dir->at))
		return;
	dir->at[dir->count].layer = layer;
	dir->at[dir->count++].path = xstrdup(path);
}

void merged_dir_finish(struct merged_dir *dir)
{
	for (size_t i = 0; i < dir->count; i++)
		free(dir->at[i].path);
	dir->count = 0;
}

void lookup_finish(struct lookup *l)
{
	merged_dir_finish(&l->dir);
	free(l->path);
	free(l->redirect);
}

/* Text is never cut: a shortened path names something else. */
static bool put(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);

static bool put(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < size;
}

enum found { FOUND_NONE, FOUND_WHITEOUT, FOUND_FILE, FOUND_DIR };

struct walk {
	char name[PATH_BYTES]; /* relative, or absolute once redirected so */
	bool stop, is_dir;
};

/* Not there, and not "could not be looked at": who takes the one for the other
 * leaves files out of a merged layer. */
static enum found look(struct stack *stack, size_t layer, const char *path, struct stat *st)
{
	cleanup_fd int fd = fd_open_beneath(stack->fds[layer], *path ? path : ".", O_PATH | O_NOFOLLOW, 0);

	if (fd < 0 || fstat(fd, st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
			stack->failed = errno;
		return FOUND_NONE;
	}
	if (mark_is_whiteout(st))
		return FOUND_WHITEOUT;
	return S_ISDIR(st->st_mode) ? FOUND_DIR : FOUND_FILE;
}

static enum found too_long(struct stack *stack)
{
	stack->failed = ENAMETOOLONG;
	return FOUND_NONE;
}

/* opaque: *ret_opaque; the redirect, if there is one, in buf. */
static bool read_marks(struct stack *stack, size_t layer, const char *path, bool *ret_opaque, char *buf)
{
	cleanup_fd int fd = fd_open_beneath(stack->fds[layer], path, O_RDONLY | O_DIRECTORY, 0);
	cleanup_free char *redirect = NULL;

	if (fd < 0)
		stack->failed = errno;
	*ret_opaque = fd >= 0 && mark_is_opaque(fd);
	if (fd < 0 || *ret_opaque)
		return false;
	redirect = mark_redirect(fd);
	if (!redirect)
		return false;
	(void)snprintf(buf, PATH_BYTES, "%s", redirect);
	return true;
}

static enum found look_relative(struct stack *stack, size_t layer, const char *base, struct walk *w, char *ret_path)
{
	char redirect[PATH_BYTES];
	struct stat st;
	enum found found;
	bool opaque;

	if (!put(ret_path, PATH_BYTES, "%s%s%s", base, *base ? "/" : "", w->name))
		return too_long(stack);
	found = look(stack, layer, ret_path, &st);
	if (found == FOUND_WHITEOUT || found == FOUND_FILE) {
		w->stop = true;
		return found == FOUND_FILE && w->is_dir ? FOUND_NONE : found;
	}
	if (found == FOUND_NONE)
		return found;
	if (read_marks(stack, layer, ret_path, &opaque, redirect)) {
		(void)snprintf(w->name, sizeof(w->name), "%s", redirect);
		if (redirect[0] == '/')
			w->stop = false;
	} else if (opaque) {
		w->stop = true;
	}
	return FOUND_DIR;
}

/* Component by component from the layer's root; a redirect on the way rewrites
 * what has been walked so far. */
static enum found look_absolute(struct stack *stack, size_t layer, struct walk *w, char *ret_path)
{
	char rest[PATH_BYTES], prefix[PATH_BYTES] = "", redirect[PATH_BYTES], *p = rest;
	struct stat st;

	(void)snprintf(rest, sizeof(rest), "%s", w->name + 1);
	ret_path[0] = '\0';
	for (;;) {
		char *slash = strchr(p, '/');
		char tail[PATH_BYTES] = "";
		enum found found;
		bool opaque;
		size_t len = strlen(ret_path);

		if (slash) {
			if (!put(tail, sizeof(tail), "/%s", slash + 1))
				return too_long(stack);
			*slash = '\0';
		}
		if (!put(ret_path + len, PATH_BYTES - len, "%s%s", len ? "/" : "", p))
			return too_long(stack);
		found = look(stack, layer, ret_path, &st);
		if (found == FOUND_NONE)
			return FOUND_NONE;
		if (found != FOUND_DIR) {
			w->stop = true;
			if (slash)
				return FOUND_NONE;
			return found == FOUND_FILE && w->is_dir ? FOUND_NONE : found;
		}
		if (read_marks(stack, layer, ret_path, &opaque, redirect)) {
			char head[PATH_BYTES];

			if (redirect[0] == '/')
				w->stop = false;
			if (!put(head, sizeof(head), "%s%s%s", redirect[0] == '/' ? "" : prefix,
				 redirect[0] == '/' ? "" : "/", redirect) ||
			    !put(w->name, sizeof(w->name), "%s%s", head, tail) ||
			    !put(prefix, sizeof(prefix), "%s", head))
				return too_long(stack);
		} else {
			size_t n = strlen(prefix);

			if (opaque)
				w->stop = true;
			if (!put(prefix + n, sizeof(prefix) - n, "/%s", p))
				return too_long(stack);
		}
		if (!slash)
			return FOUND_DIR;
		p = slash + 1;
	}
}

static void leave_range(const struct walk *w, const char *name, struct lookup *ret)
{
	ret->stopped_in_range = w->stop;
	if (strcmp(w->name, name) != 0)
		ret->redirect = xstrdup(w->name);
}

static void take(struct lookup *ret, struct walk *w, enum found found, size_t layer, const char *path)
{
	if (found == FOUND_WHITEOUT && !w->is_dir) {
		ret->kind = LOOKUP_WHITEOUT;
	} else if (found == FOUND_FILE) {
		ret->kind = LOOKUP_FILE;
		ret->layer = layer;
		ret->path = xstrdup(path);
	} else if (found == FOUND_DIR) {
		ret->kind = LOOKUP_DIR;
		w->is_dir = true;
		merged_dir_add(&ret->dir, layer, path);
	}
}

void lookup_name(struct stack *stack, const struct merged_dir *parent, const char *name, struct lookup *ret)
{
	struct walk *w = xcalloc(1, sizeof(*w));
	bool from_roots = false, left = false;
	size_t i = 0;

	memset(ret, 0, sizeof(*ret));
	(void)snprintf(w->name, sizeof(w->name), "%s", name);
	while (i < (from_roots ? stack->count : parent->count)) {
		size_t layer = from_roots ? i : parent->at[i].layer;
		const char *base = from_roots ? "" : parent->at[i].path;
		char path[PATH_BYTES];
		enum found found;

		i++;
		if (layer >= stack->range && !left) {
			left = true;
			leave_range(w, name, ret);
			if (ret->kind != LOOKUP_DIR && ret->kind != LOOKUP_NONE)
				break;
		}
		if (w->stop)
			break;
		found = w->name[0] == '/' ? look_absolute(stack, layer, w, path)
					  : look_relative(stack, layer, base, w, path);
		take(ret, w, found, layer, path);
		if (!from_roots && w->name[0] == '/') {
			from_roots = true;
			i = layer + 1;
		}
		if (w->stop)
			break;
	}
	if (!left)
		leave_range(w, name, ret);
	free(w);
}
