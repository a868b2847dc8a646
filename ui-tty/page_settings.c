/* SPDX-License-Identifier: MIT
 *
 * The owner's mark, and the health of the device.
 */
#include "ui-tty/ui.h"

#include "policy/permission.h"

#include <stdio.h>
#include <string.h>

#define TARGET_MARK 0

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
	return true;
}

static void fill(const struct ui *ui, const struct place *place, struct lines *lines)
{
	json_t *p;
	char text[600];
	size_t i;

	lines_add(lines, STYLE_PLAIN, TARGET_MARK, "mark of your bells: %s", ui->mark);
	lines_add_wrapped(lines, STYLE_DIM, ui->columns,
			  "It stands on the last row while a bell rings. An app can draw a box, but does not know your mark.");
	lines_add_rule(lines, "this device");
	(void)snprintf(text, sizeof(text), "board %s, kernel %s", str_of(place->data, "board"),
		       str_of(place->data, "kernel"));
	lines_add_wrapped(lines, STYLE_PLAIN, ui->columns, text);
	json_array_foreach(json_object_get(place->data, "probes"), i, p)
	{
		bool ok = strcmp(str_of(p, "state"), "ok") == 0;

		(void)snprintf(text, sizeof(text), "%s %s: %s", ok ? "ok     " : str_of(p, "state"), str_of(p, "name"),
			       str_of(p, "found"));
		lines_add(lines, STYLE_PLAIN, 1 + (int)i, "%s", text);
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

static bool key(struct ui *ui, struct place *place, int k, int target)
{
	(void)place;
	if (k == 'm' || (k == UI_KEY_ENTER && target == TARGET_MARK)) {
		ui_input(ui, "Your mark", "A word or sign that only you know, at most 32 letters. It tells a true bell from a false one.",
			 strcmp(ui->mark, "~") == 0 ? "" : ui->mark, set_mark);
		return true;
	}
	return k == UI_KEY_ENTER;
}

static const struct hint hints[] = {
	{ 'm', "m", "change the mark" },
	{ UI_KEY_ESC, "Esc", "back" },
	{ 0, NULL, NULL },
};

const struct page page_settings = {
	.title = title,
	.load = load,
	.fill = fill,
	.key = key,
	.hints = hints,
	.help = "Your mark makes a true bell known to you: choose something that no app can guess. Below stands what this "
		"device can do, and what would bring what is missing.",
};
