/* SPDX-License-Identifier: MIT
 *
 * The owner's mark, and the health of the device.
 */
#include "ui-tty/ui.h"

#include "policy/lapse.h"
#include "policy/permission.h"

#include <stdio.h>
#include <string.h>

#define TARGET_MARK 0
#define TARGET_LAPSE 1
#define TARGET_PROBES 2

static void title(const struct ui *ui, char *left, char *right, size_t size)
{
	(void)ui;
	(void)snprintf(left, size, "Settings");
	(void)snprintf(right, size, "%s", "");
}

static bool load(struct ui *ui, struct place *place)
{
	json_t *reply = ui_call(ui, "io.cowbell.Doctor", NULL);

	if (!reply)
		return place->data != NULL;
	json_decref(place->data);
	place->data = reply;
	json_decref(place->more);
	place->more = ui_call(ui, "io.cowbell.Lapse", NULL);
	return true;
}

static void fill_lapse(const struct ui *ui, const struct place *place, struct lines *lines)
{
	char days[SHORT_TEXT];

	show_count(int_of(place->more, "days"), "day", days);
	lines_add(lines, STYLE_PLAIN, TARGET_LAPSE, "unused answers %s%s", int_of(place->more, "days") ? "end after " : "stay",
		  int_of(place->more, "days") ? days : "");
	lines_add_wrapped(lines, STYLE_DIM, ui->columns,
			  "What an app may have for good and does not use is asked again after that time; it is said before. Days "
			  "on which the device is off do not count.");
}

static void fill(const struct ui *ui, const struct place *place, struct lines *lines)
{
	json_t *p;
	char text[600];
	size_t i;

	lines_add(lines, STYLE_PLAIN, TARGET_MARK, "mark of your bells: %s", ui->mark);
	lines_add_wrapped(lines, STYLE_DIM, ui->columns,
			  "It stands on the last row while a bell rings. An app can draw a box, but does not know your mark.");
	fill_lapse(ui, place, lines);
	lines_add_rule(lines, "this device");
	(void)snprintf(text, sizeof(text), "board %s, kernel %s", str_of(place->data, "board"),
		       str_of(place->data, "kernel"));
	lines_add_wrapped(lines, STYLE_PLAIN, ui->columns, text);
	json_array_foreach(json_object_get(place->data, "probes"), i, p)
	{
		bool ok = strcmp(str_of(p, "state"), "ok") == 0;

		(void)snprintf(text, sizeof(text), "%s %s: %s", ok ? "ok     " : str_of(p, "state"), str_of(p, "name"),
			       str_of(p, "found"));
		lines_add_entry(lines, STYLE_PLAIN, ui->columns, TARGET_PROBES + (int)i, text);
		if (ok)
			continue;
		(void)snprintf(text, sizeof(text), "costs: %s; cure: %s", str_of(p, "cost"), str_of(p, "cure"));
		lines_add_wrapped(lines, STYLE_DIM, ui->columns, text);
	}
}

static void set_mark(struct ui *ui, struct place *place, const char *value)
{
	json_t *reply = ui_call(ui, "io.cowbell.Mark", json_pack("{s:s}", "set", value));

	(void)place;
	if (reply) {
		text_escape(str_of(reply, "mark"), strlen(str_of(reply, "mark")), ui->mark, sizeof(ui->mark));
		ui_say(ui, "From now on your bells carry %s on the last row.", ui->mark);
	}
	json_decref(reply);
}

static void set_lapse(struct ui *ui, struct place *place, const char *value)
{
	struct err err = { 0 };
	uint32_t days;
	json_t *reply;

	(void)place;
	if (lapse_days_parse(value, &days, &err) < 0) {
		ui_say(ui, "%s", err.msg);
		return;
	}
	reply = ui_call(ui, "io.cowbell.Lapse", json_pack("{s:i}", "days", (int)days));
	if (reply && days)
		ui_say(ui, "What is not used for %u days is asked again.", days);
	else if (reply)
		ui_say(ui, "Answers stay, whether they are used or not.");
	json_decref(reply);
	ui_refresh(ui, ui->wall_ms);
}

static void ask_lapse(struct ui *ui, struct place *place)
{
	char now[SHORT_TEXT];

	(void)snprintf(now, sizeof(now), "%lld", int_of(place->more, "days"));
	ui_input(ui, "Unused answers", "After how many days without use is it asked again? \"off\" for never.",
		 int_of(place->more, "days") ? now : "off", set_lapse);
}

static bool key(struct ui *ui, struct place *place, int k, int target)
{
	if (k == 'l' || (k == UI_KEY_ENTER && target == TARGET_LAPSE)) {
		ask_lapse(ui, place);
		return true;
	}
	if (k == 'm' || (k == UI_KEY_ENTER && target == TARGET_MARK)) {
		ui_input(ui, "Your mark", "A word or sign that only you know, at most 32 letters. It tells a true bell from a false one.",
			 strcmp(ui->mark, "~") == 0 ? "" : ui->mark, set_mark);
		return true;
	}
	return k == UI_KEY_ENTER;
}

static const struct hint hints[] = {
	{ 'm', "m", "change the mark" },
	{ 'l', "l", "unused answers" },
	{ UI_KEY_ESC, "Esc", "back" },
	{ 0, NULL, NULL },
};

const struct page page_settings = {
	.title = title,
	.load = load,
	.fill = fill,
	.key = key,
	.hints = hints,
	.help = "Your mark makes a true bell known to you: choose something that no app can guess. An answer that gives "
		"something for good and lies unused is asked again after the days that stand here. Below stands what this "
		"device can do, and what would bring what is missing.",
};
