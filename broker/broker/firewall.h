/* SPDX-License-Identifier: MIT
 *
 * Granted traffic that the host's own firewall drops: named, with the cure, and never
 * mended by us.
 */
#ifndef BROKER_FIREWALL_H
#define BROKER_FIREWALL_H

#include "broker/session.h"
#include "policy/reach.h"

#include <jansson.h>

/* Asks cowbelld what becomes of packets to the internet, and calls fn with its probes
 * for doctor: an array that fn takes. Once, within seconds. */
void firewall_probes(struct broker *broker, void (*fn)(void *data, json_t *probes), void *data);

/* Before the session's first use of a scope by this version of IP is allowed. Later
 * calls do nothing. */
void firewall_look(struct session *session, const struct reach *to);

/* True until it is known; then network_rethink is called. */
bool firewall_is_looked_at(const struct session *session, const struct reach *to);

/* It is allowed: if a firewall ends it, who is at the session is told, and history; once. */
void firewall_allowed(struct session *session, const struct reach *to);

void firewall_session_gone(struct session *session);

/* FIREWALL_SEEN from cowbelld. false: malformed. */
bool firewall_handle_seen(struct broker *broker, struct msg *m);

#endif
