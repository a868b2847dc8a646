/* SPDX-License-Identifier: MIT
 *
 * What went through an app's network, and caps on it.
 */
#include "ctl/ctl.h"

#include "policy/permission.h"

#include <stdio.h>
#include <string.h>

static bool is_empty(json_t *t)
{
	return !int_of(t, "up") && !int_of(t, "down") && !int_of(t, "flows") && !int_of(t, "refused");
}

static void show_cap(json_t *t)
{
	char used[SHORT_TEXT], cap[SHORT_TEXT];

	show_size(int_of(t, "month_up") + int_of(t, "month_down"), used);
	show_size(int_of(t, "cap"), cap);
	(void)printf("; %s of %s this month%s", used, cap, bool_of(t, "spent") ? ", refused until the next" : "");
}

void show_traffic(json_t *t, const char *indent)
{
	char up[SHORT_TEXT], down[SHORT_TEXT], flows[SHORT_TEXT], refused[SHORT_TEXT];
	const char *where = str_of(t, "where");

	if (is_empty(t) && !int_of(t, "cap"))
		return;
	if (bool_of(t, "scope"))
		where = bool_of(t, "local") ? "the local network" : "the internet";
	show_size(int_of(t, "up"), up);
	show_size(int_of(t, "down"), down);
	show_count(int_of(t, "flows"), "connection", flows);
	show_count(int_of(t, "refused"), "packet", refused);
	(void)printf("%s%-20s %8s up %8s down, %s", indent, where, up, down, flows);
	if (int_of(t, "refused"))
		(void)printf(", %s refused", refused);
	if (int_of(t, "cap"))
		show_cap(t);
	(void)putchar('\n');
}

static void show_state(const char *app, json_t *t)
{
	char used[SHORT_TEXT], cap[SHORT_TEXT];
	const char *scope = bool_of(t, "local") ? "the local network" : "the internet";

	show_size(int_of(t, "month_up") + int_of(t, "month_down"), used);
	show_size(int_of(t, "cap"), cap);
	(void)printf("%s, %s: %s this month", app, scope, used);
	if (int_of(t, "cap"))
		(void)printf(" of %s%s", cap, bool_of(t, "spent") ? "; refused until the next" : "");
	else if (bool_of(t, "spent"))
		(void)printf(", refused: its cap cannot be read (cowbell cap %s network%s SIZE|off)", app,
			     bool_of(t, "local") ? ":local" : "");
	else
		(void)fputs(", no cap", stdout);
	(void)putchar('\n');
}

int cmd_cap(struct ctl *ctl, int argc, char **argv)
{
	static const struct option_spec none[] = { { .name = NULL } };
	json_t *reply, *t, *params;
	uint64_t bytes = 0;
	struct err err = { 0 };
	size_t i;

	if (options_take("cap", none, &argc, argv) || (argc != 2 && argc != 4))
		return usage("cap");
	if (argc == 4 && strcmp(argv[3], "off") != 0 && text_size_parse(argv[3], &bytes, &err) < 0)
		return ctl_fail(argv[1], &err);
	params = argc == 4 ? json_pack("{s:s, s:s, s:I}", "app", argv[1], "permission", argv[2], "bytes", (json_int_t)bytes)
			   : json_pack("{s:s}", "app", argv[1]);
	reply = ctl_call(ctl, argv[1], "io.cowbell.Cap", params);
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	json_array_foreach(json_object_get(reply, "traffic"), i, t)
	{
		if (!ctl->quiet)
			show_state(argv[1], t);
	}
	json_decref(reply);
	return EXIT_DONE;
}
