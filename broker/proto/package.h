/* SPDX-License-Identifier: MIT
 *
 * What the host's package manager says of one package, and what can be asked
 * of it.
 */
#ifndef PROTO_PACKAGE_H
#define PROTO_PACKAGE_H

#include "proto/wire.h"

#define PACKAGE_ITEMS_MAX 1024u

enum package_want {
	PACKAGE_LIST = 0,    /* what would come for these names: ITEMs */
	PACKAGE_FETCH = 1,   /* the same, then FILEs in the order of the ITEMs */
	PACKAGE_SATISFY = 2, /* as FETCH, for dependencies of something that is there already */
	PACKAGE_SEARCH = 3,  /* packages whose names and descriptions have all these words */
	PACKAGE_GET = 4,     /* one package alone, for a look into it: its ITEM and its FILE */
	PACKAGE_WANT_COUNT
};

enum package_flag {
	PACKAGE_ASKED = 1 << 0,   /* by name; else it comes because another needs it */
	PACKAGE_IN_BASE = 1 << 1, /* the host has it: nothing comes */
};

/* All texts are escaped by whoever made the item. */
struct package_item {
	char name[128], version[128], arch[32], section[64], summary[256], homepage[256];
	char maintainer[128], depends[1024];
	uint64_t download, installed; /* bytes, as the lists say */
	uint8_t flags;
};

void package_item_encode(struct wr *w, const struct package_item *item);
bool package_item_decode(struct rd *r, struct package_item *ret);

/* The syntax of a package's name, which is what may reach a command line:
 * 2 to 63 of a-z 0-9 + - . beginning with a letter or digit, and no "-" at the
 * end, which to apt means "take away". */
bool package_name_good(const char *name);

/* What goes to apt as a dependency: letters, digits and " +-.:~<>=()|,", at
 * most 1023 of them. */
bool package_dependency_good(const char *text);

#endif
