/* SPDX-License-Identifier: MIT
 *
 * Adjacent layers become one that shows the same: files are hard links, folders
 * are made anew with their attributes. The base below is not visible here, so a
 * whiteout stays unless an opaque folder makes it pointless.
 */
#include "keeper/lookup.h"
#include "keeper/names.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

struct merge {
	struct stack stack;
};

static int merge_folder(struct merge *m, const struct merged_dir *dir, int out, bool nothing_below, int depth,
			struct err *err);

static int make_whiteout(int out, const char *name, struct err *err)
{
	if (mknodat(out, name, S_IFCHR, 0) < 0)
		return err_sys(err, "make a whiteout");
	return 0;
}

static int link_file(struct merge *m, const struct lookup *l, int out, const char *name, struct err *err)
{
	char parent[8192], *slash;
	const char *base = l->path;
	cleanup_fd int dir = -1;

	/* The last folder is opened without following; the name in it is not a
	 * path. */
	(void)strncpy(parent, l->path, sizeof(parent) - 1);
	parent[sizeof(parent) - 1] = '\0';
	slash = strrchr(parent, '/');
	if (slash) {
		*slash = '\0';
		base = l->path + (slash - parent) + 1;
	}
	dir = fd_open_beneath(m->stack.fds[l->layer], slash ? parent : ".", O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0 || linkat(dir, base, out, name, 0) < 0)
		return err_sys(err, "link a file into the merged layer");
	return 0;
}

static int merge_subfolder(struct merge *m, const struct lookup *l, int out, const char *name, int depth,
			   struct err *err)
{
	cleanup_fd int from = -1, to = -1;

	if (depth >= KEEPER_DEPTH_MAX)
		return err_set(err, ELOOP, "folders lie more than %d deep", KEEPER_DEPTH_MAX);
	from = fd_open_beneath(m->stack.fds[l->dir.at[0].layer], l->dir.at[0].path, O_RDONLY | O_DIRECTORY, 0);
	if (from < 0 || mkdirat(out, name, 0700) < 0)
		return err_sys(err, "make a folder of the merged layer");
	to = openat(out, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return err_sys(err, "open a folder of the merged layer");
	if (merge_folder(m, &l->dir, to, l->stopped_in_range, depth + 1, err) < 0)
		return -1;
	if (l->stopped_in_range && mark_set_opaque(to, err) < 0)
		return -1;
	if (!l->stopped_in_range && l->redirect && mark_set_redirect(to, l->redirect, err) < 0)
		return -1;
	return layer_copy_attributes(from, to, err);
}

static int merge_name(struct merge *m, const struct merged_dir *dir, int out, const char *name, bool nothing_below,
		      int depth, struct err *err)
{
	struct lookup *l = xcalloc(1, sizeof(*l));
	int rc = 0;

	lookup_name(&m->stack, dir, name, l);
	if (m->stack.failed) {
		lookup_finish(l);
		free(l);
		errno = m->stack.failed;
		return err_sys(err, "look up a name to merge");
	}
	switch (l->kind) {
	case LOOKUP_NONE:
		break;
	case LOOKUP_WHITEOUT:
		rc = nothing_below ? 0 : make_whiteout(out, name, err);
		break;
	case LOOKUP_FILE:
		rc = l->layer < m->stack.range ? link_file(m, l, out, name, err) : 0;
		break;
	case LOOKUP_DIR:
		rc = l->dir.at[0].layer < m->stack.range ? merge_subfolder(m, l, out, name, depth, err) : 0;
		break;
	}
	lookup_finish(l);
	free(l);
	return rc;
}

static int merge_folder(struct merge *m, const struct merged_dir *dir, int out, bool nothing_below, int depth,
			struct err *err)
{
	struct names names = { 0 };
	int rc = 0;

	for (size_t i = 0; i < dir->count && dir->at[i].layer < m->stack.range && rc == 0; i++) {
		const char *path = dir->at[i].path;
		cleanup_fd int fd = fd_open_beneath(m->stack.fds[dir->at[i].layer], *path ? path : ".",
						    O_RDONLY | O_DIRECTORY, 0);

		rc = fd < 0 ? err_sys(err, "open a folder to merge") : names_read(&names, fd, err);
	}
	names_sort(&names);
	for (size_t i = 0; i < names.count && rc == 0; i++)
		rc = merge_name(m, dir, out, names.of[i], nothing_below, depth, err);
	names_finish(&names);
	return rc;
}

int merge_layers(const struct keeper *k, uint64_t new_lid, const uint64_t *range, size_t range_count,
		 const uint64_t *below, size_t below_count, struct err *err)
{
	struct merge *m = xcalloc(1, sizeof(*m));
	struct merged_dir *root = xcalloc(1, sizeof(*root));
	cleanup_fd int out = -1;
	int rc = 0;

	if (range_count == 0 || range_count + below_count > ARRAY_LEN(m->stack.fds))
		rc = err_set(err, EINVAL, "%zu layers cannot be merged", range_count + below_count);
	for (size_t i = 0; i < range_count + below_count && rc == 0; i++) {
		int fd = layer_open(k, i < range_count ? range[i] : below[i - range_count], err);

		if (fd < 0) {
			rc = -1;
			break;
		}
		m->stack.fds[m->stack.count++] = fd;
		merged_dir_add(root, i, "");
	}
	m->stack.range = range_count;
	if (rc == 0)
		rc = layer_begin(k, new_lid, &out, err);
	if (rc == 0)
		rc = merge_folder(m, root, out, false, 0, err);
	if (rc == 0)
		rc = layer_copy_attributes(m->stack.fds[0], out, err);
	if (rc == 0 && syncfs(k->store) < 0)
		rc = err_sys(err, "sync the store");
	if (rc == 0)
		rc = layer_finish(k, new_lid, err);
	for (size_t i = 0; i < m->stack.count; i++)
		(void)close(m->stack.fds[i]);
	merged_dir_finish(root);
	free(root);
	free(m);
	return rc;
}
