/* SPDX-License-Identifier: MIT
 *
 * What apps without a terminal write: a bounded log for each, in a file of the
 * store's folder that outlives this process. The reading ends of their pipes are
 * held by the supervisors too, so that an app does not notice a broker's death.
 */
#ifndef BROKER_APP_LOG_H
#define BROKER_APP_LOG_H

#include "broker/broker.h"

#include <jansson.h>

struct app_log;

/* Standard descriptors for a command of app: nothing to read, and its log. fds and
 * *ret_keep, the reading end for the supervisor (RUN_LOG), are the caller's. -1
 * with err. */
int app_log_open(struct broker *broker, const char *app, int fds[3], int *ret_keep, struct err *err);

/* Only the third of them: a writing end, and the reading end in *ret_keep. */
int app_log_writer(struct broker *broker, const char *app, int *ret_keep, struct err *err);

/* Reads on from a pipe that an earlier broker made. Takes fd. */
void app_log_attach(struct broker *broker, const char *app, int fd);

/* What stands in app's pipes now is taken in. */
void app_log_drain(struct broker *broker, const char *app);

/* A line of Cowbell's own. */
void app_log_say(struct broker *broker, const char *app, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Lines, oldest first, escaped; *ret_lost bytes were pushed out by later ones. The
 * caller's. */
json_t *app_log_lines(struct broker *broker, const char *app, uint64_t *ret_lost);

/* It is uninstalled: another app of this name is not to inherit it. */
void app_log_forget(struct broker *broker, const char *app);

void app_log_finish_all(struct broker *broker);

#endif
