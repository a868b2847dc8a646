/* SPDX-License-Identifier: MIT
 *
 * Apps that run without a person: started with the system, started again when
 * they fall over, each time later. What they say is kept in a bounded log.
 */
#ifndef BROKER_AUTOSTART_H
#define BROKER_AUTOSTART_H

#include "broker/broker.h"

struct autostart;
struct session;

/* Starts what is to run; those that outlived an earlier broker are watched. */
void autostart_begin(struct broker *broker);
void autostart_finish_all(struct broker *broker);

/* on starts app now and with each start of the system, and is a yes by the caller to
 * its running in the background; off leaves a running one running. -1 with err: it is
 * as it was. */
int autostart_set(struct broker *broker, const char *app, bool on, const char *by, struct err *err);
bool autostart_is_on(const struct broker *broker, const char *app);

/* session runs by itself: no command in it is a person's. */
bool autostart_alone(const struct session *session);

/* Those that wait for the end of a change of the host's packages start. */
void autostart_resume(struct broker *broker);

/* Its person ended it: it is not started again before the system is. */
void autostart_stopped(struct broker *broker, const char *app);

/* It is being uninstalled: nothing of it stays. */
int autostart_forget(struct broker *broker, struct store_txn *txn, const char *app, struct err *err);

/* What app may was changed: a service that waits for "background" is started. */
void autostart_rethink(struct broker *broker, const char *app);

#endif
