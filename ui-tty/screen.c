/* SPDX-License-Identifier: MIT
 *
 * Cells are written out row by row; an attribute change is written only where
 * it happens.
 */
#include "ui-tty/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <vterm.h>

struct screen {
	VTerm *vt;
	VTermScreen *screen;
	int rows, columns;
	VTermPos cursor;
	bool cursor_visible, alternate;
	int mouse;
};

static int on_cursor(VTermPos pos, VTermPos old, int visible, void *data)
{
	struct screen *s = data;

	(void)old;
	s->cursor = pos;
	s->cursor_visible = visible != 0;
	return 1;
}

static int on_prop(VTermProp prop, VTermValue *value, void *data)
{
	struct screen *s = data;

	if (prop == VTERM_PROP_CURSORVISIBLE)
		s->cursor_visible = value->boolean != 0;
	else if (prop == VTERM_PROP_ALTSCREEN)
		s->alternate = value->boolean != 0;
	else if (prop == VTERM_PROP_MOUSE)
		s->mouse = value->number;
	return 1;
}

static const VTermScreenCallbacks callbacks = { .movecursor = on_cursor, .settermprop = on_prop };

struct screen *screen_create(int rows, int columns)
{
	struct screen *s = xcalloc(1, sizeof(*s));

	s->rows = rows;
	s->columns = columns;
	s->cursor_visible = true;
	s->vt = vterm_new(rows, columns);
	vterm_set_utf8(s->vt, 1);
	s->screen = vterm_obtain_screen(s->vt);
	vterm_screen_set_callbacks(s->screen, &callbacks, s);
	vterm_screen_enable_altscreen(s->screen, 1);
	vterm_screen_reset(s->screen, 1);
	return s;
}

void screen_destroy(struct screen *s)
{
	if (!s)
		return;
	vterm_free(s->vt);
	free(s);
}

void screen_feed(struct screen *s, const char *bytes, size_t n)
{
	(void)vterm_input_write(s->vt, bytes, n);
}

void screen_resize(struct screen *s, int rows, int columns)
{
	s->rows = rows;
	s->columns = columns;
	vterm_set_size(s->vt, rows, columns);
}

int screen_rows(const struct screen *s)
{
	return s->rows;
}

int screen_columns(const struct screen *s)
{
	return s->columns;
}

/* --- drawing --- */

struct out {
	char *buf;
	size_t len, room;
};

static void put(struct out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (o->room - o->len < 256) {
		o->room = o->room ? o->room * 2 : 8192;
		o->buf = xrealloc(o->buf, o->room);
	}
	va_start(ap, fmt);
	n = vsnprintf(o->buf + o->len, o->room - o->len, fmt, ap);
	va_end(ap);
	o->len += n > 0 ? (size_t)n : 0;
}

static void put_color(struct out *o, const VTermColor *c, bool foreground)
{
	if (foreground ? VTERM_COLOR_IS_DEFAULT_FG(c) : VTERM_COLOR_IS_DEFAULT_BG(c))
		return;
	if (VTERM_COLOR_IS_INDEXED(c))
		put(o, ";%d;5;%d", foreground ? 38 : 48, c->indexed.idx);
	else
		put(o, ";%d;2;%d;%d;%d", foreground ? 38 : 48, c->rgb.red, c->rgb.green, c->rgb.blue);
}

static void put_attributes(struct out *o, const VTermScreenCell *cell)
{
	put(o, "\033[0");
	if (cell->attrs.bold)
		put(o, ";1");
	if (cell->attrs.italic)
		put(o, ";3");
	if (cell->attrs.underline)
		put(o, ";4");
	if (cell->attrs.blink)
		put(o, ";5");
	if (cell->attrs.reverse)
		put(o, ";7");
	if (cell->attrs.strike)
		put(o, ";9");
	put_color(o, &cell->fg, true);
	put_color(o, &cell->bg, false);
	put(o, "m");
}

static void put_utf8(struct out *o, uint32_t c)
{
	if (c < 0x80)
		put(o, "%c", (int)c);
	else if (c < 0x800)
		put(o, "%c%c", (int)(0xc0 | c >> 6), (int)(0x80 | (c & 0x3f)));
	else if (c < 0x10000)
		put(o, "%c%c%c", (int)(0xe0 | c >> 12), (int)(0x80 | (c >> 6 & 0x3f)), (int)(0x80 | (c & 0x3f)));
	else
		put(o, "%c%c%c%c", (int)(0xf0 | c >> 18), (int)(0x80 | (c >> 12 & 0x3f)),
		    (int)(0x80 | (c >> 6 & 0x3f)), (int)(0x80 | (c & 0x3f)));
}

static bool same_style(const VTermScreenCell *a, const VTermScreenCell *b)
{
	return memcmp(&a->attrs, &b->attrs, sizeof(a->attrs)) == 0 && vterm_color_is_equal(&a->fg, &b->fg) &&
	       vterm_color_is_equal(&a->bg, &b->bg);
}

static bool is_blank(const VTermScreenCell *cell)
{
	return cell->chars[0] == 0 && VTERM_COLOR_IS_DEFAULT_BG(&cell->bg) && !cell->attrs.reverse &&
	       !cell->attrs.underline && !cell->attrs.strike;
}

static void put_row(struct out *o, const struct screen *s, int row)
{
	VTermScreenCell cell, last = { 0 };
	bool styled = false;
	int end = s->columns;

	while (end > 0) {
		(void)vterm_screen_get_cell(s->screen, (VTermPos){ row, end - 1 }, &cell);
		if (!is_blank(&cell))
			break;
		end--;
	}
	put(o, "\033[%d;1H\033[0m\033[K", row + 1);
	for (int column = 0; column < end; column++) {
		(void)vterm_screen_get_cell(s->screen, (VTermPos){ row, column }, &cell);
		if (!styled || !same_style(&cell, &last)) {
			put_attributes(o, &cell);
			styled = true;
		}
		last = cell;
		if (cell.chars[0] == 0)
			put(o, " ");
		for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++)
			put_utf8(o, cell.chars[i]);
		if (cell.width == 2)
			column++;
	}
}

/* The app goes on writing in the style that it was in. */
static void put_pen(struct out *o, const struct screen *s)
{
	static const struct {
		VTermAttr attr;
		int code;
	} codes[] = { { VTERM_ATTR_BOLD, 1 },  { VTERM_ATTR_ITALIC, 3 },  { VTERM_ATTR_UNDERLINE, 4 },
		      { VTERM_ATTR_BLINK, 5 }, { VTERM_ATTR_REVERSE, 7 }, { VTERM_ATTR_STRIKE, 9 } };
	const VTermState *state = vterm_obtain_state(s->vt);
	VTermValue value;

	put(o, "\033[0");
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		value.number = 0;
		if (vterm_state_get_penattr(state, codes[i].attr, &value) && value.number)
			put(o, ";%d", codes[i].code);
	}
	if (vterm_state_get_penattr(state, VTERM_ATTR_FOREGROUND, &value))
		put_color(o, &value.color, true);
	if (vterm_state_get_penattr(state, VTERM_ATTR_BACKGROUND, &value))
		put_color(o, &value.color, false);
	put(o, "m");
}

void screen_cursor(const struct screen *s, int *ret_row, int *ret_column)
{
	*ret_row = s->cursor.row;
	*ret_column = s->cursor.col;
}

char *screen_redraw(const struct screen *s, size_t *ret_size)
{
	struct out o = { 0 };

	put(&o, "\033[?25l");
	for (int row = 0; row < s->rows; row++)
		put_row(&o, s, row);
	put(&o, "\033[%d;%dH", s->cursor.row + 1, s->cursor.col + 1);
	put_pen(&o, s);
	put(&o, "%s", s->cursor_visible ? "\033[?25h" : "");
	*ret_size = o.len;
	return o.buf;
}
