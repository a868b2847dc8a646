/* SPDX-License-Identifier: MIT
 *
 * What apps send and receive, added up in the store when a session ends or is cut
 * into, and monthly caps on it. The supervisor is asked only when somebody looks.
 */
#ifndef BROKER_TRAFFIC_H
#define BROKER_TRAFFIC_H

#include "broker/session.h"
#include "policy/reach.h"

struct traffic_look;

/* One line for people: a scope ("" the internet, "local") or a host. */
struct traffic_line {
	char item[REACH_ITEM_SIZE];
	bool local, scope;
	struct traffic_bytes ever, this_month, run; /* run: of the live session, if there is one */
	uint64_t cap; /* bytes a month; 0 none */
	bool spent;
	bool filled; /* for traffic_lines.c */
};

/* The session takes commands: its caps are told to its supervisor. */
void traffic_begin(struct session *session);
/* It outlived a broker: the kernel keeps its caps, what is left of them is asked. */
void traffic_adopted(struct session *session);
void traffic_session_gone(struct session *session);

/* NET_TRAFFIC. false: malformed. */
bool traffic_handle(struct session *session, struct msg *m);

/* Calls fn once, when every live session (app NULL), or that of app, has said what
 * went through it, or does not say it in time. */
void traffic_look(struct broker *broker, const char *app, void (*fn)(void *data), void *data);

/* Both scopes, then hosts, as far as anything of them is known: an array that the
 * caller frees. */
struct traffic_line *traffic_lines(struct broker *broker, const char *app, size_t *ret_count);

/* Bytes a month, both ways, for a scope; 0 takes the cap away. The month that runs
 * counts. by: who says so. */
int traffic_cap(struct broker *broker, const char *app, const char *item, uint64_t bytes, const char *by,
		struct err *err);

/* Whether session has used up its month there; says so, once a session, to who is
 * at it. */
bool traffic_is_spent(struct session *session, bool local);

#endif
