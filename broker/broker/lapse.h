/* SPDX-License-Identifier: MIT
 *
 * Answers that lie unused lapse (policy/lapse.h): their uses are written down with
 * them, and once an hour of the device being on it is looked which are due.
 */
#ifndef BROKER_LAPSE_H
#define BROKER_LAPSE_H

#include "broker/broker.h"
#include "policy/lapse.h"

/* Looks, now and from now on. Sessions of an earlier broker are taken over by then: what
 * they hold is in use. */
void lapse_start(struct broker *broker);

/* The rule in force; the default one when it cannot be read. */
struct lapse_rule lapse_rule_get(struct store_txn *txn);

/* days 0: nothing lapses from now on; what has lapsed stays so. -1 with err: it is as it was. */
int lapse_set(struct broker *broker, uint32_t days, struct err *err);

/* entry is about to be written to history: if it is a use, the answers that it may have
 * been of are used now. Part of txn. */
int lapse_used(struct broker *broker, struct store_txn *txn, const struct history_record *entry, struct err *err);

/* What is left of a grant's time when that is to be told; else 0. */
uint64_t lapse_told_ms(const struct broker *broker, const struct lapse_rule *rule, const struct grant_record *grant);

/* "you said read, which lapsed on 2026-11-26 unused"; "" when nothing for this item
 * has lapsed. */
void lapse_says(struct store_txn *txn, const char *app, const char *permission, const char *item, char *buf, size_t size);

#endif
