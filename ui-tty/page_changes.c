/* SPDX-License-Identifier: MIT
 *
 * What one run or install changed, and going back to the state after it.
 */
#include "ui-tty/ui.h"

#include <stdio.h>
#include <string.h>

static void title(const struct ui *ui, char *left, char *right, size_t size)
{
	const struct place *place = &ui->places[ui->depth - 1];

	(void)snprintf(left, size, "%s, generation %lld", place->app, place->number);
	(void)snprintf(right, size, "changes");
}

static json_t *find_generation(json_t *list, long long number)
{
	json_t *g;
	size_t i;

	json_array_foreach(list, i, g)
	{
		if (int_of(g, "number") == number)
			return g;
	}
	return NULL;
}

static bool load(struct ui *ui, struct place *place)
{
	json_t *generations, *g, *diff;

	if (place->number == 0)
		return true; /* its number comes next */
	generations = ui_call(ui, "io.cowbell.Generations", json_pack("{s:s}", "app", place->app));
	g = find_generation(json_object_get(generations, "generations"), place->number);
	if (!g) {
		json_decref(generations);
		return false;
	}
	json_decref(place->more);
	place->more = json_incref(g);
	json_decref(generations);
	diff = ui_call(ui, "io.cowbell.Diff",
		       int_of(place->more, "parent")
			       ? json_pack("{s:s, s:I, s:I}", "app", place->app, "from",
					   (json_int_t)int_of(place->more, "parent"), "to", (json_int_t)place->number)
			       : json_pack("{s:s, s:I, s:I}", "app", place->app, "from", (json_int_t)0, "to",
					   (json_int_t)place->number));
	if (!diff)
		return place->data != NULL;
	json_decref(place->data);
	place->data = diff;
	return true;
}

static void fill(const struct ui *ui, const struct place *place, struct lines *lines)
{
	json_t *c;
	char when[SHORT_TEXT], text[300];
	size_t i;

	show_time_at(int_of(place->more, "time"), ui->wall_ms, when);
	(void)snprintf(text, sizeof(text), "%s, %s%s%s", str_of(place->more, "kind"), when,
		       bool_of(place->more, "head") ? ", the state it has now" : "",
		       bool_of(place->more, "pinned") ? ", pinned" : "");
	lines_add_wrapped(lines, STYLE_PLAIN, ui->columns, text);
	lines_add_rule(lines, "changed in it");
	json_array_foreach(json_object_get(place->data, "changes"), i, c)
	{
		char size[SHORT_TEXT] = "";

		if (strcmp(str_of(c, "change"), "deleted") != 0 && strcmp(str_of(c, "kind"), "file") == 0)
			show_size(int_of(c, "size_after"), size);
		lines_add(lines, STYLE_PLAIN, (int)i, "%-8s %s%s%s%s  %s", str_of(c, "change"), str_of(c, "path"),
			  *str_of(c, "inside") ? " (in the " : "", str_of(c, "inside"), *str_of(c, "inside") ? ")" : "", size);
	}
	if (json_array_size(json_object_get(place->data, "changes")) == 0)
		lines_add(lines, STYLE_DIM, -1, "  no file");
	if (bool_of(place->data, "cut"))
		lines_add(lines, STYLE_DIM, -1, "  and more");
}

static void go_back(struct ui *ui, struct place *place, const char *value)
{
	json_t *reply = ui_call(ui, "io.cowbell.Rollback",
				json_pack("{s:s, s:I, s:b}", "app", place->app, "generation", (json_int_t)place->number,
					  "stop", 1));

	(void)value;
	if (reply) {
		ui_back(ui);
		ui_say(ui, "Its files are as they were then. The states in between are kept.");
	}
	json_decref(reply);
}

static void pin(struct ui *ui, struct place *place)
{
	bool pinned = bool_of(place->more, "pinned");

	if (ui_do(ui, "io.cowbell.Pin",
		  json_pack("{s:s, s:I, s:b}", "app", place->app, "generation", (json_int_t)place->number, "pinned", !pinned)))
		ui_say(ui, pinned ? "Not pinned any more." : "Pinned: it is never deleted by itself.");
	ui_refresh(ui, ui->wall_ms);
}

static bool key(struct ui *ui, struct place *place, int k, int target)
{
	char head[160];

	(void)target;
	if (k == 'g') {
		(void)snprintf(head, sizeof(head), "Go back to generation %lld of %s?", place->number, place->app);
		ui_confirm(ui, head,
			   "The app's files become as they were right after this. What came later is kept and can be had back; "
			   "your answers stay. If it runs it is stopped first.",
			   go_back);
		return true;
	}
	if (k == 'p') {
		pin(ui, place);
		return true;
	}
	return k == UI_KEY_ENTER;
}

static const struct hint hints[] = {
	{ 'g', "g", "go back to this" },
	{ 'p', "p", "pin" },
	{ UI_KEY_ESC, "Esc", "back" },
	{ 0, NULL, NULL },
};

const struct page page_changes = {
	.title = title,
	.load = load,
	.fill = fill,
	.key = key,
	.hints = hints,
	.help = "The files that this run or install added, changed, moved or deleted, all in the app's own layer. g makes the "
		"app's files as they were right after it.",
};
