/* SPDX-License-Identifier: MIT
 *
 * Apps that run without a person: started with the system, started again when
 * they fall over, each time later. What they say is kept in a bounded log.
 */
#ifndef BROKER_AUTOSTART_H
#define BROKER_AUTOSTART_H

#include "broker/broker.h"

#include <jansson.h>

struct autostart;

/* Starts what is to run; those that outlived an earlier broker are watched. */
void autostart_begin(struct broker *broker);
void autostart_finish_all(struct broker *broker);

/* on starts app now and with each start of the system; off leaves a running one
 * running. -1 with err: nothing was changed. */
int autostart_set(struct broker *broker, const char *app, bool on, struct err *err);
bool autostart_is_on(const struct broker *broker, const char *app);

/* Those that wait for the end of a change of the host's packages start. */
void autostart_resume(struct broker *broker);

/* Its person ended it: it is not started again before the system is. */
void autostart_stopped(struct broker *broker, const char *app);

/* It is being uninstalled: nothing of it stays. */
int autostart_forget(struct broker *broker, struct store_txn *txn, const char *app, struct err *err);

/* Lines that it wrote, oldest first, escaped; *ret_lost bytes were pushed out by
 * later ones. NULL: it never ran by itself since the broker started. */
json_t *autostart_log(const struct broker *broker, const char *app, uint64_t *ret_lost);

#endif
