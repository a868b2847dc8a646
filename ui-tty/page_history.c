/* SPDX-License-Identifier: MIT
 *
 * What apps did with what is yours: a day, a week or all that is kept; as a
 * timeline, by app or by permission.
 */
#include "ui-tty/folds.h"
#include "ui-tty/ui.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS (24LL * 3600 * 1000)

/* mode: period + 4 * view */
enum period { PERIOD_WEEK = 0, PERIOD_DAY, PERIOD_ALL };
enum view { VIEW_TIME = 0, VIEW_APP, VIEW_PERMISSION, VIEW_COUNT };

static enum period period_of(const struct place *place)
{
	return (enum period)(place->mode & 3);
}

static enum view view_of(const struct place *place)
{
	return (enum view)(place->mode >> 2);
}

static long long since_of(const struct ui *ui, const struct place *place)
{
	switch (period_of(place)) {
	case PERIOD_DAY:
		return ui->wall_ms - DAY_MS;
	case PERIOD_WEEK:
		return ui->wall_ms - 7 * DAY_MS;
	case PERIOD_ALL:
		break;
	}
	return 0;
}

static void title(const struct ui *ui, char *left, char *right, size_t size)
{
	static const char *const periods[] = { "7 days", "24 hours", "all that is kept" };
	const struct place *place = &ui->places[ui->depth - 1];

	(void)snprintf(left, size, "History%s%s", *place->app ? " of " : "", place->app);
	(void)snprintf(right, size, "%s", periods[period_of(place)]);
}

struct question {
	struct ui *ui;
	const char *app;
	long long since;
};

static json_t *fetch(void *data, long long before)
{
	struct question *q = data;
	json_t *params = json_pack("{s:I}", "since", (json_int_t)q->since);

	if (*q->app)
		json_object_set_new(params, "app", json_string(q->app));
	if (before)
		json_object_set_new(params, "before", json_integer(before));
	return ui_call(q->ui, "io.cowbell.History", params);
}

static bool load(struct ui *ui, struct place *place)
{
	struct question q = { .ui = ui, .app = place->app, .since = since_of(ui, place) };
	json_t *all = history_all(fetch, &q);

	if (!all)
		return place->data != NULL;
	json_decref(place->data);
	place->data = all;
	return true;
}

static void add_fold(const struct ui *ui, const struct place *place, const struct fold *f, int index, struct lines *lines)
{
	char when[SHORT_TEXT], cell[SHORT_TEXT], says[300], row[500];
	bool named = *place->app || view_of(place) == VIEW_APP;

	show_time_at(f->last_ms, ui->wall_ms, when);
	fold_says(f, says, sizeof(says));
	if (ui->columns < 60) { /* all of it, on as many rows as it takes */
		(void)snprintf(row, sizeof(row), "%s %s%s%s", when, named ? "" : f->app, named ? "" : "  ", says);
		lines_add_entry(lines, STYLE_PLAIN, ui->columns, index, row);
		return;
	}
	text_pad(when, 10, cell, sizeof(cell));
	lines_add(lines, STYLE_PLAIN, index, "%s %s%s%s", cell, named ? "" : f->app, named ? "" : "  ", says);
}

static const char *group_of(const struct fold *f, enum view view)
{
	return view == VIEW_APP ? f->app : f->permission;
}

static void fill_groups(const struct ui *ui, const struct place *place, const struct folds *folds, struct lines *lines)
{
	enum view view = view_of(place);

	for (size_t i = 0; i < folds->count; i++) {
		const char *group = group_of(&folds->fold[i], view);
		bool seen = *group == '\0';

		for (size_t k = 0; k < i && !seen; k++)
			seen = strcmp(group_of(&folds->fold[k], view), group) == 0;
		if (seen)
			continue;
		lines_add_rule(lines, group);
		for (size_t k = i; k < folds->count; k++) {
			if (strcmp(group_of(&folds->fold[k], view), group) == 0)
				add_fold(ui, place, &folds->fold[k], (int)k, lines);
		}
	}
}

static void fill(const struct ui *ui, const struct place *place, struct lines *lines)
{
	struct folds folds;

	folds_make(place->data, since_of(ui, place), &folds);
	if (view_of(place) == VIEW_TIME) {
		for (size_t i = 0; i < folds.count; i++)
			add_fold(ui, place, &folds.fold[i], (int)i, lines);
	} else {
		fill_groups(ui, place, &folds, lines);
	}
	if (folds.count == 0)
		lines_add_wrapped(lines, STYLE_PLAIN, ui->columns, "Nothing happened in this time.");
	folds_free(&folds);
}

static void open_app(struct ui *ui, struct place *place, int target)
{
	struct folds folds;

	folds_make(place->data, since_of(ui, place), &folds);
	if (target >= 0 && (size_t)target < folds.count && folds.fold[target].app[0] && !*place->app)
		ui_enter(ui, &page_app, folds.fold[target].app, "");
	folds_free(&folds);
}

static void set_mode(struct ui *ui, struct place *place, enum period period, enum view view)
{
	place->mode = (int)period + 4 * (int)view;
	place->lit = place->top = 0;
	ui_refresh(ui, ui->wall_ms);
}

static bool key(struct ui *ui, struct place *place, int k, int target)
{
	switch (k) {
	case UI_KEY_ENTER:
		open_app(ui, place, target);
		return true;
	case 'd':
		set_mode(ui, place, PERIOD_DAY, view_of(place));
		return true;
	case 'w':
		set_mode(ui, place, PERIOD_WEEK, view_of(place));
		return true;
	case 'a':
		set_mode(ui, place, PERIOD_ALL, view_of(place));
		return true;
	case 'g':
		set_mode(ui, place, period_of(place), (enum view)((view_of(place) + 1) % VIEW_COUNT));
		return true;
	case 'm':
		ui_enter(ui, &page_summary, place->app, "");
		return true;
	}
	return false;
}

static const struct hint hints[] = {
	{ 'd', "d", "day" },
	{ 'w', "w", "week" },
	{ 'a', "a", "all" },
	{ 'g', "g", "group by app, permission" },
	{ 'm', "m", "month in sentences" },
	{ UI_KEY_ESC, "Esc", "back" },
	{ 0, NULL, NULL },
};

const struct page page_history = {
	.title = title,
	.load = load,
	.fill = fill,
	.key = key,
	.hints = hints,
	.help = "What was asked, answered and used, newest first. Equal tries are one line with their count; what was refused or "
		"answered with an empty one is shown as well. g groups the lines by app, then by permission.",
};

/* --- a month in sentences --- */

static void summary_title(const struct ui *ui, char *left, char *right, size_t size)
{
	const struct place *place = &ui->places[ui->depth - 1];

	(void)snprintf(left, size, "%s", *place->app ? place->app : "Your apps");
	(void)snprintf(right, size, "the last 30 days");
}

static bool summary_load(struct ui *ui, struct place *place)
{
	struct question q = { .ui = ui, .app = place->app, .since = ui->wall_ms - 30 * DAY_MS };
	json_t *all = history_all(fetch, &q), *given;
	struct folds folds;
	char *text;

	if (!all)
		return false;
	given = ui_call(ui, "io.cowbell.Permissions", *place->app ? json_pack("{s:s}", "app", place->app) : NULL);
	folds_make(all, q.since, &folds);
	text = folds_summary(&folds, "the last 30 days", json_object_get(given, "permissions"));
	json_decref(given);
	json_decref(place->data);
	place->data = json_string(text);
	free(text);
	folds_free(&folds);
	json_decref(all);
	return true;
}

static void summary_fill(const struct ui *ui, const struct place *place, struct lines *lines)
{
	char *text = xstrdup(json_string_value(place->data) ? json_string_value(place->data) : ""), *save = text, *row;

	(void)strsep(&save, "\n"); /* the heading is the title here */
	while ((row = strsep(&save, "\n"))) {
		size_t before = lines->count;

		lines_add_wrapped(lines, STYLE_PLAIN, ui->columns - 2, row);
		if (lines->count == before)
			lines_add(lines, STYLE_PLAIN, -1, "%s", "");
		else
			lines->line[before].target = 0; /* so that arrows scroll */
	}
	free(text);
}

static bool summary_key(struct ui *ui, struct place *place, int k, int target)
{
	(void)ui;
	(void)place;
	(void)target;
	return k == UI_KEY_ENTER;
}

static const struct hint summary_hints[] = {
	{ UI_KEY_DOWN, "Down", "more" },
	{ UI_KEY_ESC, "Esc", "back" },
	{ 0, NULL, NULL },
};

const struct page page_summary = {
	.title = summary_title,
	.load = summary_load,
	.fill = summary_fill,
	.key = summary_key,
	.hints = summary_hints,
	.help = "The last 30 days in sentences: what each app reached for, and what it got; and which "
		"answers it has not used for so long that they will be asked again.",
};
