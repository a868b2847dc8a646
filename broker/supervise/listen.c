/* SPDX-License-Identifier: MIT
 *
 * A caller of listen(2) goes on before it is looked at what it listens on, so one look
 * may come too early: there are a few, each later than the one before.
 */
#include "supervise/supervise.h"

#include "base/log.h"
#include "platform/arm/listened.h"
#include "supervise/who.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

static const uint64_t look_after_ms[] = { 30, 300, 2000 };

static void tell(struct supervise *s)
{
	static struct wr w;

	chan_begin(&w, MSG_LISTENS, s->session);
	wr_u16(&w, (uint16_t)s->listening.count);
	for (size_t i = 0; i < s->listening.count; i++) {
		wr_u16(&w, s->listening.ports[i].port);
		wr_str(&w, s->listening.ports[i].program);
	}
	supervise_tell(s, &w, NULL, 0);
}

static struct listen_port *find(struct listening *l, uint16_t port)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->ports[i].port == port)
			return &l->ports[i];
	}
	return NULL;
}

bool listening_is_open(const struct supervise *s, uint16_t port)
{
	for (size_t i = 0; i < s->listening.count; i++) {
		if (s->listening.ports[i].port == port)
			return s->listening.ports[i].open;
	}
	return false;
}

static int load(struct supervise *s, struct err *err)
{
	uint16_t open[LISTENS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < s->listening.count; i++) {
		if (s->listening.ports[i].open)
			open[count++] = s->listening.ports[i].port;
	}
	return netrules_listen(s->network.sock.rules, open, count, err);
}

static bool is_found(const struct net_listener *found, size_t count, uint16_t port)
{
	for (size_t i = 0; i < count; i++) {
		if (found[i].port == port)
			return true;
	}
	return false;
}

/* Who stopped listening has nothing open, and will be asked about again. */
static bool forget_gone(struct supervise *s, const struct net_listener *found, size_t count)
{
	struct listening *l = &s->listening;
	struct err err = { 0 };
	bool changed = false, was_open = false;
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (is_found(found, count, l->ports[i].port)) {
			l->ports[kept++] = l->ports[i];
			continue;
		}
		changed = true;
		was_open = was_open || l->ports[i].open;
	}
	l->count = kept;
	if (was_open && load(s, &err) < 0)
		log_warn("%s", err.msg); /* nobody listens there */
	return changed;
}

static void look(struct supervise *s)
{
	/* Twice as many: those that are known may be the last of the kernel's list. */
	struct net_listener found[2 * LISTENS_MAX];
	struct listening *l = &s->listening;
	struct err err = { 0 };
	int n = netlisten_read(s->network.sock.diag, found, ARRAY_LEN(found), &err);
	bool changed;

	if (n < 0) {
		log_warn("%s", err.msg);
		return;
	}
	changed = forget_gone(s, found, (size_t)n);
	for (int i = 0; i < n && l->count < LISTENS_MAX; i++) {
		struct listen_port *p;

		if (find(l, found[i].port))
			continue;
		p = &l->ports[l->count++];
		*p = (struct listen_port){ .port = found[i].port };
		who_holds(s->spare.proc, found[i].inode, p->program, sizeof(p->program));
		changed = true;
	}
	if (changed)
		tell(s);
}

static void on_due(void *data);

static void arm(struct supervise *s)
{
	struct listening *l = &s->listening;

	if (!l->timer && l->looks)
		l->timer = loop_add_timer(s->loop, look_after_ms[ARRAY_LEN(look_after_ms) - l->looks], on_due, s);
}

static void on_due(void *data)
{
	struct supervise *s = data;
	struct listening *l = &s->listening;

	loop_remove(l->timer);
	l->timer = NULL;
	l->looks--;
	if (s->state == SUPERVISE_LIVE)
		look(s);
	arm(s);
}

static void stop_hearing(struct supervise *s)
{
	loop_remove(s->listening.source);
	s->listening.source = NULL;
	(void)close(s->listening.fd);
	s->listening.fd = 0;
}

static void on_call(void *data, uint32_t events)
{
	struct supervise *s = data;
	struct err err = { 0 };
	int rc;

	if (!(events & EPOLLIN)) { /* nothing of the app runs any more */
		stop_hearing(s);
		return;
	}
	rc = listened_take(s->listening.fd, &err);
	if (rc < 0) {
		log_warn("session of '%s' ends: %s", s->app, err.msg);
		stop_hearing(s);
		supervise_end(s);
	}
	/* An installer runs unattended, and without a network nobody can come. */
	if (rc <= 0 || s->kind == SESSION_INSTALL || s->network.hold == NET_HOLD_NONE)
		return;
	s->listening.looks = ARRAY_LEN(look_after_ms);
	arm(s);
}

bool listening_handle_fd(struct supervise *s, struct msg *m)
{
	struct listening *l = &s->listening;

	if (!rd_end(&m->body) || m->fd_count != 1 || l->fd)
		return false;
	l->fd = m->fds[0];
	m->fds[0] = -1;
	l->source = loop_add_fd(s->loop, l->fd, EPOLLIN, on_call, s);
	return l->source != NULL;
}

struct cut {
	uint16_t port;
};

static bool came_in_at(void *data, const struct net_flow *flow)
{
	const struct cut *cut = data;

	return flow->protocol == IPPROTO_TCP && flow->source_port == cut->port;
}

static void shut(struct supervise *s, uint16_t port)
{
	struct network *n = &s->network;
	struct cut cut = { .port = port };
	struct err err = { 0 };
	uint32_t count = 0;

	/* First nothing new, then what runs. */
	if (load(s, &err) < 0 || netcut(n->sock.diag, n->sock.rules, came_in_at, &cut, &count, &err) < 0) {
		log_warn("session of '%s' ends: %s", s->app, err.msg);
		supervise_end(s); /* it cannot keep what was taken back */
	}
}

bool listening_handle_listen(struct supervise *s, struct msg *m)
{
	uint16_t port = rd_u16(&m->body);
	uint8_t open = rd_u8(&m->body);
	struct listen_port *p = find(&s->listening, port);
	struct err err = { 0 };

	if (!rd_end(&m->body))
		return false;
	if (!p || p->open == (open != 0))
		return true; /* it stopped listening meanwhile; or nothing is new */
	p->open = open != 0;
	if (!open) {
		shut(s, port);
	} else if (load(s, &err) < 0) {
		log_warn("%s", err.msg);
		p->open = false;
	}
	return true;
}

void listening_repeat(struct supervise *s)
{
	if (s->listening.count)
		tell(s);
}
