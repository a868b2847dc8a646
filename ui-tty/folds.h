/* SPDX-License-Identifier: MIT
 *
 * History as people read it: equal events of many sessions are one, with a
 * count and its unit; and a month in sentences. Pure.
 */
#ifndef UI_FOLDS_H
#define UI_FOLDS_H

#include "base/err.h"

#include <jansson.h>

struct fold {
	char kind[16], app[64], permission[160], what[32], answer[16], lasts[32];
	long long first_ms, last_ms, count;
	char items[100]; /* of what was refused: the first two names */
	bool more_items; /* and there are others */
};

struct folds {
	struct fold *fold;
	size_t count;
};

/* Of History entries of the interface that happened at or after since_ms, newest
 * first. Decisions are never folded: each was somebody's word. */
void folds_make(json_t *history, long long since_ms, struct folds *ret);
void folds_free(struct folds *folds);

/* "contacts: an empty one, in 31 runs"; "network: refused, 14 tries". What is
 * counted says its unit; what was not counted is not guessed. */
void fold_says(const struct fold *fold, char *buf, size_t size);

/* All entries that a reader can get: calls fetch for one reply of History after
 * another (before: 0 for the latest) until there are no more. The reply's array is
 * the caller's; NULL when fetch failed, with the reason where fetch puts it. */
json_t *history_all(json_t *(*fetch)(void *data, long long before), void *data);

/* One page: sentences about each app, "\n" between lines, a blank line between
 * apps; then which of permissions (of the interface; may be NULL) lapse soon. The
 * caller frees; never NULL. */
char *folds_summary(const struct folds *folds, const char *period, json_t *permissions);

#endif
