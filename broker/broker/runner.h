/* SPDX-License-Identifier: MIT
 *
 * A person's or script's command in a session: the link between an upgraded
 * connection and a struct command.
 */
#ifndef BROKER_RUNNER_H
#define BROKER_RUNNER_H

#include "broker/client.h"
#include "broker/session.h"

struct runner;
struct app_record;

/* What the client asked for; vectors are copied after filtering. */
struct run_request {
	bool old_base; /* also on an install made on another base */
	const char *app;
	char *const *argv;   /* empty: the main program */
	const char *command; /* NULL, or which of the app's programs */
	char *const *env;
	const char *cwd;
	char *const *give; /* see hand.h */
	uint8_t tty;
	uint16_t rows, columns;
	bool exec_only, shell, detach;
	bool trial; /* nothing of it stays; also of an app that is held for it alone */
};

/* Finds or starts the session and adds the command; it waits for the client.
 * What is wrong with the request is said at once: err->code ENOENT no such app,
 * ESRCH not running (exec_only), EBUSY it is being changed, else bad input. */
struct runner *runner_create(struct broker *broker, const struct run_request *request, uint64_t *ret_session,
			     uint32_t *ret_command, struct err *err);

/* The connection was upgraded: takes fd. */
void runner_attach(struct runner *runner, int fd);

/* It never was. */
void runner_abandon(struct runner *runner);

/* Which program of app "run" starts; wanted NULL: its main one. NULL with err, and with
 * what to do instead. Borrowed from app. */
const char *runner_program(const struct app_record *app, const char *wanted, struct err *err);

/* The words of what request asks for: the app's program, or the caller's own. NULL
 * with err as above; the caller frees with strv_free. */
char **runner_argv(struct broker *broker, const struct run_request *request, struct err *err);

/* The environment of a session: the owner's names, a PATH, and what of env is
 * known to be harmless; or, with root_home, that of an installer's root, whose HOME
 * it is. The caller frees with strv_free. */
char **runner_environment(const struct broker *broker, char *const *env, const char *root_home);

/* True when fd may be a standard descriptor of an app: files, pipes, stream
 * sockets, /dev/null. Directories, O_PATH descriptors and devices are not. */
bool runner_fd_passes(int fd);

#endif
