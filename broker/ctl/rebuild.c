/* SPDX-License-Identifier: MIT
 *
 * rebuild: apps on a base that has changed.
 */
#include "ctl/ctl.h"

#include "varlink/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show_result(json_t *r)
{
	const char *outcome = str_of(r, "outcome"), *app = str_of(r, "app");

	if (strcmp(outcome, "rebuilt") == 0)
		(void)printf("%-20s installed anew, its state on top\n", app);
	else if (strcmp(outcome, "base") == 0)
		(void)printf("%-20s runs this system's own program\n", app);
	else if (strcmp(outcome, "running") == 0)
		(void)printf("%-20s runs as it was; installed anew before its next run\n", app);
	else
		(void)printf("%-20s as it was, and not run: %s (cowbell run --old-base %s)\n", app, str_of(r, "why"), app);
}

static bool print_results(struct ctl *ctl, json_t *reply)
{
	json_t *r;
	bool well = true;
	size_t i;

	json_array_foreach(json_object_get(reply, "results"), i, r)
	{
		well &= strcmp(str_of(r, "outcome"), "failed") != 0;
		if (ctl->json)
			(void)ctl_print_json(json_incref(r));
		else
			show_result(r);
	}
	(void)fflush(stdout);
	return well;
}

static int rebuild(struct ctl *ctl, char **apps)
{
	struct err err = { 0 };
	struct varlink_client *client = varlink_client_open(ctl->root, &err);
	json_t *reply, *words = json_array();
	size_t told = 0;
	bool well = true;
	int rc = -1;

	for (; *apps; apps++)
		json_array_append_new(words, json_string(*apps));
	if (!client) {
		json_decref(words);
		return ctl_fail("rebuild", &err);
	}
	if (varlink_client_more(client, "io.cowbell.Rebuild", json_pack("{s:o}", "apps", words), &err) == 0) {
		while ((rc = varlink_client_recv(client, &reply, &err)) >= 0) {
			well &= print_results(ctl, reply);
			told += json_array_size(json_object_get(reply, "results"));
			json_decref(reply);
			if (rc == 0)
				break;
		}
	}
	varlink_client_close(client);
	if (rc < 0)
		return ctl_fail("rebuild", &err);
	if (!told && !ctl->json && !ctl->quiet)
		(void)puts("Every app was installed on this system as it is.");
	return well ? EXIT_DONE : EXIT_FAILED;
}

static int before(struct ctl *ctl, const char *word)
{
	char *end;
	long pid = strtol(word, &end, 10);
	json_t *reply;

	if (pid < 1 || *end)
		return usage("rebuild");
	reply = ctl_call(ctl, "rebuild", "io.cowbell.BaseChanges", json_pack("{s:I}", "pid", (json_int_t)pid));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	if (!ctl->quiet && int_of(reply, "sessions"))
		(void)printf("%lld session%s ended; none begins while this system's packages change.\n",
			     int_of(reply, "sessions"), int_of(reply, "sessions") == 1 ? " was" : "s were");
	json_decref(reply);
	return EXIT_DONE;
}

int cmd_rebuild(struct ctl *ctl, int argc, char **argv)
{
	const char *pid = NULL;
	const struct option_spec specs[] = { { .name = "--before", .has_value = true, .value = &pid }, { .name = NULL } };

	if (options_take("rebuild", specs, &argc, argv) || (pid && argc != 1))
		return usage("rebuild");
	return pid ? before(ctl, pid) : rebuild(ctl, argv + 1);
}
