/* SPDX-License-Identifier: MIT
 *
 * What one app gets of one thing: the same answers as in a bell, given without
 * being asked; and taking back.
 */
#include "ui-tty/ui.h"

#include <stdio.h>
#include <string.h>

#define TARGET_ASK 100

static json_t *permission_of(const struct place *place)
{
	return json_object_get(place->data, "permission");
}

static void title(const struct ui *ui, char *left, char *right, size_t size)
{
	const struct place *place = &ui->places[ui->depth - 1];

	(void)snprintf(left, size, "%s: %s", place->app, place->permission);
	(void)snprintf(right, size, "%s", bool_of(permission_of(place), "in_use") ? "in use" : "");
}

static bool load(struct ui *ui, struct place *place)
{
	json_t *reply = ui_call(ui, "io.cowbell.Explain",
				json_pack("{s:s, s:s}", "app", place->app, "permission", place->permission));

	if (!reply)
		return false;
	json_decref(place->data);
	place->data = reply;
	if (place->mode == 0)
		place->mode = PROMPT_DURATIONS; /* "always": the answer of somebody who came here to give it */
	return true;
}

static void add_durations(const struct place *place, struct lines *lines)
{
	static const char *const labels[PROMPT_DURATIONS] = { "this run", "1 h", "reboot", "always" };
	char row[200];
	size_t n = 0;

	for (int i = 0; i < (int)PROMPT_DURATIONS; i++)
		n += (size_t)snprintf(row + n, sizeof(row) - n, place->mode == i + 1 ? "‹%s›  " : "%s  ", labels[i]);
	lines_add(lines, STYLE_PLAIN, -1, "for  %s", row);
}

static void fill(const struct ui *ui, const struct place *place, struct lines *lines)
{
	json_t *p = permission_of(place), *word;
	const char *now = str_of(p, "answer");
	char text[600], lasts[SHORT_TEXT];
	size_t i;

	show_duration(str_of(p, "for"), lasts);
	(void)snprintf(text, sizeof(text), "It %s %s%s%s.", strcmp(now, "ask") == 0 ? "asks for" : "gets", str_of(p, "label"),
		       strcmp(now, "ask") == 0 ? "" : ": ", strcmp(now, "ask") == 0 ? "" : show_given(now));
	lines_add_wrapped(lines, STYLE_TITLE, ui->columns, text);
	(void)snprintf(text, sizeof(text), "%s%sdecided by %s: %s", lasts, *lasts ? ", " : "", str_of(p, "by"),
		       str_of(p, "why"));
	lines_add_wrapped(lines, STYLE_PLAIN, ui->columns, text);
	if (bool_of(p, "in_use"))
		lines_add_wrapped(lines, STYLE_TITLE, ui->columns, "In use now. c takes it away from the running app.");
	lines_add_rule(lines, "give");
	/* In a bell's order: the safe one first, "no" last. */
	for (int pass = 0; pass < 2; pass++) {
		json_array_foreach(json_object_get(p, "answers"), i, word)
		{
			const char *s = json_string_value(word);

			if (s && *s && strcmp(s, "ask") != 0 && (strcmp(s, "no") == 0) == (pass == 1))
				lines_add(lines, STYLE_PLAIN, (int)i, "%-6s %s", prompt_answer_word(place->permission, s),
					  strcmp(s, "chosen") == 0 ? "only the hosts that you name" :
								     prompt_answer_gloss(place->permission, s));
		}
	}
	lines_add(lines, STYLE_PLAIN, TARGET_ASK, "Ask    take it back and ask me again");
	lines_add(lines, STYLE_PLAIN, -1, "%s", "");
	add_durations(place, lines);
}

/* --- acting --- */

static void say_held(struct ui *ui, const struct place *place, long long held)
{
	char files[SHORT_TEXT];

	show_count(held, "open file", files);
	if (held)
		ui_say(ui, "Taken back, but it still holds %s. s ends the app, and with it those.", files);
	else
		ui_say(ui, "Taken back: %s will ask again.", place->app);
}

static void take_back(struct ui *ui, struct place *place)
{
	json_t *reply = ui_call(ui, "io.cowbell.Revoke",
				json_pack("{s:s, s:s}", "app", place->app, "permission", place->permission));

	if (reply)
		say_held(ui, place, int_of(reply, "held"));
	json_decref(reply);
	ui_refresh(ui, ui->wall_ms);
}

static void give_hosts(struct ui *ui, struct place *place, const char *value)
{
	char *words = xstrdup(value), *save = NULL;
	json_t *items = json_array();

	for (char *w = strtok_r(words, " \t", &save); w; w = strtok_r(NULL, " \t", &save))
		json_array_append_new(items, json_string(w));
	free(words);
	if (ui_do(ui, "io.cowbell.Grant",
		  json_pack("{s:s, s:s, s:s, s:o, s:s}", "app", place->app, "permission", place->permission, "answer", "chosen",
			    "items", items, "for", prompt_duration_words[place->mode - 1])))
		ui_say(ui, "It may reach %s, and asks about everything else.", value);
	ui_refresh(ui, ui->wall_ms);
}

static void give(struct ui *ui, struct place *place, int target)
{
	const char *answer = json_string_value(
		json_array_get(json_object_get(permission_of(place), "answers"), (size_t)target));
	const char *lasts = prompt_duration_words[place->mode - 1];
	json_t *reply;
	char word[SHORT_TEXT];

	if (!answer)
		return;
	if (strcmp(answer, "chosen") == 0) {
		ui_input(ui, "Which hosts?", "Names or addresses between blanks: example.org *.example.org 192.0.2.1:443",
			 "", give_hosts);
		return;
	}
	show_duration(lasts, word);
	reply = ui_call(ui, "io.cowbell.Grant",
			json_pack("{s:s, s:s, s:s, s:s}", "app", place->app, "permission", place->permission, "answer",
				  answer, "for", lasts));
	if (reply && *str_of(reply, "warning"))
		ui_say(ui, "%s", str_of(reply, "warning"));
	else if (reply)
		ui_say(ui, "%s: %s, %s.", place->permission, show_given(answer), word);
	json_decref(reply);
	ui_refresh(ui, ui->wall_ms);
}

static void lock(struct ui *ui, struct place *place)
{
	bool locked = bool_of(permission_of(place), "locked");

	if (ui_do(ui, "io.cowbell.Lock",
		  json_pack("{s:s, s:s, s:b}", "app", place->app, "permission", place->permission, "locked", !locked)))
		ui_say(ui, locked ? "Unlocked." : "Locked: no update and no vendor's policy changes it.");
	ui_refresh(ui, ui->wall_ms);
}

static bool key(struct ui *ui, struct place *place, int k, int target)
{
	switch (k) {
	case UI_KEY_LEFT:
	case UI_KEY_RIGHT:
		place->mode = 1 + (place->mode - 1 + (k == UI_KEY_RIGHT ? 1 : (int)PROMPT_DURATIONS - 1)) %
					  (int)PROMPT_DURATIONS;
		return true;
	case UI_KEY_ENTER:
		if (target == TARGET_ASK)
			take_back(ui, place);
		else if (target >= 0)
			give(ui, place, target);
		return true;
	case 'c':
		take_back(ui, place);
		return true;
	case 'l':
		lock(ui, place);
		return true;
	case 's':
		if (ui_do(ui, "io.cowbell.Stop", json_pack("{s:s}", "app", place->app)))
			ui_say(ui, "%s was ended.", place->app);
		ui_refresh(ui, ui->wall_ms);
		return true;
	}
	return false;
}

static const struct hint hints[] = {
	{ UI_KEY_ENTER, "Enter", "give this" }, { UI_KEY_RIGHT, "Left/Right", "how long" }, { 'c', "c", "take back" },
	{ 'l', "l", "lock" },			{ 's', "s", "stop the app" },		    { UI_KEY_ESC, "Esc", "back" },
	{ 0, NULL, NULL },
};

const struct page page_answer = {
	.title = title,
	.load = load,
	.fill = fill,
	.key = key,
	.hints = hints,
	.help = "What the app gets, who said so, and the answers that there are. An empty one or a private copy keeps most "
		"apps content. A lock keeps your answer against updates and policy of the vendor; only the device's "
		"administrator can enforce another.",
};
