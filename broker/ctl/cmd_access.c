/* SPDX-License-Identifier: MIT
 *
 * Verbs about permissions, answers and what was done with them.
 */
#include "ctl/ctl.h"

#include "policy/lapse.h"
#include "policy/permission.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct option_spec no_options[] = { { .name = NULL } };

static void show_permission(json_t *p, const char *first)
{
	char last[SHORT_TEXT];

	show_time(int_of(p, "last_used"), last);
	(void)printf("%-20s %-6s %-7s %s", first, str_of(p, "answer"), str_of(p, "for"), str_of(p, "by"));
	if (bool_of(p, "in_use"))
		(void)printf("%*sin use", (int)(strlen(str_of(p, "by")) < 9 ? 10 - strlen(str_of(p, "by")) : 1), "");
	if (int_of(p, "until")) {
		char end[SHORT_TEXT];

		show_time(int_of(p, "until"), end);
		(void)printf("  until %s", end);
	}
	if (int_of(p, "count"))
		(void)printf("  tried %lld time%s, last %s", int_of(p, "count"), int_of(p, "count") == 1 ? "" : "s", last);
	if (int_of(p, "quiet"))
		(void)printf("  quiet: %lld refused unasked", int_of(p, "quiet"));
	if (int_of(p, "lapses")) {
		char left[SHORT_TEXT];

		show_left(int_of(p, "lapses"), left);
		(void)printf("  lapses in %s unless used", left);
	}
	(void)printf("%s\n", bool_of(p, "locked") ? "  locked" : "");
}

int cmd_permissions(struct ctl *ctl, int argc, char **argv)
{
	bool by_permission = false, only_in_use = false;
	const struct option_spec specs[] = { { .name = "--by-permission", .flag = &by_permission },
					     { .name = "--in-use", .flag = &only_in_use },
					     { .name = NULL } };
	json_t *reply, *p, *all;
	const char *group = "";
	size_t i;

	if (options_take("permissions", specs, &argc, argv) || argc > 2)
		return usage("permissions");
	reply = ctl_call(ctl, argc == 2 ? argv[1] : "permissions", "io.cowbell.Permissions",
			 argc == 2 ? json_pack("{s:s}", "app", argv[1]) : json_object());
	if (!reply)
		return EXIT_FAILED;
	all = json_object_get(reply, "permissions");
	for (i = json_array_size(all); only_in_use && i-- > 0;) {
		if (!bool_of(json_array_get(all, i), "in_use"))
			(void)json_array_remove(all, i);
	}
	if (ctl->json)
		return ctl_print_json(reply);
	if (by_permission) {
		for (const struct permission *known = permissions; known->name; known++) {
			bool any = false;

			json_array_foreach(all, i, p)
			{
				if (strncmp(str_of(p, "permission"), known->name, strlen(known->name)) == 0) {
					char first[200];

					if (!any)
						(void)printf("%s\n", known->name);
					any = true;
					(void)snprintf(first, sizeof(first), "  %s%s", str_of(p, "app"),
						       str_of(p, "permission") + strlen(known->name));
					show_permission(p, first);
				}
			}
		}
	} else {
		json_array_foreach(all, i, p)
		{
			if (argc != 2 && strcmp(group, str_of(p, "app")) != 0)
				(void)printf("%s\n", group = str_of(p, "app"));
			show_permission(p, str_of(p, "permission"));
		}
	}
	json_decref(reply);
	return EXIT_DONE;
}

static json_t *strings(const char *const *values)
{
	json_t *array = json_array();

	for (; *values; values++)
		json_array_append_new(array, json_string(*values));
	return array;
}

int cmd_grant(struct ctl *ctl, int argc, char **argv)
{
	const char *lasts = "always", *items[33] = { NULL };
	const struct option_spec specs[] = {
		{ .name = "--for", .has_value = true, .value = &lasts },
		{ .name = "--item", .has_value = true, .values = items },
		{ .name = NULL },
	};
	json_t *reply;

	if (options_take("grant", specs, &argc, argv) || argc != 4)
		return usage("grant");
	reply = ctl_call(ctl, argv[1], "io.cowbell.Grant",
			 json_pack("{s:s, s:s, s:s, s:o, s:s}", "app", argv[1], "permission", argv[2], "answer", argv[3],
				   "items", strings(items), "for", lasts));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	if (*str_of(reply, "warning"))
		(void)fprintf(stderr, "cowbell: %s\n", str_of(reply, "warning"));
	if (!ctl->quiet)
		(void)printf("%s: %s is %s, %s.\n", argv[1], argv[2], argv[3], lasts);
	json_decref(reply);
	return EXIT_DONE;
}

/* What holds from now on need not be "ask": a rule may stand behind the answer. */
static void say_revoked(struct ctl *ctl, const char *app, const char *permission, const char *was)
{
	json_t *reply = ctl_call(ctl, app, "io.cowbell.Explain", json_pack("{s:s, s:s}", "app", app, "permission",
									    permission)), *p;
	bool none = strcmp(was, "ask") == 0;

	if (!reply)
		return;
	p = json_object_get(reply, "permission");
	if (strcmp(str_of(p, "answer"), "ask") != 0)
		(void)printf("%s: %s %s; it is %s, decided by %s: %s\n", app, permission,
			     none ? "had no answer of yours" : "is revoked", str_of(p, "answer"), str_of(p, "by"),
			     str_of(p, "why"));
	else
		(void)printf("%s: %s was %s, and will be asked.\n", app, permission, was);
	json_decref(reply);
}

int cmd_revoke(struct ctl *ctl, int argc, char **argv)
{
	bool stop = false, forget = false;
	const struct option_spec specs[] = {
		{ .name = "--stop", .flag = &stop }, { .name = "--forget", .flag = &forget }, { .name = NULL } };
	char files[SHORT_TEXT];
	json_t *reply;
	long long held;

	if (options_take("revoke", specs, &argc, argv) || argc != 3)
		return usage("revoke");
	reply = ctl_call(ctl, argv[1], "io.cowbell.Revoke",
			 json_pack("{s:s, s:s, s:b, s:b}", "app", argv[1], "permission", argv[2], "stop", stop, "forget",
				   forget));
	if (!reply)
		return EXIT_FAILED;
	held = int_of(reply, "held");
	if (ctl->json) {
		(void)ctl_print_json(reply);
	} else {
		if (!ctl->quiet)
			say_revoked(ctl, argv[1], argv[2], str_of(reply, "was"));
		json_decref(reply);
	}
	if (held == 0)
		return EXIT_DONE;
	show_count(held, "open file", files);
	(void)fprintf(stderr, "cowbell: %s: still holds %s (cowbell stop %s)\n", argv[1], files, argv[1]);
	return EXIT_FAILED;
}

int cmd_lock(struct ctl *ctl, int argc, char **argv)
{
	bool lock = strcmp(argv[0], "lock") == 0;
	json_t *reply;

	if (options_take(argv[0], no_options, &argc, argv) || argc != 3)
		return usage(argv[0]);
	reply = ctl_call(ctl, argv[1], "io.cowbell.Lock",
			 json_pack("{s:s, s:s, s:b}", "app", argv[1], "permission", argv[2], "locked", lock));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	json_decref(reply);
	if (!ctl->quiet)
		(void)printf("%s: %s is %s.\n", argv[1], argv[2], lock ? "locked" : "unlocked");
	return EXIT_DONE;
}

int cmd_explain(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply, *p;

	if (options_take("explain", no_options, &argc, argv) || argc != 3)
		return usage("explain");
	reply = ctl_call(ctl, argv[1], "io.cowbell.Explain",
			 json_pack("{s:s, s:s}", "app", argv[1], "permission", argv[2]));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	p = json_object_get(reply, "permission");
	(void)printf("%s: %s is %s", argv[1], argv[2], str_of(p, "answer"));
	if (*str_of(p, "for"))
		(void)printf(" (%s)", str_of(p, "for"));
	(void)printf(", decided by %s: %s\n", str_of(p, "by"), str_of(p, "why"));
	json_decref(reply);
	return EXIT_DONE;
}

int cmd_lapse(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply, *params = json_object();
	struct err err = { 0 };
	char days[SHORT_TEXT];
	uint32_t n;

	if (options_take("lapse", no_options, &argc, argv) || argc > 2) {
		json_decref(params);
		return usage("lapse");
	}
	if (argc == 2 && lapse_days_parse(argv[1], &n, &err) < 0) {
		json_decref(params);
		(void)ctl_fail("lapse", &err);
		return EXIT_USAGE;
	}
	if (argc == 2)
		json_object_set_new(params, "days", json_integer(n));
	reply = ctl_call(ctl, "lapse", "io.cowbell.Lapse", params);
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	show_count(int_of(reply, "days"), "day", days);
	if (!ctl->quiet && int_of(reply, "days"))
		(void)printf("What was not used for %s of this device being on is asked again.\n", days);
	else if (!ctl->quiet)
		(void)puts("Answers stay, whether they are used or not.");
	json_decref(reply);
	return EXIT_DONE;
}
