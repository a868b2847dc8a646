/* SPDX-License-Identifier: MIT
 *
 * Commands of a session, between whoever wants them run and the supervisor.
 * The public half stands in session.h.
 */
#ifndef BROKER_COMMAND_H
#define BROKER_COMMAND_H

#include "broker/session.h"

struct command *command_find(struct session *session, uint32_t id);

/* Tells its end and takes it out; the session ends with its last one, unless it is
 * kept or stays. The command is gone after this. */
void command_end(struct command *command, uint32_t status, const char *why);

/* It never runs: status 126. It is gone after this. */
void command_refuse(struct command *command, const char *why);

/* The session became ready: everything that waits goes out. */
void command_start_ready(struct session *session);

/* RAN and EXITED from the supervisor. false: malformed. */
bool command_handle_ran(struct session *session, struct msg *m);
bool command_handle_exited(struct session *session, struct msg *m);

/* Every command hears this ending and is gone. */
void command_fail_all(struct session *session, uint32_t status, const char *why);

/* A command that an earlier broker started: nobody listens, its end counts. */
void command_adopt(struct session *session, uint32_t id);

#endif
