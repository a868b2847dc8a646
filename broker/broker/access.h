/* SPDX-License-Identifier: MIT
 *
 * What happens at a gate: a first use comes in, the decision is looked up, and
 * the gate is answered, asked about, or taken back.
 */
#ifndef BROKER_ACCESS_H
#define BROKER_ACCESS_H

#include "broker/session.h"

/* NEED, ANSWERED, USED, REVOKED from a supervisor. false: malformed. */
bool access_handle(struct session *session, struct msg *m);

/* OPENED from cowbelld. */
bool access_handle_opened(struct broker *broker, struct msg *m);

/* The session takes no more answers: its prompts are withdrawn. */
void access_session_gone(struct session *session);

/* What policy, locks and grants say now about app and ref; session (may be
 * NULL) adds what was answered for this run. copy_serial and until_boot_ms are
 * set for grants that have them, else 0. A store that cannot be read decides
 * no. */
struct access_decision {
	struct decision decision;
	uint64_t copy_serial, until_boot_ms;
	uint64_t granted_wall_ms;
	char by[64];
	char item[128]; /* of the grant that decided */
	bool locked;
	uint64_t lapses_ms; /* it lapses if it lies unused for so much longer; 0: not soon */
	char lapsed[96];    /* nobody speaks, and what did has lapsed (lapse.h) */
};
struct access_decision access_decide(struct broker *broker, struct session *session, const char *app,
				     const struct permission_ref *ref);

/* Whether every destination of the internet, or of the local network, is allowed
 * and nothing more exact says no about any. */
bool access_scope_is_open(struct broker *broker, struct session *session, bool local);

/* A permission without a gate on this system is refused, whatever was answered:
 * what cannot be held is not left open. */
bool access_has_gate(const struct broker *broker, const struct permission *permission);

/* Answers everything of session that waits for permission and item (or, with
 * item "", for any of its items). */
void access_answer_waiting(struct session *session, const struct permission *permission, const char *item,
			   enum give give, uint64_t copy_serial, uint64_t until_boot_ms);

/* Refuses what waits, and what comes within quiet_ms, without storing anything. */
void access_refuse_waiting(struct session *session, const struct permission *permission, const char *item,
			   uint64_t quiet_ms);

/* Takes back what session was given of permission and item ("" for all items).
 * fn hears how many open files still reach it, once all gates answered. */
void access_revoke(struct session *session, const struct permission *permission, const char *item,
		   void (*fn)(void *data, uint32_t held), void *data);

/* Lays out in the supervisor what would be given at once: a first use of it is
 * then answered without us, and told as USED. Gates that are in use, or being taken
 * back, are left alone. soon: when the first command has had time to start. */
void access_stand(struct session *session);
void access_stand_soon(struct session *session);

/* A decision may have changed: takes back what was laid out and holds no more, and
 * lays out what now does. */
void access_stand_anew(struct session *session);

/* Of a session that was taken over: what stands open and history does not know, it
 * is told. */
void access_note_given(struct session *session);

/* Arms the timer for the next grant of a live session that runs out. */
void access_arm_expiry(struct broker *broker);

#endif
