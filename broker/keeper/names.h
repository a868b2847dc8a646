/* SPDX-License-Identifier: MIT
 *
 * The names in a folder, sorted.
 */
#ifndef KEEPER_NAMES_H
#define KEEPER_NAMES_H

#include "base/err.h"

struct names {
	char **of;
	size_t count;
};

/* Adds those of dir_fd (borrowed) without "." and "..". */
int names_read(struct names *names, int dir_fd, struct err *err);

/* Sorts by byte and drops doubles. */
void names_sort(struct names *names);
void names_finish(struct names *names);

#endif
