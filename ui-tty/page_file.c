/* SPDX-License-Identifier: MIT
 *
 * A package before it is installed, and its installing.
 */
#include "ui-tty/ui.h"

#include "policy/permission.h"

#include <stdio.h>
#include <string.h>

static void title(const struct ui *ui, char *left, char *right, size_t size)
{
	(void)ui;
	(void)snprintf(left, size, "Install");
	(void)snprintf(right, size, "%s", "");
}

static void look_at(struct ui *ui, struct place *place, const char *value);

static void ask_name(struct ui *ui, const char *value)
{
	ui_input(ui, "Install which file?", "The path of a package (.deb), a folder or a program.", value, look_at);
}

/* What cowbell inspect says of it, line by line. */
static void look_at(struct ui *ui, struct place *place, const char *value)
{
	char *args[] = { (char[]){ "inspect" }, (char *)(uintptr_t)value, NULL };
	struct err err = { 0 };
	char *text = ui->port->capture(ui->port->data, args, &err), *save = NULL;
	json_t *said = json_array();

	(void)snprintf(place->text, sizeof(place->text), "%s", value);
	for (char *row = text ? strtok_r(text, "\n", &save) : NULL; row; row = strtok_r(NULL, "\n", &save)) {
		char shown[LINE_BYTES];

		text_escape(row, strlen(row), shown, sizeof(shown));
		json_array_append_new(said, json_string(shown));
	}
	free(text);
	json_decref(place->more);
	place->more = said;
}

static void fill(const struct ui *ui, const struct place *place, struct lines *lines)
{
	json_t *row;
	char text[700];
	size_t i;

	if (!place->text[0]) {
		lines_add_wrapped(lines, STYLE_PLAIN, ui->columns,
				  "Packages are installed into a sandbox of their own: the installer cannot change this device, and "
				  "the app starts with nothing of yours.");
		lines_add(lines, STYLE_PLAIN, 0, "Name a file");
		return;
	}
	(void)snprintf(text, sizeof(text), "%s", place->text);
	lines_add_wrapped(lines, STYLE_TITLE, ui->columns, text);
	json_array_foreach(place->more, i, row)
		lines_add_wrapped(lines, STYLE_PLAIN, ui->columns, json_string_value(row));
	lines_add(lines, STYLE_PLAIN, -1, "%s", "");
	lines_add(lines, STYLE_PLAIN, 1, "Install it");
	lines_add(lines, STYLE_PLAIN, 0, "Name another file");
}

static void install(struct ui *ui, struct place *place)
{
	char path[sizeof(place->text)];
	char *args[] = { (char[]){ "install" }, path, NULL };
	int status;

	(void)snprintf(path, sizeof(path), "%s", place->text);
	status = ui->port->command(ui->port->data, args);
	if (status) {
		ui_say(ui, "It was not installed; what went wrong stands above, on the plain screen (status %d).", status);
		return;
	}
	ui_back(ui);
	ui_say(ui, "Installed. It has nothing of yours yet; r runs it.");
}

static bool key(struct ui *ui, struct place *place, int k, int target)
{
	if (k == 'n' || (k == UI_KEY_ENTER && target == 0)) {
		ask_name(ui, place->text);
		return true;
	}
	if (k == UI_KEY_ENTER && target == 1) {
		install(ui, place);
		return true;
	}
	return k == UI_KEY_ENTER;
}

static const struct hint hints[] = {
	{ UI_KEY_ENTER, "Enter", "take the lit line" },
	{ 'n', "n", "name a file" },
	{ UI_KEY_ESC, "Esc", "back" },
	{ 0, NULL, NULL },
};

const struct page page_file = {
	.title = title,
	.fill = fill,
	.key = key,
	.hints = hints,
	.help = "Name a package. What it is, who signed it and what it is likely to want is told before anything of it runs. "
		"Installing gives it nothing of yours.",
};
