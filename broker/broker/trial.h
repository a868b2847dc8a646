/* SPDX-License-Identifier: MIT
 *
 * A trial: one session of which nothing stays. Whatever it reaches for is answered
 * by the safe answer (an empty one, or no), without asking anybody and without an
 * entry in anybody's history; what it reached for and what it changed is told.
 */
#ifndef BROKER_TRIAL_H
#define BROKER_TRIAL_H

#include "broker/session.h"

#include <jansson.h>

struct trial;

/* The owner keeps it until the session is over, and frees it. */
struct trial *trial_create(void);
void trial_free(struct trial *trial);

/* It used permission (and item of it) by program; the answer. */
enum give trial_use(struct trial *trial, const struct permission *permission, const char *item, const char *program);

/* The gate of that index was opened: after a moment it is shut again, so that the
 * next use is seen too. */
void trial_opened(struct session *session, size_t gate_index);

/* Its processes are gone: counts what it changed, drops its layer; fn once. */
void trial_settle(struct session *session, void (*fn)(void *data, int code, const char *why), void *data);

/* What was seen; a new object. */
json_t *trial_report(const struct trial *trial, const char *app, uint32_t status);

#endif
