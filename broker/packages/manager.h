/* SPDX-License-Identifier: MIT
 *
 * cowbell-packages: asks the host's own package manager what a name needs here,
 * and lets it fetch and verify that, with its own lists and keys. It runs under a
 * uid of its own; the whole file system is read-only for it but for /tmp, which
 * is a folder of its own; and it installs nothing. One process a question.
 */
#ifndef PACKAGES_MANAGER_H
#define PACKAGES_MANAGER_H

#include "base/err.h"
#include "proto/package.h"

#define WORDS_MAX 512u

struct item_list {
	struct package_item *items;
	size_t count;
};

/* Adds an empty item and returns it; NULL once there are PACKAGE_ITEMS_MAX. */
struct package_item *item_add(struct item_list *list);
struct package_item *item_find(const struct item_list *list, const char *name);

/* A kind of package manager: apt; others have a table like this one. Functions
 * return 0 or -1 with err; words were checked by package_name_good or
 * package_dependency_good. */
struct manager {
	const char *name;
	bool (*present)(void);
	/* What would come for these names (dependencies: for these dependencies),
	 * beyond what the host has; what was asked for stands first, in order, also
	 * when the host has it (PACKAGE_IN_BASE). */
	int (*resolve)(char **words, bool dependencies, struct item_list *ret, struct err *err);
	/* Fetches all that list names and the host lacks into folder, as
	 * "<name>.<what the manager calls its packages>"; on_progress may be NULL. */
	int (*fetch)(char **words, bool dependencies, const char *folder, void (*on_progress)(uint32_t permille),
		     struct err *err);
	/* Fetches one package alone, also one that the host has, and tells of it. */
	int (*get)(const char *name, const char *folder, struct item_list *ret, struct err *err);
	/* The file in folder that holds item; open, the caller's; -1 err. */
	int (*open)(const char *folder, const struct package_item *item, struct err *err);
	int (*search)(char **words, struct item_list *ret, struct err *err);
};

extern const struct manager apt_manager;

/* --- child.c: other programs --- */

struct child_run {
	const char *const *argv; /* NULL-ended; looked up in the standard folders */
	const char *folder;      /* to run it in; NULL: ours */
	char *out;               /* what it printed, NUL-ended; freed by the caller */
	size_t out_len;
	char errors[2048]; /* the last of what it said on standard error */
	int status;        /* as the shell counts */
	void (*on_status)(const char *line); /* lines from its descriptor 9; may be NULL */
};

/* Runs it to its end; -1 with err when it could not be, or printed more than 64
 * MB. Ends the whole process when the broker goes away meanwhile. */
int child_run(struct child_run *run, struct err *err);

/* --- records.c: "Field: value" text --- */

/* The next record of text (records are parted by empty lines); moves *text on.
 * False at the end. The item's texts are escaped. */
bool record_next(const char **text, struct package_item *ret);

#endif
