/* SPDX-License-Identifier: MIT
 *
 * Lines of text: a word or two that a person reads need no more structure.
 */
#include "broker/says.h"

#include <stdio.h>
#include <string.h>

void says_add(char list[APP_SAYS_SIZE], const char *fact)
{
	size_t used = strlen(list), n = strcspn(fact, " ");
	char shown[SAYS_TEXT_SIZE];
	const char *why = fact + n + strspn(fact + n, " ");

	if (n == 0 || n >= PERMISSION_TEXT_SIZE || !*why || strchr(fact, '\n'))
		return;
	text_escape(why, strlen(why), shown, sizeof(shown));
	if (used + n + 1 + strlen(shown) + 1 < APP_SAYS_SIZE)
		(void)snprintf(list + used, APP_SAYS_SIZE - used, "%.*s %s\n", (int)n, fact, shown);
}

static bool find(const char *list, const char *name, char ret[SAYS_TEXT_SIZE])
{
	size_t n = strlen(name);

	for (const char *line = list; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t len = strcspn(line, "\n");

		if (len <= n + 1 || strncmp(line, name, n) != 0 || line[n] != ' ')
			continue;
		text_escape(line + n + 1, len - n - 1, ret, SAYS_TEXT_SIZE);
		return true;
	}
	return false;
}

void says_find(const char *list, const struct permission_ref *ref, char ret[SAYS_TEXT_SIZE])
{
	char name[PERMISSION_TEXT_SIZE];

	ret[0] = '\0';
	permission_ref_format(ref, name);
	if (!find(list, name, ret))
		(void)find(list, ref->permission->name, ret);
}
