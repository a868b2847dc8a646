/* SPDX-License-Identifier: MIT
 *
 * What access.c (answering), access_standing.c (answers laid out beforehand) and
 * access_revoke.c (taking back) share. Nobody else includes this.
 */
#ifndef BROKER_ACCESS_IMPL_H
#define BROKER_ACCESS_IMPL_H

#include "broker/access.h"

/* The place in broker->gates, -1: there is none. */
int access_find_gate(const struct session *session, uint16_t id);

struct permission_ref access_ref_of(const struct gate *gate);
bool access_covers(const struct permission *permission, const char *item, const struct gate *gate);

/* An entry of history about this gate, written a moment later (notes.h). */
void access_note(struct session *session, const struct gate *gate, enum give give, const char *what, const char *why,
		 const char *program);

/* Has cowbelld make the mount of a gate; ahead: nobody waits for it yet. */
void access_send_open(struct session *session, size_t index, enum give give, bool ahead);

/* The gate is shut: cowbelld undoes what it changed on the host for a device. */
void access_tell_closed(struct session *session, size_t index);

/* --- access_standing.c --- */

/* USED from a supervisor. false: malformed. */
bool standing_handle_used(struct session *session, struct rd *body);

/* --- access_revoke.c --- */

bool revoke_handle_revoked(struct session *session, struct rd *body);

/* Who waits for a taking back hears that nothing runs any more. */
void revoke_session_gone(struct session *session);

#endif
