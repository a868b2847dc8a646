/* SPDX-License-Identifier: MIT
 *
 * A port is opened from the outside in: cowbelld holds the host's port and leads it to
 * the app, then the supervisor lets in what comes. It is shut from the inside out.
 */
#include "broker/listen.h"

#include "base/log.h"
#include "broker/access.h"
#include "broker/notes.h"
#include "broker/prompt.h"
#include "broker/trial.h"

#include <stdio.h>
#include <string.h>

#define PORTS_MAX 64u    /* remembered in one session, also of those that are over */
#define REFUSALS_MAX 3u  /* unanswered questions about one port */
#define UNANSWERED_ALL 10u /* ... and about all: then nothing is asked any more in this session */
#define QUESTION_TOP 999u /* numbers of ours, downwards: the supervisor's begin at 1 */

enum port_state {
	PORT_SHUT = 0,
	PORT_UNKNOWN, /* what an earlier broker left */
	PORT_OPENING, /* cowbelld was told */
	PORT_OPEN,
};

struct port {
	uint16_t port;
	bool listening;
	enum port_state state;
	char item[8];
	char program[128];
	uint64_t until_ms, quiet_until_ms; /* 0: no end by time */
	unsigned int refusals;
};

struct listen_state {
	struct session *session;
	struct port ports[PORTS_MAX];
	size_t count;
	unsigned int questions, unanswered;
	struct loop_source *timer;
};

bool listen_is(const struct permission *permission)
{
	return strcmp(permission->name, "listen") == 0;
}

void listen_add_gate(struct broker *broker)
{
	struct gate *gate = &broker->gates[broker->gate_count];

	if (!(broker->features & (FEATURE_NET_QUEUE | FEATURE_NET_COMPAT)))
		return;
	if (broker->gate_count == GATES_MAX) {
		log_warn("more gates than %u: no app can be reached", GATES_MAX);
		return;
	}
	gate->id = GATE_LISTEN;
	gate->permission = permission_find("listen");
	gate->exists = true;
	broker->gate_count++;
}

static struct listen_state *state_of(struct session *session)
{
	if (!session->listen) {
		session->listen = xcalloc(1, sizeof(*session->listen));
		session->listen->session = session;
	}
	return session->listen;
}

static struct port *find(struct listen_state *l, uint16_t port)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->ports[i].port == port)
			return &l->ports[i];
	}
	return NULL;
}

/* NULL: so many are listened at, or were, that it is not spoken of; it stays shut. */
static struct port *add(struct listen_state *l, uint16_t port)
{
	struct port *p = l->count < PORTS_MAX ? &l->ports[l->count] : NULL;

	for (size_t i = 0; i < l->count && !p; i++) {
		if (!l->ports[i].listening && l->ports[i].state == PORT_SHUT)
			p = &l->ports[i];
	}
	if (!p)
		return NULL;
	if (p == &l->ports[l->count])
		l->count++;
	*p = (struct port){ .port = port };
	(void)snprintf(p->item, sizeof(p->item), "%u", port);
	if (l->session->adopted)
		p->state = PORT_UNKNOWN;
	return p;
}

static void note(struct session *session, const struct port *p, enum give give, const char *what, const char *why)
{
	notes_later(session->broker, &(struct history_note){
					     .kind = HISTORY_ACCESS,
					     .app = session->app,
					     .permission = "listen",
					     .item = p->item,
					     .what = what,
					     .why = why,
					     .program = session_program(session, p->program),
					     .give = give,
					     .session = session->id,
				     });
}

static void tell_daemon(struct session *session, const struct port *p, bool open)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_LISTEN_OPEN, session->id);
	wr_u16(w, p->port);
	wr_u8(w, open);
	chan_send(session->broker->parent, w, NULL, 0);
	free(w);
}

static void tell_supervisor(struct session *session, const struct port *p, bool open)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_LISTEN, session->id);
	wr_u16(w, p->port);
	wr_u8(w, open);
	session_send(session, w);
	free(w);
}

/* For ps and who-has-what: whether anybody can come in. */
static void show_given(struct listen_state *l)
{
	enum give given = GIVE_NO;

	for (size_t i = 0; i < l->count; i++)
		given = l->ports[i].state == PORT_OPEN ? GIVE_ALLOW : given;
	for (size_t i = 0; i < l->session->broker->gate_count; i++) {
		if (l->session->broker->gates[i].id == GATE_LISTEN)
			l->session->gates[i].given = given;
	}
}

static void shut(struct listen_state *l, struct port *p)
{
	if (p->state == PORT_SHUT)
		return;
	tell_supervisor(l->session, p, false);
	tell_daemon(l->session, p, false);
	p->state = PORT_SHUT;
	p->until_ms = 0;
	show_given(l);
}

static void on_expiry(void *data);

static void arm(struct listen_state *l)
{
	uint64_t next = UINT64_MAX, now = loop_boot_ms();

	for (size_t i = 0; i < l->count; i++) {
		if (l->ports[i].until_ms && l->ports[i].until_ms < next)
			next = l->ports[i].until_ms;
	}
	loop_remove(l->timer);
	l->timer = NULL;
	if (next != UINT64_MAX)
		l->timer = loop_add_timer(l->session->broker->loop, next > now ? next - now : 0, on_expiry, l);
}

static void on_expiry(void *data)
{
	struct listen_state *l = data;
	uint64_t now = loop_boot_ms();

	for (size_t i = 0; i < l->count; i++) {
		struct port *p = &l->ports[i];

		if (!p->until_ms || p->until_ms > now)
			continue;
		p->until_ms = 0;
		session_notice(l->session, "the time of a permission has run out; it will ask again");
	}
	listen_rethink(l->session);
	arm(l);
}

static void ask(struct listen_state *l, struct port *p)
{
	char about[96];

	if (l->unanswered >= UNANSWERED_ALL || p->refusals >= REFUSALS_MAX || loop_boot_ms() < p->quiet_until_ms) {
		note(l->session, p, GIVE_NO, "refused", "not answered a moment ago");
		return;
	}
	(void)snprintf(about, sizeof(about), "to be reached from the network (port %s)", p->item);
	prompt_need_listen(l->session, p->item, about, QUESTION_TOP - l->questions++ % 400, p->program);
}

/* Does what is decided now; asks, if nothing is and it has just begun. */
static void settle(struct listen_state *l, struct port *p, bool begins)
{
	struct session *session = l->session;
	struct permission_ref ref = { .permission = permission_find("listen") };
	struct access_decision found;

	(void)snprintf(ref.item, sizeof(ref.item), "%s", p->item);
	if (!p->listening) {
		shut(l, p);
		return;
	}
	found = access_decide(session->broker, session, session->app, &ref);
	if (found.decision.give != GIVE_ALLOW) {
		shut(l, p);
		if (begins && found.decision.give == GIVE_ASK)
			ask(l, p);
		else if (begins)
			note(session, p, GIVE_NO, "refused", decided_by_name(found.decision.by));
		return;
	}
	p->until_ms = found.until_boot_ms;
	arm(l);
	if (p->state == PORT_OPENING || p->state == PORT_OPEN)
		return;
	p->state = PORT_OPENING;
	tell_daemon(session, p, true); /* its answer goes on */
}

void listen_rethink(struct session *session)
{
	struct listen_state *l = session->listen;

	for (size_t i = 0; l && i < l->count; i++)
		settle(l, &l->ports[i], false);
}

void listen_refuse(struct session *session, const char *item, uint64_t quiet_ms)
{
	struct listen_state *l = session->listen;

	for (size_t i = 0; l && i < l->count; i++) {
		struct port *p = &l->ports[i];

		if (strcmp(p->item, item) != 0)
			continue;
		p->refusals++;
		l->unanswered++;
		p->quiet_until_ms = loop_boot_ms() + quiet_ms;
		note(session, p, GIVE_NO, "refused", "nobody answered");
	}
}

/* --- messages --- */

struct told {
	uint16_t port;
	char program[128];
};

/* Their number, or -1: malformed. */
static int read_told(struct rd *body, struct told told[LISTENS_MAX])
{
	uint16_t n = rd_u16(body);
	char raw[256];

	if (n > LISTENS_MAX)
		return -1;
	for (uint16_t i = 0; i < n; i++) {
		told[i].port = rd_u16(body);
		rd_str(body, raw, sizeof(raw));
		text_escape(raw, strlen(raw), told[i].program, sizeof(told[i].program));
		if (told[i].port == 0)
			return -1;
	}
	return rd_end(body) ? n : -1;
}

static bool is_told(const struct told *told, int n, uint16_t port)
{
	for (int i = 0; i < n; i++) {
		if (told[i].port == port)
			return true;
	}
	return false;
}

static void end_those_over(struct listen_state *l, const struct told *told, int n)
{
	for (size_t i = 0; i < l->count; i++) {
		struct port *p = &l->ports[i];

		if (!p->listening || is_told(told, n, p->port))
			continue;
		p->listening = false;
		prompt_withdraw_item(l->session, permission_find("listen"), p->item);
		shut(l, p);
	}
}

static void begin(struct listen_state *l, const struct told *told)
{
	struct port *p = find(l, told->port);

	if (p && p->listening)
		return;
	p = p ? p : add(l, told->port);
	if (!p)
		return;
	p->listening = true;
	(void)snprintf(p->program, sizeof(p->program), "%s", told->program);
	if (l->session->trial)
		(void)trial_use(l->session->trial, permission_find("listen"), p->item, p->program);
	else
		settle(l, p, true);
}

bool listen_handle_listens(struct session *session, struct msg *m)
{
	struct told told[LISTENS_MAX];
	int n = read_told(&m->body, told);

	if (n < 0)
		return false;
	if (session->state != SESSION_RUNNING)
		return true;
	end_those_over(state_of(session), told, n);
	for (int i = 0; i < n; i++)
		begin(session->listen, &told[i]);
	return true;
}

bool listen_handle_opened(struct broker *broker, struct msg *m)
{
	struct session *session = session_by_id(broker, m->id);
	uint16_t port = rd_u16(&m->body);
	uint32_t code = rd_u32(&m->body);
	struct port *p = session && session->listen ? find(session->listen, port) : NULL;
	char why[512], text[700];

	rd_str(&m->body, why, sizeof(why));
	if (!rd_end(&m->body))
		return false;
	if (!p || p->state != PORT_OPENING) /* shut meanwhile */
		return true;
	if (code) {
		p->state = PORT_SHUT;
		p->until_ms = 0;
		(void)snprintf(text, sizeof(text), "%s cannot be reached: %s", session->app, why);
		session_notice(session, text);
		note(session, p, GIVE_ALLOW, "failed", why);
		return true;
	}
	p->state = PORT_OPEN;
	tell_supervisor(session, p, true);
	note(session, p, GIVE_ALLOW, "used", "");
	show_given(session->listen);
	return true;
}

void listen_session_gone(struct session *session)
{
	if (session->listen)
		loop_remove(session->listen->timer);
	free(session->listen);
	session->listen = NULL;
}
