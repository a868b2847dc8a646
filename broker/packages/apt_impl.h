/* SPDX-License-Identifier: MIT
 *
 * Between the files of apt's table.
 */
#ifndef PACKAGES_APT_IMPL_H
#define PACKAGES_APT_IMPL_H

#include "packages/manager.h"

#define ARGV_MAX (WORDS_MAX + 40u)

struct argv {
	const char *words[ARGV_MAX + PACKAGE_ITEMS_MAX];
	size_t count;
};

/* program with the options that make apt read the host's state and write none. */
void apt_begin(struct argv *a, const char *program);
void apt_add(struct argv *a, const char *word); /* is not copied */
int apt_run(struct argv *a, struct child_run *run, struct err *err);

/* -1, with what apt complained of. */
int apt_failed(const struct child_run *run, struct err *err);

/* Fills in what the lists say of the items; those that are not found stay as they are. */
int apt_show(struct item_list *list, struct err *err);

/* Marks those that the host has, with the version that it has. */
int apt_mark_base(struct item_list *list, struct err *err);

/* manager.h's search. */
int apt_search(char **words, struct item_list *ret, struct err *err);

#endif
