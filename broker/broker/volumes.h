/* SPDX-License-Identifier: MIT
 *
 * Cards, sticks and other volumes: each is a gate while it is there, for every session
 * that runs. One that leaves is let go at once, and an app that still holds it is
 * ended: whoever takes it out must not lose what is on it.
 */
#ifndef BROKER_VOLUMES_H
#define BROKER_VOLUMES_H

#include "broker/session.h"

/* VOLUME_SEEN from cowbelld. false: malformed. */
bool volumes_handle_seen(struct broker *broker, struct msg *m);

/* Tells session of the volumes that are there; and of those that are not, if it was
 * taken over. Before its first command. */
void volumes_tell(struct session *session);

/* The gate of a volume that is not there, or of all of them: nothing can be laid out for it. */
bool volumes_is_away(const struct gate *gate);

/* It was taken back from session while files of it were open: what that means. */
void volumes_closed(struct session *session, const struct gate *gate, uint32_t held);

#endif
