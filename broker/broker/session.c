/* SPDX-License-Identifier: MIT
 *
 * The life of a session: turn, launch, ready, commands, end, settle. Whatever
 * happens to it, every command hears exactly one ending, and the app's turn is
 * given back only when its changes are settled or known to be none.
 */
#include "broker/session.h"

#include "base/log.h"
#include "broker/access.h"
#include "broker/background.h"
#include "broker/command.h"
#include "broker/generation.h"
#include "broker/hand.h"
#include "broker/install.h"
#include "broker/job.h"
#include "broker/firewall.h"
#include "broker/listen.h"
#include "broker/network.h"
#include "broker/notes.h"
#include "broker/session_launch.h"
#include "broker/traffic.h"
#include "broker/trial.h"
#include "broker/turn.h"
#include "broker/volumes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct session_waiter {
	struct session_waiter *next;
	void (*fn)(void *data);
	void *data;
};

static const char *const state_names[SESSION_STATE_COUNT] = {
	[SESSION_WAITING] = "waiting",   [SESSION_LAUNCHING] = "starting", [SESSION_RUNNING] = "running",
	[SESSION_ENDING] = "ending",     [SESSION_SETTLING] = "settling",
};

const char *session_state_name(enum session_state state)
{
	return state_names[state];
}

struct session *session_any(struct broker *broker, const char *app)
{
	for (struct session *s = broker->sessions; s; s = s->next) {
		if (strcmp(s->app, app) == 0)
			return s;
	}
	return NULL;
}

struct session *session_find(struct broker *broker, const char *app)
{
	for (struct session *s = broker->sessions; s; s = s->next) {
		if (strcmp(s->app, app) == 0 && s->state <= SESSION_RUNNING && !s->rebuild && !s->trial)
			return s;
	}
	return NULL;
}

struct session *session_by_id(struct broker *broker, uint64_t id)
{
	for (struct session *s = broker->sessions; s; s = s->next) {
		if (s->id == id)
			return s;
	}
	return NULL;
}

void session_send(struct session *session, const struct wr *w)
{
	if (session->chan)
		chan_send(session->chan, w, NULL, 0);
}

void session_notice(struct session *session, const char *text)
{
	for (struct command *c = session->commands; c; c = c->next) {
		if (c->ops && c->ops->on_notice)
			c->ops->on_notice(c->data, text);
	}
}

static void session_free(struct session *session)
{
	struct session **p;

	for (p = &session->broker->sessions; *p != session; p = &(*p)->next)
		continue;
	*p = session->next;
	access_session_gone(session);
	traffic_session_gone(session);
	firewall_session_gone(session);
	command_fail_all(session, 125, session->why[0] ? session->why : "the session is over");
	while (session->answers) {
		struct session_answer *a = session->answers;

		session->answers = a->next;
		free(a);
	}
	chan_destroy(session->chan);
	loop_remove(session->standing);
	job_cancel(session->preparing);
	loop_remove(session->background_due);
	free(session);
}

/* The last step: settled, or nothing was to settle. */
static void session_over(struct session *session, int code, const char *why)
{
	struct session_waiter *waiters = session->waiters;
	void (*on_over)(void *, int, const char *) = session->on_over;
	void *data = session->over_data;
	struct turn *turn = session->turn;
	char text[512];

	(void)snprintf(text, sizeof(text), "%s", why);
	session_free(session);
	if (on_over)
		on_over(data, code, text);
	turn_end(turn);
	while (waiters) {
		struct session_waiter *w = waiters;

		waiters = w->next;
		w->fn(w->data);
		free(w);
	}
}

void session_wait_over(struct session *session, void (*fn)(void *data), void *data)
{
	struct session_waiter *w = xcalloc(1, sizeof(*w)), **tail = &session->waiters;

	w->fn = fn;
	w->data = data;
	while (*tail)
		tail = &(*tail)->next;
	*tail = w;
}

static void on_settled(void *data, int code, const char *why)
{
	struct session *session = data;

	if (code)
		log_warn("changes of '%s' not settled: %s", session->app, why);
	session_over(session, code, why);
}

static void session_settle(struct session *session)
{
	/* Garbage is being collected by a list of what was wanted before: a layer
	 * that is made now would be taken for garbage. */
	session->waits = session->broker->recovering;
	if (session->waits)
		return;
	session->state = SESSION_SETTLING;
	notes_flush(session->broker); /* before what may be said about the app's end */
	access_session_gone(session);
	command_fail_all(session, 125, session->why[0] ? session->why : "the session ended");
	if (session->trial && session->upper) {
		trial_settle(session, on_settled, session);
		return;
	}
	if (session->upper == 0 || session->discard) {
		session_over(session, session->discard ? 0 : EIO, session->why);
		return;
	}
	generation_settle(session, on_settled, session); /* may be over, and the session gone, when it returns */
}

const char *session_program(struct session *session, const char *program)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (const char *p = program; *p; p++)
		h = (h ^ (uint8_t)*p) * 0x100000001b3ull;
	for (unsigned int i = 0; i < session->program_count; i++) {
		if (session->programs[i] == h)
			return program;
	}
	if (session->program_count == PROGRAMS_MAX)
		return "one of many names";
	session->programs[session->program_count++] = h;
	return program;
}

/* --- launch --- */

void session_abort(struct session *session, const char *why)
{
	if (!session->why[0])
		(void)snprintf(session->why, sizeof(session->why), "%s", why);
	session->state = SESSION_ENDING; /* whoever hears of it may want to end it */
	session_over(session, EIO, session->why);
}

static uint64_t new_session_id(struct broker *broker)
{
	struct err err = { 0 };
	struct store_txn *txn = store_begin(broker->store, true, &err);
	uint64_t id = 0;

	if (txn && store_counter_add(txn, COUNTER_SESSION, 1, &id, &err) == 0 && store_commit(txn, &err) == 0)
		return id;
	/* A full disk must not keep an app from running: the number is for
	 * people and need only be unlike the live ones. */
	return SESSION_UNNUMBERED + ++broker->next_job;
}

static struct session *session_new(struct broker *broker, uint64_t id, const char *app, enum session_kind kind)
{
	struct session *session = xcalloc(1, sizeof(*session));

	session->broker = broker;
	session->id = id;
	session->kind = kind;
	session->since_wall_ms = loop_wall_ms();
	(void)snprintf(session->app, sizeof(session->app), "%s", app);
	session->next = broker->sessions;
	broker->sessions = session;
	return session;
}

struct session *session_start(struct broker *broker, const char *app, enum session_kind kind)
{
	struct session *session = session_new(broker, new_session_id(broker), app, kind);

	session->turn = turn_request(broker, app, session_launch, session);
	return session;
}

struct session *session_start_rebuild(struct broker *broker, const char *app, uint64_t upper, uint32_t base)
{
	struct session *session = session_new(broker, new_session_id(broker), app, SESSION_INSTALL);

	session->rebuild = true;
	session->upper = upper;
	session->launch.base = base;
	return session;
}

void session_end(struct session *session)
{
	struct wr *w;

	if (session->state >= SESSION_ENDING)
		return;
	if (session->rebuilding) {
		session->state = SESSION_ENDING;
		install_rebuild_cancel(session->rebuilding);
		return;
	}
	if (session->state == SESSION_WAITING) {
		session->state = SESSION_ENDING;
		session_abort(session, "ended before it began");
		return;
	}
	if (session->preparing) { /* cowbelld has not heard of it yet */
		session_abort(session, "ended before it began");
		return;
	}
	session->state = SESSION_ENDING;
	access_session_gone(session);
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, session->ready ? MSG_END : MSG_KILL, session->id);
	if (session->ready)
		session_send(session, w);
	else
		chan_send(session->broker->parent, w, NULL, 0);
	free(w);
}

/* --- the supervisor's messages --- */

static bool handle_failed(struct session *session, struct rd *body)
{
	(void)rd_u32(body);
	rd_str(body, session->why, sizeof(session->why));
	session->untouched = true;
	session->state = SESSION_ENDING;
	return rd_end(body);
}

static bool handle_ended(struct session *session, struct rd *body)
{
	uint32_t code = rd_u32(body);
	char why[512];

	rd_str(body, why, sizeof(why));
	session->untouched = rd_u8(body) != 0 && code == 0;
	session->ended = true;
	session->unclean = code != 0;
	if (code)
		log_warn("session of '%s': %s", session->app, why);
	session->state = SESSION_ENDING;
	command_fail_all(session, 137, "the session ended");
	return rd_end(body);
}

static bool on_message(void *data, struct msg *m)
{
	struct session *session = data;

	if (!msg_allowed(m->op, 'S', 'B'))
		return false;
	switch ((unsigned int)m->op) {
	case MSG_SESSION_HELLO:
		return session_handle_hello(session, &m->body);
	case MSG_SESSION_READY:
		session->ready = true;
		session->began_ms = loop_boot_ms();
		if (session->state == SESSION_LAUNCHING)
			session->state = SESSION_RUNNING;
		traffic_begin(session);
		volumes_tell(session);
		command_start_ready(session);
		access_stand_soon(session);
		return rd_end(&m->body);
	case MSG_SESSION_FAILED:
		return handle_failed(session, &m->body);
	case MSG_HANDED:
		return hand_handle_handed(session, m);
	case MSG_RAN:
		return command_handle_ran(session, m);
	case MSG_EXITED:
		return command_handle_exited(session, m);
	case MSG_EMPTY:
		if (session->state == SESSION_RUNNING)
			background_empty(session);
		return rd_end(&m->body);
	case MSG_LOG:
		return session_handle_log(session, m);
	case MSG_ENDED:
		return handle_ended(session, &m->body);
	default:
		return access_handle(session, m);
	}
}

static void on_gone(void *data, const struct err *err)
{
	struct session *session = data;

	log_debug("supervisor of session %llu: %s", (unsigned long long)session->id, err->msg);
	chan_destroy(session->chan);
	session->chan = NULL;
	if (err->code) { /* broke the protocol: it must not live on */
		struct wr *w = xcalloc(1, sizeof(*w));

		chan_begin(w, MSG_KILL, session->id);
		chan_send(session->broker->parent, w, NULL, 0);
		free(w);
		session->unclean = true;
	}
	session->state = session->state < SESSION_ENDING ? SESSION_ENDING : session->state;
}

static const struct chan_ops session_chan_ops = { .on_message = on_message, .on_gone = on_gone };

static bool handle_channel(struct broker *broker, struct msg *m)
{
	struct session *session = session_by_id(broker, m->id);

	if (m->fd_count != 1 || m->fds[0] < 0)
		return false;
	if (!session) { /* from before this broker */
		session = session_new(broker, m->id, "", SESSION_RUN);
		session->adopted = true;
	}
	chan_destroy(session->chan);
	session->chan = chan_create(broker->loop, m->fds[0], &session_chan_ops, session);
	m->fds[0] = -1;
	if (!session->chan)
		fatal("no channel to a supervisor: %s", strerror(errno));
	return true;
}

static bool handle_gone(struct broker *broker, struct msg *m)
{
	struct session *session = session_by_id(broker, m->id);
	uint32_t status = rd_u32(&m->body);
	char why[512];

	rd_str(&m->body, why, sizeof(why));
	if (!rd_end(&m->body))
		return false;
	if (!session)
		return true;
	if (why[0] && !session->why[0])
		(void)snprintf(session->why, sizeof(session->why), "%s", why);
	/* Its last words may still stand in its channel. */
	if (session->chan)
		chan_drain(session->chan);
	chan_destroy(session->chan);
	session->chan = NULL;
	if (!session->ended && !session->untouched) {
		session->unclean = true;
		if (!session->why[0])
			(void)snprintf(session->why, sizeof(session->why), "the supervisor ended early (status 0x%x)",
				       status);
	}
	if (!session->app[0]) /* never said who it was */
		session_over(session, EIO, session->why);
	else
		session_settle(session);
	return true;
}

bool session_handle_parent(struct broker *broker, struct msg *m)
{
	switch ((unsigned int)m->op) {
	case MSG_SESSION_CHANNEL:
		return handle_channel(broker, m);
	case MSG_SESSION_GONE:
		return handle_gone(broker, m);
	case MSG_NET_LINKED:
		return network_handle_linked(broker, m);
	case MSG_LISTEN_OPENED:
		return listen_handle_opened(broker, m);
	case MSG_FIREWALL_SEEN:
		return firewall_handle_seen(broker, m);
	case MSG_HELD:
		return session_handle_held(broker, m);
	case MSG_VOLUME_SEEN:
		return volumes_handle_seen(broker, m);
	case MSG_OPENED:
		return access_handle_opened(broker, m);
	case MSG_HAND_FAILED:
		return hand_handle_failed(broker, m);
	}
	return false;
}

void session_settle_waiting(struct broker *broker)
{
	struct session *next;

	for (struct session *session = broker->sessions; session; session = next) {
		next = session->next;
		if (session->waits)
			session_settle(session);
	}
}

void session_finish_all(struct broker *broker)
{
	while (broker->sessions) {
		struct session *session = broker->sessions;

		turn_end(session->turn);
		session_free(session);
	}
}
