/* SPDX-License-Identifier: MIT
 *
 * Accesses, written to history a moment after they happened and several at once:
 * an app does not wait for a disk to be told of what was decided before.
 * Decisions never come here; they are synced before anything is given.
 */
#ifndef BROKER_NOTES_H
#define BROKER_NOTES_H

#include "broker/broker.h"

struct notes;

/* Copies note. It is in the store at most NOTES_DELAY_MS later, or lost with this
 * process; a failure to write is logged. */
#define NOTES_DELAY_MS 100u
void notes_later(struct broker *broker, const struct history_note *note);

/* Writes what waits: before history is read, and before a decision is written,
 * so that the order of entries is that of time. */
void notes_flush(struct broker *broker);

/* Writes what waits and frees all. */
void notes_finish(struct broker *broker);

#endif
