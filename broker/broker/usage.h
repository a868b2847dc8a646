/* SPDX-License-Identifier: MIT
 *
 * How often, and when last, each app reached for what: read from history in one
 * pass, however many permissions a reply tells of.
 */
#ifndef BROKER_USAGE_H
#define BROKER_USAGE_H

#include "broker/broker.h"

struct usage;

/* app NULL: of all apps. Never NULL; what cannot be read counts as not used. */
struct usage *usage_read(struct broker *broker, const char *app);
void usage_free(struct usage *usage);

/* Of ref, or of all its items when it names none. Zeros when there was none. */
void usage_of(const struct usage *usage, const char *app, const struct permission_ref *ref, uint64_t *ret_count,
	      uint64_t *ret_last_ms);

#endif
