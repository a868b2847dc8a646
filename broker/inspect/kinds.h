/* SPDX-License-Identifier: MIT
 *
 * The table of policy/kinds: what kinds of programs need, and by which signs they
 * show what they may want. Pure.
 */
#ifndef INSPECT_KINDS_H
#define INSPECT_KINDS_H

#include "base/err.h"

#define KINDS_PERMISSIONS_MAX 8u

enum kind_of { KIND_CATEGORY, KIND_SECTION, KIND_WORD };

struct kind {
	enum kind_of of;
	char name[48];
	char permissions[KINDS_PERMISSIONS_MAX][32];
	size_t permission_count;
};

enum sign_how { SIGN_IS, SIGN_HAS, SIGN_BEGINS, SIGN_ENDS, SIGN_LINKS, SIGN_FILE };

struct sign {
	char permission[32];
	enum sign_how how;
	char text[64], why[128];
	size_t text_len;
};

struct kinds {
	struct kind *kinds;
	size_t kind_count;
	struct sign *signs;
	size_t sign_count;
};

/* Text of such a file; -1 with err naming the line that is broken. */
int kinds_parse(const char *text, struct kinds *ret, struct err *err);
void kinds_finish(struct kinds *kinds);

/* The file that came with us. */
extern const char kinds_text[];

/* Adds to set (bit i: kinds_permission(i)) what fits; true when anything did. */
bool kinds_match(const struct kinds *kinds, enum kind_of of, const char *name, size_t len, uint32_t *set);

/* Permissions have numbers by their order in the table; NULL behind the last. */
const char *kinds_permission(const struct kinds *kinds, unsigned int number);
int kinds_number(const struct kinds *kinds, const char *permission);

#endif
