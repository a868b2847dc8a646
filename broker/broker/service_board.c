/* SPDX-License-Identifier: MIT
 *
 * What the board's profile names, compared with what is there now.
 */
#include "broker/service.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

/* How many there are of one pattern; the first one's name goes to first if that
 * is still empty. */
static size_t look_for(const char *pattern, char *first, size_t size)
{
	glob_t found = { 0 };
	size_t n = 0;

	if (glob(pattern, 0, NULL, &found) == 0)
		n = found.gl_pathc;
	if (n && !first[0])
		(void)snprintf(first, size, "%s", found.gl_pathv[0]);
	globfree(&found);
	return n;
}

struct tally {
	size_t named, absent, present;
	char first[256], lacking[256];
	bool guess; /* what lacks is the profile's guess */
};

static void count_one(struct tally *t, const struct board_thing *thing)
{
	char pattern[256];
	size_t n;

	(void)snprintf(pattern, sizeof(pattern), "%s%s", thing->kind == BOARD_TORCH ? "/sys/class/leds/" : "",
		       thing->value);
	t->named++;
	n = look_for(pattern, t->first, sizeof(t->first));
	t->present += n;
	if (n || strstr(t->lacking, pattern))
		return;
	t->absent++;
	t->guess |= thing->unverified;
	n = strlen(t->lacking);
	(void)snprintf(t->lacking + n, sizeof(t->lacking) - n, "%s%s", n ? ", " : "", pattern);
}

static void add_probe(const struct board *board, json_t *probes, enum board_kind kind)
{
	const char *name = board_kind_name(kind), *state;
	char found[700], more[64] = "", cure[160];
	struct tally t = { 0 };

	for (size_t i = 0; i < board->thing_count; i++) {
		if (board->things[i].kind == kind)
			count_one(&t, &board->things[i]);
	}
	if (t.named == 0)
		return;
	state = !t.present ? "missing" : t.absent ? "limited" : "ok";
	if (t.present > 1)
		(void)snprintf(more, sizeof(more), " and %zu more", t.present - 1);
	(void)snprintf(found, sizeof(found), "%s%s%s%s%s%s", t.first, more, t.present && t.absent ? "; " : "",
		       t.absent ? "not there: " : "", t.lacking, t.guess ? " (the profile's guess, unverified)" : "");
	(void)snprintf(cure, sizeof(cure), "a kernel with its driver, or other lines in board/%s/profile", board->name);
	json_array_append_new(probes, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "state", state, "found",
						found, "cost", t.absent ? "it cannot be given to apps" : "", "cure",
						t.absent ? cure : ""));
}

void service_board_probes(struct broker *broker, json_t *probes)
{
	for (int kind = 0; kind < BOARD_KIND_COUNT; kind++) {
		if (board_kind_is_permission((enum board_kind)kind))
			add_probe(&broker->board, probes, (enum board_kind)kind);
	}
}
