/* SPDX-License-Identifier: MIT
 *
 * One splitter for every file of lines, so that a blank, a remark or a stray
 * byte means the same in each.
 */
#include "policy/file_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void file_lines_begin(struct file_lines *lines, const char *file, const char *text, size_t size)
{
	memset(lines, 0, sizeof(*lines));
	lines->file = file;
	lines->next = text;
	lines->end = text + size;
}

static int split(const char *p, size_t n, struct file_line *line, const char *where, struct err *err)
{
	char *save = NULL, *hash;

	memset(line, 0, sizeof(*line));
	if (n >= sizeof(line->text))
		return err_set(err, EINVAL, "%s: the line is longer than %zu bytes", where, sizeof(line->text) - 1);
	if (memchr(p, 0, n))
		return err_set(err, EINVAL, "%s: the line holds a NUL byte", where);
	memcpy(line->text, p, n);
	line->why = "";
	hash = strchr(line->text, '#');
	if (hash && (hash == line->text || hash[-1] == ' ' || hash[-1] == '\t')) {
		*hash = '\0';
		line->why = hash + 1 + strspn(hash + 1, " \t");
	}
	for (char *w = strtok_r(line->text, " \t\r", &save); w; w = strtok_r(NULL, " \t\r", &save)) {
		if (line->count == FILE_LINE_WORDS_MAX)
			return err_set(err, EINVAL, "%s: more than %u words", where, FILE_LINE_WORDS_MAX);
		line->words[line->count++] = w;
	}
	return 0;
}

int file_lines_next(struct file_lines *lines, struct file_line *ret, struct err *err)
{
	const char *p = lines->next, *eol;

	if (p >= lines->end)
		return 0;
	eol = memchr(p, '\n', (size_t)(lines->end - p));
	lines->next = eol ? eol + 1 : lines->end;
	(void)snprintf(lines->where, sizeof(lines->where), "%.127s:%u", lines->file, ++lines->number);
	return split(p, (size_t)((eol ? eol : lines->end) - p), ret, lines->where, err) < 0 ? -1 : 1;
}
