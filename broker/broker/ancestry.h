/* SPDX-License-Identifier: MIT
 *
 * Which generations the state of one generation is made of: itself, and what it
 * goes on from, down to the install.
 */
#ifndef BROKER_ANCESTRY_H
#define BROKER_ANCESTRY_H

#include "store/store.h"

/* All zero is an empty one. */
struct ancestry {
	uint32_t *numbers; /* ascending */
	size_t count;
};

/* Of generation number; follows what each one goes on from. A generation that is
 * not there, or cannot be read, ends the walk: what is known stays. On success,
 * and after -1 with err, ret is the caller's to finish. */
int ancestry_of(struct store_txn *txn, const char *app, uint32_t number, struct ancestry *ret, struct err *err);

bool ancestry_has(const struct ancestry *a, uint32_t number);
void ancestry_finish(struct ancestry *a);

/* Whether g stands for the state of another one, g->of. */
bool ancestry_takes_up(const struct generation_record *g);

/* The generation that g's state goes on from; 0: none. */
uint32_t ancestry_next(const struct generation_record *g);

#endif
