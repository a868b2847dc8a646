/* SPDX-License-Identifier: MIT
 *
 * While the host's packages change no app runs on them, for what changes below a
 * mounted overlay is not defined. Afterwards apps are installed anew, all of them
 * at once or each before its next run.
 */
#ifndef BROKER_BASE_CHANGE_H
#define BROKER_BASE_CHANGE_H

#include "broker/broker.h"

#include <sys/types.h>

/* Ends every session, and lets none begin until base_change_end or until process pid
 * is gone: a package manager that is killed does not keep apps away for ever. fn
 * hears how many sessions there were once the last one is settled. -1 with err, and
 * nothing was ended: there is no such process. */
int base_change_begin(struct broker *broker, pid_t pid, void (*fn)(void *data, unsigned int sessions), void *data,
		      struct err *err);

/* Apps that start by themselves and were ended start again. */
void base_change_end(struct broker *broker);

bool base_change_under_way(const struct broker *broker);
extern const char base_change_why[]; /* for whoever is kept away */

/* What became of one app; why: of a failure, "" else. */
enum rebuilt {
	REBUILT_DONE,    /* installed anew */
	REBUILT_BASE,    /* it runs the host's own program */
	REBUILT_RUNNING, /* runs on the old base; before its next run */
	REBUILT_FAILED,  /* as it was, and not run */
};
const char *rebuilt_name(enum rebuilt outcome);

/* Installs apps anew that were installed on another base, one after the other: the
 * NULL-ended names, or every such app. each hears of every one as soon as it is known,
 * done when none is left. The caller says whether it still wants to go on. */
struct rebuild_ops {
	void (*each)(void *data, const char *app, enum rebuilt outcome, const char *why);
	bool (*wanted)(void *data);
	void (*done)(void *data, const struct err *err); /* err NULL: all were tried */
};
void base_change_rebuild(struct broker *broker, char *const *names, const struct rebuild_ops *ops, void *data);

#endif
