/* SPDX-License-Identifier: MIT
 *
 * The commands that an install runs inside the app's sandbox, per kind of
 * package. Pure: a request in, a list of commands out.
 */
#ifndef BROKER_INSTALL_STEPS_H
#define BROKER_INSTALL_STEPS_H

#include "base/err.h"

struct install_request;

struct install_step {
	const char *what;   /* for progress and errors: "unpack the package" */
	const char *script; /* for /bin/sh, or NULL: argv is run as it is */
	char **argv;        /* the script's $1 ..., or the command */
	const char *cwd;    /* owned by the plan */
	int file;           /* which of the client's files is standard input, or -1 */
	bool fields;        /* its output is the package's fields */
	bool entries;       /* its output is how the app can be started: for a reader */
	bool manager;       /* its output is the package manager's talk */
	bool with_person;   /* standard fds are the person's */
	bool at_home;       /* HOME is where the app's person will have it, not root's */
};

struct install_plan {
	struct install_step *steps;
	size_t count;
	char *cwd;
};

/* After -1 the plan is empty. The caller ends it with install_plan_finish. */
int install_plan_make(struct install_plan *plan, const struct install_request *request, struct err *err);

/* What the host has itself is not installed again: the app's layer says only which
 * package it is. */
int install_plan_base(struct install_plan *plan, const char *package, struct err *err);
void install_plan_finish(struct install_plan *plan);

/* A new vector for strv_free. */
char **install_step_argv(const struct install_step *step);

#endif
