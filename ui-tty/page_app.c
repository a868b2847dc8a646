/* SPDX-License-Identifier: MIT
 *
 * One app: what it is, what it may, and what it was.
 */
#include "ui-tty/ui.h"

#include <stdio.h>
#include <string.h>

#define TARGET_GENERATION 1000

static json_t *app_of(const struct place *place)
{
	return json_object_get(place->data, "app");
}

static bool runs(const struct place *place)
{
	return strcmp(str_of(app_of(place), "state"), "running") == 0;
}

static void title(const struct ui *ui, char *left, char *right, size_t size)
{
	const struct place *place = &ui->places[ui->depth - 1];
	json_t *app = app_of(place);

	(void)snprintf(left, size, "%s%s%s", place->app, *str_of(app, "version") ? " " : "", str_of(app, "version"));
	(void)snprintf(right, size, "%s", str_of(app, "state"));
}

static bool load(struct ui *ui, struct place *place)
{
	json_t *info = ui_call(ui, "io.cowbell.Info", json_pack("{s:s}", "app", place->app));
	json_t *generations = info ? ui_call(ui, "io.cowbell.Generations", json_pack("{s:s}", "app", place->app)) : NULL;

	if (!generations) {
		json_decref(info);
		return false;
	}
	json_decref(place->data);
	json_decref(place->more);
	place->data = info;
	place->more = generations;
	return true;
}

/* --- what it shows --- */

static void permission_note(json_t *p, char *buf, size_t size)
{
	if (bool_of(p, "in_use"))
		(void)snprintf(buf, size, "in use");
	else if (int_of(p, "quiet"))
		(void)snprintf(buf, size, "quiet, %lld refused", int_of(p, "quiet"));
	else if (bool_of(p, "locked"))
		(void)snprintf(buf, size, "locked");
	else if (int_of(p, "lapses")) {
		char left[SHORT_TEXT];

		show_left(int_of(p, "lapses"), left);
		(void)snprintf(buf, size, "lapses in %s", left);
	} else if (strstr(str_of(p, "by"), "polic"))
		(void)snprintf(buf, size, "by policy");
	else if (int_of(p, "count")) {
		(void)snprintf(buf, size, "%lld %s", int_of(p, "count"), int_of(p, "count") == 1 ? "try" : "tries");
	} else {
		buf[0] = '\0';
	}
}

static void fill_permissions(const struct place *place, int columns, struct lines *lines)
{
	json_t *p;
	size_t i;
	int width = columns >= 60 ? 24 : 12;

	lines_add_rule(lines, "may");
	json_array_foreach(json_object_get(place->data, "permissions"), i, p)
	{
		char name[120], lasts[SHORT_TEXT], cell[SHORT_TEXT], note[100];

		text_pad(str_of(p, "permission"), width - 1, name, sizeof(name));
		show_duration(str_of(p, "for"), lasts);
		text_pad(lasts, columns >= 60 ? 14 : 9, cell, sizeof(cell));
		permission_note(p, note, sizeof(note));
		lines_add(lines, STYLE_PLAIN, (int)i, "%s %-6s %s %s", name, str_of(p, "answer"), cell, note);
	}
}

static const char *kind_words(json_t *g)
{
	const char *kind = str_of(g, "kind");

	if (strcmp(kind, "rollback") == 0)
		return "went back";
	if (strcmp(kind, "unclean") == 0)
		return "run, cut short";
	if (strcmp(kind, "rebuilt") == 0)
		return "installed anew";
	return kind;
}

static void fill_generations(const struct ui *ui, const struct place *place, struct lines *lines)
{
	json_t *all = json_object_get(place->more, "generations");

	lines_add_rule(lines, "was");
	if (runs(place))
		lines_add(lines, STYLE_DIM, -1, "  now  %s", "it runs; what it changes is kept when it ends");
	for (size_t i = json_array_size(all); i-- > 0;) {
		json_t *g = json_array_get(all, i);
		char when[SHORT_TEXT], files[SHORT_TEXT], tail[200];

		show_time_at(int_of(g, "time"), ui->wall_ms, when);
		show_count(int_of(g, "files"), "file", files);
		if (int_of(g, "of"))
			(void)snprintf(tail, sizeof(tail), " to %lld", int_of(g, "of"));
		else
			(void)snprintf(tail, sizeof(tail), ", %s", files);
		lines_add(lines, STYLE_PLAIN, TARGET_GENERATION + (int)i, "%-3lld %-10s %s%s%s%s%.60s", int_of(g, "number"),
			  when, kind_words(g), tail, bool_of(g, "head")   ? ", now"
			  : bool_of(g, "doomed") ? ", dropped by reset"
						 : "",
			  *str_of(g, "label") ? ": " : "",
			  str_of(g, "label"));
	}
}

static void fill(const struct ui *ui, const struct place *place, struct lines *lines)
{
	json_t *app = app_of(place), *disk = json_object_get(app, "disk");
	char install[SHORT_TEXT], more[SHORT_TEXT], text[600];

	show_size(int_of(disk, "install"), install);
	show_size(int_of(disk, "generations"), more);
	(void)snprintf(text, sizeof(text), "from %s, %s + %s of changes", str_of(app, "source"), install, more);
	lines_add_wrapped(lines, STYLE_PLAIN, ui->columns, text);
	if (*str_of(app, "summary")) {
		(void)snprintf(text, sizeof(text), "it says: \"%s\"", str_of(app, "summary"));
		lines_add_wrapped(lines, STYLE_PLAIN, ui->columns, text);
	}
	if (bool_of(app, "autostart"))
		lines_add_wrapped(lines, STYLE_PLAIN, ui->columns, "starts with this device, and again when it falls over");
	fill_permissions(place, ui->columns, lines);
	fill_generations(ui, place, lines);
}

/* --- what it does --- */

static void stop_it(struct ui *ui, struct place *place, const char *value)
{
	(void)value;
	if (ui_do(ui, "io.cowbell.Stop", json_pack("{s:s}", "app", place->app)))
		ui_say(ui, "%s was ended.", place->app);
	ui_refresh(ui, ui->wall_ms);
}

static void undo_it(struct ui *ui, struct place *place, const char *value)
{
	json_t *reply = ui_call(ui, "io.cowbell.Rollback", json_pack("{s:s, s:b}", "app", place->app, "stop", 1));

	(void)value;
	if (reply)
		ui_say(ui, "%s is as it was before its last run (now generation %lld). Undo this the same way.", place->app,
		       int_of(reply, "generation"));
	json_decref(reply);
	ui_refresh(ui, ui->wall_ms);
}

static void reset_it(struct ui *ui, struct place *place, const char *value)
{
	json_t *reply = ui_call(ui, "io.cowbell.Reset", json_pack("{s:s, s:b}", "app", place->app, "stop", 1));

	(void)value;
	if (reply)
		ui_say(ui, "%s is as it was installed. Its old state can be had back for 24 hours: open it in the list.",
		       place->app);
	json_decref(reply);
	ui_refresh(ui, ui->wall_ms);
}

static void delete_it(struct ui *ui, struct place *place, const char *value)
{
	char app[64];

	(void)value;
	(void)snprintf(app, sizeof(app), "%s", place->app);
	if (ui_do(ui, "io.cowbell.Uninstall", json_pack("{s:s, s:b}", "app", app, "stop", 1))) {
		ui_back(ui);
		ui_say(ui, "%s is gone, with all it left. The host was not touched.", app);
	}
}

/* What lies above the install. */
static void above_install(const struct place *place, long long *ret_count, long long *ret_files, long long *ret_bytes)
{
	json_t *g;
	size_t i;

	*ret_count = *ret_files = *ret_bytes = 0;
	json_array_foreach(json_object_get(place->more, "generations"), i, g)
	{
		if (bool_of(g, "doomed") || strcmp(str_of(g, "kind"), "install") == 0)
			continue;
		(*ret_count)++;
		*ret_files += int_of(g, "files");
		*ret_bytes += int_of(g, "bytes");
	}
}

static void ask_reset(struct ui *ui, struct place *place)
{
	char head[160], text[600], files[SHORT_TEXT], size[SHORT_TEXT], states[SHORT_TEXT];
	long long count, sum, bytes;

	above_install(place, &count, &sum, &bytes);
	if (count == 0 && !runs(place)) {
		ui_say(ui, "It has changed nothing since it was installed; there is nothing to reset.");
		return;
	}
	show_count(sum, "file", files);
	show_count(count, "generation", states);
	show_size(bytes, size);
	(void)snprintf(head, sizeof(head), "Reset %s to the day it was installed?", place->app);
	(void)snprintf(text, sizeof(text),
		       "%s (%s) in %s go; the install and your answers stay. The host is not touched. For 24 hours it can "
		       "be undone.%s",
		       files, size, states, runs(place) ? " It runs now and is stopped first." : "");
	ui_confirm(ui, head, text, reset_it);
}

static void ask_undo(struct ui *ui, struct place *place)
{
	char head[160], text[600];

	(void)snprintf(head, sizeof(head), "Undo the last run of %s?", place->app);
	(void)snprintf(text, sizeof(text),
		       "Its files are again as before that run. What it changed then is kept and can be had back; your "
		       "answers stay.%s",
		       runs(place) ? " It runs now: it is stopped first, and this run is what is undone." : "");
	ui_confirm(ui, head, text, undo_it);
}

static void ask_delete(struct ui *ui, struct place *place)
{
	char head[160], text[600];
	json_t *disk = json_object_get(app_of(place), "disk");
	char size[SHORT_TEXT];

	show_size(int_of(disk, "install") + int_of(disk, "generations"), size);
	(void)snprintf(head, sizeof(head), "Delete %s?", place->app);
	(void)snprintf(text, sizeof(text),
		       "The app, its %s and your answers for it go, for good. Its line in history stays, and so does the "
		       "host.%s",
		       size, runs(place) ? " It runs now and is stopped first." : "");
	ui_confirm(ui, head, text, delete_it);
}

static void open_line(struct ui *ui, struct place *place, int target)
{
	json_t *p, *g;
	char app[64];

	(void)snprintf(app, sizeof(app), "%s", place->app);
	if (target >= TARGET_GENERATION) {
		g = json_array_get(json_object_get(place->more, "generations"), (size_t)(target - TARGET_GENERATION));
		ui_enter(ui, &page_changes, app, "");
		ui_place(ui)->number = int_of(g, "number");
		ui_refresh(ui, ui->wall_ms);
	} else if (target >= 0) {
		p = json_array_get(json_object_get(place->data, "permissions"), (size_t)target);
		ui_enter(ui, &page_answer, app, str_of(p, "permission"));
	}
}

static void run_it(struct ui *ui, struct place *place)
{
	char *args[] = { (char[]){ "run" }, place->app, NULL };
	int status = ui->port->command(ui->port->data, args);

	ui_refresh(ui, ui->wall_ms);
	if (status)
		ui_say(ui, "It ended with status %d.", status);
}

#define WORDS_MAX 32u

/* Words between blanks: no shell reads them. */
static void run_with(struct ui *ui, struct place *place, const char *value)
{
	char *args[WORDS_MAX + 4] = { (char[]){ "run" }, place->app, (char[]){ "--" } };
	char *words = xstrdup(value), *save = NULL;
	size_t n = 3;
	int status;

	for (char *w = strtok_r(words, " \t", &save); w && n < WORDS_MAX + 3; w = strtok_r(NULL, " \t", &save))
		args[n++] = w;
	status = ui->port->command(ui->port->data, args);
	free(words);
	ui_refresh(ui, ui->wall_ms);
	if (status)
		ui_say(ui, "It ended with status %d.", status);
}

static void toggle_autostart(struct ui *ui, struct place *place)
{
	bool on = bool_of(app_of(place), "autostart");

	if (ui_do(ui, "io.cowbell.Autostart", json_pack("{s:s, s:b}", "app", place->app, "on", !on)))
		ui_say(ui, on ? "It does not start by itself any more; s ends it." :
				"It runs now, starts with this device, and again when it falls over.");
	ui_refresh(ui, ui->wall_ms);
}

static bool key(struct ui *ui, struct place *place, int k, int target)
{
	char app[64];

	(void)snprintf(app, sizeof(app), "%s", place->app);
	switch (k) {
	case UI_KEY_ENTER:
	case UI_KEY_RIGHT:
		open_line(ui, place, target);
		return true;
	case 'r':
		run_it(ui, place);
		return true;
	case 'R':
		ui_input(ui, "Run it with words", "What stands behind its name when it is typed, between blanks: on --for 5",
			 "", run_with);
		return true;
	case 'u':
		ask_undo(ui, place);
		return true;
	case 'x':
		ask_reset(ui, place);
		return true;
	case 'd':
		ask_delete(ui, place);
		return true;
	case 's':
		if (runs(place))
			stop_it(ui, place, "");
		else
			ui_say(ui, "It does not run.");
		return true;
	case 'a':
		toggle_autostart(ui, place);
		return true;
	case 'h':
		ui_enter(ui, &page_history, app, "");
		return true;
	}
	return false;
}

static const struct hint hints[] = {
	{ UI_KEY_ENTER, "Enter", "open" }, { 'r', "r", "run" },     { 's', "s", "stop" },
	{ 'u', "u", "undo last run" },	     { 'x', "x", "reset" },   { 'd', "d", "delete" },
	{ 'h', "h", "history" },	     { UI_KEY_ESC, "Esc", "back" }, { 'R', "R", "run with words" },
	{ 'a', "a", "autostart" },	     { 0, NULL, NULL },
};

const struct page page_app = {
	.title = title,
	.load = load,
	.fill = fill,
	.key = key,
	.hints = hints,
	.help = "Under \"may\" stands what the app gets of yours, and for how long; Enter on a line changes it or takes it "
		"away, also while the app runs. Under \"was\" stand the states of its files, newest first; Enter shows what "
		"changed in one and can go back to it.",
};
