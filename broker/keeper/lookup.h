/* SPDX-License-Identifier: MIT
 *
 * What a stack of layers shows under a name, decided as overlayfs decides it
 * (fs/overlayfs/namei.c: whiteouts and opaque folders stop, a relative redirect
 * goes on under another name in the parent's stack, an absolute one from the
 * roots of the layers below).
 */
#ifndef KEEPER_LOOKUP_H
#define KEEPER_LOOKUP_H

#include "keeper/keeper.h"

/* The layers: [0, range) are to be merged, [range, count) lie below. */
struct stack {
	int fds[64];
	size_t range, count;
	int failed; /* errno of a look that was not answered: what it returned is no truth */
};

/* One merged folder: where it is in each layer that has it, topmost first. */
struct merged_dir {
	struct {
		size_t layer;
		char *path; /* relative to the layer's root, "" for itself */
	} at[64];
	size_t count;
};

enum lookup_kind { LOOKUP_NONE = 0, LOOKUP_WHITEOUT, LOOKUP_FILE, LOOKUP_DIR };

struct lookup {
	enum lookup_kind kind;
	size_t layer; /* FILE */
	char *path;
	struct merged_dir dir;  /* DIR, with its parts below the range */
	bool stopped_in_range;  /* nothing below the range shows through */
	char *redirect;         /* in force where the range ends; NULL: its own name */
};

void lookup_name(struct stack *stack, const struct merged_dir *parent, const char *name, struct lookup *ret);
void lookup_finish(struct lookup *l);
void merged_dir_add(struct merged_dir *dir, size_t layer, const char *path);
void merged_dir_finish(struct merged_dir *dir);

#endif
