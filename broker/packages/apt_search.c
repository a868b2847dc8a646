/* SPDX-License-Identifier: MIT
 *
 * Searching the host's lists: the best first.
 */
#include "packages/apt_impl.h"

#include <stdio.h>
#include <string.h>

#define FOUND_MAX 100u

/* apt-cache takes expressions; people mean letters. */
static char *quote(const char *word)
{
	char *out = xcalloc(2, strlen(word) + 1), *o = out;

	for (; *word; word++) {
		if (strchr("\\.[]{}()*+?^$|", *word))
			*o++ = '\\';
		*o++ = *word;
	}
	return out;
}

static int rank(const char *name, char **words)
{
	return strcmp(name, words[0]) == 0 ? 0 : strncmp(name, words[0], strlen(words[0])) == 0 ? 1 : strstr(name, words[0]) ? 2 : 3;
}

static void take_found(char *out, char **words, struct item_list *ret)
{
	/* The best first: the name itself, names that begin with it, that hold it,
	 * then the rest. */
	for (int r = 0; r <= 3; r++) {
		const char *p = out;

		while (*p && ret->count < FOUND_MAX) {
			size_t len = strcspn(p, "\n"), n = strcspn(p, " \n");
			char name[128];

			if (n < sizeof(name) && n < len) {
				(void)snprintf(name, sizeof(name), "%.*s", (int)n, p);
				if (rank(name, words) == r && package_name_good(name) && !item_find(ret, name))
					(void)snprintf(item_add(ret)->name, 128, "%s", name);
			}
			p += len;
			p += *p == '\n';
		}
	}
}

int apt_search(char **words, struct item_list *ret, struct err *err)
{
	struct argv *a = xcalloc(1, sizeof(*a));
	struct child_run run = { 0 };
	char *quoted[16] = { NULL };
	int rc;

	apt_begin(a, "apt-cache");
	apt_add(a, "search");
	apt_add(a, "--");
	for (size_t i = 0; words[i] && i < ARRAY_LEN(quoted); i++)
		apt_add(a, quoted[i] = quote(words[i]));
	rc = apt_run(a, &run, err);
	if (rc == 0 && run.status != 0)
		rc = apt_failed(&run, err);
	if (rc == 0)
		take_found(run.out, words, ret);
	for (size_t i = 0; i < ARRAY_LEN(quoted); i++)
		free(quoted[i]);
	free(run.out);
	free(a);
	if (rc < 0 || !ret->count)
		return rc;
	return apt_show(ret, err) < 0 || apt_mark_base(ret, err) < 0 ? -1 : 0;
}
