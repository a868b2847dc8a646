/* SPDX-License-Identifier: MIT
 *
 * The time in which the host's packages change, and installing apps anew after it.
 */
#include "broker/base_change.h"

#include "broker/autostart.h"
#include "broker/install.h"
#include "broker/session.h"
#include "broker/turn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

const char base_change_why[] = "this system's packages are being changed";

struct base_change {
	int pidfd;
	struct loop_source *source;
};

bool base_change_under_way(const struct broker *broker)
{
	return broker->base_change != NULL;
}

void base_change_end(struct broker *broker)
{
	struct base_change *change = broker->base_change;

	if (!change)
		return;
	broker->base_change = NULL;
	loop_remove(change->source);
	(void)close(change->pidfd);
	free(change);
	autostart_resume(broker);
}

static void on_manager_gone(void *data, uint32_t events)
{
	(void)events;
	base_change_end(data);
}

struct emptying {
	unsigned int sessions, left;
	void (*fn)(void *data, unsigned int sessions);
	void *data;
};

static void on_session_over(void *data)
{
	struct emptying *e = data;

	if (--e->left > 0)
		return;
	e->fn(e->data, e->sessions);
	free(e);
}

/* Ending one may end others with it: none is kept in hand. */
static void end_sessions(struct broker *broker, struct emptying *e)
{
	struct session *s;

	for (s = broker->sessions; s; s = s->next) {
		e->left++;
		e->sessions++;
		session_wait_over(s, on_session_over, e);
	}
	do {
		for (s = broker->sessions; s && s->state >= SESSION_ENDING; s = s->next)
			continue;
		if (s && !s->why[0])
			(void)snprintf(s->why, sizeof(s->why), "%s", base_change_why);
		if (s)
			session_end(s);
	} while (s);
}

int base_change_begin(struct broker *broker, pid_t pid, void (*fn)(void *data, unsigned int sessions), void *data,
		      struct err *err)
{
	struct base_change *change = xcalloc(1, sizeof(*change));
	struct emptying *e;

	change->pidfd = (int)syscall(SYS_pidfd_open, pid, 0u);
	if (change->pidfd < 0) {
		free(change);
		return err_sys(err, "wait for process %d", (int)pid);
	}
	if (broker->base_change) { /* a second manager, or a hook that ran twice: the latest counts */
		loop_remove(broker->base_change->source);
		(void)close(broker->base_change->pidfd);
		free(broker->base_change);
	}
	change->source = loop_add_fd(broker->loop, change->pidfd, EPOLLIN, on_manager_gone, broker);
	broker->base_change = change;
	e = xcalloc(1, sizeof(*e));
	e->fn = fn;
	e->data = data;
	e->left = 1; /* this call */
	end_sessions(broker, e);
	on_session_over(e);
	return 0;
}

/* --- afterwards --- */

const char *rebuilt_name(enum rebuilt outcome)
{
	static const char *const names[] = {
		[REBUILT_DONE] = "rebuilt",
		[REBUILT_BASE] = "base",
		[REBUILT_RUNNING] = "running",
		[REBUILT_FAILED] = "failed",
	};

	return names[outcome];
}

struct rebuilding {
	struct broker *broker;
	char **names;
	size_t count, at;
	struct turn *turn;
	struct loop_source *later;
	const struct rebuild_ops *ops;
	void *data;
};

static void next_app(struct rebuilding *r);

static void rebuilding_end(struct rebuilding *r, const struct err *err)
{
	r->ops->done(r->data, err);
	for (size_t i = 0; i < r->count; i++)
		free(r->names[i]);
	free(r->names);
	free(r);
}

static void on_later(void *data)
{
	struct rebuilding *r = data;

	loop_remove(r->later);
	r->later = NULL;
	next_app(r);
}

/* From the loop: a thousand apps are not a thousand frames deep. */
static void go_on(struct rebuilding *r)
{
	turn_end(r->turn);
	r->turn = NULL;
	r->at++;
	r->later = loop_add_later(r->broker->loop, on_later, r);
}

static void tell(struct rebuilding *r, enum rebuilt outcome, const char *why)
{
	r->ops->each(r->data, r->names[r->at], outcome, why);
	go_on(r);
}

static bool runs_from_base(struct broker *broker, const char *name)
{
	struct err err = { 0 };
	struct store_txn *txn = store_begin(broker->store, false, &err);
	struct app_record app = { 0 };
	bool base = txn && store_app_get(txn, name, &app, &err) == 1 && app.from_base;

	app_record_finish(&app);
	store_abort(txn);
	return base;
}

static void on_rebuilt(void *data, int code, const char *why)
{
	struct rebuilding *r = data;

	if (code)
		tell(r, REBUILT_FAILED, why);
	else
		tell(r, runs_from_base(r->broker, r->names[r->at]) ? REBUILT_BASE : REBUILT_DONE, "");
}

static void on_turn(void *data)
{
	struct rebuilding *r = data;

	if (base_change_under_way(r->broker))
		tell(r, REBUILT_FAILED, base_change_why);
	else if (install_is_stale(r->broker, r->names[r->at]))
		(void)install_rebuild(r->broker, r->names[r->at], on_rebuilt, r);
	else
		go_on(r);
}

static void next_app(struct rebuilding *r)
{
	const char *app;

	if (r->at == r->count || !r->ops->wanted(r->data)) {
		rebuilding_end(r, NULL);
		return;
	}
	app = r->names[r->at];
	if (!install_is_stale(r->broker, app))
		go_on(r);
	else if (session_find(r->broker, app))
		tell(r, REBUILT_RUNNING, "");
	else
		r->turn = turn_request(r->broker, app, on_turn, r);
}

static int add_app(void *data, const struct app_record *app)
{
	struct rebuilding *r = data;

	if (app->state != APP_READY)
		return 0;
	r->names = xrealloc(r->names, (r->count + 1) * sizeof(*r->names));
	r->names[r->count++] = xstrdup(app->id);
	return 0;
}

void base_change_rebuild(struct broker *broker, char *const *names, const struct rebuild_ops *ops, void *data)
{
	struct rebuilding *r = xcalloc(1, sizeof(*r));
	struct err err = { 0 };
	struct store_txn *txn;

	r->broker = broker;
	r->ops = ops;
	r->data = data;
	for (; names && names[r->count]; r->count++) {
		r->names = xrealloc(r->names, (r->count + 1) * sizeof(*r->names));
		r->names[r->count] = xstrdup(names[r->count]);
	}
	if (!r->count) {
		txn = store_begin(broker->store, false, &err);
		if (!txn || store_app_each(txn, add_app, r, &err) < 0) {
			store_abort(txn);
			rebuilding_end(r, &err);
			return;
		}
		store_abort(txn);
	}
	next_app(r);
}
