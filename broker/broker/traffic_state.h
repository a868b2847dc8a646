/* SPDX-License-Identifier: MIT
 *
 * For traffic*.c: what is known of one live session.
 */
#ifndef BROKER_TRAFFIC_STATE_H
#define BROKER_TRAFFIC_STATE_H

#include "broker/traffic.h"

#define TRAFFIC_TOLD_MAX 64u /* hosts that a supervisor tells of */

struct told {
	char item[REACH_ITEM_SIZE];
	bool local;
	struct traffic_bytes bytes;
};

/* Of one session: what its supervisor said last, of both scopes and of hosts. */
struct traffic {
	struct told of[2 + TRAFFIC_TOLD_MAX];
	size_t count;
	bool spent[2], said[2];
	uint32_t month; /* of spent */
	uint32_t capped[2]; /* the month whose rest the kernel was told */
	struct loop_source *next_month;
};

/* year * 12 + month, by the wall clock. */
uint32_t traffic_month(void);
const char *traffic_item(bool local);

/* The session's own, made when it is first needed. */
struct traffic *traffic_of(struct session *session);

/* This month's sums begin again with a new month. */
void traffic_turn_month(struct traffic_record *record);

/* Somebody says what the cap is: the month is the clock's, also where one was begun by a
 * clock that was ahead. */
void traffic_set_cap(struct traffic_record *record, uint64_t bytes);
/* Adds what of session is not in the sums yet; now: since it began. */
void traffic_add_session(struct traffic_record *record, uint64_t session, const struct traffic_bytes *now);

/* --- traffic_cap.c --- */

/* Tells the supervisor what is left of the month; nothing, where that cannot be read. */
void traffic_tell_cap(struct session *session, bool local);
/* False once a month has begun since then. */
bool traffic_is_of_month(const struct session *session, bool local);
void traffic_set_spent(struct session *session, bool local);
void traffic_say_spent(struct session *session, bool local);

#endif
