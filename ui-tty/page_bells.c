/* SPDX-License-Identifier: MIT
 *
 * The questions that wait, and those that nobody answered: the latter can be
 * answered for next time.
 */
#include "ui-tty/ui.h"

#include <stdio.h>
#include <string.h>

static void title(const struct ui *ui, char *left, char *right, size_t size)
{
	(void)ui;
	(void)snprintf(left, size, "Bells");
	(void)snprintf(right, size, "%s", "");
}

static bool load(struct ui *ui, struct place *place)
{
	json_t *reply = ui_call(ui, "io.cowbell.Prompts", json_pack("{s:b}", "unanswered", 1));

	if (!reply)
		return place->data != NULL;
	json_decref(place->data);
	place->data = reply;
	return true;
}

static void fill(const struct ui *ui, const struct place *place, struct lines *lines)
{
	json_t *prompts = json_object_get(place->data, "prompts"), *p;
	size_t i;

	for (int pass = 0; pass < 2; pass++) {
		bool any = false;

		json_array_foreach(prompts, i, p)
		{
			char when[SHORT_TEXT];
			bool waits = strcmp(str_of(p, "state"), "waiting") == 0;

			if (waits == (pass == 1))
				continue;
			if (!any)
				lines_add_rule(lines, pass ? "unanswered, refused for now" : "waiting");
			any = true;
			show_time_at(int_of(p, "since"), ui->wall_ms, when);
			lines_add(lines, STYLE_PLAIN, (int)i, "%s  %s: %s", when, str_of(p, "app"), str_of(p, "about"));
		}
	}
	if (json_array_size(prompts) == 0)
		lines_add_wrapped(lines, STYLE_PLAIN, ui->columns,
				  "Nothing waits, and nothing is unanswered. A bell comes up by itself.");
}

static bool key(struct ui *ui, struct place *place, int k, int target)
{
	json_t *p = json_array_get(json_object_get(place->data, "prompts"), target >= 0 ? (size_t)target : SIZE_MAX);
	struct prompt_text text;

	if (k != UI_KEY_ENTER && k != UI_KEY_RIGHT)
		return false;
	if (p && bells_read(p, &text)) {
		struct prompt_text old;

		(void)bells_pick(&ui->bells, text.id, &old);
		ui_bell_show(ui, &text, ui->now_ms);
	}
	return true;
}

static const struct hint hints[] = {
	{ UI_KEY_ENTER, "Enter", "answer" },
	{ UI_KEY_ESC, "Esc", "back" },
	{ 0, NULL, NULL },
};

const struct page page_bells = {
	.title = title,
	.load = load,
	.fill = fill,
	.key = key,
	.hints = hints,
	.help = "What apps wanted. A waiting app is held until you answer. An unanswered question was refused for the "
		"moment and nothing was stored; answer it here for the next time the app asks.",
};
