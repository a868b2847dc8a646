/* SPDX-License-Identifier: MIT
 *
 * Widths are counted in columns as the terminal counts them, bytes only bound
 * the buffers.
 */
#include "ui-tty/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* --- text --- */

/* Bytes of the character at text and the columns it takes. */
static size_t next_char(const char *text, int *ret_columns)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n = mbrtowc(&c, text, 8, &state);
	int w;

	*ret_columns = 1;
	if (n == (size_t)-1 || n == (size_t)-2 || n == 0)
		return 1; /* not text in this locale: a terminal shows something one column wide */
	w = wcwidth(c);
	*ret_columns = w > 0 ? w : 0;
	return n;
}

int text_columns(const char *text)
{
	int n = 0, w;

	while (*text) {
		text += next_char(text, &w);
		n += w;
	}
	return n;
}

void text_fit(const char *text, int width, char *buf, size_t size)
{
	size_t used = 0;
	int w;

	while (*text) {
		size_t n = next_char(text, &w);

		if (w > width || used + n + 1 > size)
			break;
		memcpy(buf + used, text, n);
		used += n;
		text += n;
		width -= w;
	}
	buf[used] = '\0';
}

void text_fit_ends(const char *text, int width, char *buf, size_t size)
{
	int columns = text_columns(text), head, w;
	size_t used;

	text_fit(text, width, buf, size);
	if (columns <= width || width < 8)
		return;
	head = (width - 3) / 3;
	text_fit(text, head, buf, size);
	used = strlen(buf);
	for (int skip = columns - (width - 3 - head); skip > 0; skip -= w)
		text += next_char(text, &w);
	while ((*text & 0xc0) == 0x80) /* a character's marks went with it */
		text++;
	(void)snprintf(buf + used, size - used, "...%s", text);
}

void text_pad(const char *text, int width, char *buf, size_t size)
{
	size_t n;
	int columns;

	text_fit(text, width, buf, size);
	n = strlen(buf);
	for (columns = text_columns(buf); columns < width && n + 1 < size; columns++)
		buf[n++] = ' ';
	buf[n] = '\0';
}

void glyphs_lower(enum glyphs glyphs, char *text)
{
	static const struct {
		const char *from, *to;
		enum glyphs at; /* from this level on */
	} table[] = {
		{ "›", ">", GLYPHS_CONSOLE }, { "‹", "<", GLYPHS_CONSOLE }, { "…", ".", GLYPHS_CONSOLE },
		{ "♪", "*", GLYPHS_ASCII },   { "─", "-", GLYPHS_ASCII },   { "│", "|", GLYPHS_ASCII },
		{ "┌", "+", GLYPHS_ASCII },   { "┐", "+", GLYPHS_ASCII },   { "└", "+", GLYPHS_ASCII },
		{ "┘", "+", GLYPHS_ASCII },   { "·", ".", GLYPHS_ASCII },
	};
	char *out = text;

	while (*text) {
		size_t i, n = 1;

		for (i = 0; i < ARRAY_LEN(table); i++) {
			n = strlen(table[i].from);
			if (glyphs >= table[i].at && strncmp(text, table[i].from, n) == 0)
				break;
		}
		if (i < ARRAY_LEN(table)) {
			*out++ = table[i].to[0];
			text += n;
		} else if (glyphs == GLYPHS_ASCII && (*text & 0x80)) {
			for (*out++ = '?', text++; (*text & 0xc0) == 0x80; text++)
				continue;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

/* --- canvas --- */

void canvas_free(struct canvas *canvas)
{
	free(canvas->row);
	memset(canvas, 0, sizeof(*canvas));
}

void canvas_start(struct canvas *canvas, int rows, int columns)
{
	if (rows != canvas->rows) {
		free(canvas->row);
		canvas->row = xcalloc((size_t)(rows > 0 ? rows : 1), sizeof(*canvas->row));
	}
	canvas->rows = rows;
	canvas->columns = columns < (int)ROW_BYTES / 4 ? columns : (int)ROW_BYTES / 4;
	for (int i = 0; i < rows; i++) {
		canvas->row[i].text[0] = '\0';
		canvas->row[i].style = STYLE_PLAIN;
		canvas->row[i].line = -1;
	}
}

void canvas_put(struct canvas *canvas, int at, enum style style, const char *text)
{
	if (at < 0 || at >= canvas->rows)
		return;
	text_fit(text, canvas->columns, canvas->row[at].text, ROW_BYTES);
	canvas->row[at].style = style;
}

void canvas_put_ends(struct canvas *canvas, int at, enum style style, const char *left, const char *right)
{
	char row[ROW_BYTES], cut[ROW_BYTES / 2];
	int room = canvas->columns - text_columns(right);

	text_pad(left, room > 1 ? room - 1 : 0, cut, sizeof(cut));
	(void)snprintf(row, sizeof(row), "%s %.*s", cut, (int)(sizeof(row) / 2 - 2), right);
	canvas_put(canvas, at, style, row);
}

void canvas_put_rule(struct canvas *canvas, int at, const char *name)
{
	char row[ROW_BYTES];
	size_t n = 0;
	int columns = 0;

	if (*name) {
		n = (size_t)snprintf(row, sizeof(row), "── %.80s ", name);
		columns = text_columns(row);
	}
	for (; columns < canvas->columns && n + 4 < sizeof(row); columns++)
		n += (size_t)snprintf(row + n, sizeof(row) - n, "─");
	row[n] = '\0';
	canvas_put(canvas, at, STYLE_RULE, row);
}

/* --- lines --- */

void lines_free(struct lines *lines)
{
	free(lines->line);
	memset(lines, 0, sizeof(*lines));
}

static struct line *new_line(struct lines *lines, enum style style, int target)
{
	struct line *line;

	if (lines->count == lines->room) {
		lines->room = lines->room ? lines->room * 2 : 64;
		lines->line = xrealloc(lines->line, lines->room * sizeof(*lines->line));
	}
	line = &lines->line[lines->count++];
	line->text[0] = '\0';
	line->style = style;
	line->target = target;
	line->rule = false;
	return line;
}

void lines_add(struct lines *lines, enum style style, int target, const char *fmt, ...)
{
	struct line *line = new_line(lines, style, target);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line->text, sizeof(line->text), fmt, ap);
	va_end(ap);
}

void lines_add_rule(struct lines *lines, const char *name)
{
	struct line *line = new_line(lines, STYLE_RULE, -1);

	line->rule = true;
	(void)snprintf(line->text, sizeof(line->text), "%s", name);
}

void lines_add_wrapped(struct lines *lines, enum style style, int columns, const char *text)
{
	char piece[LINE_BYTES];

	while (*text) {
		size_t n;

		text_fit(text, columns > 0 ? columns : 1, piece, sizeof(piece));
		n = strlen(piece);
		if (n == 0)
			return; /* a character wider than the screen */
		if (text[n] && text[n] != ' ' && strrchr(piece, ' ')) {
			n = (size_t)(strrchr(piece, ' ') - piece);
			piece[n] = '\0';
		}
		lines_add(lines, style, -1, "%s", piece);
		text += n;
		text += strspn(text, " ");
	}
}

void lines_add_entry(struct lines *lines, enum style style, int columns, int target, const char *text)
{
	size_t first = lines->count;

	lines_add_wrapped(lines, style, columns - 4, text);
	for (size_t i = first; i < lines->count; i++) {
		char row[LINE_BYTES];

		if (i == first) {
			lines->line[i].target = target;
			continue;
		}
		(void)snprintf(row, sizeof(row), "    %.*s", (int)sizeof(row) - 5, lines->line[i].text);
		(void)snprintf(lines->line[i].text, sizeof(lines->line[i].text), "%s", row);
	}
}
