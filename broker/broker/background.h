/* SPDX-License-Identifier: MIT
 *
 * The permission to run with nobody there: what a command leaves behind when it
 * ends, what outlives its terminal, and what starts by itself. Not a gate in the
 * kernel: what is left behind is stopped, in the kernel's sense, while its person
 * is asked, and ended when the answer is no or there is nobody to ask.
 */
#ifndef BROKER_BACKGROUND_H
#define BROKER_BACKGROUND_H

#include "broker/access.h"
#include "broker/session.h"

#define GATE_BACKGROUND 0xfff1u /* its number among the broker's gates; no supervisor knows it */

bool background_is(const struct permission *permission);

/* Adds it to what this system has. */
void background_add_gate(struct broker *broker);

/* command's program ended with status; left: processes of the app still run. The
 * command is gone after this, or held until its person answered. */
void background_exited(struct command *command, uint32_t status, bool left);

/* EMPTY: what was left ended by itself. */
void background_empty(struct session *session);

/* A command begins while its person is asked about what an earlier one left: the
 * app is in the foreground again, and nothing is asked. */
void background_joined(struct session *session);

/* The person of command is gone and it goes on all the same. True: let it. */
bool background_outlives(struct command *command);

/* The session outlived its broker; its commands, if any, are adopted. False: end it. */
bool background_adopted(struct session *session, bool left);

/* An answer to what waits; a revoke. Both act after the current event. */
void background_answered(struct session *session, enum give give);
void background_revoked(struct session *session);

/* Whether app may start with nobody there. -1 with err: who says no. session may be NULL. */
int background_may_start(struct broker *broker, struct session *session, const char *app, struct err *err);

/* What is decided about it now; session may be NULL. */
struct access_decision background_decide(struct broker *broker, struct session *session, const char *app);

/* By the word of its owner app may, where it is not allowed yet: stored as an answer, so
 * that it holds for the next broker too. session: NULL but for LASTS_RUN. -1 with err. */
int background_allow(struct broker *broker, struct session *session, const char *app, enum lasts lasts, const char *by,
		     struct err *err);

/* command has nobody and needs nobody. */
void background_unattended(struct command *command);

#endif
