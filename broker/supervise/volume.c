/* SPDX-License-Identifier: MIT */
#include "supervise/volume.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/mounts.h"
#include "platform/arm/gate.h"
#include "platform/arm/mnt.h"
#include "platform/arm/root.h"
#include "supervise/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *root_of(const struct platform_view *view, const char *path, size_t *ret_index)
{
	for (size_t i = 0; i < view->volume_count; i++) {
		const char *root = view->volumes[i];
		size_t n = strlen(root);

		if (strncmp(path, root, n) == 0 && path[n] == '/' && path[n + 1]) {
			*ret_index = i;
			return root;
		}
	}
	return NULL;
}

static int let_go(void *data, const struct mounted *m, struct err *err)
{
	size_t index;

	(void)err;
	/* Lazily, with what is mounted in it; in our own namespace alone. */
	if (root_of(data, m->path, &index))
		(void)umount2(m->path, MNT_DETACH | UMOUNT_NOFOLLOW);
	return 0;
}

int volume_let_go(const struct platform_view *view, struct err *err)
{
	struct platform_view copy = *view;

	return view->volume_count ? mounts_each(let_go, &copy, err) : 0;
}

int volume_make_places(struct supervise *s, int root_fd, struct err *err)
{
	static const struct mnt_option options[] = {
		{ "mode", "0755" }, { "size", "64k" }, { "nr_inodes", "64" }, { NULL, NULL },
	};
	const struct root_owner owner = { s->base, s->base };

	for (size_t i = 0; i < s->spare.view.volume_count; i++) {
		const char *path = s->spare.view.volumes[i];
		cleanup_fd int mnt = mnt_new("tmpfs", MNT_PLAIN, options, err);
		cleanup_fd int target = mnt < 0 ? -1 : root_mount_point(root_fd, path, 0, owner, owner, err);

		if (target < 0 || mnt_attach(mnt, target, path, err) < 0)
			return -1;
		s->volume_dirs[i] = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (s->volume_dirs[i] < 0)
			return err_sys(err, "open '%s' in the app's root", path);
	}
	return 0;
}

/* Opens the folder at path below dir, made where it is missing. Nobody else can write there. */
static int open_place(int dir, const char *path, struct err *err)
{
	char part[PATH_SIZE];
	int fd;

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		if (mkdirat(dir, part, 0755) < 0 && errno != EEXIST)
			return err_sys(err, "make a place for a volume");
	}
	if (mkdirat(dir, path, 0755) < 0 && errno != EEXIST)
		return err_sys(err, "make a place for a volume");
	fd = fd_open_beneath(dir, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	return fd < 0 ? err_sys(err, "open the place of a volume") : fd;
}

/* --- its question --- */

static struct question *add_question(struct supervise *s, uint16_t gate, const char *path, struct err *err)
{
	struct questions *all = &s->questions;
	struct question *q = question_find(all, 0);

	if (!q && all->count == GATES_MAX) {
		(void)err_set(err, ENOSPC, "more than %u gates", GATES_MAX);
		return NULL;
	}
	if (!q)
		q = &all->of[all->count++];
	*q = (struct question){
		.s = s, .gate = gate, .kind = PLATFORM_GATE_FOLDER, .path = xstrdup(path), .vault = -1, .mount = -1,
		.given = GIVE_NO, .standing = GIVE_NO,
	};
	return q;
}

static void drop_question(struct question *q)
{
	free(q->path);
	q->path = NULL;
	q->gate = 0;
	q->given = GIVE_NO;
}

/* --- it comes, and leaves --- */

static void came(struct supervise *s, uint16_t gate, const char *path)
{
	struct err err = { 0 };
	cleanup_fd int place = -1;
	struct question *q;
	const char *root;
	size_t index;

	root = root_of(&s->spare.view, path, &index);
	if (!root || question_find(&s->questions, gate))
		return;
	place = open_place(s->volume_dirs[index], path + strlen(root) + 1, &err);
	q = place < 0 ? NULL : add_question(s, gate, path, &err);
	if (q && gate_add(s->spare.gates, gate, place, &err) < 0)
		drop_question(q);
	if (err.code)
		log_warn("a volume of '%s' has no gate: %s", s->app, err.msg);
}

/* The folder goes too: an app that looks sees that nothing is there. */
static int take_away(struct supervise *s, struct question *q, uint32_t *ret_held, struct err *err)
{
	size_t index;
	const char *root = root_of(&s->spare.view, q->path, &index);

	question_shut(q, ENODEV);
	if (gate_remove(s->spare.gates, q->gate, ret_held, err) < 0)
		return -1;
	if (root)
		(void)unlinkat(s->volume_dirs[index], q->path + strlen(root) + 1, AT_REMOVEDIR);
	drop_question(q);
	return 0;
}

static void left(struct supervise *s, uint16_t gate, struct question *q)
{
	static struct wr w;
	struct err err = { 0 };
	uint32_t held = 0;

	if (q && take_away(s, q, &held, &err) < 0)
		log_warn("%s", err.msg);
	chan_begin(&w, MSG_REVOKED, s->session);
	wr_u16(&w, gate);
	wr_u32(&w, (uint32_t)err.code);
	wr_u32(&w, held);
	supervise_tell(s, &w, NULL, 0);
}

bool volume_handle(struct supervise *s, struct msg *m)
{
	uint16_t gate = rd_u16(&m->body);
	uint8_t here = rd_u8(&m->body);
	char path[PATH_SIZE];
	struct question *q;

	rd_str(&m->body, path, sizeof(path));
	if (!rd_end(&m->body) || gate == 0 || !platform_path_is_clean(path))
		return false;
	if (s->state != SUPERVISE_LIVE)
		return true;
	q = question_find(&s->questions, gate);
	if (q && !q->path)
		return false; /* the number of a gate that stands from the start */
	if (!here || (q && strcmp(q->path, path) != 0))
		left(s, gate, q);
	if (here)
		came(s, gate, path);
	return true;
}
