/* SPDX-License-Identifier: MIT
 *
 * From a state to rows: title, the page's lines, what was said, the keys; help
 * and questions over them, a bell over everything.
 */
#include "ui-tty/ui.h"

#include <stdio.h>
#include <string.h>

#define HINT_ROWS_MAX 3

static const struct hint common_hints[] = {
	{ '?', "?", "help" },
	{ 0, NULL, NULL },
};

/* --- the keys at the bottom --- */

struct hint_walk {
	int row, column; /* where the next goes */
	int columns, rows;
};

/* Where a hint stands, and that there is room for it. */
static bool place_hint(struct hint_walk *walk, const struct hint *hint, bool keep, int *ret_row, int *ret_column)
{
	int width = text_columns(hint->name) + 1 + text_columns(hint->label);
	int tail = keep ? 0 : 8; /* "? help" has to fit the last row */

	/* The last column of the last row stays empty: terminals scroll there. */
	if (walk->column && walk->column + 2 + width > walk->columns - 1 - (walk->row + 1 == walk->rows ? tail : 0)) {
		if (walk->row + 1 >= walk->rows)
			return false;
		walk->row++;
		walk->column = 0;
	}
	*ret_row = walk->row;
	*ret_column = walk->column ? walk->column + 2 : 0;
	walk->column = *ret_column + width;
	return true;
}

static void hint_text(const struct hint *hint, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s %s", hint->name, hint->label);
}

/* Puts the hints (canvas set) or looks for the one at row, column. */
static int walk_hints(const struct page *page, int rows, int columns, char out[][ROW_BYTES], int at_row, int at_column)
{
	struct hint_walk walk = { .columns = columns, .rows = rows };
	int row, column;

	for (int pass = 0; pass < 2; pass++) {
		for (const struct hint *h = pass ? common_hints : page->hints; h && h->name; h++) {
			char text[64], padded[ROW_BYTES];

			if (!place_hint(&walk, h, pass == 1, &row, &column))
				continue;
			hint_text(h, text, sizeof(text));
			if (out) {
				text_pad(out[row], column, padded, sizeof(padded));
				(void)snprintf(out[row], ROW_BYTES, "%.900s%.63s", padded, text);
			} else if (at_row == row && at_column >= column && at_column < column + text_columns(text)) {
				return h->key;
			}
		}
	}
	return 0;
}

static int hint_rows(const struct page *page, int rows, int columns)
{
	struct hint_walk walk = { .columns = columns, .rows = rows < 12 ? 1 : rows < 18 ? 2 : HINT_ROWS_MAX };
	int row = 0, column;

	for (const struct hint *h = page->hints; h && h->name; h++)
		(void)place_hint(&walk, h, false, &row, &column);
	(void)place_hint(&walk, common_hints, true, &row, &column);
	return row + 1;
}

/* --- pages --- */

static void put_title(const struct ui *ui, const struct place *place, struct canvas *canvas)
{
	char left[200] = "", right[200] = "", bells[80] = "", ends[300];
	size_t waiting = ui->bells.count + (ui->ringing && !ui->bell.next_time);

	place->page->title(ui, left, right, sizeof(left));
	if (waiting)
		(void)snprintf(bells, sizeof(bells), "♪ %zu waiting  ", waiting);
	(void)snprintf(ends, sizeof(ends), "%s%s", bells, right);
	canvas_put_ends(canvas, 0, STYLE_TITLE, left, ends);
	canvas_put_rule(canvas, 1, "");
}

static void put_lines(struct canvas *canvas, const struct lines *lines, size_t top, size_t lit, int from, int to)
{
	for (int at = from; at < to && top < lines->count; at++, top++) {
		const struct line *line = &lines->line[top];
		char text[LINE_BYTES + 8];

		if (line->rule) {
			canvas_put_rule(canvas, at, line->text);
			continue;
		}
		(void)snprintf(text, sizeof(text), "%s%s", line->target < 0 ? "" : top == lit ? "› " : "  ", line->text);
		canvas_put(canvas, at, line->target >= 0 && top == lit ? STYLE_LIT : line->style, text);
		canvas->row[at].line = (int)top;
	}
}

/* Keeps the lit line on the screen. */
static void scroll(struct place *place, size_t count, int room)
{
	size_t n = room > 0 ? (size_t)room : 1;

	if (place->lit < place->top)
		place->top = place->lit;
	if (place->lit >= place->top + n)
		place->top = place->lit - n + 1;
	if (place->top + n > count)
		place->top = count > n ? count - n : 0;
}

static void put_message(const struct ui *ui, struct canvas *canvas, int last)
{
	struct lines lines = { 0 };
	int from;

	lines_add_wrapped(&lines, STYLE_TITLE, canvas->columns, ui->message);
	from = last - (int)(lines.count < 4 ? lines.count : 4);
	if (lines.count)
		canvas_put_rule(canvas, from, "");
	for (size_t i = 0; i < lines.count && i < 4; i++)
		canvas_put(canvas, from + 1 + (int)i, STYLE_TITLE, lines.line[i].text);
	lines_free(&lines);
}

static void put_page(struct ui *ui, struct place *place, struct canvas *canvas)
{
	char hints[HINT_ROWS_MAX][ROW_BYTES] = { "" };
	int keys = hint_rows(place->page, canvas->rows, canvas->columns);
	int bottom = canvas->rows - keys - 1;
	struct lines lines;

	put_title(ui, place, canvas);
	ui_lines(ui, place, &lines);
	while (place->lit < lines.count && lines.line[place->lit].target < 0)
		place->lit++;
	if (place->lit >= lines.count)
		for (place->lit = lines.count ? lines.count - 1 : 0;
		     place->lit > 0 && lines.line[place->lit].target < 0; place->lit--)
			continue;
	scroll(place, lines.count, bottom - 2);
	put_lines(canvas, &lines, place->top, place->lit, 2, bottom);
	canvas_put_rule(canvas, bottom, place->top + (size_t)(bottom - 2) < lines.count ? "more below" : "");
	(void)walk_hints(place->page, keys, canvas->columns, hints, -1, -1);
	for (int i = 0; i < keys; i++)
		canvas_put(canvas, bottom + 1 + i, STYLE_DIM, hints[i]);
	if (ui->message[0])
		put_message(ui, canvas, bottom);
	lines_free(&lines);
}

/* --- over a page --- */

static void help_lines(const struct page *page, int columns, struct lines *lines)
{
	lines_add_wrapped(lines, STYLE_PLAIN, columns, page->help);
	lines_add(lines, STYLE_PLAIN, -1, "%s", "");
	for (const struct hint *h = page->hints; h && h->name; h++)
		lines_add(lines, STYLE_PLAIN, -1, "  %-7s %s", h->name, h->label);
	lines_add(lines, STYLE_PLAIN, -1, "  %-7s %s", "arrows", "move; also j and k, the wheel, a tap");
	lines_add(lines, STYLE_PLAIN, -1, "  %-7s %s", "Esc", "back");
	lines_add(lines, STYLE_PLAIN, -1, "%s", "");
	lines_add_wrapped(lines, STYLE_PLAIN, columns,
			  "When a bell (♪) rings, a box stands over everything: an app wants something of yours and is "
			  "held until you answer. Enter takes the lit line, which starts on the safe one; Esc is \"later\". "
			  "Keys in its first second do not count.");
}

static void put_help(struct ui *ui, const struct place *place, struct canvas *canvas)
{
	struct lines lines = { 0 };
	size_t room = canvas->rows > 4 ? (size_t)canvas->rows - 4 : 1;

	help_lines(place->page, canvas->columns, &lines);
	if (ui->help_top + room > lines.count)
		ui->help_top = lines.count > room ? lines.count - room : 0;
	canvas_put_ends(canvas, 0, STYLE_TITLE, "Help", "any key goes back");
	canvas_put_rule(canvas, 1, "");
	put_lines(canvas, &lines, ui->help_top, lines.count, 2, canvas->rows - 2);
	canvas_put_rule(canvas, canvas->rows - 2, ui->help_top + room < lines.count ? "more below" : "");
	canvas_put(canvas, canvas->rows - 1, STYLE_DIM, "Down more  Esc back");
	lines_free(&lines);
}

/* As much of the end of what was typed as fits, with a place for the next key. */
static void input_row(const char *value, int columns, char *buf, size_t size)
{
	while (*value && text_columns(value) > columns - 4) {
		value++;
		while ((*value & 0xc0) == 0x80)
			value++;
	}
	(void)snprintf(buf, size, "> %s_", value);
}

static void put_ask(const struct ui *ui, struct canvas *canvas)
{
	struct lines lines = { 0 };
	char row[ROW_BYTES];
	int at;

	lines_add_wrapped(&lines, STYLE_TITLE, canvas->columns, ui->ask.title);
	lines_add(&lines, STYLE_PLAIN, -1, "%s", "");
	lines_add_wrapped(&lines, STYLE_PLAIN, canvas->columns, ui->ask.text);
	lines_add(&lines, STYLE_PLAIN, -1, "%s", "");
	at = canvas->rows - 2 - (int)lines.count;
	if (at < 2)
		at = 2;
	for (int i = at - 1; i < canvas->rows; i++) {
		canvas_put(canvas, i, STYLE_PLAIN, "");
		canvas->row[i].line = -1;
	}
	canvas_put_rule(canvas, at - 1, "");
	put_lines(canvas, &lines, 0, lines.count, at, canvas->rows - 1);
	if (ui->ask.input)
		input_row(ui->ask.value, canvas->columns, row, sizeof(row));
	else
		(void)snprintf(row, sizeof(row), "y yes, do it   n no   Esc no");
	if (ui->ask.input)
		canvas_put(canvas, canvas->rows - 2, STYLE_LIT, row);
	canvas_put(canvas, canvas->rows - 1, STYLE_DIM, ui->ask.input ? "Enter done  Esc no" : row);
	lines_free(&lines);
}

void ui_view(struct ui *ui, int rows, int columns, struct canvas *canvas)
{
	struct place *place = ui_place(ui);

	canvas_start(canvas, rows > 0 ? rows : 1, columns > 0 ? columns : 1);
	ui->rows = canvas->rows;
	ui->columns = canvas->columns;
	if (ui->help)
		put_help(ui, place, canvas);
	else
		put_page(ui, place, canvas);
	if (ui->ask.open)
		put_ask(ui, canvas);
	if (ui->ringing)
		ui_bell_view(ui, canvas);
}

/* --- the mouse, or a finger --- */

void ui_wheel(struct ui *ui, int by, uint64_t now_ms)
{
	for (int i = 0; i < 3 && !ui->ringing; i++)
		ui_key(ui, by < 0 ? UI_KEY_UP : UI_KEY_DOWN, now_ms);
}

static void click_bell(struct ui *ui, const struct canvas *canvas, int row, uint64_t now_ms)
{
	int answer = ui_bell_row(ui, canvas, row);

	if (now_ms < ui->keys.deaf_until_ms || answer == -1)
		return;
	if (answer == -2 || (size_t)answer == ui->choice.answer)
		ui_bell_key(ui, UI_KEY_ENTER, now_ms);
	else
		ui->choice.answer = (size_t)answer;
}

static void click_ask(struct ui *ui, const struct canvas *canvas, int row, int column, uint64_t now_ms)
{
	if (row == canvas->rows - 1)
		ui_key(ui, ui->ask.input ? (column < 10 ? UI_KEY_ENTER : UI_KEY_ESC) : column < 12 ? 'y' : 'n', now_ms);
}

void ui_click(struct ui *ui, const struct canvas *canvas, int row, int column, uint64_t now_ms)
{
	struct place *place = ui_place(ui);
	int keys = hint_rows(place->page, canvas->rows, canvas->columns), key;

	if (row < 0 || row >= canvas->rows || ui_bell_just_left(ui, now_ms))
		return;
	if (ui->ringing) {
		click_bell(ui, canvas, row, now_ms);
	} else if (ui->ask.open) {
		click_ask(ui, canvas, row, column, now_ms);
	} else if (ui->help) {
		ui->help = false;
	} else if (row >= canvas->rows - keys) {
		key = walk_hints(place->page, keys, canvas->columns, NULL, row - (canvas->rows - keys), column);
		if (key)
			ui_key(ui, key, now_ms);
	} else if (row == 0) {
		ui_key(ui, UI_KEY_ESC, now_ms);
	} else if (canvas->row[row].line >= 0) {
		bool again = place->lit == (size_t)canvas->row[row].line;

		place->lit = (size_t)canvas->row[row].line;
		if (again)
			ui_key(ui, UI_KEY_ENTER, now_ms);
	}
}
