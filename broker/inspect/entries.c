/* SPDX-License-Identifier: MIT
 *
 * How an app can be started. A step of its installer prints, inside its sandbox,
 * lines of
 *   program PATH
 *   entry PATH SIZE      followed by SIZE bytes of a desktop entry and a newline
 *   unit PATH SIZE       likewise, of a service that it declares
 * and all of it is the app's word.
 */
#include "inspect/inspect.h"

#include "policy/permission.h"

#include <errno.h>
#include <string.h>

#define ENTRY_BYTES_MAX 65536u
#define PROGRAMS_MAX 256u
#define ENTRIES_MAX 64u
#define DRAIN_BLOCKS_MAX 16384u /* of 4 KiB */

static bool is_plain_path(const char *path, size_t len)
{
	char shown[512];

	if (len == 0 || len >= 256 || path[0] != '/')
		return false;
	text_escape(path, len, shown, sizeof(shown));
	return strlen(shown) == len && memcmp(shown, path, len) == 0;
}

static void tell_desktop(const struct desktop *d)
{
	tell_fact(INSPECT_ENTRY_NAME, d->name, strlen(d->name));
	tell_fact(INSPECT_ENTRY_EXEC, d->exec, strlen(d->exec));
	tell_fact(INSPECT_ENTRY_ICON, d->icon, strlen(d->icon));
	tell_fact(INSPECT_ENTRY_CATEGORIES, d->categories, strlen(d->categories));
	if (d->terminal)
		tell_fact(INSPECT_ENTRY_TERMINAL, "true", 4);
}

static void tell_words(const struct unit_command *c)
{
	const char *p = c->args;

	for (size_t i = 0; i < c->count; i++, p += strlen(p) + 1)
		tell_fact(INSPECT_UNIT_ARG, p, strlen(p));
}

static void tell_unit(const char *name, size_t name_len, const struct unit *u, bool good)
{

	tell_fact(INSPECT_UNIT_NAME, name, name_len);
	if (!good) {
		tell_fact(INSPECT_UNIT_BAD, u->why, strlen(u->why));
		return;
	}
	tell_fact(INSPECT_UNIT_USER, u->user, strlen(u->user));
	tell_words(&u->start);
	for (size_t i = 0; i < u->before_count; i++) {
		tell_fact(INSPECT_UNIT_BEFORE, &u->before[i].how, 1);
		tell_words(&u->before[i].what);
	}
}

static void take_tmpfiles(const char *text, size_t size)
{
	char folder[TMPFILES_FOLDER_SIZE];

	for (const char *p = text; tmpfiles_next(&p, text + size, folder);)
		tell_fact(INSPECT_FOLDER, folder, strlen(folder));
}

/* The last part of "PATH SIZE". */
static void take_unit(const char *line, const char *space, const char *text, size_t size)
{
	const char *name = memrchr(line, '/', (size_t)(space - line));
	static struct unit u;
	bool good = unit_parse(text, size, &u);

	name = name ? name + 1 : line;
	if (!u.once && is_plain_path(line, (size_t)(space - line)))
		tell_unit(name, (size_t)(space - name), &u, good);
}

static int read_entry(FILE *in, const char *line, char kind, bool tell, struct err *err)
{
	static char text[ENTRY_BYTES_MAX];
	const char *space = strrchr(line, ' ');
	unsigned long size;
	char *stop;
	struct desktop d;

	size = space ? strtoul(space + 1, &stop, 10) : 0;
	if (!space || *stop != '\n' || size > sizeof(text))
		return err_set(err, EPROTO, "the list of entries is broken at an entry's size");
	if (fread(text, 1, size, in) != size)
		return err_set(err, EPROTO, "the list of entries is cut off");
	if (!tell)
		return 0;
	if (kind == 'u')
		take_unit(line, space, text, size);
	else if (kind == 't')
		take_tmpfiles(text, size);
	else if (desktop_parse(text, size, &d) && !d.hidden)
		tell_desktop(&d);
	return 0;
}

static int read_list(FILE *in, struct err *err)
{
	char line[4200];
	unsigned int programs = 0, entries = 0;

	while (fgets(line, sizeof(line), in)) {
		size_t n = strlen(line);

		if (n == 0 || line[n - 1] != '\n')
			return err_set(err, EPROTO, "the list of entries has a line that is too long");
		if (strncmp(line, "program ", 8) == 0 && programs++ < PROGRAMS_MAX) {
			if (is_plain_path(line + 8, n - 9))
				tell_fact(INSPECT_PROGRAM, line + 8, n - 9);
		} else if (strncmp(line, "entry ", 6) == 0 || strncmp(line, "unit ", 5) == 0 ||
			   strncmp(line, "tmpfiles ", 9) == 0) {
			if (read_entry(in, strchr(line, ' ') + 1, line[0], entries++ < ENTRIES_MAX, err) < 0)
				return -1;
		}
	}
	return 0;
}

int entries_read(FILE *in, struct err *err)
{
	int r = read_list(in, err);

	/* Whoever prints it is a step of an install, which fails if nobody listens. */
	for (unsigned int i = 0; i < DRAIN_BLOCKS_MAX; i++) {
		char block[4096];

		if (fread(block, 1, sizeof(block), in) == 0)
			break;
	}
	return r;
}
