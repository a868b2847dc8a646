/* SPDX-License-Identifier: MIT
 *
 * The board's devices behind gates. A node is never the host's own: the app gets
 * another one of the same number, its own to open, in a folder that is mounted
 * over the gate. What is looked for are the profile's patterns, at the start for
 * what there is, and again at each answer for what there is by then.
 */
#include "cowbelld/daemon.h"

#include "base/log.h"
#include "platform/arm/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NODES_FOLDER "/dev/.gate"
#define NODES_MAX 64u /* of one permission */

static bool is_nodes(enum board_kind kind)
{
	return kind >= BOARD_CAMERA && kind <= BOARD_MODEM;
}

static const char *pattern_of(const struct board_thing *thing, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s%s", thing->kind == BOARD_TORCH ? "/sys/class/leds/" : "", thing->value);
	return buf;
}

/* Calls fn for each path; returns how many there were. */
static size_t each_match(const char *pattern, void (*fn)(void *data, const char *path), void *data)
{
	glob_t found = { 0 };
	size_t n = 0;

	if (glob(pattern, 0, NULL, &found) == 0) {
		n = found.gl_pathc;
		for (size_t i = 0; i < n && fn; i++)
			fn(data, found.gl_pathv[i]);
	}
	globfree(&found);
	return n;
}

/* --- the table --- */

struct finding {
	struct daemon *d;
	enum board_kind kind;
};

/* The class has links; the device's own folder is where all of them lead. */
static void find_folder(void *data, const char *path)
{
	struct finding *f = data;
	cleanup_free char *real = realpath(path, NULL);
	struct resource_table *t = &f->d->resources;

	if (!real || strncmp(real, "/sys/devices/", 13) != 0 ||
	    !resource_table_add_device(t, RESOURCE_SYSFS, board_kind_name(f->kind), real))
		return;
	if (f->kind == BOARD_TORCH)
		led_add(f->d, t->resources[t->count - 1].gate, real);
}

static void find_nodes(struct daemon *d, enum board_kind kind)
{
	char path[64];
	size_t named = 0, there = 0;

	for (size_t i = 0; i < d->board.thing_count; i++) {
		if (d->board.things[i].kind != kind)
			continue;
		named++;
		there += each_match(d->board.things[i].value, NULL, NULL);
	}
	if (named == 0 || (there == 0 && d->board.found_only))
		return;
	(void)snprintf(path, sizeof(path), NODES_FOLDER "/%s", board_kind_name(kind));
	if (!resource_table_add_device(&d->resources, RESOURCE_NODES, board_kind_name(kind), path))
		log_warn("no gate is left for '%s'", board_kind_name(kind));
}

void devices_find(struct daemon *d)
{
	char pattern[256];

	for (size_t i = 0; i < d->board.thing_count; i++) {
		struct finding f = { d, d->board.things[i].kind };

		if (f.kind == BOARD_TORCH || f.kind == BOARD_SENSORS)
			(void)each_match(pattern_of(&d->board.things[i], pattern, sizeof(pattern)), find_folder, &f);
	}
	for (int kind = 0; kind < BOARD_KIND_COUNT; kind++) {
		if (is_nodes((enum board_kind)kind))
			find_nodes(d, (enum board_kind)kind);
	}
}

/* --- names for a new session --- */

struct naming {
	struct prepare *p;
	const char *permission;
};

static struct link_path *next_link(struct prepare *p, const char *path)
{
	for (uint16_t i = 0; i < p->link_count; i++) {
		if (strcmp(p->links[i].path, path) == 0)
			return NULL;
	}
	return p->link_count < LINKS_MAX && strlen(path) < sizeof(p->links[0].path) ? &p->links[p->link_count] : NULL;
}

static void name_node(void *data, const char *path)
{
	struct naming *n = data;
	struct link_path *link = next_link(n->p, path);

	if (!link)
		return;
	n->p->link_count++;
	(void)snprintf(link->path, sizeof(link->path), "%s", path);
	(void)snprintf(link->target, sizeof(link->target), NODES_FOLDER "/%s/%s", n->permission, strrchr(path, '/') + 1);
}

/* As the kernel has it, so that what a program reads from the link is right. */
static void name_folder(void *data, const char *path)
{
	struct naming *n = data;
	struct link_path *link = next_link(n->p, path);
	ssize_t len = link ? readlink(path, link->target, sizeof(link->target) - 1) : -1;

	if (len <= 0)
		return;
	link->target[len] = '\0';
	(void)snprintf(link->path, sizeof(link->path), "%s", path);
	n->p->link_count++;
}

static bool has_gate(const struct daemon *d, const char *permission)
{
	for (size_t i = 0; i < d->resources.count; i++) {
		if (strcmp(d->resources.resources[i].permission, permission) == 0)
			return true;
	}
	return false;
}

void devices_prepare(const struct daemon *d, struct prepare *p)
{
	char pattern[256];

	p->device_gid = d->leds ? d->device_gid : 0;
	for (size_t i = 0; i < d->board.thing_count; i++) {
		const struct board_thing *thing = &d->board.things[i];
		struct naming n = { p, board_kind_name(thing->kind) };

		if (!board_kind_is_permission(thing->kind) || !has_gate(d, n.permission))
			continue;
		/* A node that the profile names by its full name may come later. */
		if (is_nodes(thing->kind) && !strpbrk(thing->value, "*?"))
			name_node(&n, thing->value);
		else
			(void)each_match(pattern_of(thing, pattern, sizeof(pattern)),
					 is_nodes(thing->kind) ? name_node : name_folder, &n);
	}
}

/* --- opening --- */

struct making {
	int dir;
	uint32_t uid, gid;
	unsigned int made;
	int code; /* errno of the first that could not be made */
};

static void make_node(void *data, const char *path)
{
	struct making *m = data;
	const char *name = strrchr(path, '/') + 1;
	struct stat st;

	/* Not through a link: the number is that of the node in the profile's place. */
	if (lstat(path, &st) < 0 || !S_ISCHR(st.st_mode) || m->made == NODES_MAX)
		return;
	if (mknodat(m->dir, name, S_IFCHR | 0600, st.st_rdev) < 0) {
		if (errno != EEXIST && !m->code)
			m->code = errno;
		return;
	}
	if (fchownat(m->dir, name, m->uid, m->gid, AT_SYMLINK_NOFOLLOW) < 0 && !m->code)
		m->code = errno;
	m->made++;
}

static int open_nodes(struct daemon *d, uint32_t base, const struct resource *r, struct err *err)
{
	static const struct mnt_option options[] = {
		{ "mode", "0755" }, { "size", "64k" }, { "nr_inodes", "256" }, { NULL, NULL },
	};
	cleanup_fd int mnt = mnt_new("tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, options, err);
	struct making m = { .dir = mnt, .uid = base + d->owner_uid, .gid = base + d->owner_gid };

	if (mnt < 0)
		return -1;
	for (size_t i = 0; i < d->board.thing_count; i++) {
		const struct board_thing *thing = &d->board.things[i];

		if (is_nodes(thing->kind) && strcmp(board_kind_name(thing->kind), r->permission) == 0)
			(void)each_match(thing->value, make_node, &m);
	}
	if (m.code)
		return err_set(err, m.code, "make nodes for '%s': %s", r->permission, strerror(m.code));
	if (m.made == 0)
		return err_set(err, ENODEV, "no %s is there now", r->permission);
	if (mnt_set(mnt, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, -1, err) < 0)
		return -1;
	return steal_fd(&mnt);
}

static int open_folder(struct daemon *d, uint64_t session, const struct resource *r, struct err *err)
{
	cleanup_fd int mnt = mnt_clone(AT_FDCWD, r->path, err);
	bool writable = strcmp(r->permission, board_kind_name(BOARD_TORCH)) == 0;

	if (mnt < 0) {
		if (err->code == ENOENT)
			err_set(err, ENODEV, "the device at '%s' is gone", r->path);
		return -1;
	}
	if (mnt_set(mnt, MNT_PLAIN | (writable ? 0 : MOUNT_ATTR_RDONLY), -1, err) < 0 ||
	    led_take(d, session, r->gate, err) < 0)
		return -1;
	return steal_fd(&mnt);
}

int devices_open(struct daemon *d, uint64_t session, const struct resource *r, struct err *err)
{
	uint32_t base = session_base(d, session);

	if (!base)
		return err_set(err, ESRCH, "the session is over");
	return r->kind == RESOURCE_NODES ? open_nodes(d, base, r, err) : open_folder(d, session, r, err);
}

bool devices_handle_close(struct daemon *d, struct msg *m)
{
	uint16_t gate = rd_u16(&m->body);

	if (!rd_end(&m->body) || gate == 0 || !owner_resource(d, gate))
		return false;
	led_give_back(d, m->id, gate);
	return true;
}

void devices_session_gone(struct daemon *d, uint64_t session)
{
	led_give_back(d, session, 0);
}

void devices_finish(struct daemon *d)
{
	led_finish(d);
}
