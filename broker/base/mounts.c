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

/* id, parent, device, root, place. NULL: it has no place. */
static char *place_of(char *line)
{
	char *p = line;

	for (int i = 0; i < 4 && p; i++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	if (!p || !*p)
		return NULL;
	p[strcspn(p, " ")] = '\0';
	unescape(p);
	return p;
}

int mounts_each(int (*fn)(void *data, uint64_t id, const char *path, struct err *err), void *data, struct err *err)
{
	cleanup_free char *text = NULL;
	char *save = NULL;
	int rc = 0;

	if (fd_read_file(AT_FDCWD, MOUNTS_TABLE, TABLE_MAX, &text, NULL, err) < 0)
		return -1;
	for (char *line = strtok_r(text, "\n", &save); line && rc == 0; line = strtok_r(NULL, "\n", &save)) {
		uint64_t id = strtoull(line, NULL, 10);
		char *path = place_of(line);

		if (!path)
			return err_set(err, EPROTO, "read '" MOUNTS_TABLE "': a line without a mount point");
		rc = fn(data, id, path, err);
	}
	return rc;
}
