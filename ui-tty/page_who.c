/* SPDX-License-Identifier: MIT
 *
 * The other way round: for each thing of yours, who has it and how; one key
 * takes it away.
 */
#include "ui-tty/ui.h"

#include <stdio.h>
#include <string.h>

static void title(const struct ui *ui, char *left, char *right, size_t size)
{
	(void)ui;
	(void)snprintf(left, size, "Who has what");
	(void)snprintf(right, size, "%s", "");
}

static bool load(struct ui *ui, struct place *place)
{
	json_t *reply = ui_call(ui, "io.cowbell.Permissions", NULL);

	if (!reply)
		return place->data != NULL;
	json_decref(place->data);
	place->data = reply;
	return true;
}

static bool says_something(json_t *all, json_t *p)
{
	json_t *other;
	size_t i;

	/* Not what nobody said and nobody used. */
	if (!bool_of(p, "in_use") && !int_of(p, "count") && strcmp(str_of(p, "by"), "nobody") == 0)
		return false;
	/* Of "storage" and "storage:Documents" the one that was answered. */
	json_array_foreach(all, i, other)
	{
		size_t n = strlen(str_of(p, "permission"));

		if (strcmp(str_of(p, "answer"), "ask") == 0 && strcmp(str_of(p, "app"), str_of(other, "app")) == 0 &&
		    strncmp(str_of(p, "permission"), str_of(other, "permission"), n) == 0 &&
		    str_of(other, "permission")[n] == ':')
			return false;
	}
	return true;
}

/* "contacts" of "contacts" and "storage" of "storage:Documents". */
static size_t base_length(json_t *p)
{
	return strcspn(str_of(p, "permission"), ":");
}

static bool same_base(json_t *a, json_t *b)
{
	size_t n = base_length(a);

	return n == base_length(b) && strncmp(str_of(a, "permission"), str_of(b, "permission"), n) == 0;
}

static void add_line(const struct ui *ui, json_t *p, size_t index, struct lines *lines)
{
	char who[200], cell[200], when[SHORT_TEXT], lasts[SHORT_TEXT], last[100];
	const char *item = str_of(p, "permission") + base_length(p);

	(void)snprintf(who, sizeof(who), "%s%s", str_of(p, "app"), item);
	text_pad(who, ui->columns >= 60 ? 25 : 16, cell, sizeof(cell));
	show_time_at(int_of(p, "last_used"), ui->wall_ms, when);
	show_duration(str_of(p, "for"), lasts);
	if (bool_of(p, "in_use"))
		(void)snprintf(last, sizeof(last), "in use");
	else if (int_of(p, "lapses")) {
		show_left(int_of(p, "lapses"), lasts);
		(void)snprintf(last, sizeof(last), "lapses in %s", lasts);
		show_duration(str_of(p, "for"), lasts);
	} else if (int_of(p, "last_used"))
		(void)snprintf(last, sizeof(last), "%s %s",
			       strcmp(str_of(p, "answer"), "no") == 0 || strcmp(str_of(p, "answer"), "ask") == 0 ? "tried"
														   : "last",
			       when);
	else
		(void)snprintf(last, sizeof(last), "never used");
	if (ui->columns >= 60)
		lines_add(lines, STYLE_PLAIN, (int)index, "%s %-6s %-13s %s", cell, str_of(p, "answer"), lasts, last);
	else
		lines_add(lines, STYLE_PLAIN, (int)index, "%s %-6s %s", cell, str_of(p, "answer"), last);
}

static void fill(const struct ui *ui, const struct place *place, struct lines *lines)
{
	json_t *all = json_object_get(place->data, "permissions"), *first, *p;
	size_t i, k;

	/* Groups in the order of the device's permissions, which every app's list has. */
	json_array_foreach(all, i, first)
	{
		bool seen = false, any = false;

		for (k = 0; k < i && !seen; k++)
			seen = same_base(json_array_get(all, k), first);
		if (seen)
			continue;
		lines_add_rule(lines, str_of(first, "label"));
		json_array_foreach(all, k, p)
		{
			if (!same_base(p, first) || !says_something(all, p))
				continue;
			any = true;
			add_line(ui, p, k, lines);
		}
		if (!any)
			lines_add(lines, STYLE_DIM, -1, "  nobody; every app has to ask");
	}
	if (json_array_size(all) == 0)
		lines_add_wrapped(lines, STYLE_PLAIN, ui->columns, "No app is installed, so nobody has anything.");
}

static void take_back(struct ui *ui, json_t *p)
{
	char app[64], permission[160], files[SHORT_TEXT];
	json_t *reply;

	(void)snprintf(app, sizeof(app), "%s", str_of(p, "app"));
	(void)snprintf(permission, sizeof(permission), "%s", str_of(p, "permission"));
	reply = ui_call(ui, "io.cowbell.Revoke", json_pack("{s:s, s:s}", "app", app, "permission", permission));
	show_count(int_of(reply, "held"), "open file", files);
	if (reply && int_of(reply, "held"))
		ui_say(ui, "Taken from %s, but it still holds %s; Enter, then s, ends it.", app, files);
	else if (reply)
		ui_say(ui, "Taken from %s; it will have to ask.", app);
	json_decref(reply);
	ui_refresh(ui, ui->wall_ms);
}

static bool key(struct ui *ui, struct place *place, int k, int target)
{
	json_t *p = json_array_get(json_object_get(place->data, "permissions"), target >= 0 ? (size_t)target : SIZE_MAX);

	if (k == UI_KEY_ENTER || k == UI_KEY_RIGHT) {
		if (p)
			ui_enter(ui, &page_answer, str_of(p, "app"), str_of(p, "permission"));
		return true;
	}
	if (k != 'c')
		return false;
	if (p)
		take_back(ui, p);
	else
		ui_say(ui, "Nobody has anything that could be taken.");
	return true;
}

static const struct hint hints[] = {
	{ UI_KEY_ENTER, "Enter", "change" },
	{ 'c', "c", "take it away now" },
	{ UI_KEY_ESC, "Esc", "back" },
	{ 0, NULL, NULL },
};

const struct page page_who = {
	.title = title,
	.load = load,
	.fill = fill,
	.key = key,
	.hints = hints,
	.help = "For each thing of yours: the apps that got an answer, what they get, and when they last used it. \"in use\" is "
		"live: c cuts it, also from a running app, which then has to ask again.",
};
