/* SPDX-License-Identifier: MIT
 *
 * Generations: a session's changes become one, rollback and reset re-point the
 * head, chains are merged before they get deep, doomed ones go in the end. The
 * commit of one LMDB transaction is the only switch point; keepers prepare
 * before it and clean up after it, and what no record names is garbage.
 */
#ifndef BROKER_GENERATION_H
#define BROKER_GENERATION_H

#include "broker/session.h"

#define MERGE_DEPTH 8u
#define DOOM_MS ((uint64_t)24 * 3600 * 1000)

/* Turns what an ended session left in its upper into a generation, or finds
 * that nothing changed. fn exactly once. The session is borrowed until then. */
void generation_settle(struct session *session, void (*fn)(void *data, int code, const char *why),
				 void *data);

/* The same for an app whose last session nobody saw ending; holds no turn: the
 * caller does. kind UNCLEAN. */
void generation_settle_unclean(struct broker *broker, const char *app,
			       void (*fn)(void *data, int code, const char *why), void *data);

/* Takes up the state of generation to (0: the one before the head). The app
 * must not be in a session and the caller holds its turn. grants: the answers of
 * that time come back too. */
struct generation_change {
	uint32_t generation; /* the new head */
	uint32_t of;
	uint32_t before; /* the head until now */
	uint64_t files, bytes;   /* reset: what goes */
	uint32_t generations;    /* reset: how many go */
};
void generation_rollback(struct broker *broker, const char *app, uint32_t to, bool grants, bool now,
			 void (*fn)(void *data, const struct generation_change *change, const struct err *err),
			 void *data);

/* Which generation a rollback to "to" (0: undo the last run) would take up. */
int generation_back_from(struct store_txn *txn, const char *app, uint32_t to, uint32_t *ret, struct err *err);

/* Back to the install. now: the dropped generations go at once instead of after
 * a day; grants: its answers go too. */
void generation_reset(struct broker *broker, const char *app, bool now, bool grants,
		      void (*fn)(void *data, const struct generation_change *change, const struct err *err), void *data);

/* Drops these layers in the background, as far as no generation names them. */
void generation_drop_layers(struct broker *broker, const uint64_t *layers, size_t count);

/* Every layer that a record names, for garbage collection. Caller frees. */
int generation_referenced(struct broker *broker, uint64_t **ret, size_t *ret_count, struct err *err);

/* Deletes doomed generations whose time has come; arms the timer for the next. */
void generation_cleanup(struct broker *broker);

/* Merges the head's chain if it is deep; waits for the app's turn. */
void generation_merge_if_deep(struct broker *broker, const char *app);

/* Puts the state of g on another install of the same app. */
void generation_restack(struct generation_record *g, const struct generation_record *install);

/* The packages that installs are kept with: one made anew has those of the one
 * before, and they are counted once. */
struct kept_packages {
	uint64_t bytes, in[32];
	unsigned int count;
};
void generation_count_kept(struct kept_packages *kept, const struct generation_record *g);

#endif
