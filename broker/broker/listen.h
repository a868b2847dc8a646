/* SPDX-License-Identifier: MIT
 *
 * Servers in an app: the same questions, grants and history as at a gate, a port each.
 * Not a gate of the kernel's: nobody outside reaches an app until a port is opened, so
 * the app goes on while its person is asked.
 */
#ifndef BROKER_LISTEN_H
#define BROKER_LISTEN_H

#include "broker/session.h"

#define GATE_LISTEN 0xfff3u /* its number among the broker's gates; no supervisor knows it */

struct listen_state; /* of one session; made when it is first needed */

bool listen_is(const struct permission *permission);

/* Adds it to what this system has, if packets can be held here. */
void listen_add_gate(struct broker *broker);

/* LISTENS from the supervisor, LISTEN_OPENED from cowbelld. false: malformed. */
bool listen_handle_listens(struct session *session, struct msg *m);
bool listen_handle_opened(struct broker *broker, struct msg *m);

/* Grants changed: what is allowed now is opened, everything else is shut and what came
 * in by it is cut. Nothing is asked. */
void listen_rethink(struct session *session);

/* Not now: asked again when it begins anew to listen there, after quiet_ms. */
void listen_refuse(struct session *session, const char *item, uint64_t quiet_ms);

void listen_session_gone(struct session *session);

#endif
