/* SPDX-License-Identifier: MIT
 *
 * Units: what is taken is a program with words that can be shown, or a reason.
 */
#include "inspect/inspect.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct unit_command *c)
{
	size_t words = 0;

	if (c->used > sizeof(c->args) || (c->used && c->args[c->used - 1]))
		abort();
	for (size_t i = 0; i < c->used; i++) {
		words += c->args[i] == '\0';
		if ((unsigned char)c->args[i] < 0x20 && c->args[i])
			abort();
	}
	if (words != c->count)
		abort();
}

/* The same bytes as folders of tmpfiles.d: each goes below /run and nowhere else. */
static void folders(const char *text, size_t size)
{
	char folder[TMPFILES_FOLDER_SIZE];

	for (const char *p = text; tmpfiles_next(&p, text + size, folder);) {
		folder[strcspn(folder, " ")] = '\0';
		if (strncmp(folder, "/run/", 5) != 0 || strstr(folder, "/../") || !tmpfiles_is_plain(folder))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct unit u;

	folders((const char *)data, size);
	if (!unit_parse((const char *)data, size, &u)) {
		if (!u.why[0])
			abort();
		return 0;
	}
	if (u.start.args[0] != '/' || strlen(u.user) >= sizeof(u.user))
		abort();
	check(&u.start);
	for (size_t i = 0; i < u.before_count; i++) {
		check(&u.before[i].what);
		if (!u.before[i].how || !u.before[i].what.count)
			abort();
	}
	return 0;
}
