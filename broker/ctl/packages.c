/* SPDX-License-Identifier: MIT
 *
 * Verbs about packages that are not installed: search.
 */
#include "ctl/ctl.h"

#include <stdio.h>

static void show_found(json_t *p)
{
	char size[SHORT_TEXT];

	show_size(int_of(p, "installed"), size);
	(void)printf("%-28s %8s  %-12.12s %s%s\n", str_of(p, "name"), size, str_of(p, "section"), str_of(p, "summary"),
		     bool_of(p, "in_base") ? "  [this system has it]" : "");
}

int cmd_search(struct ctl *ctl, int argc, char **argv)
{
	const struct option_spec specs[] = { { .name = NULL } };
	json_t *words = json_array(), *reply, *p, *found;
	size_t i;

	if (options_take("search", specs, &argc, argv) || argc < 2) {
		json_decref(words);
		return usage("search");
	}
	for (int k = 1; k < argc; k++)
		json_array_append_new(words, json_string(argv[k]));
	reply = ctl_call(ctl, "search", "io.cowbell.Search", json_pack("{s:o}", "words", words));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	found = json_object_get(reply, "packages");
	json_array_foreach(found, i, p)
		show_found(p);
	if (json_array_size(found) == 0 && !ctl->quiet)
		(void)puts("Nothing in this system's lists has these words.");
	json_decref(reply);
	return EXIT_DONE;
}
