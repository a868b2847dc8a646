/* SPDX-License-Identifier: MIT
 *
 * A screen as rows of text with one style each, and the list of lines that a
 * page scrolls through. Pure; who draws it is another module's business.
 */
#ifndef UI_CANVAS_H
#define UI_CANVAS_H

#include "base/err.h"

#define ROW_BYTES 1024u
#define LINE_BYTES 400u

/* Colour and brightness only repeat what the words say. */
enum style {
	STYLE_PLAIN = 0,
	STYLE_TITLE,
	STYLE_RULE,
	STYLE_DIM,
	STYLE_LIT, /* the line that Enter takes */
	STYLE_BAR, /* Cowbell's own last row while a bell rings */
};

/* What a terminal can show. Console: box lines and a note, no thin angles. */
enum glyphs { GLYPHS_FULL = 0, GLYPHS_CONSOLE, GLYPHS_ASCII };

struct canvas_row {
	char text[ROW_BYTES];
	enum style style;
	int line; /* index of the page's line that it shows, -1: none */
};

struct canvas {
	int rows, columns;
	struct canvas_row *row;
};

/* (Re)sizes and empties. free leaves an empty canvas. */
void canvas_start(struct canvas *canvas, int rows, int columns);
void canvas_free(struct canvas *canvas);

/* Puts text, cut to the width, into row at; rows outside are ignored. */
void canvas_put(struct canvas *canvas, int at, enum style style, const char *text);

/* left and right at their ends of one row; left is cut first. */
void canvas_put_ends(struct canvas *canvas, int at, enum style style, const char *left, const char *right);

/* "── name ─────": a line over the whole width, name may be "". */
void canvas_put_rule(struct canvas *canvas, int at, const char *name);

/* Replaces what the terminal cannot show; in place, never longer. */
void glyphs_lower(enum glyphs glyphs, char *text);

/* --- lines --- */

struct line {
	char text[LINE_BYTES];
	enum style style;
	bool rule;  /* text is the name in a rule */
	int target; /* what Enter on it means to its page; -1: cannot be lit */
};

struct lines {
	struct line *line;
	size_t count, room;
};

void lines_free(struct lines *lines);
void lines_add(struct lines *lines, enum style style, int target, const char *fmt, ...) PRINTF_LIKE(4, 5);
void lines_add_rule(struct lines *lines, const char *name);

/* Breaks text at blanks so that each piece fits columns. */
void lines_add_wrapped(struct lines *lines, enum style style, int columns, const char *text);

/* As lines_add_wrapped, for a line that can be lit: what does not fit stands below it, indented. */
void lines_add_entry(struct lines *lines, enum style style, int columns, int target, const char *text);

/* Cuts text to width columns, by whole characters. */
void text_fit(const char *text, int width, char *buf, size_t size);

/* As text_fit, but a text that is too wide loses its middle, with "..." there: who a
 * host belongs to stands at its end. */
void text_fit_ends(const char *text, int width, char *buf, size_t size);

/* Columns that a text of printable UTF-8 takes (wide characters count two). */
int text_columns(const char *text);

/* text_fit, then blanks up to width. */
void text_pad(const char *text, int width, char *buf, size_t size);

#endif
