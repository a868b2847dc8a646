/* SPDX-License-Identifier: MIT
 *
 * Which generations of an app stay: an app that runs every minute must not fill
 * the disk with states that nobody goes back to. What goes is taken into the next
 * one that stays, so that what a state is made of stays known; its layers go as
 * soon as nothing stands on them.
 */
#ifndef BROKER_RETENTION_H
#define BROKER_RETENTION_H

#include "broker/broker.h"

#define RETENTION_LAST 20u  /* the newest ones, whatever their age */
#define RETENTION_DAYS 30u  /* the last one of each of so many days that had any */
#define RETENTION_BATCH 8u  /* fewer are not worth the work */

/* For the app's count generations in order of number: into[i] is 0 for one that
 * stays, RETENTION_DROPPED for one that nothing goes on from, else the number of
 * the one that it is taken into. What stays, beside the newest and the daily ones:
 * the head, the install it stands on, pinned ones, those a reset dropped (they have
 * an end of their own), what something that stays goes back to or stands on, and
 * where two lines part. Pure. */
#define RETENTION_DROPPED UINT32_MAX
void retention_pick(const struct generation_record *all, size_t count, uint32_t head, uint32_t install, uint32_t *into);

/* Applies the rule to app in its next turn, if that takes RETENTION_BATCH or more
 * away. One transaction; a failure is logged and nothing is lost. */
void retention_apply(struct broker *broker, const char *app);

#endif
