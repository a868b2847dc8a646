/* SPDX-License-Identifier: MIT
 *
 * Which folders of the owner stand behind which permission. Pure: the board's
 * profile, the owner's home, the text of user-dirs.dirs and a question "does
 * this folder exist" in, a table out.
 */
#ifndef POLICY_RESOURCE_H
#define POLICY_RESOURCE_H

#include "policy/board.h"

#define RESOURCES_MAX 32u
#define RESOURCE_PATH_SIZE 4096u

enum resource_kind {
	RESOURCE_FOLDER = 0, /* of the owner's home; path is that on both sides of the gate */
	RESOURCE_SYSFS = 1,  /* a device's folder in /sys, likewise */
	RESOURCE_NODES = 2,  /* all nodes of a permission, in the folder path of the app's /dev */
};

struct resource {
	enum resource_kind kind;
	uint16_t gate; /* its number: what it holds for apps lies in their layers under it, so it outlives restarts */
	char permission[32];
	char item[128];
	char path[RESOURCE_PATH_SIZE];
	bool exists;
};

struct resource_table {
	struct resource resources[RESOURCES_MAX];
	size_t count;
	unsigned int ignored; /* lines of user-dirs.dirs and nested folders left out */
};

/* board names the contact stores, the first of which always has a gate, others
 * where they exist. home is absolute and clean. user_dirs may be NULL; of it only lines of the
 * form XDG_DOCUMENTS_DIR="$HOME/Somewhere" count (freedesktop.org's
 * xdg-user-dirs format); "$HOME/" itself means that there is none. Storage
 * gates stand whether the folder exists or not. No gate lies inside another. */
void resource_table_make(struct resource_table *table, const struct board *board, const char *home,
			 const char *user_dirs, bool (*exists)(void *data, const char *path), void *data);

/* Adds a device. False when the table is full, or when the place is taken. */
bool resource_table_add_device(struct resource_table *table, enum resource_kind kind, const char *permission,
			       const char *path);

/* True for an absolute path without "//", "." or ".." components or a slash at
 * its end. */
bool resource_path_is_clean(const char *path);

#endif
