/* SPDX-License-Identifier: MIT
 *
 * The policy files' last good texts in the store, so that a file which is bad when
 * the broker starts has the same version in force as before.
 */
#ifndef BROKER_POLICY_KEPT_H
#define BROKER_POLICY_KEPT_H

#include "broker/broker.h"

/* Adds to set what is kept. A text that is no good to this program is left out, and
 * so is one that the store lost: its file then has no good version. */
void policy_kept_read(struct broker *broker, bool vendor, struct ruleset *set);

/* Makes the store hold what set holds, if it does not yet. After -1 it holds what it
 * held before. */
int policy_kept_write(struct broker *broker, bool vendor, const struct ruleset *set, struct err *err);

#endif
