/* SPDX-License-Identifier: MIT
 *
 * The service that an app's package declares: what "autostart" starts. Kept as the
 * text "service/APP" of the store: unit, user, and the command's words, a line each; then
 * what goes before it, each begun by a line with a tab and how (RUN_BEFORE_).
 */
#ifndef BROKER_UNIT_H
#define BROKER_UNIT_H

#include "broker/inspect.h"

struct unit_service {
	char name[128]; /* "redis-server.service" */
	char user[33];  /* "" for the app's root */
	char **argv;    /* owned */
	char **before;  /* owned; as in struct run */
};

/* Which of units is app's: named like the app, like its package, like that without
 * its last parts (nginx-light: nginx), or the only one. NULL: none of them. */
const struct inspect_unit *unit_choose(const struct inspect_entries *entries, const char *app, const char *package);

/* Stores the app's service, or that it has none (entries NULL). */
int unit_put(struct store_txn *txn, const char *app, const char *package, const struct inspect_entries *entries,
	     struct err *err);

/* 1: ret is filled and the caller finishes it; 0: app has none; -1 with err. ENOTSUP: it
 * has one that cannot be started, of which ret has the name alone. */
int unit_get(struct broker *broker, struct store_txn *txn, const char *app, struct unit_service *ret, struct err *err);
void unit_finish(struct unit_service *service);

#endif
