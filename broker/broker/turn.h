/* SPDX-License-Identifier: MIT
 *
 * Whoever works on an app's layers (a session from its launch to its settled
 * generation, a rollback, a reset, an uninstall, a merge) holds the app's turn;
 * the others wait for theirs in order. One writer an app, by construction.
 */
#ifndef BROKER_TURN_H
#define BROKER_TURN_H

#include "broker/broker.h"

struct turn;

/* Calls fn from the loop as soon as the app is free. The turn lives until
 * turn_end, also while waiting (a waiter gives up by ending it). */
struct turn *turn_request(struct broker *broker, const char *app, void (*fn)(void *data), void *data);

/* NULL is allowed. The next waiter is called from the loop. */
void turn_end(struct turn *turn);

/* True when somebody holds the app's turn. */
bool turn_taken(const struct broker *broker, const char *app);

/* The app changed its name while its turn is held (a fresh install). */
void turn_rename(struct turn *turn, const char *app);

#endif
