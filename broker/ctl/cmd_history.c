/* SPDX-License-Identifier: MIT
 *
 * history: what was asked, answered and used, line by line, folded, or in
 * sentences.
 */
#include "ctl/ctl.h"

#include "ui-tty/folds.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct question {
	struct ctl *ctl;
	const char *app, *permission;
	long long since;
};

static json_t *fetch(void *data, long long before)
{
	struct question *q = data;
	json_t *params = json_pack("{s:I}", "since", (json_int_t)q->since);

	if (q->app)
		json_object_set_new(params, "app", json_string(q->app));
	if (q->permission)
		json_object_set_new(params, "permission", json_string(q->permission));
	if (before)
		json_object_set_new(params, "before", json_integer(before));
	return ctl_call(q->ctl, "history", "io.cowbell.History", params);
}

/* One line; who asked for one app is not told its name on each: a small screen has no room for it. */
static void show_history(json_t *h, bool one_app)
{
	char when[SHORT_TEXT], last[SHORT_TEXT];

	show_time(int_of(h, "time"), when);
	(void)printf("%-10s ", when);
	if (!one_app)
		(void)printf("%-16s ", str_of(h, "app"));
	(void)printf("%-12s %-20s", str_of(h, "what"), str_of(h, "permission"));
	if (*str_of(h, "answer"))
		(void)printf(" %s", str_of(h, "answer"));
	if (*str_of(h, "for"))
		(void)printf(", %s", str_of(h, "for"));
	if (int_of(h, "count") > 1) {
		show_time(int_of(h, "last"), last);
		(void)printf(", %lld times until %s", int_of(h, "count"), last);
	}
	if (*str_of(h, "program"))
		(void)printf(" by %s", str_of(h, "program"));
	if (*str_of(h, "why"))
		(void)printf(" (%s)", str_of(h, "why"));
	(void)putchar('\n');
}

static void show_folds(json_t *all, const char *group_key)
{
	struct folds folds;

	folds_make(all, 0, &folds);
	for (size_t i = 0; i < folds.count; i++) {
		const char *group = strcmp(group_key, "app") == 0 ? folds.fold[i].app : folds.fold[i].permission;
		bool seen = *group == '\0';

		for (size_t k = 0; k < i && !seen; k++)
			seen = strcmp(strcmp(group_key, "app") == 0 ? folds.fold[k].app : folds.fold[k].permission, group) == 0;
		if (seen)
			continue;
		(void)printf("%s\n", group);
		for (size_t k = i; k < folds.count; k++) {
			const struct fold *f = &folds.fold[k];
			char says[400], when[SHORT_TEXT];
			bool by_app = strcmp(group_key, "app") == 0;

			if (strcmp(by_app ? f->app : f->permission, group) != 0)
				continue;
			fold_says(f, says, sizeof(says));
			show_time(f->last_ms, when);
			(void)printf("  %-10s %s%s%s\n", when, by_app ? "" : f->app, by_app ? "" : "  ", says);
		}
	}
	folds_free(&folds);
}

static void show_summary(const struct question *q, json_t *all, const char *since)
{
	json_t *given = ctl_call(q->ctl, "history", "io.cowbell.Permissions",
				 q->app ? json_pack("{s:s}", "app", q->app) : json_object());
	struct folds folds;
	char period[100];
	char *text;

	(void)snprintf(period, sizeof(period), "since %.60s%s", since, strchr(since, '-') ? "" : " ago");
	folds_make(all, 0, &folds);
	text = folds_summary(&folds, period, json_object_get(given, "permissions"));
	json_decref(given);
	(void)fputs(text, stdout);
	free(text);
	folds_free(&folds);
}

int cmd_history(struct ctl *ctl, int argc, char **argv)
{
	const char *permission = NULL, *since = NULL;
	bool by_app = false, by_permission = false, summary = false;
	const struct option_spec specs[] = {
		{ .name = "--permission", .has_value = true, .value = &permission },
		{ .name = "--since", .has_value = true, .value = &since },
		{ .name = "--by-app", .flag = &by_app },
		{ .name = "--by-permission", .flag = &by_permission },
		{ .name = "--summary", .flag = &summary },
		{ .name = NULL },
	};
	struct question q = { .ctl = ctl };
	json_t *all, *h;
	size_t i;

	if (options_take("history", specs, &argc, argv) || argc > 2)
		return usage("history");
	if (summary && !since)
		since = "30d";
	if (since && (q.since = ctl_since(since)) < 0) {
		(void)fprintf(stderr, "cowbell: history: '%s' is no time (90m, 7d, 2026-11-24)\n", since);
		return EXIT_USAGE;
	}
	q.app = argc == 2 ? argv[1] : NULL;
	q.permission = permission;
	all = history_all(fetch, &q);
	if (!all)
		return EXIT_FAILED;
	if (summary && !ctl->json)
		show_summary(&q, all, since);
	else if ((by_app || by_permission) && !ctl->json)
		show_folds(all, by_app ? "app" : "permission");
	json_array_foreach(all, i, h)
	{
		if (ctl->json)
			(void)ctl_print_json(json_incref(h));
		else if (!summary && !by_app && !by_permission)
			show_history(h, q.app != NULL);
	}
	json_decref(all);
	return EXIT_DONE;
}
