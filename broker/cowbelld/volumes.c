/* SPDX-License-Identifier: MIT
 *
 * Cards, sticks and other volumes, as the host mounts them below the folders that the
 * board's profile names: /media/NAME, or /media/OWNER/NAME. We mount nothing and hold
 * nothing of them; the kernel says when its table of mounts changed, and that table is
 * all that is read: never a name or a byte of what is on a volume that came.
 */
#include "cowbelld/daemon.h"

#include "base/log.h"
#include "base/mounts.h"
#include "policy/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#define GATE_FIRST 0xff00u

struct volumes {
	struct loop_source *source;
	int fd; /* mountinfo: tells of changes */
	bool full;    /* of one that is not offered was told */
	bool crowded; /* one found no slot */
	struct volume {
		struct resource resource; /* gate 0: never used */
		uint64_t mnt_id;          /* of the mount that is there; 0: none is */
		uint64_t seen_id;         /* of the upper one, while the table is read */
		char type[32];            /* of its file system */
	} of[VOLUMES_MAX];
};

bool volumes_are_named(const struct daemon *d)
{
	for (size_t i = 0; i < d->board.thing_count; i++) {
		if (d->board.things[i].kind == BOARD_REMOVABLE)
			return true;
	}
	return false;
}

void volumes_prepare(const struct daemon *d, struct prepare *p)
{
	for (size_t i = 0; i < d->board.thing_count && p->volumes_count < ARRAY_LEN(p->volumes); i++) {
		if (d->board.things[i].kind == BOARD_REMOVABLE)
			(void)snprintf(p->volumes[p->volumes_count++], sizeof(p->volumes[0]), "%s", d->board.things[i].value);
	}
}

/* --- what the kernel says --- */

/* The name of the volume that is mounted at path; NULL: that is no place for one. */
static const char *volume_name(const struct daemon *d, const char *path)
{
	for (size_t i = 0; i < d->board.thing_count; i++) {
		const struct board_thing *t = &d->board.things[i];
		size_t n = strlen(t->value), owner = strlen(d->owner_name);
		const char *name = path + n + 1;

		if (t->kind != BOARD_REMOVABLE || strncmp(path, t->value, n) != 0 || path[n] != '/')
			continue;
		if (strncmp(name, d->owner_name, owner) == 0 && name[owner] == '/')
			name += owner + 1;
		/* The owner's own folder is where volumes are put: one that is there, called
		 * like its owner, would hold the places of others. */
		if (*name && !strchr(name, '/') && strcmp(path + n + 1, d->owner_name) != 0)
			return name;
	}
	return NULL;
}

static bool is_taken(const struct daemon *d, uint16_t gate)
{
	bool taken = owner_resource(d, gate) != NULL;

	for (size_t i = 0; i < VOLUMES_MAX && !taken; i++)
		taken = d->volumes->of[i].resource.gate == gate;
	return taken;
}

/* The slot of path, else one that nobody is in: its own number stays with it, so that
 * whoever knew the one that was there before is not asked about another. */
static struct volume *slot_for(struct daemon *d, const char *path)
{
	struct volume *free_one = NULL;

	for (size_t i = 0; i < VOLUMES_MAX; i++) {
		struct volume *v = &d->volumes->of[i];

		if (v->resource.gate && strcmp(v->resource.path, path) == 0)
			return v;
		if (!v->resource.exists && !v->seen_id && (!free_one || (free_one->resource.gate && !v->resource.gate)))
			free_one = v;
	}
	return free_one;
}

static void take_slot(struct daemon *d, struct volume *v, const char *path, const char *name)
{
	uint16_t gate = v->resource.gate;

	for (uint16_t next = GATE_FIRST; !gate; next++)
		gate = is_taken(d, next) ? 0 : next;
	v->resource = (struct resource){ .kind = RESOURCE_FOLDER, .gate = gate };
	(void)snprintf(v->resource.permission, sizeof(v->resource.permission), "removable");
	(void)snprintf(v->resource.item, sizeof(v->resource.item), "%.127s", name);
	(void)snprintf(v->resource.path, sizeof(v->resource.path), "%s", path);
}

static void tell(const struct daemon *d, const struct volume *v)
{
	struct wr *w;

	if (!d->broker)
		return;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_VOLUME_SEEN, 0);
	wr_u16(w, v->resource.gate);
	wr_u8(w, v->resource.exists);
	wr_str(w, v->resource.item);
	wr_str(w, v->resource.path);
	chan_send(d->broker, w, NULL, 0);
	free(w);
}

static int see_mount(void *data, const struct mounted *m, struct err *err)
{
	struct daemon *d = data;
	const char *place = m->path;
	char shown[PATH_SIZE * 2];
	const char *name;
	struct volume *v;

	(void)err;
	name = volume_name(d, place);
	/* An automounter's is no volume: what it brings is, once it is there. */
	if (!name || strcmp(m->type, "autofs") == 0 || !resource_path_is_clean(place) || strlen(place) >= PATH_SIZE)
		return 0;
	/* Chosen by whoever named the volume: as it is shown, it is called. */
	text_escape(name, strlen(name), shown, sizeof(shown));
	v = slot_for(d, place);
	d->volumes->crowded |= !v;
	if (strlen(shown) >= sizeof(v->resource.item) || !v) {
		if (!d->volumes->full)
			log_warn("the volume '%s' is not offered: %s", shown, v ? "its name is too long" : "there are too many");
		d->volumes->full = true;
		return 0;
	}
	if (!v->resource.gate || strcmp(v->resource.path, place) != 0)
		take_slot(d, v, place, shown);
	v->seen_id = m->id;
	(void)snprintf(v->type, sizeof(v->type), "%.31s", m->type);
	return 0;
}

/* True: its slot is free now. */
static bool settle(struct daemon *d, struct volume *v)
{
	if (v->mnt_id == v->seen_id)
		return false;
	if (v->resource.exists) { /* also when another one is at its place now */
		v->resource.exists = false;
		tell(d, v);
	}
	v->mnt_id = v->seen_id;
	v->resource.exists = v->seen_id != 0;
	if (v->resource.exists)
		tell(d, v);
	return !v->resource.exists;
}

/* What cannot be read is not there: nothing of it is offered. */
static bool look_once(struct daemon *d)
{
	struct volumes *vs = d->volumes;
	struct err err = { 0 };
	bool left = false;

	vs->crowded = false;
	for (size_t i = 0; i < VOLUMES_MAX; i++)
		vs->of[i].seen_id = 0;
	if (mounts_each(see_mount, d, &err) < 0)
		log_warn("what is mounted is not known: %s", err.msg);
	for (size_t i = 0; i < VOLUMES_MAX; i++)
		left |= settle(d, &vs->of[i]);
	return left && vs->crowded;
}

static void look(struct daemon *d)
{
	while (look_once(d))
		; /* the slot of one that left is for one that found none */
}

static void on_change(void *data, uint32_t events)
{
	(void)events;
	look(data);
}

int volumes_watch(struct daemon *d, struct err *err)
{
	struct volumes *vs = xcalloc(1, sizeof(*vs));

	d->volumes = vs;
	vs->fd = -1;
	if (!volumes_are_named(d))
		return 0;
	vs->fd = open(MOUNTS_TABLE, O_RDONLY | O_CLOEXEC);
	vs->source = vs->fd < 0 ? NULL : loop_add_fd(d->loop, vs->fd, EPOLLPRI, on_change, d);
	if (!vs->source)
		return err_sys(err, "watch the table of mounts");
	look(d);
	return 0;
}

void volumes_tell_all(const struct daemon *d)
{
	for (size_t i = 0; d->volumes && i < VOLUMES_MAX; i++) {
		if (d->volumes->of[i].resource.gate)
			tell(d, &d->volumes->of[i]);
	}
}

const struct resource *volumes_resource(const struct daemon *d, uint16_t gate)
{
	for (size_t i = 0; d->volumes && gate && i < VOLUMES_MAX; i++) {
		if (d->volumes->of[i].resource.gate == gate)
			return &d->volumes->of[i].resource;
	}
	return NULL;
}

int volumes_may_open(const struct resource *r, struct err *err)
{
	static const char *const never[] = { "fuse", "nfs", "cifs", "smb", "9p", "ceph", "afs" };
	const struct volume *v = CONTAINER_OF(r, struct volume, resource);

	for (size_t i = 0; i < ARRAY_LEN(never); i++) {
		if (strncmp(v->type, never[i], strlen(never[i])) == 0)
			return err_set(err, EINVAL, "'%s' lies on a file system (%s) whose owners cannot be mapped for an app",
				       r->item, v->type);
	}
	return 0;
}

int volumes_check(const struct daemon *d, const struct resource *r, int dir, struct err *err)
{
	const struct volume *v = CONTAINER_OF(r, struct volume, resource);
	struct statx stx;

	(void)d;
	if (statx(dir, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) < 0)
		return err_sys(err, "look at '%s'", r->path);
	/* Else it is the folder that the volume was mounted on. */
	if (!v->mnt_id || stx.stx_mnt_id != v->mnt_id)
		return err_set(err, ENODEV, "'%s' is not there any more", r->item);
	return 0;
}

void volumes_finish(struct daemon *d)
{
	if (!d->volumes)
		return;
	loop_remove(d->volumes->source);
	if (d->volumes->fd >= 0)
		(void)close(d->volumes->fd);
	free(d->volumes);
	d->volumes = NULL;
}
