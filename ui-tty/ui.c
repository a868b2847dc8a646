/* SPDX-License-Identifier: MIT
 *
 * The stack of pages and the keys that all of them share. A bell goes before
 * everything: while one rings, no key reaches a page.
 */
#include "ui-tty/ui.h"

#include "policy/permission.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct place *ui_place(struct ui *ui)
{
	return &ui->places[ui->depth - 1];
}

void ui_say(struct ui *ui, const char *fmt, ...)
{
	char text[sizeof(ui->message)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_escape(text, strlen(text), ui->message, sizeof(ui->message));
}

json_t *ui_call(struct ui *ui, const char *method, json_t *params)
{
	struct err err = { 0 };
	json_t *reply = ui->port->call(ui->port->data, method, params, &err);

	if (!reply)
		ui_say(ui, "%s", err.msg);
	return reply;
}

bool ui_do(struct ui *ui, const char *method, json_t *params)
{
	json_t *reply = ui_call(ui, method, params);

	json_decref(reply);
	return reply != NULL;
}

/* --- places --- */

static void place_clear(struct place *place)
{
	json_decref(place->data);
	json_decref(place->more);
	memset(place, 0, sizeof(*place));
}

void ui_back(struct ui *ui)
{
	if (ui->depth <= 1)
		return;
	place_clear(ui_place(ui));
	ui->depth--;
	ui_refresh(ui, ui->wall_ms);
}

void ui_enter(struct ui *ui, const struct page *page, const char *app, const char *permission)
{
	struct place *place;

	if (ui->depth == PLACES_MAX)
		return;
	place = &ui->places[ui->depth++];
	memset(place, 0, sizeof(*place));
	place->page = page;
	(void)snprintf(place->app, sizeof(place->app), "%s", app);
	(void)snprintf(place->permission, sizeof(place->permission), "%s", permission);
	ui_refresh(ui, ui->wall_ms);
}

void ui_refresh(struct ui *ui, long long wall_ms)
{
	ui->wall_ms = wall_ms;
	while (ui->depth > 0) {
		struct place *place = ui_place(ui);

		if (!place->page->load || place->page->load(ui, place) || ui->depth == 1)
			return;
		place_clear(place); /* what it showed is gone */
		ui->depth--;
	}
}

void ui_lines(const struct ui *ui, const struct place *place, struct lines *lines)
{
	memset(lines, 0, sizeof(*lines));
	place->page->fill(ui, place, lines);
}

/* --- the ui's own questions --- */

void ui_confirm(struct ui *ui, const char *title, const char *text,
		void (*yes)(struct ui *ui, struct place *place, const char *value))
{
	memset(&ui->ask, 0, sizeof(ui->ask));
	ui->ask.open = true;
	(void)snprintf(ui->ask.title, sizeof(ui->ask.title), "%s", title);
	(void)snprintf(ui->ask.text, sizeof(ui->ask.text), "%s", text);
	ui->ask.yes = yes;
}

void ui_input(struct ui *ui, const char *title, const char *text, const char *value,
	      void (*yes)(struct ui *ui, struct place *place, const char *value))
{
	ui_confirm(ui, title, text, yes);
	ui->ask.input = true;
	(void)snprintf(ui->ask.value, sizeof(ui->ask.value), "%s", value);
}

static void ask_take(struct ui *ui)
{
	struct ask ask = ui->ask;

	ui->ask.open = false;
	ask.yes(ui, ui_place(ui), ask.value);
}

static void ask_type(struct ask *ask, int key)
{
	size_t n = strlen(ask->value);

	if (key == UI_KEY_BACKSPACE || key == 8 || key == 127) {
		while (n && (ask->value[n - 1] & 0xc0) == 0x80)
			n--;
		ask->value[n ? n - 1 : 0] = '\0';
	} else if (key == 21) { /* Ctrl-U */
		ask->value[0] = '\0';
	} else if (key >= ' ' && key < UI_KEY_UP && n + 5 < sizeof(ask->value)) {
		char c[8] = { 0 };

		if (key < 0x80) {
			c[0] = (char)key;
		} else if (key < 0x800) {
			c[0] = (char)(0xc0 | key >> 6);
			c[1] = (char)(0x80 | (key & 0x3f));
		} else if (key < 0x10000) {
			c[0] = (char)(0xe0 | key >> 12);
			c[1] = (char)(0x80 | (key >> 6 & 0x3f));
			c[2] = (char)(0x80 | (key & 0x3f));
		} else {
			c[0] = (char)(0xf0 | key >> 18);
			c[1] = (char)(0x80 | (key >> 12 & 0x3f));
			c[2] = (char)(0x80 | (key >> 6 & 0x3f));
			c[3] = (char)(0x80 | (key & 0x3f));
		}
		memcpy(ask->value + n, c, strlen(c) + 1);
	}
}

/* Only y says yes: Enter is what a finger finds by accident. */
static void ask_key(struct ui *ui, int key)
{
	if (key == UI_KEY_ESC || key == 3) {
		ui->ask.open = false;
		ui_say(ui, "Nothing was changed.");
	} else if (ui->ask.input) {
		if (key != UI_KEY_ENTER && key != '\n')
			ask_type(&ui->ask, key);
		else if (ui->ask.value[0])
			ask_take(ui);
	} else if (key == 'y' || key == 'Y') {
		ask_take(ui);
	} else if (key == 'n' || key == 'N' || key == UI_KEY_ENTER || key == '\n') {
		ui->ask.open = false;
		ui_say(ui, "Nothing was changed.");
	}
}

/* --- moving --- */

static bool can_light(const struct lines *lines, size_t i)
{
	return i < lines->count && lines->line[i].target >= 0;
}

/* by lines that can be lit; stays where there is none. */
static void move_lit(struct place *place, const struct lines *lines, int by)
{
	size_t at = place->lit;

	while (by) {
		size_t i = at;

		do {
			if ((by < 0 && i == 0) || (by > 0 && i + 1 >= lines->count)) {
				if (by < 0)
					place->top = 0; /* the heading above the first line */
				return;
			}
			i = by < 0 ? i - 1 : i + 1;
		} while (!can_light(lines, i));
		place->lit = at = i;
		by += by < 0 ? 1 : -1;
	}
}

static void settle_lit(struct place *place, const struct lines *lines)
{
	if (place->lit >= lines->count)
		place->lit = lines->count ? lines->count - 1 : 0;
	for (size_t i = place->lit; !can_light(lines, place->lit) && i < lines->count; i++) {
		if (can_light(lines, i))
			place->lit = i;
	}
	for (size_t i = place->lit; !can_light(lines, place->lit) && i-- > 0;) {
		if (can_light(lines, i))
			place->lit = i;
	}
}

static bool move_key(struct ui *ui, struct place *place, const struct lines *lines, int key)
{
	int page = ui->rows > 8 ? ui->rows - 6 : 2;

	switch (key) {
	case UI_KEY_UP:
	case 'k':
		move_lit(place, lines, -1);
		return true;
	case UI_KEY_DOWN:
	case 'j':
		move_lit(place, lines, 1);
		return true;
	case UI_KEY_PAGE_UP:
		move_lit(place, lines, -page);
		return true;
	case UI_KEY_PAGE_DOWN:
		move_lit(place, lines, page);
		return true;
	case UI_KEY_HOME:
		place->lit = place->top = 0;
		settle_lit(place, lines);
		return true;
	case UI_KEY_END:
		place->lit = lines->count;
		settle_lit(place, lines);
		return true;
	}
	return false;
}

static void page_keys(struct ui *ui, int key)
{
	struct place *place = ui_place(ui);
	struct lines lines;
	int target;

	ui_lines(ui, place, &lines);
	settle_lit(place, &lines);
	target = can_light(&lines, place->lit) ? lines.line[place->lit].target : -1;
	if (key == '?') {
		ui->help = true;
		ui->help_top = 0;
	} else if (key == '\n') {
		(void)place->page->key(ui, place, UI_KEY_ENTER, target);
	} else if (place->page->key(ui, place, key, target)) {
		/* the page's own */
	} else if (!move_key(ui, place, &lines, key)) {
		if (key == UI_KEY_ESC || key == UI_KEY_BACKSPACE || key == UI_KEY_LEFT || key == 'q') {
			if (ui->depth == 1 && key == 'q')
				ui->quit = true;
			ui_back(ui);
		} else if (key == 12) { /* Ctrl-L */
			ui_refresh(ui, ui->wall_ms);
		} else if (key > ' ' && key < 0x7f) {
			ui_say(ui, "'%c' means nothing here; ? lists the keys.", key);
		}
	}
	lines_free(&lines);
}

static void help_key(struct ui *ui, int key)
{
	if (key == UI_KEY_DOWN || key == UI_KEY_PAGE_DOWN || key == 'j')
		ui->help_top += key == UI_KEY_PAGE_DOWN ? 8 : 1;
	else if (key == UI_KEY_UP || key == UI_KEY_PAGE_UP || key == 'k')
		ui->help_top -= ui->help_top >= 8 && key == UI_KEY_PAGE_UP ? 8 : ui->help_top > 0;
	else
		ui->help = false;
}

void ui_key(struct ui *ui, int key, uint64_t now_ms)
{
	ui->now_ms = now_ms;
	if (ui->ringing) {
		ui_bell_key(ui, key, now_ms);
		return;
	}
	if (ui_bell_just_left(ui, now_ms))
		return;
	ui->message[0] = '\0';
	if (ui->ask.open)
		ask_key(ui, key);
	else if (ui->help)
		help_key(ui, key);
	else
		page_keys(ui, key);
}

/* --- beginning and end --- */

void ui_start(struct ui *ui, const struct ui_port *port, uint64_t now_ms, long long wall_ms)
{
	json_t *reply;

	memset(ui, 0, sizeof(*ui));
	ui->port = port;
	ui->now_ms = now_ms;
	ui->wall_ms = wall_ms;
	ui->rows = 24;
	ui->columns = 80;
	reply = ui_call(ui, "io.cowbell.Mark", NULL);
	text_escape(reply ? str_of(reply, "mark") : "~", strlen(reply ? str_of(reply, "mark") : "~"), ui->mark,
		    sizeof(ui->mark));
	json_decref(reply);
	ui_enter(ui, &page_home, "", "");
}

void ui_finish(struct ui *ui)
{
	while (ui->depth > 0)
		place_clear(&ui->places[--ui->depth]);
	bells_free(&ui->bells);
}
