/* SPDX-License-Identifier: MIT
 *
 * What is kept back is written afterwards byte for byte, so that the terminal
 * ends in the very state that it would have had. What cannot be kept (too much)
 * goes into the model and is drawn from there.
 */
#include "ui-tty/stage.h"

#include "base/fd.h"

#include <stdio.h>
#include <string.h>

#define HELD_MAX ((size_t)1 << 20)

/* An emulator, with a second screen and what came after the VTs. */
static bool terminal_is_rich(void)
{
	const char *term = getenv("TERM");

	return term && strncmp(term, "linux", 5) != 0 && strncmp(term, "vt", 2) != 0 && strcmp(term, "dumb") != 0;
}

static void emit(struct stage *s, const char *buf, size_t n)
{
	(void)fd_write_full(s->out, buf, n);
}

static void emit_text(struct stage *s, const char *text)
{
	emit(s, text, strlen(text));
}

static void emit_free(struct stage *s, char *text)
{
	emit_text(s, text ? text : "");
	free(text);
}

static void emit_whole(void *data, const char *buf, size_t n)
{
	emit(data, buf, n);
}

static void pass_output(struct stage *s, const char *buf, size_t n)
{
	if (s->screen)
		screen_feed(s->screen, buf, n);
	modes_pass(&s->modes, buf, n, emit_whole, s);
}

/* What cannot be kept for the terminal is kept in the model. */
static void model_output(struct stage *s, const char *buf, size_t n)
{
	screen_feed(s->screen, buf, n);
	modes_pass(&s->modes, buf, n, NULL, NULL);
}

static void hold_output(struct stage *s, const char *buf, size_t n)
{
	if (!s->held_lost && s->held_len + n <= HELD_MAX) {
		s->held = xrealloc(s->held, s->held_len + n);
		memcpy(s->held + s->held_len, buf, n);
		s->held_len += n;
		return;
	}
	if (!s->held_lost)
		model_output(s, s->held, s->held_len);
	s->held_lost = true;
	s->held_len = 0;
	model_output(s, buf, n);
}

void stage_output(struct stage *s, const char *buf, size_t n)
{
	if (s->taken)
		hold_output(s, buf, n);
	else
		pass_output(s, buf, n);
}

/* Whatever the app did to the terminal, the bell is drawn on a plain one. */
void stage_take(struct stage *s)
{
	bool rich = terminal_is_rich();

	s->taken = true;
	s->own_screen = !modes_alternate(&s->modes) && rich;
	emit_text(s, modes_break(&s->modes));
	if (s->own_screen)
		emit_text(s, "\033[?1049h");
	emit_free(s, modes_take_back(rich, !s->plain));
	if (s->own_screen)
		emit_text(s, "\033[2J");
}

void stage_give_back(struct stage *s)
{
	bool rich = terminal_is_rich(), redraw = !s->own_screen || s->held_lost;
	char *held = s->held, *drawn;
	size_t n = s->held_len;
	int row, column;

	emit_text(s, "\033[0m");
	emit_text(s, modes_keyboard_back(rich));
	if (s->own_screen)
		emit_text(s, "\033[?1049l");
	if (s->own_screen && modes_alternate(&s->modes))
		emit_text(s, "\033[?1049h"); /* where the app went meanwhile */
	if (!s->own_screen && rich && !modes_alternate(&s->modes))
		emit_text(s, "\033[?1049l");
	if (redraw) {
		drawn = screen_redraw(s->screen, &n);
		emit(s, drawn, n);
		free(drawn);
		n = s->held_len;
	}
	screen_cursor(s->screen, &row, &column);
	emit_free(s, modes_put_back(&s->modes, rich, row, column, redraw));
	s->held = NULL;
	s->held_len = 0;
	s->held_lost = false;
	s->taken = false;
	if (n)
		pass_output(s, held, n);
	free(held);
}

/* The mark gives way before the text does. */
static int mark_columns(const struct stage *s)
{
	int most = s->columns / 4, all = text_columns(s->mark);

	return all < most ? all : most;
}

void stage_say(struct stage *s, const char *text)
{
	char row[PROMPT_ROW_BYTES + 256], mark[sizeof(s->mark)], shown[PROMPT_ROW_BYTES];

	text_fit(s->mark, mark_columns(s), mark, sizeof(mark));
	text_fit(text, s->columns - 4 - text_columns(mark), shown, sizeof(shown));
	(void)snprintf(row, sizeof(row), "\033[%d;1H\033[0;7m\033[K %s  %s\033[0m", s->rows, mark, shown);
	emit_text(s, row);
}

void stage_clear(struct stage *s)
{
	char *drawn;
	size_t n;

	if (s->own_screen) {
		emit_text(s, "\033[0m\033[2J");
		return;
	}
	drawn = screen_redraw(s->screen, &n);
	emit(s, drawn, n);
	free(drawn);
	emit_text(s, "\033[?25l");
}

void stage_beep(struct stage *s)
{
	emit_text(s, "\a");
}

static void draw_box(struct stage *s, const struct prompt_rows *rows)
{
	int top = (s->rows - 1 - (int)rows->count) / 2, left = (s->columns - rows->width) / 2;
	char line[PROMPT_ROW_BYTES + 64];

	for (size_t i = 0; i < rows->count; i++) {
		(void)snprintf(line, sizeof(line), "\033[%d;%dH\033[0m%s", top + (int)i + 1, left + 1, rows->rows[i]);
		emit_text(s, line);
	}
	stage_say(s, s->plain ? "Cowbell asks: this row is Cowbell's, no app can write here"
			      : "♪ Cowbell asks: this row is Cowbell's, no app can write here");
}

bool stage_draw(struct stage *s, const struct prompt_text *prompt, const struct prompt_choice *choice)
{
	struct prompt_rows *rows = xcalloc(1, sizeof(*rows));
	char line[PROMPT_ROW_BYTES];
	bool shown = true;

	prompt_view(prompt, choice, s->rows, s->columns, s->plain, rows);
	if (prompt_fits(rows, s->rows, s->columns)) {
		draw_box(s, rows);
	} else {
		shown = prompt_view_line(prompt, choice, s->columns - 3 - mark_columns(s), line, sizeof(line));
		stage_say(s, line);
	}
	free(rows);
	return shown;
}

void stage_resize(struct stage *s, int rows, int columns)
{
	s->rows = rows;
	s->columns = columns;
	if (!s->screen)
		s->screen = screen_create(rows, columns);
	else
		screen_resize(s->screen, rows, columns);
}

void stage_init(struct stage *s, int out, bool plain)
{
	memset(s, 0, sizeof(*s));
	s->out = out;
	s->plain = plain;
	modes_init(&s->modes);
}

void stage_end(struct stage *s)
{
	int row, column;

	if (s->taken)
		stage_give_back(s);
	if (s->screen) {
		screen_cursor(s->screen, &row, &column);
		emit_free(s, modes_end(&s->modes, terminal_is_rich(), row, column));
	}
	screen_destroy(s->screen);
	free(s->held);
}
