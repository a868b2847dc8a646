/* SPDX-License-Identifier: MIT
 *
 * Home: the apps, what runs, and what waits.
 */
#include "ui-tty/ui.h"

#include <stdio.h>
#include <string.h>

#define TARGET_UNANSWERED 1000000
#define TARGET_INSTALL 1000001

static void title(const struct ui *ui, char *left, char *right, size_t size)
{
	(void)snprintf(left, size, "Cowbell");
	show_time_at(ui->wall_ms, ui->wall_ms, right);
}

static bool load(struct ui *ui, struct place *place)
{
	json_t *apps = ui_call(ui, "io.cowbell.List", NULL);
	json_t *sessions = apps ? ui_call(ui, "io.cowbell.Ps", NULL) : NULL;
	json_t *prompts = sessions ? ui_call(ui, "io.cowbell.Prompts", json_pack("{s:b}", "unanswered", 1)) : NULL;

	if (prompts) {
		json_decref(place->data);
		json_decref(place->more);
		place->data = json_incref(apps);
		place->more = json_pack("{s:O, s:O}", "sessions", json_object_get(sessions, "sessions"), "prompts",
					json_object_get(prompts, "prompts"));
	}
	json_decref(apps);
	json_decref(sessions);
	json_decref(prompts);
	return true; /* there is no page behind home */
}

/* "Documents" of "storage:Documents". */
static const char *short_name(const char *permission)
{
	const char *colon = strchr(permission, ':');

	return colon && colon[1] ? colon + 1 : permission;
}

/* "torch, network": what a running app was given. */
static void given_words(json_t *sessions, const char *app, char *buf, size_t size)
{
	json_t *session, *given;
	size_t i, k, n = 0;

	buf[0] = '\0';
	json_array_foreach(sessions, i, session)
	{
		if (strcmp(str_of(session, "app"), app) != 0)
			continue;
		json_array_foreach(json_object_get(session, "given"), k, given)
		{
			if (n < size)
				n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "", short_name(str_of(given, "permission")));
		}
	}
}

static void app_note(const struct ui *ui, const struct place *place, json_t *app, char *buf, size_t size)
{
	char when[SHORT_TEXT], files[SHORT_TEXT];

	buf[0] = '\0';
	if (int_of(app, "waiting")) {
		(void)snprintf(buf, size, "♪ asks");
	} else if (strcmp(str_of(app, "state"), "running") == 0) {
		given_words(json_object_get(place->more, "sessions"), str_of(app, "id"), buf, size);
	} else if (int_of(app, "changed_files")) {
		show_time_at(int_of(app, "changed_time"), ui->wall_ms, when);
		show_count(int_of(app, "changed_files"), "file", files);
		(void)snprintf(buf, size, "%s changed, %s", files, when);
	}
}

static void fill(const struct ui *ui, const struct place *place, struct lines *lines)
{
	json_t *apps = json_object_get(place->data, "apps"), *app, *p;
	int id_width = ui->columns >= 60 ? 24 : 15;
	long long unanswered = 0;
	size_t i;

	if (ui->broker_gone)
		lines_add_wrapped(lines, STYLE_TITLE, ui->columns,
				  "Cowbell does not answer. Apps keep what they were given; nothing new is given.");
	json_array_foreach(apps, i, app)
	{
		char note[200], id[100];
		const char *state = str_of(app, "state");

		app_note(ui, place, app, note, sizeof(note));
		text_pad(str_of(app, "id"), id_width - 1, id, sizeof(id));
		if (strcmp(state, "ready") == 0) /* as apps are */
			lines_add(lines, STYLE_PLAIN, (int)i, "%s %s", id, note);
		else
			lines_add(lines, STYLE_PLAIN, (int)i, "%s %s%s%s", id, state, *note ? "  " : "", note);
	}
	if (json_is_array(apps) && json_array_size(apps) == 0) {
		lines_add_wrapped(lines, STYLE_PLAIN, ui->columns, "No app is installed yet.");
		lines_add(lines, STYLE_PLAIN, TARGET_INSTALL, "Install one from a file");
	}
	json_array_foreach(json_object_get(place->more, "prompts"), i, p)
		unanswered += strcmp(str_of(p, "state"), "unanswered") == 0;
	if (unanswered)
		lines_add(lines, STYLE_PLAIN, TARGET_UNANSWERED, "(unanswered: %lld)", unanswered);
}

static const char *app_at(const struct place *place, int target)
{
	json_t *app = json_array_get(json_object_get(place->data, "apps"), target >= 0 ? (size_t)target : SIZE_MAX);

	return app ? str_of(app, "id") : NULL;
}

static bool open_line(struct ui *ui, struct place *place, int target)
{
	const char *app = app_at(place, target);

	if (app)
		ui_enter(ui, &page_app, app, "");
	else if (target == TARGET_UNANSWERED)
		ui_enter(ui, &page_bells, "", "");
	else if (target == TARGET_INSTALL)
		ui_enter(ui, &page_file, "", "");
	return true;
}

static void run(struct ui *ui, const char *app)
{
	char *args[] = { (char[]){ "run" }, (char *)(uintptr_t)app, NULL };
	int status;

	if (!app) {
		ui_say(ui, "Light an app first, with the arrows.");
		return;
	}
	status = ui->port->command(ui->port->data, args);
	ui_refresh(ui, ui->wall_ms);
	if (status)
		ui_say(ui, "%s ended with status %d.", app, status);
}

static bool key(struct ui *ui, struct place *place, int k, int target)
{
	char app[64] = "";

	switch (k) {
	case UI_KEY_ENTER:
	case UI_KEY_RIGHT:
		return open_line(ui, place, target);
	case 'r':
		if (app_at(place, target))
			(void)snprintf(app, sizeof(app), "%s", app_at(place, target));
		run(ui, app[0] ? app : NULL);
		return true;
	case 'b':
		ui_enter(ui, &page_bells, "", "");
		return true;
	case 'w':
		ui_enter(ui, &page_who, "", "");
		return true;
	case 'h':
		ui_enter(ui, &page_history, "", "");
		return true;
	case 'i':
		ui_enter(ui, &page_file, "", "");
		return true;
	case 's':
		ui_enter(ui, &page_settings, "", "");
		return true;
	}
	return false;
}

static const struct hint hints[] = {
	{ UI_KEY_ENTER, "Enter", "open" }, { 'r', "r", "run" },	  { 'b', "b", "bells" },    { 'w', "w", "who has what" },
	{ 'h', "h", "history" },	   { 'i', "i", "install" }, { 's', "s", "settings" }, { 'q', "q", "quit" },
	{ 0, NULL, NULL },
};

const struct page page_home = {
	.title = title,
	.load = load,
	.fill = fill,
	.key = key,
	.hints = hints,
	.help = "Your apps. To the right of a running one stands what of yours it has now. Enter opens an app's page: "
		"what it may, what it did, undo and reset. \"who has what\" shows it the other way round: who uses your "
		"contacts, and takes them away.",
};
