/* SPDX-License-Identifier: MIT
 *
 * Policy files: lines, numbered files, first match.
 *
 *   APP PERMISSION[:ITEM] ANSWER [for=DURATION] [enforce] [lock]  # why
 *
 * APP is an app id or "*"; PERMISSION may be "*". Empty lines and lines that
 * start with # are skipped. A file is good whole or not at all.
 */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include "policy/permission.h"

#define RULES_TEXT_MAX (256u * 1024) /* of one file */
#define RULES_FILE_SIZE 128u         /* of its name, with the NUL */

struct rule {
	char app[64];        /* or "*" */
	char permission[32]; /* or "*" */
	char item[128];      /* "" for the whole */
	enum give give;
	struct duration lasts;
	bool enforce;
	char file[RULES_FILE_SIZE];
	unsigned int line;
	char why[128]; /* escaped */
};

/* The text that a file's rules came from, for the day when the file is bad. */
struct rules_text {
	char file[RULES_FILE_SIZE];
	char *text;
	size_t size;
};

struct ruleset {
	struct rule *rules;
	size_t count;
	struct rules_text *texts; /* of ruleset_add, in its order */
	size_t text_count;
	bool broken; /* a file was bad and no earlier good version of it is held */
};

/* Parses one file's text (size bytes, need not be NUL-ended, at most RULES_TEXT_MAX
 * and 4096 rules) and appends its rules to set. After -1 set is unchanged and
 * err says "FILE:LINE: what is wrong (what would do)". */
int ruleset_parse(struct ruleset *set, const char *file, const char *text, size_t size, struct err *err);

/* As ruleset_parse; the text is copied and stays with set. */
int ruleset_add(struct ruleset *set, const char *file, const char *text, size_t size, struct err *err);

/* Reads every *.rules file of dirfd in the order of their names. A bad file: what
 * previous has under its name is kept, also when that has no rules; if there is
 * nothing, set->broken. A folder that cannot be listed: all of previous is kept.
 * The first error goes to err and -1 is returned, with the set usable. previous
 * may be NULL. A missing directory is dirfd -1: empty set. */
int ruleset_load(struct ruleset *set, int dirfd, const struct ruleset *previous, struct err *err);

void ruleset_finish(struct ruleset *set);

/* First rule that speaks of app and ref, or NULL. enforce_only: look at those
 * marked enforce alone. */
const struct rule *ruleset_match(const struct ruleset *set, const char *app, const struct permission_ref *ref,
				 bool enforce_only);

#endif
