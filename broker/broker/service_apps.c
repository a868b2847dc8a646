/* SPDX-License-Identifier: MIT
 *
 * Apps and their sessions on the public socket.
 */
#include "broker/autostart.h"
#include "broker/generation.h"
#include "broker/install.h"
#include "broker/notes.h"
#include "broker/runner.h"
#include "broker/service.h"
#include "broker/turn.h"
#include "broker/usage.h"
#include "varlink/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct list_walk {
	struct broker *broker;
	struct store_txn *txn;
	json_t *apps;
};

static int add_app(void *data, const struct app_record *app)
{
	struct list_walk *walk = data;

	if (app->state != APP_INSTALLING)
		json_array_append_new(walk->apps, service_json_app(walk->broker, walk->txn, app));
	return 0;
}

SERVICE_METHOD(service_list)
{
	struct list_walk walk = { .broker = data, .apps = json_array() };
	struct err err = { 0 };

	(void)params;
	walk.txn = store_begin(walk.broker->store, false, &err);
	if (!walk.txn || store_app_each(walk.txn, add_app, &walk, &err) < 0) {
		json_decref(walk.apps);
		service_fail(call, &err);
	} else {
		varlink_reply(call, json_pack("{s:o}", "apps", walk.apps));
	}
	store_abort(walk.txn);
}

/* --- commands --- */

static void on_run_upgraded(void *data, int fd)
{
	if (fd < 0)
		runner_abandon(data);
	else
		runner_attach(data, fd);
}

SERVICE_METHOD(service_run)
{
	struct broker *broker = data;
	char **argv = service_words(params, "argv"), **env = service_words(params, "env");
	char **give = service_words(params, "give");
	struct run_request request = {
		.app = service_str(params, "app"),
		.argv = argv,
		.command = service_str(params, "command"),
		.env = env,
		.cwd = service_str(params, "cwd"),
		.give = give,
		.tty = (uint8_t)service_int(params, "tty"),
		.rows = (uint16_t)service_int(params, "rows"),
		.columns = (uint16_t)service_int(params, "columns"),
		.exec_only = service_bool(params, "exec_only"),
		.shell = service_bool(params, "shell"),
		.detach = service_bool(params, "detach"),
		.old_base = service_bool(params, "old_base"),
		.trial = service_bool(params, "trial"),
	};
	struct err err = { 0 };
	struct runner *runner;
	uint32_t command = 0;
	uint64_t session = 0;

	/* An app that is held for a trial is nobody else's to see. */
	if (!request.trial && service_get_app(broker, call, request.app, NULL) != 1)
		goto out;
	runner = runner_create(broker, &request, &session, &command, &err);
	if (!runner && err.code == ESRCH)
		varlink_error(call, "io.cowbell.NotRunning", json_pack("{s:s}", "app", request.app));
	else if (!runner && err.code == ENOENT)
		varlink_error(call, "io.cowbell.NoProgram", json_pack("{s:s}", "reason", err.msg));
	else if (!runner)
		service_fail(call, &err);
	else
		varlink_upgrade(call,
				json_pack("{s:I, s:I}", "session", (json_int_t)session, "command",
					  (json_int_t)command),
				on_run_upgraded, runner);
out:
	free(argv);
	free(env);
	free(give);
}

static void on_install_upgraded(void *data, int fd)
{
	if (fd < 0)
		install_abandon(data);
	else
		install_attach(data, fd);
}

SERVICE_METHOD(service_install)
{
	struct broker *broker = data;
	char **argv = service_words(params, "argv"), **files = service_words(params, "files");
	struct install_request request = {
		.kind = service_str(params, "kind"),
		.name = service_str(params, "name"),
		.source = service_str(params, "source"),
		.argv = argv,
		.with = service_str(params, "with"),
		.tty = (uint8_t)service_int(params, "tty"),
		.rows = (uint16_t)service_int(params, "rows"),
		.columns = (uint16_t)service_int(params, "columns"),
		.timeout_s = service_int(params, "timeout"),
		.key = service_str(params, "key"),
		.trial = service_bool(params, "trial"),
	};
	struct err err = { 0 };
	struct install *install;
	uint64_t session = 0;

	while (files[request.file_count])
		request.file_count++;
	if (service_bool(params, "dry_run")) {
		service_bad_input(call, "a dry run of an install from a file has nothing to tell", "install it by name");
		goto out;
	}
	install = install_create(broker, &request, &session, &err);
	if (!install)
		service_fail(call, &err);
	else
		varlink_upgrade(call, json_pack("{s:I, s:I}", "session", (json_int_t)session, "command", (json_int_t)0),
				on_install_upgraded, install);
out:
	free(argv);
	free(files);
}

SERVICE_METHOD(service_update)
{
	char **files = service_words(params, "files");
	struct update_request request = {
		.app = service_str(params, "app"),
		.no_new_permissions = service_bool(params, "no_new_permissions"),
		.bundle = service_bool(params, "bundle"),
		.force = service_bool(params, "force"),
		.key = service_str(params, "key"),
	};
	struct install *install = NULL;
	struct err err = { 0 };

	while (files[request.file_count])
		request.file_count++;
	free(files);
	if (service_get_app(data, call, request.app, NULL) != 1)
		return;
	install = install_update(data, &request, &err);
	if (!install)
		service_fail(call, &err);
	else
		varlink_upgrade(call, NULL, on_install_upgraded, install);
}

/* --- ending and removing --- */

struct pending {
	struct broker *broker;
	struct varlink_call *call;
	struct turn *turn;
	char app[APP_ID_SIZE];
	json_int_t commands;
};

static struct pending *pending_new(struct broker *broker, struct varlink_call *call, const char *app)
{
	struct pending *p = xcalloc(1, sizeof(*p));

	p->broker = broker;
	p->call = call;
	(void)snprintf(p->app, sizeof(p->app), "%s", app);
	return p;
}

static void on_stopped(void *data)
{
	struct pending *p = data;

	varlink_reply(p->call, json_pack("{s:I}", "commands", p->commands));
	free(p);
}

SERVICE_METHOD(service_stop_app)
{
	struct broker *broker = data;
	const char *app = service_str(params, "app");
	struct session *session;
	struct pending *p;

	if (service_get_app(broker, call, app, NULL) != 1)
		return;
	session = session_any(broker, app);
	if (!session) {
		varlink_error(call, "io.cowbell.NotRunning", json_pack("{s:s}", "app", app));
		return;
	}
	autostart_stopped(broker, app);
	p = pending_new(broker, call, app);
	for (struct command *c = session->commands; c; c = c->next)
		p->commands++;
	session_wait_over(session, on_stopped, p);
	session_end(session);
}

static void on_removed(void *data, uint32_t generations, uint64_t bytes, const struct err *err)
{
	struct pending *p = data;

	turn_end(p->turn);
	if (err)
		service_fail(p->call, err);
	else
		varlink_reply(p->call, json_pack("{s:I, s:I}", "generations", (json_int_t)generations, "bytes",
						 (json_int_t)bytes));
	free(p);
}

static void on_remove_turn(void *data)
{
	struct pending *p = data;

	install_remove(p->broker, p->app, on_removed, p);
}

SERVICE_METHOD(service_uninstall)
{
	struct broker *broker = data;
	const char *app = service_str(params, "app");
	struct app_record record = { 0 };
	struct session *session;
	struct err err = { 0 };
	struct pending *p;
	struct store_txn *txn = store_begin(broker->store, false, &err);
	int found = txn ? store_app_get(txn, app, &record, &err) : -1;

	store_abort(txn);
	app_record_finish(&record);
	if (found < 0) {
		service_fail(call, &err);
		return;
	}
	if (found == 0 || record.state == APP_INSTALLING) {
		service_no_app(call, app);
		return;
	}
	session = session_find(broker, app);
	if (session && !service_bool(params, "stop")) {
		service_running(call, session);
		return;
	}
	p = pending_new(broker, call, app);
	p->turn = turn_request(broker, app, on_remove_turn, p);
	if (session)
		session_end(session);
}
