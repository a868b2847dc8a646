/* SPDX-License-Identifier: MIT
 *
 * One object for each app that is to run by itself. Its output is a pipe to us: an
 * app that writes without end pushes out its own older lines and nothing else.
 */
#include "broker/autostart.h"

#include "base/fd.h"
#include "base/log.h"
#include "broker/base_change.h"
#include "broker/log_ring.h"
#include "broker/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

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
	struct loop_source *timer, *reader;
	int pipe_fd;
	struct log_ring log;
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

/* --- output --- */

static void close_pipe(struct autostart *a)
{
	loop_remove(a->reader);
	a->reader = NULL;
	if (a->pipe_fd >= 0)
		(void)close(steal_fd(&a->pipe_fd));
}

static void on_output(void *data, uint32_t events)
{
	struct autostart *a = data;
	char buf[4096];
	ssize_t n = read(a->pipe_fd, buf, sizeof(buf));

	(void)events;
	if (n > 0)
		log_ring_add(&a->log, buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_pipe(a);
}

/* The app's standard descriptors: nothing to read, and one log. */
static int open_output(struct autostart *a, int fds[3])
{
	int ends[2], out;

	close_pipe(a);
	fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fds[0] < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0 || (out = fcntl(ends[1], F_DUPFD_CLOEXEC, 3)) < 0) {
		(void)close(fds[0]);
		return -1;
	}
	a->pipe_fd = ends[0];
	(void)fd_set_nonblock(ends[0], true);
	a->reader = loop_add_fd(a->broker->loop, ends[0], EPOLLIN, on_output, a);
	fds[1] = ends[1];
	fds[2] = out;
	return 0;
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
	char text[700];

	if (!a->on || a->stopped || a->timer)
		return;
	if (loop_boot_ms() - a->started_ms >= GOOD_RUN_MS || !a->wait_ms)
		a->wait_ms = BACK_OFF_FIRST_MS;
	else
		a->wait_ms = a->wait_ms * 2 < BACK_OFF_MAX_MS ? a->wait_ms * 2 : BACK_OFF_MAX_MS;
	(void)snprintf(text, sizeof(text), "[cowbell: it ended (%.500s); started again in %u s]\n", why, a->wait_ms / 1000);
	log_ring_add(&a->log, text, strlen(text));
	a->timer = loop_add_timer(a->broker->loop, a->wait_ms, on_timer, a);
}

static void on_exited(void *data, uint32_t status, const char *why)
{
	struct autostart *a = data;
	char text[600];

	a->command = NULL;
	if (a->reader)
		on_output(a, 0);
	if (status == 0 && !why) { /* done, not fallen over */
		static const char done[] = "[cowbell: it ended, done]\n";

		log_ring_add(&a->log, done, strlen(done));
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

static const struct command_ops ops = { .on_ran = on_ran, .on_exited = on_exited };

static void on_foreign_over(void *data)
{
	struct autostart *a = data;

	a->waiting_over = false;
	start_later(a, "the run that an earlier broker had started is over");
}

static void start(struct autostart *a)
{
	struct run_request request = { .app = a->app };
	struct session *session = session_find(a->broker, a->app);
	struct run run = { 0 };
	struct err err = { 0 };
	int fds[3];

	if (a->command || a->waiting_over)
		return;
	a->held = base_change_under_way(a->broker);
	if (a->held)
		return;
	if (session && session->adopted) {
		a->waiting_over = true;
		a->started_ms = loop_boot_ms();
		session_wait_over(session, on_foreign_over, a);
		return;
	}
	run.argv = runner_argv(a->broker, &request, &err);
	a->started_ms = loop_boot_ms();
	if (!run.argv) {
		log_warn("'%s' is not started: %s", a->app, err.msg);
		start_later(a, err.msg);
		return;
	}
	if (open_output(a, fds) < 0) {
		strv_free(run.argv);
		start_later(a, "no descriptor for its log");
		return;
	}
	run.env = runner_environment(a->broker, NULL, false);
	(void)snprintf(run.cwd, sizeof(run.cwd), "%s", a->broker->home);
	if (!session)
		session = session_start(a->broker, a->app, SESSION_RUN);
	a->command = session_command(session, &run, &ops, a);
	command_go(a->command, fds, 3);
}

/* --- who is to --- */

static struct autostart *get(struct broker *broker, const char *app)
{
	struct autostart *a = find(broker, app);

	if (a)
		return a;
	a = xcalloc(1, sizeof(*a));
	a->broker = broker;
	a->pipe_fd = -1;
	(void)snprintf(a->app, sizeof(a->app), "%s", app);
	a->next = broker->autostarts;
	broker->autostarts = a;
	return a;
}

static void text_name(const char *app, char buf[APP_ID_SIZE + 16])
{
	(void)snprintf(buf, APP_ID_SIZE + 16, "autostart/%s", app);
}

int autostart_set(struct broker *broker, const char *app, bool on, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, true, err);
	char name[APP_ID_SIZE + 16];
	struct autostart *a;

	text_name(app, name);
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
	a->stopped = false;
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

	if (a) { /* another app of this name is not to inherit it */
		a->on = false;
		log_ring_free(&a->log);
	}
	text_name(app, name);
	return store_text_delete(txn, name, err);
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
		close_pipe(a);
		log_ring_free(&a->log);
		free(a);
	}
}

json_t *autostart_log(const struct broker *broker, const char *app, uint64_t *ret_lost)
{
	const struct autostart *a = find(broker, app);

	*ret_lost = a ? a->log.lost : 0;
	return a ? log_ring_lines(&a->log) : NULL;
}
