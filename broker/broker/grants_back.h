/* SPDX-License-Identifier: MIT
 *
 * What a rollback does to an app's answers when its person wants that: those of
 * the generation's time come back, later ones go. What the owner locked stays.
 */
#ifndef BROKER_GRANTS_BACK_H
#define BROKER_GRANTS_BACK_H

#include "broker/broker.h"

struct grant_change {
	struct grant_record before, after; /* give GIVE_ASK: there is none */
};

struct grant_changes {
	struct grant_change of[2 * GRANTS_PER_APP_MAX];
	size_t count;
};

/* What would change if app's grants were those of the generation. ENOENT when
 * nobody knows them. */
int grants_back_find(struct broker *broker, struct store_txn *txn, const char *app, uint32_t generation,
		     struct grant_changes *ret, struct err *err);

/* Makes them so and says it in history, all inside txn. */
int grants_back_apply(struct broker *broker, struct store_txn *txn, const struct grant_changes *changes,
		      uint32_t generation, struct err *err);

#endif
