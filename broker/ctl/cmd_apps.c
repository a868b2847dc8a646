/* SPDX-License-Identifier: MIT
 *
 * Verbs about apps and their sessions.
 */
#include "ctl/ctl.h"

#include "policy/permission.h"

#include <stdio.h>
#include <string.h>

static const struct option_spec no_options[] = { { .name = NULL } };

static long long whole_size(json_t *disk)
{
	return int_of(disk, "install") + int_of(disk, "generations") + int_of(disk, "packages");
}

int cmd_list(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply, *app, *apps;
	size_t i;

	if (options_take("list", no_options, &argc, argv) || argc != 1)
		return usage("list");
	reply = ctl_call(ctl, "list", "io.cowbell.List", NULL);
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	apps = json_object_get(reply, "apps");
	if (json_array_size(apps) == 0 && !ctl->quiet)
		(void)puts("No app is installed. cowbell install NAME brings one, or FILE.deb.");
	json_array_foreach(apps, i, app)
	{
		json_t *disk = json_object_get(app, "disk");
		char size[SHORT_TEXT], version[17];

		show_size(whole_size(disk), size);
		text_escape(str_of(app, "version"), strlen(str_of(app, "version")), version, sizeof(version));
		(void)printf("%-20s %-10s %-16s %8s%s\n", str_of(app, "id"), str_of(app, "state"), version, size, bool_of(app, "old_base") ? "  old base" : "");
	}
	json_decref(reply);
	return EXIT_DONE;
}

static void show_permission_line(json_t *p)
{
	(void)printf("  %-20s %-6s %-7s %s%s\n", str_of(p, "permission"), str_of(p, "answer"), str_of(p, "for"),
		     bool_of(p, "in_use") ? "in use  " : "", int_of(p, "count") ? "" : "never used");
}

static void show_app_page(json_t *app)
{
	json_t *disk = json_object_get(app, "disk"), *word;
	char install[SHORT_TEXT], more[SHORT_TEXT], kept[SHORT_TEXT], when[SHORT_TEXT];
	size_t i;

	show_size(int_of(disk, "install"), install);
	show_size(int_of(disk, "generations"), more);
	show_time(int_of(app, "installed"), when);
	(void)printf("%s%s%s, %s\n", str_of(app, "title"), *str_of(app, "version") ? " " : "", str_of(app, "version"),
		     str_of(app, "state"));
	show_size(int_of(disk, "packages"), kept);
	(void)printf("  from %s, %s + %s of changes", str_of(app, "source"), install, more);
	if (int_of(disk, "packages"))
		(void)printf(" + %s of packages", kept);
	(void)printf(", installed %s\n", when);
	if (bool_of(app, "old_base"))
		(void)puts("  made on an old base: installed anew before its next run (cowbell rebuild)");
	if (*str_of(app, "summary"))
		(void)printf("  it says: \"%s\"\n", str_of(app, "summary"));
	json_array_foreach(json_object_get(app, "commands"), i, word)
		(void)printf("  program %s\n", json_string_value(word));
	(void)printf("  generation %lld of %lld; the install is %lld\n", int_of(app, "generation"),
		     int_of(app, "generations"), int_of(app, "install_generation"));
}

int cmd_info(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply, *item;
	size_t i;

	if (options_take("info", no_options, &argc, argv) || argc != 2)
		return usage("info");
	reply = ctl_call(ctl, argv[1], "io.cowbell.Info", json_pack("{s:s}", "app", argv[1]));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	show_app_page(json_object_get(reply, "app"));
	if (*str_of(json_object_get(reply, "app"), "service"))
		(void)printf("service %s (cowbell autostart %s on)\n", str_of(json_object_get(reply, "app"), "service"), argv[1]);
	(void)puts("may");
	json_array_foreach(json_object_get(reply, "permissions"), i, item)
		show_permission_line(item);
	(void)puts("sent and received");
	json_array_foreach(json_object_get(reply, "traffic"), i, item)
		show_traffic(item, "  ");
	(void)puts("was");
	json_array_foreach(json_object_get(reply, "recent"), i, item)
	{
		char when[SHORT_TEXT];

		show_time(int_of(item, "time"), when);
		(void)printf("  %-10s %s %s %s\n", when, str_of(item, "what"), str_of(item, "permission"),
			     str_of(item, "answer"));
	}
	json_decref(reply);
	return EXIT_DONE;
}

static void show_session(json_t *s)
{
	json_t *item, *word;
	char since[SHORT_TEXT];
	size_t i, k;

	show_time(int_of(s, "since"), since);
	(void)printf("%-20s session %lld since %s%s%s\n", str_of(s, "app"), int_of(s, "id"), since,
		     int_of(s, "waiting") ? ", waits for an answer" : "",
		     json_is_true(json_object_get(s, "held")) ? ", held: the disk is nearly full" : "");
	json_array_foreach(json_object_get(s, "commands"), i, item)
	{
		(void)printf("  %lld:", int_of(item, "id"));
		json_array_foreach(json_object_get(item, "argv"), k, word)
			(void)printf(" %s", json_string_value(word));
		(void)putchar('\n');
	}
	/* An install has none between two of its steps. */
	if (!json_array_size(json_object_get(s, "commands")) && strcmp(str_of(s, "kind"), "install") != 0)
		(void)puts("  in the background");
	json_array_foreach(json_object_get(s, "given"), i, item)
		(void)printf("  has %s: %s\n", str_of(item, "permission"), str_of(item, "answer"));
	json_array_foreach(json_object_get(s, "traffic"), i, item)
		show_traffic(item, "  ");
}

int cmd_ps(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply, *s;
	size_t i;

	if (options_take("ps", no_options, &argc, argv) || argc != 1)
		return usage("ps");
	reply = ctl_call(ctl, "ps", "io.cowbell.Ps", NULL);
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	json_array_foreach(json_object_get(reply, "sessions"), i, s)
		show_session(s);
	json_decref(reply);
	return EXIT_DONE;
}

int cmd_stop(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply;

	if (options_take("stop", no_options, &argc, argv) || argc != 2)
		return usage("stop");
	reply = ctl_call(ctl, argv[1], "io.cowbell.Stop", json_pack("{s:s}", "app", argv[1]));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	if (!ctl->quiet)
		(void)printf("%s is stopped.\n", argv[1]);
	json_decref(reply);
	return EXIT_DONE;
}

int cmd_uninstall(struct ctl *ctl, int argc, char **argv)
{
	bool stop = false;
	const struct option_spec specs[] = { { .name = "--stop", .flag = &stop }, { .name = NULL } };
	char question[512], size[SHORT_TEXT], states[SHORT_TEXT];
	json_t *reply, *app;
	int rc;

	if (options_take("uninstall", specs, &argc, argv) || argc != 2)
		return usage("uninstall");
	if (!ctl->yes) {
		reply = ctl_call(ctl, argv[1], "io.cowbell.Info", json_pack("{s:s}", "app", argv[1]));
		if (!reply)
			return EXIT_FAILED;
		app = json_object_get(reply, "app");
		show_size(whole_size(json_object_get(app, "disk")), size);
		show_count(int_of(app, "generations"), "generation", states);
		(void)snprintf(question, sizeof(question),
			       "%s goes with its data, %s and every answer; that frees %s. Nothing of it is kept. Remove it?",
			       argv[1], states, size);
		json_decref(reply);
		if (!ctl_confirm(ctl, argv[1], question))
			return EXIT_FAILED;
	}
	reply = ctl_call(ctl, argv[1], "io.cowbell.Uninstall", json_pack("{s:s, s:b}", "app", argv[1], "stop", stop));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	show_size(int_of(reply, "bytes"), size);
	show_count(int_of(reply, "generations"), "generation", states);
	rc = ctl->quiet ? 0
			: printf("%s is gone: %s, %s freed. The host was not touched.\n", argv[1], states, size);
	json_decref(reply);
	return rc < 0 ? EXIT_FAILED : EXIT_DONE;
}

int cmd_plan(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply, *step;
	size_t i;

	if (options_take("plan", no_options, &argc, argv) || argc != 2)
		return usage("plan");
	reply = ctl_call(ctl, argv[1], "io.cowbell.Plan", json_pack("{s:s}", "app", argv[1]));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	json_array_foreach(json_object_get(reply, "steps"), i, step)
		(void)printf("%-10s %s\n", str_of(step, "what"), str_of(step, "detail"));
	json_decref(reply);
	return EXIT_DONE;
}

int cmd_doctor(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply, *p;
	bool all_well = true;
	size_t i;

	if (options_take("doctor", no_options, &argc, argv) || argc != 1)
		return usage("doctor");
	reply = ctl_call(ctl, "doctor", "io.cowbell.Doctor", NULL);
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	(void)printf("board %s: %s; %s\nkernel %s\n", str_of(reply, "board"), str_of(reply, "model"),
		     str_of(reply, "board_why"), str_of(reply, "kernel"));
	json_array_foreach(json_object_get(reply, "probes"), i, p)
	{
		bool ok = strcmp(str_of(p, "state"), "ok") == 0;

		all_well &= ok;
		(void)printf("%-8s %s: %s\n", str_of(p, "state"), str_of(p, "name"), str_of(p, "found"));
		if (!ok)
			(void)printf("         costs: %s\n         cure:  %s\n", str_of(p, "cost"), str_of(p, "cure"));
	}
	(void)puts(all_well ? "All is well." : "Apps run; what is missing is named above.");
	json_decref(reply);
	return EXIT_DONE;
}

int cmd_mark(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply;

	if (options_take("mark", no_options, &argc, argv) || argc > 2)
		return usage("mark");
	reply = ctl_call(ctl, "mark", "io.cowbell.Mark",
			 argc == 2 ? json_pack("{s:s}", "set", argv[1]) : json_object());
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	show_text(str_of(reply, "mark"));
	(void)putchar('\n');
	json_decref(reply);
	return EXIT_DONE;
}

int cmd_autostart(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply;
	bool on;

	if (options_take("autostart", no_options, &argc, argv) || argc != 3 ||
	    (strcmp(argv[2], "on") != 0 && strcmp(argv[2], "off") != 0))
		return usage("autostart");
	on = strcmp(argv[2], "on") == 0;
	reply = ctl_call(ctl, argv[1], "io.cowbell.Autostart", json_pack("{s:s, s:b}", "app", argv[1], "on", on));
	if (!reply)
		return EXIT_FAILED;
	json_decref(reply);
	if (!ctl->quiet && !ctl->json)
		(void)printf(on ? "%s runs, and starts with the system (cowbell logs %s).\n"
				: "%s does not start by itself any more.\n",
			     argv[1], argv[1]);
	return EXIT_DONE;
}

int cmd_logs(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply, *line;
	size_t i;

	if (options_take("logs", no_options, &argc, argv) || argc != 2)
		return usage("logs");
	reply = ctl_call(ctl, argv[1], "io.cowbell.Logs", json_pack("{s:s}", "app", argv[1]));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	if (int_of(reply, "lost"))
		(void)printf("[cowbell: %lld earlier bytes are not kept]\n", int_of(reply, "lost"));
	json_array_foreach(json_object_get(reply, "lines"), i, line)
		(void)printf("%s\n", json_string_value(line));
	json_decref(reply);
	return EXIT_DONE;
}
