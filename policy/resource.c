/* SPDX-License-Identifier: MIT
 *
 * The owner's file can rename a folder, never point a gate outside the home.
 */
#include "policy/resource.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *key, *item;
} xdg_dirs[] = {
	{ "XDG_DESKTOP_DIR", "Desktop" },     { "XDG_DOCUMENTS_DIR", "Documents" },
	{ "XDG_DOWNLOAD_DIR", "Downloads" },  { "XDG_MUSIC_DIR", "Music" },
	{ "XDG_PICTURES_DIR", "Pictures" },   { "XDG_PUBLICSHARE_DIR", "Public" },
	{ "XDG_TEMPLATES_DIR", "Templates" }, { "XDG_VIDEOS_DIR", "Videos" },
};

bool resource_path_is_clean(const char *path)
{
	size_t n = strlen(path);

	if (path[0] != '/' || n >= RESOURCE_PATH_SIZE || (n > 1 && path[n - 1] == '/'))
		return false;
	for (const char *p = path; p;) {
		const char *next = strchr(p + 1, '/');
		size_t len = next ? (size_t)(next - p - 1) : strlen(p + 1);

		if (len == 0 ? n > 1 : (len == 1 && p[1] == '.') || (len == 2 && p[1] == '.' && p[2] == '.'))
			return false;
		p = next;
	}
	return true;
}

static bool lies_in(const char *inner, const char *outer)
{
	size_t n = strlen(outer);

	return strncmp(inner, outer, n) == 0 && (inner[n] == '/' || inner[n] == '\0');
}

static bool is_taken(const struct resource_table *t, uint16_t gate)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->resources[i].gate == gate)
			return true;
	}
	return false;
}

/* From the name, not the place in the table: a folder that appears must not give
 * its neighbours' numbers, and what apps were given under them, to others. */
static uint16_t number_of(const struct resource_table *t, const char *permission, const char *path)
{
	uint32_t h = 0x811c9dc5u;
	uint16_t gate;

	for (const char *p = permission; *p; p++)
		h = (h ^ (uint8_t)*p) * 0x01000193u;
	for (const char *p = path; *p; p++)
		h = (h ^ (uint8_t)*p) * 0x01000193u;
	gate = (uint16_t)(h ^ h >> 16);
	while (gate == 0 || is_taken(t, gate))
		gate++;
	return gate;
}

static struct resource *add(struct resource_table *t, const char *permission, const char *item, const char *path,
			    bool exists)
{
	struct resource *r;

	for (size_t i = 0; i < t->count; i++) {
		if (lies_in(path, t->resources[i].path) || lies_in(t->resources[i].path, path)) {
			t->ignored++;
			return NULL;
		}
	}
	if (t->count == RESOURCES_MAX || !resource_path_is_clean(path)) {
		t->ignored++;
		return NULL;
	}
	r = &t->resources[t->count];
	memset(r, 0, sizeof(*r));
	r->gate = number_of(t, permission, path);
	t->count++;
	(void)snprintf(r->permission, sizeof(r->permission), "%s", permission);
	(void)snprintf(r->item, sizeof(r->item), "%s", item);
	(void)snprintf(r->path, sizeof(r->path), "%s", path);
	r->exists = exists;
	return r;
}

bool resource_table_add_device(struct resource_table *t, enum resource_kind kind, const char *permission,
			       const char *path)
{
	struct resource *r = add(t, permission, "", path, true);

	if (r)
		r->kind = kind;
	return r != NULL;
}

/* The value of KEY="$HOME/..." in the text, without the $HOME; false when the
 * text does not speak of it in that form. */
static bool find_user_dir(struct resource_table *t, const char *text, const char *key, char *value, size_t size)
{
	size_t key_len = strlen(key);
	bool found = false;

	for (const char *line = text; line && *line;) {
		const char *end = strchr(line, '\n');
		size_t len = end ? (size_t)(end - line) : strlen(line);
		static const char middle[] = "=\"$HOME/";
		size_t head = key_len + sizeof(middle) - 1;

		if (len > key_len && strncmp(line, key, key_len) == 0 && line[key_len] == '=') {
			if (len > head && strncmp(line + key_len, middle, sizeof(middle) - 1) == 0 &&
			    line[len - 1] == '"' && len - head - 1 < size && !memchr(line + head, '\\', len - head) &&
			    !memchr(line + head, '$', len - head)) {
				memcpy(value, line + head, len - head - 1);
				value[len - head - 1] = '\0';
				found = true;
			} else {
				t->ignored++;
			}
		}
		line = end ? end + 1 : NULL;
	}
	return found;
}

static void add_contacts(struct resource_table *t, const struct board *board, const char *home,
			 bool (*exists)(void *data, const char *path), void *data)
{
	char path[RESOURCE_PATH_SIZE + 512];
	bool there, first = true;

	for (size_t i = 0; i < board->thing_count; i++) {
		if (board->things[i].kind != BOARD_CONTACTS)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", home, board->things[i].value);
		there = exists(data, path);
		if (there || first)
			(void)add(t, "contacts", "", path, there);
		first = false;
	}
}

void resource_table_make(struct resource_table *t, const struct board *board, const char *home, const char *user_dirs,
			 bool (*exists)(void *data, const char *path), void *data)
{
	char path[RESOURCE_PATH_SIZE + 512], value[256];

	memset(t, 0, sizeof(*t));
	add_contacts(t, board, home, exists, data);
	for (size_t i = 0; i < ARRAY_LEN(xdg_dirs); i++) {
		(void)snprintf(value, sizeof(value), "%s", xdg_dirs[i].item);
		if (user_dirs)
			(void)find_user_dir(t, user_dirs, xdg_dirs[i].key, value, sizeof(value));
		if (!value[0]) /* "$HOME/": the owner has no such folder */
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", home, value);
		(void)add(t, "storage", xdg_dirs[i].item, path, exists(data, path));
	}
}
