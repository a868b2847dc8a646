/* SPDX-License-Identifier: MIT
 *
 * The app's private /dev, /sys, /tmp and /run. Made ahead of need with the
 * host's ids, given to the app's when it is known which app it is.
 */
#ifndef PLATFORM_TREE_H
#define PLATFORM_TREE_H

#include "platform/platform.h"

struct tree {
	int dev, sys;      /* attached below the scratch */
	int shm, tmp, run; /* detached */
	int pts;           /* devpts; open for the life of the session: new terminals come from it */
};

#define TREE_NONE ((struct tree){ -1, -1, -1, -1, -1, -1 })

/* Makes all but pts. scratch is root_scratch's folder. The caller ends with
 * tree_finish, also after a failure. */
int tree_prepare(struct tree *tree, int scratch, const struct platform_view *view, struct err *err);

/* Gives everything to the app whose ids start at base, and puts it into its
 * root. */
int tree_attach(struct tree *tree, int root_fd, uint32_t base, const struct platform_owner *owner, struct err *err);

/* Closes all but pts. */
void tree_finish(struct tree *tree);

/* A new terminal of the session for the app's user uid. Both ends are the
 * caller's, and nobody's controlling terminal. */
int tree_open_pty(const struct tree *tree, uint32_t base, uint32_t uid, uint16_t rows, uint16_t columns,
		  int *ret_master, int *ret_slave, struct err *err);

#endif
