/* SPDX-License-Identifier: MIT
 *
 * Lines of tmpfiles.d(5): "TYPE PATH MODE USER GROUP AGE ARGUMENT". Of those only what
 * makes a folder below /run, which is empty at each start of an app.
 */
#include "inspect/inspect.h"

#include <stdio.h>
#include <string.h>

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@+-"

bool tmpfiles_is_plain(const char *path)
{
	size_t n = strlen(path);

	if (path[0] != '/' || n >= TMPFILES_FOLDER_SIZE / 2 || path[n - 1] == '/' || strspn(path, PLAIN "/") != n)
		return false;
	for (const char *p = path; p; p = strchr(p, '/')) {
		size_t part = strcspn(++p, "/");

		if (part == 0 || (part <= 2 && strspn(p, ".") >= part))
			return false;
	}
	return true;
}

static const char *word(char **p)
{
	char *start = *p + strspn(*p, " \t"), *end = start + strcspn(start, " \t\r");

	*p = *end ? end + 1 : end;
	*end = '\0';
	return start;
}

static bool is_mode(const char *mode)
{
	return mode[0] && strlen(mode) <= 5 && strspn(mode, "01234567") == strlen(mode);
}

static bool is_name(const char *name)
{
	return name[0] && strlen(name) <= 32 && strspn(name, PLAIN) == strlen(name);
}

static bool take_line(char *line, char ret[TMPFILES_FOLDER_SIZE])
{
	const char *type = word(&line), *path = word(&line), *mode = word(&line), *user = word(&line), *group = word(&line);

	if ((type[0] != 'd' && type[0] != 'D') || strspn(type + 1, "+!-=~^$") != strlen(type + 1))
		return false;
	if (strncmp(path, "/var/run/", 9) == 0)
		path += 4;
	mode += strspn(mode, "~:");
	user += strspn(user, ":");
	group += strspn(group, ":");
	if (strncmp(path, "/run/", 5) != 0 || !tmpfiles_is_plain(path))
		return false;
	/* What is not said is root's here, and not the service's. */
	return snprintf(ret, TMPFILES_FOLDER_SIZE, "%s %s %s %s", path, is_mode(mode) ? mode : "0755",
			is_name(user) && strcmp(user, "-") != 0 ? user : "root",
			is_name(group) && strcmp(group, "-") != 0 ? group : "root") < (int)TMPFILES_FOLDER_SIZE;
}

bool tmpfiles_next(const char **p, const char *end, char ret[TMPFILES_FOLDER_SIZE])
{
	while (*p < end) {
		const char *nl = memchr(*p, '\n', (size_t)(end - *p));
		size_t len = (size_t)((nl ? nl : end) - *p);
		char line[512];

		if (len < sizeof(line)) {
			memcpy(line, *p, len);
			line[len] = '\0';
		}
		*p = nl ? nl + 1 : end;
		if (len < sizeof(line) && take_line(line, ret))
			return true;
	}
	return false;
}
