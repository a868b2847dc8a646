/* SPDX-License-Identifier: MIT */
#include "base/mounts.h"

#include "base/fd.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define TABLE_MAX (4u << 20)

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* "\040" for a blank: so the kernel writes what would end the word. */
static void unescape(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && is_octal(s[2]) && is_octal(s[3])) {
			*out++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/* id, parent, device, root, place, options, optional words, "-", type. False: it is not so. */
static bool read_line(char *line, struct mounted *ret)
{
	char *p = line, *type;

	ret->id = strtoull(line, NULL, 10);

	for (int i = 0; i < 4 && p; i++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	if (!p || !*p)
		return false;
	type = strstr(p, " - ");
	if (!type)
		return false;
	type += 3;
	type[strcspn(type, " ")] = '\0';
	p[strcspn(p, " ")] = '\0';
	unescape(p);
	ret->path = p;
	ret->type = type;
	return true;
}

int mounts_each(int (*fn)(void *data, const struct mounted *m, struct err *err), void *data, struct err *err)
{
	cleanup_free char *text = NULL;
	char *save = NULL;
	int rc = 0;

	if (fd_read_file(AT_FDCWD, MOUNTS_TABLE, TABLE_MAX, &text, NULL, err) < 0)
		return -1;
	for (char *line = strtok_r(text, "\n", &save); line && rc == 0; line = strtok_r(NULL, "\n", &save)) {
		struct mounted m;

		if (!read_line(line, &m))
			return err_set(err, EPROTO, "read '" MOUNTS_TABLE "': a line without a mount point");
		rc = fn(data, &m, err);
	}
	return rc;
}
