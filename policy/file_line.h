/* SPDX-License-Identifier: MIT
 *
 * The lines of files that people write: words between blanks, " #" begins a
 * reason. Policy files and board profiles are made of them.
 */
#ifndef POLICY_FILE_LINE_H
#define POLICY_FILE_LINE_H

#include "base/err.h"

#define FILE_LINE_WORDS_MAX 8u
#define FILE_LINE_WHERE_SIZE 160u

struct file_line {
	char text[1024];
	char *words[FILE_LINE_WORDS_MAX]; /* in text */
	size_t count;                /* 0: an empty line, or a remark alone */
	const char *why;             /* what stands after "#", "" for nothing */
};

/* Where one file's text is being read; NUL bytes and long lines are errors. */
struct file_lines {
	const char *file, *next, *end;
	unsigned int number;
	char where[FILE_LINE_WHERE_SIZE]; /* "FILE:LINE" of the last line */
};

/* file and text (size bytes, need not be NUL-ended) are borrowed while it is read. */
void file_lines_begin(struct file_lines *lines, const char *file, const char *text, size_t size);

/* 1 a line, 0 the end, -1 with err, which begins with where. */
int file_lines_next(struct file_lines *lines, struct file_line *ret, struct err *err);

#endif
