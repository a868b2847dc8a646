/* SPDX-License-Identifier: MIT
 *
 * Files and folders that a person gives to one command (run --give): opened by
 * the person's own program, shown to the app in a place of their own, for as
 * long as the session lives. The command starts when all of them are there.
 */
#ifndef BROKER_HAND_H
#define BROKER_HAND_H

#include "broker/session.h"

struct hands;

/* words: "read PATH" or "write PATH", as on the public socket; NULL-ended. NULL
 * with err when one of them is neither, or there are more than HANDS_MAX. */
struct hands *hands_create(char *const *words, struct err *err);
void hands_destroy(struct hands *hands); /* NULL is allowed */
size_t hands_count(const struct hands *hands); /* of NULL: 0 */

/* Takes the descriptors, in the order of the words. */
void hands_take(struct hands *hands, int *fds);

/* Sends what has not been sent yet; true when all of them are at the app and
 * argv's words have been replaced. */
bool hands_ready(struct hands *hands, struct command *command);

/* HANDED from the supervisor, HAND_FAILED from cowbelld; false: malformed. */
bool hand_handle_handed(struct session *session, struct msg *m);
bool hand_handle_failed(struct broker *broker, struct msg *m);

#endif
