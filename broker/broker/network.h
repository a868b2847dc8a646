/* SPDX-License-Identifier: MIT
 *
 * First packets and look-ups: the same questions, grants and history as at a
 * gate, but as many at once as there are destinations. What is in force is
 * decided here and carried out by the supervisor in the kernel's rules.
 */
#ifndef BROKER_NETWORK_H
#define BROKER_NETWORK_H

#include "broker/session.h"
#include "policy/reach.h"

struct network_state; /* of one session; made when it is first needed */

bool network_is(const struct permission *permission);

/* NET_NEED from the supervisor, NET_LINKED from cowbelld. false: malformed. */
bool network_handle_need(struct session *session, struct msg *m);
bool network_handle_linked(struct broker *broker, struct msg *m);

/* The question about item was answered; once: for what waits now. What still
 * nobody decided is refused. */
void network_answered(struct session *session, const char *item, enum give give, bool once);

/* Grants changed: everything that waits and is decided now goes on. */
void network_rethink(struct session *session);

/* Refuses what waits for item, and what comes within quiet_ms. */
void network_refuse(struct session *session, const char *item, uint64_t quiet_ms);

/* Tells the supervisor to ask again about item ("" all), and, with cut, to end
 * the connections that it speaks of. REVOKED comes. */
void network_revoke(struct session *session, const char *item, bool cut);

void network_session_gone(struct session *session);

#endif
