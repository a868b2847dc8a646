/* SPDX-License-Identifier: MIT
 *
 * From an app's turn to the moment that cowbelld has the launch; and what a broker that
 * was started anew takes over.
 */
#ifndef BROKER_SESSION_LAUNCH_H
#define BROKER_SESSION_LAUNCH_H

#include "broker/session.h"

/* The app's turn has come (data: the session): its layers are looked up, an
 * upper is made if none stands ready, LAUNCH goes out, and the run is recorded. */
void session_launch(void *data);

/* Fills session.launch and upper from the app's record. */
int session_load_launch(struct session *session, struct err *err);

/* Ends a session that nothing of runs yet; everybody who waits is told why. */
void session_abort(struct session *session, const char *why);

/* session_adopt.c: HELLO of a supervisor to a broker that was started anew, and LOG: what
 * the app writes with no terminal goes on where an earlier broker read it. false: malformed. */
bool session_handle_hello(struct session *session, struct rd *body);
bool session_handle_log(struct session *session, struct msg *m);

#endif
