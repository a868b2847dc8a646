/* SPDX-License-Identifier: MIT
 *
 * One object for each app that is to run by itself. It starts what its package
 * declares as a service, else its main program, as long as "background" is allowed.
 */
#include "broker/autostart.h"

#include "base/log.h"
#include "broker/app_log.h"
#include "broker/background.h"
#include "broker/base_change.h"
#include "broker/prompt.h"
#include "broker/runner.h"
#include "broker/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BACK_OFF_FIRST_MS 1000u
#define BACK_OFF_MAX_MS 300000u
#define GOOD_RUN_MS 60000u /* who ran as long as that starts anew at the first wait */

struct autostart {
	struct autostart *next;
	struct broker *broker;
	char app[APP_ID_SIZE];
	bool on, stopped;
	bool held; /* until the host's packages rest */
	struct command *command; /* of ours; NULL: none runs, or an earlier broker's does */
	bool waiting_over;       /* for a session that we did not start */
	bool refused;            /* told that "background" is not allowed */
	struct loop_source *timer;
	uint32_t wait_ms;
	uint64_t started_ms;
};

static struct autostart *find(const struct broker *broker, const char *app)
{
	for (struct autostart *a = broker->autostarts; a; a = a->next) {
		if (strcmp(a->app, app) == 0)
			return a;
	}
	return NULL;
}

bool autostart_is_on(const struct broker *broker, const char *app)
{
	const struct autostart *a = find(broker, app);

	return a && a->on;
}

bool autostart_alone(const struct session *session)
{
	if (session->kind != SESSION_SERVICE && !autostart_is_on(session->broker, session->app))
		return false;
	for (const struct command *c = session->commands; c; c = c->next) {
		if (!c->unattended)
			return false;
	}
	return true;
}

/* --- starting, and starting again --- */

static void start(struct autostart *a);

static void on_timer(void *data)
{
	struct autostart *a = data;

	loop_remove(a->timer);
	a->timer = NULL;
	start(a);
}

static void start_later(struct autostart *a, const char *why)
{
	if (!a->on || a->stopped || a->timer)
		return;
	if (loop_boot_ms() - a->started_ms >= GOOD_RUN_MS || !a->wait_ms)
		a->wait_ms = BACK_OFF_FIRST_MS;
	else
		a->wait_ms = a->wait_ms * 2 < BACK_OFF_MAX_MS ? a->wait_ms * 2 : BACK_OFF_MAX_MS;
	app_log_say(a->broker, a->app, "it ended (%.500s); started again in %u s", why, a->wait_ms / 1000);
	a->timer = loop_add_timer(a->broker->loop, a->wait_ms, on_timer, a);
}

/* What a service left as a daemon is gone: it fell over. */
static void on_daemon_over(void *data)
{
	struct autostart *a = data;

	a->waiting_over = false;
	start_later(a, "its daemon is gone");
}

static void on_exited(void *data, uint32_t status, const char *why)
{
	struct autostart *a = data;
	char text[600];

	a->command = NULL;
	app_log_drain(a->broker, a->app);
	if (status == 0 && !why) { /* done, not fallen over */
		struct session *session = session_find(a->broker, a->app);

		if (session && session->left && session->kind == SESSION_SERVICE) {
			a->waiting_over = true; /* a daemon: what it left is the service */
			session_wait_over(session, on_daemon_over, a);
		} else {
			app_log_say(a->broker, a->app, "it ended, done");
		}
		return;
	}
	(void)snprintf(text, sizeof(text), "%s%sstatus %u", why ? why : "", why ? ", " : "", status);
	start_later(a, text);
}

static void on_ran(void *data, int code, const char *why, bool cwd_changed, int pty)
{
	(void)data; /* a failure comes to on_exited, with its reason */
	(void)code;
	(void)why;
	(void)cwd_changed;
	(void)pty;
}

static void on_notice(void *data, const char *text)
{
	struct autostart *a = data;

	app_log_say(a->broker, a->app, "%s", text);
}

static const struct command_ops ops = { .on_ran = on_ran, .on_exited = on_exited, .on_notice = on_notice };

static void on_foreign_over(void *data)
{
	struct autostart *a = data;

	a->waiting_over = false;
	start_later(a, "another run of it is over");
}

/* A service has the directories of administration in its PATH, and nobody's home. */
static char **service_environment(void)
{
	static const char *const words[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
					     "HOME=/root", "USER=root", "LOGNAME=root" };
	char **env = xcalloc(ARRAY_LEN(words) + 1, sizeof(*env));

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		env[i] = xstrdup(words[i]);
	return env;
}

/* What is to run, and as whom. -1 with err. */
static int choose(struct autostart *a, struct run *run, enum session_kind *ret_kind, struct err *err)
{
	struct run_request request = { .app = a->app };
	struct unit_service service;
	int found = unit_get(a->broker, NULL, a->app, &service, err);

	*ret_kind = SESSION_RUN;
	run->flags = RUN_LOG;
	if (found < 0)
		return -1;
	if (found == 0) {
		run->argv = runner_argv(a->broker, &request, err);
		run->env = run->argv ? runner_environment(a->broker, NULL, NULL) : NULL;
		(void)snprintf(run->cwd, sizeof(run->cwd), "%s", a->broker->home);
		return run->argv ? 0 : -1;
	}
	*ret_kind = SESSION_SERVICE;
	run->flags |= RUN_ROOT;
	run->argv = service.argv;
	run->before = service.before;
	run->env = service_environment();
	(void)snprintf(run->user, sizeof(run->user), "%s", service.user);
	(void)snprintf(run->cwd, sizeof(run->cwd), "/");
	return 0;
}

/* "background" is not a yes: it is told once, and asked as a question for next time. */
static bool is_allowed(struct autostart *a)
{
	struct access_decision found = background_decide(a->broker, NULL, a->app);

	if (found.decision.give == GIVE_ALLOW) {
		a->refused = false;
		return true;
	}
	if (a->refused)
		return false;
	a->refused = true;
	app_log_say(a->broker, a->app, "it is not started: background is %s (cowbell grant %s background allow)",
		    give_name(found.decision.give), a->app);
	if (found.decision.give == GIVE_ASK)
		prompt_for_next_time(a->broker, a->app, permission_find("background"));
	return false;
}

static void start(struct autostart *a)
{
	struct session *session = session_find(a->broker, a->app);
	enum session_kind kind;
	struct run run = { 0 };
	struct err err = { 0 };
	int fds[4];

	if (a->command || a->waiting_over)
		return;
	a->held = base_change_under_way(a->broker);
	if (a->held || !is_allowed(a))
		return;
	a->started_ms = loop_boot_ms();
	if (choose(a, &run, &kind, &err) < 0) {
		log_warn("'%s' is not started: %s", a->app, err.msg);
		if (err.code == ENOENT || err.code == ENOTSUP) /* another try would find the same */
			app_log_say(a->broker, a->app, "it is not started: %.500s", err.msg);
		else
			start_later(a, err.msg);
		return;
	}
	/* An earlier broker's, or one in which a service cannot be what it is to be. */
	if (session && (session->adopted || session->kind != kind)) {
		run_finish(&run);
		a->waiting_over = true;
		session_wait_over(session, on_foreign_over, a);
		return;
	}
	if (app_log_open(a->broker, a->app, fds, &fds[3], &err) < 0) {
		run_finish(&run);
		start_later(a, err.msg);
		return;
	}
	if (!session)
		session = session_start(a->broker, a->app, kind);
	a->command = session_command(session, &run, &ops, a);
	background_unattended(a->command);
	command_go(a->command, fds, 4);
}

void autostart_rethink(struct broker *broker, const char *app)
{
	struct autostart *a = find(broker, app);

	if (a && a->on && !a->stopped && !a->timer)
		start(a);
}

/* --- who is to --- */

static struct autostart *get(struct broker *broker, const char *app)
{
	struct autostart *a = find(broker, app);

	if (a)
		return a;
	a = xcalloc(1, sizeof(*a));
	a->broker = broker;
	(void)snprintf(a->app, sizeof(a->app), "%s", app);
	a->next = broker->autostarts;
	broker->autostarts = a;
	return a;
}

static void text_name(const char *app, char buf[APP_ID_SIZE + 16])
{
	(void)snprintf(buf, APP_ID_SIZE + 16, "autostart/%s", app);
}

/* Whether there is something to start. -1 with err: a unit that was refused. */
static int check_service(struct broker *broker, const char *app, struct err *err)
{
	struct unit_service service;
	int found = unit_get(broker, NULL, app, &service, err);

	if (found == 1)
		unit_finish(&service);
	return found < 0 ? -1 : 0;
}

int autostart_set(struct broker *broker, const char *app, bool on, const char *by, struct err *err)
{
	struct store_txn *txn;
	char name[APP_ID_SIZE + 16];
	struct autostart *a;

	text_name(app, name);
	/* Who says "on" says yes to the background, unless policy says no. */
	if (on && (check_service(broker, app, err) < 0 || background_may_start(broker, NULL, app, err) < 0 ||
		   background_allow(broker, NULL, app, LASTS_ALWAYS, by, err) < 0))
		return -1;
	txn = store_begin(broker->store, true, err);
	if (!txn)
		return -1;
	if ((on ? store_text_put(txn, name, "on", err) : store_text_delete(txn, name, err)) < 0 ||
	    broker_note(broker, txn,
			&(struct history_note){ .kind = HISTORY_LIFE,
						.app = app,
						.what = on ? "autostart on" : "autostart off" },
			err) < 0) {
		store_abort(txn);
		return -1;
	}
	if (store_commit(txn, err) < 0)
		return -1;
	a = get(broker, app);
	a->on = on;
	a->stopped = a->refused = false;
	loop_remove(a->timer);
	a->timer = NULL;
	a->wait_ms = 0;
	if (on)
		start(a);
	return 0;
}

void autostart_resume(struct broker *broker)
{
	for (struct autostart *a = broker->autostarts; a; a = a->next) {
		if (a->held && a->on && !a->stopped)
			start(a);
	}
}

void autostart_stopped(struct broker *broker, const char *app)
{
	struct autostart *a = find(broker, app);

	if (!a)
		return;
	a->stopped = true;
	loop_remove(a->timer);
	a->timer = NULL;
}

int autostart_forget(struct broker *broker, struct store_txn *txn, const char *app, struct err *err)
{
	struct autostart *a = find(broker, app);
	char name[APP_ID_SIZE + 16];

	app_log_forget(broker, app);
	if (a) { /* another app of this name is not to inherit it */
		a->on = false;
		loop_remove(a->timer);
		a->timer = NULL;
	}
	text_name(app, name);
	return unit_put(txn, app, "", NULL, err) < 0 ? -1 : store_text_delete(txn, name, err);
}

struct begin_walk {
	struct broker *broker;
	struct store_txn *txn;
};

static int begin_one(void *data, const struct app_record *app)
{
	struct begin_walk *walk = data;
	struct err err = { 0 };
	char name[APP_ID_SIZE + 16], word[8];

	text_name(app->id, name);
	if (app->state == APP_READY && store_text_get(walk->txn, name, word, sizeof(word), &err) == 0 &&
	    strcmp(word, "on") == 0)
		get(walk->broker, app->id)->on = true;
	return 0;
}

void autostart_begin(struct broker *broker)
{
	struct begin_walk walk = { .broker = broker };
	struct err err = { 0 };

	walk.txn = store_begin(broker->store, false, &err);
	if (!walk.txn || store_app_each(walk.txn, begin_one, &walk, &err) < 0)
		log_warn("apps that are to start by themselves are not known: %s", err.msg);
	store_abort(walk.txn);
	for (struct autostart *a = broker->autostarts; a; a = a->next)
		start(a);
}

void autostart_finish_all(struct broker *broker)
{
	while (broker->autostarts) {
		struct autostart *a = broker->autostarts;

		broker->autostarts = a->next;
		if (a->command)
			a->command->ops = NULL;
		loop_remove(a->timer);
		free(a);
	}
}
