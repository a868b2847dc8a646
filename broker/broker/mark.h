/* SPDX-License-Identifier: MIT
 *
 * The owner's mark on the last row of every question: it tells a true bell from
 * one that an app draws.
 */
#ifndef BROKER_MARK_H
#define BROKER_MARK_H

#include "base/err.h"
#include "store/store.h"

/* Chooses two words at random and stores them, unless there is a mark. -1 with
 * err, and there is none then. */
int mark_ensure(struct store *store, struct err *err);

#endif
