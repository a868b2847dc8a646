/* SPDX-License-Identifier: MIT
 *
 * Questions to the host's package manager, which runs in a process of its own
 * (cowbell-packages). What it says is bounded and escaped; which package is what
 * is the word of the host's own signed lists.
 */
#ifndef BROKER_PACKAGES_H
#define BROKER_PACKAGES_H

#include "broker/broker.h"
#include "proto/package.h"

struct packages;

struct packages_ops {
	void (*on_item)(void *data, const struct package_item *item);
	void (*on_progress)(void *data, uint32_t permille); /* may be NULL, as on_file for questions without files */
	void (*on_file)(void *data, const char *name, int fd); /* takes fd */
	/* Exactly once unless cancelled; code 0 or errno. The question is gone after it. */
	void (*on_done)(void *data, int code, const char *why);
};

/* words: names, or dependencies, or what to search for; copied. NULL with err
 * when one of them cannot be one. */
struct packages *packages_ask(struct broker *broker, enum package_want want, char *const *words,
			      const struct packages_ops *ops, void *data, struct err *err);

/* What is wrong with a word that is no name of a package, with a hint where apt would
 * take it for a version, a machine or a task. Returns -1. */
int packages_refuse_name(const char *name, struct err *err);

/* Nobody is called any more, and the package manager is ended. NULL is allowed. */
void packages_cancel(struct packages *packages);

#endif
