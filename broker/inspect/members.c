/* SPDX-License-Identifier: MIT
 *
 * Paths are kept as hashes. Two that collide are taken for one: such a payload is
 * refused as one that has a path twice, and its author renames a file.
 */
#include "inspect/members.h"

#include "policy/permission.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX 2000000u /* members, and the folders above them */
#define HASH_SEED 0xcbf29ce484222325ull

enum seen_kind { SEEN_NONE, SEEN_ABOVE, SEEN_DIR, SEEN_FILE, SEEN_PROGRAM, SEEN_LINK };

struct seen {
	uint64_t hash;
	enum seen_kind kind;
};

static uint64_t hash_more(uint64_t h, char c)
{
	return (h ^ (uint8_t)c) * 0x100000001b3ull;
}

static uint64_t hash_path(const char *path, size_t n)
{
	uint64_t h = HASH_SEED;

	for (size_t i = 0; i < n; i++)
		h = hash_more(h, path[i]);
	return h;
}

/* The slot of h, or the free one where it belongs. */
static struct seen *slot(const struct members *m, uint64_t h)
{
	size_t i = (size_t)(h ^ h >> 32) & (m->size - 1);

	while (m->slots[i].kind != SEEN_NONE && m->slots[i].hash != h)
		i = (i + 1) & (m->size - 1);
	return &m->slots[i];
}

static void make_room(struct members *m)
{
	struct members more = { .size = m->size ? m->size * 2 : 1024 };

	if (m->used * 2 < m->size)
		return;
	more.slots = xcalloc(more.size, sizeof(*more.slots));
	for (size_t i = 0; i < m->size; i++) {
		if (m->slots[i].kind != SEEN_NONE)
			*slot(&more, m->slots[i].hash) = m->slots[i];
	}
	free(m->slots);
	m->slots = more.slots;
	m->size = more.size;
}

static void note(struct members *m, uint64_t h, enum seen_kind kind)
{
	struct seen *s;

	make_room(m);
	s = slot(m, h);
	m->used += s->kind == SEEN_NONE;
	*s = (struct seen){ h, kind };
}

static enum seen_kind look(const struct members *m, uint64_t h)
{
	return m->size ? slot(m, h)->kind : SEEN_NONE;
}

static const char *plain_name(const char *name)
{
	return strncmp(name, "./", 2) == 0 ? name + 2 : name;
}

/* Without the slash that a folder's name may end in. */
static size_t name_length(const char *name)
{
	size_t n = strlen(name);

	return n && name[n - 1] == '/' ? n - 1 : n;
}

static bool is_clean(const char *name)
{
	size_t n = strlen(name);

	return n && name[0] != '/' && !strstr(name, "//") && !strstr(name, "/./") && !strstr(name, "/../") &&
	       strncmp(name, "./", 2) != 0 && strncmp(name, "../", 3) != 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       (n < 3 || strcmp(name + n - 3, "/..") != 0) && (n < 2 || strcmp(name + n - 2, "/.") != 0);
}

static bool is_inside(const char *name)
{
	static const char *const roots[] = { "usr", "opt", "etc" };

	if (!is_clean(name))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		size_t n = strlen(roots[i]);

		if (strncmp(name, roots[i], n) == 0 && (name[n] == '/' || name[n] == '\0'))
			return true;
	}
	return false;
}

static bool can_be_shown(const char *name)
{
	static char shown[4 * TAR_NAME_SIZE];

	text_escape(name, strlen(name), shown, sizeof(shown));
	return strcmp(shown, name) == 0;
}

static int no(struct err *err, const struct members *members, const char *what, const char *name)
{
	char shown[256];

	text_escape(name, strlen(name), shown, sizeof(shown));
	return err_set(err, EINVAL, "the %s has %s: '%.200s'", members->package ? "package" : "payload", what,
		       shown);
}

static int check(const struct members *members, const struct tar_member *m, struct err *err)
{
	const char *name = plain_name(m->name);

	if (members->package && !is_clean(name))
		return no(err, members, "a path that leads out of its place", m->name);
	if (!members->package && !is_inside(name))
		return no(err, members, "something that is not below /usr, /opt or /etc", m->name);
	if (!can_be_shown(name))
		return no(err, members, "a name that cannot be shown", m->name);
	if (m->kind != TAR_FILE && m->kind != TAR_DIR && m->kind != TAR_SYMLINK && m->kind != TAR_HARDLINK)
		return no(err, members, "a device or a pipe", m->name);
	if (!members->package && (m->mode & 07000))
		return no(err, members, "a set-id or sticky file", m->name);
	if (m->kind != TAR_DIR && name[strlen(name) - 1] == '/')
		return no(err, members, "a file that is called like a folder", m->name);
	return 0;
}

/* Each folder above it, which it may make; none of them may be a link. */
static int check_above(struct members *members, const char *name, size_t len, struct err *err)
{
	uint64_t h = HASH_SEED;
	unsigned int depth = 0;

	for (size_t i = 0; i < len; h = hash_more(h, name[i++])) {
		enum seen_kind kind;

		if (name[i] != '/')
			continue;
		if (++depth > MEMBERS_DEPTH_MAX)
			return no(err, members, "something that lies more than 64 folders deep", name);
		kind = look(members, h);
		if (kind != SEEN_NONE && kind != SEEN_ABOVE && kind != SEEN_DIR)
			return no(err, members, "something below what is no folder", name);
		if (kind == SEEN_NONE)
			note(members, h, SEEN_ABOVE);
	}
	return 0;
}

static int check_hard_link(const struct members *members, const struct tar_member *m, enum seen_kind *kind, struct err *err)
{
	const char *target = plain_name(m->target);

	*kind = look(members, hash_path(target, strlen(target)));
	if (*kind == SEEN_FILE || *kind == SEEN_PROGRAM)
		return 0;
	return no(err, members, "a link to what is no file of it", m->name);
}

static enum seen_kind kind_of(const struct tar_member *m)
{
	switch (m->kind) {
	case TAR_DIR:
		return SEEN_DIR;
	case TAR_SYMLINK:
		return SEEN_LINK;
	case TAR_FILE:
	case TAR_HARDLINK:
	case TAR_FIFO:
	case TAR_CHAR:
	case TAR_BLOCK:
		break;
	}
	return m->mode & 0111 ? SEEN_PROGRAM : SEEN_FILE;
}

int members_take(struct members *members, const struct tar_member *m, struct err *err)
{
	const char *name = plain_name(m->name);
	size_t len = name_length(name);
	enum seen_kind kind = kind_of(m), before;
	uint64_t h = hash_path(name, len);

	if (m->kind == TAR_DIR && (strcmp(m->name, "./") == 0 || strcmp(m->name, ".") == 0))
		return 0;
	if (check(members, m, err) < 0 || check_above(members, name, len, err) < 0 ||
	    (m->kind == TAR_HARDLINK && check_hard_link(members, m, &kind, err) < 0))
		return -1;
	before = look(members, h);
	if (before != SEEN_NONE && !(kind == SEEN_DIR && (before == SEEN_ABOVE || (before == SEEN_DIR && members->package))))
		return no(err, members, "one path twice", m->name);
	note(members, h, kind);
	members->count++;
	if (members->used > SEEN_MAX || (!members->package && members->count > MEMBERS_COUNT_MAX))
		return err_set(err, E2BIG, "the %s has too many files", members->package ? "package" : "payload");
	return 0;
}

bool members_has_program(const struct members *members, const char *path)
{
	enum seen_kind kind = path[0] == '/' ? look(members, hash_path(path + 1, strlen(path + 1))) : SEEN_NONE;

	return kind == SEEN_PROGRAM || kind == SEEN_LINK;
}

void members_finish(struct members *members)
{
	free(members->slots);
	memset(members, 0, sizeof(*members));
}
