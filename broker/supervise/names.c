/* SPDX-License-Identifier: MIT
 *
 * The resolver of this session, and what it learnt. It is started when the app
 * first looks something up; its sockets are ours, so that a look-up waits while
 * there is none. A name that another app looked up is not known here.
 */
#include "supervise/supervise.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#define RESTART_MS 500u
#define DEATHS_MAX 10u
#define ADDRESSES_MAX 64u
#define DNS_PORT 53

static size_t dns_fds(const struct network *n, int fds[4])
{
	const int all[4] = { n->sock.dns_udp, n->sock.dns_tcp, n->sock.dns6_udp, n->sock.dns6_tcp };
	size_t count = 0;

	while (count < 4 && all[count] >= 0) {
		fds[count] = all[count];
		count++;
	}
	return count;
}

static void unwatch(struct network *n)
{
	for (size_t i = 0; i < ARRAY_LEN(n->dns_sources); i++) {
		loop_remove(n->dns_sources[i]);
		n->dns_sources[i] = NULL;
	}
}

static void on_look_up(void *data, uint32_t events)
{
	struct supervise *s = data;
	static struct wr w;

	(void)events;
	unwatch(&s->network);
	if (s->network.dns_wanted || s->network.dns)
		return;
	s->network.dns_wanted = true;
	chan_begin(&w, MSG_DNS_WANTED, s->session);
	chan_send(s->daemon, &w, NULL, 0);
}

void names_start(struct supervise *s)
{
	int fds[4];
	size_t count = dns_fds(&s->network, fds);

	for (size_t i = 0; i < count; i++)
		s->network.dns_sources[i] = loop_add_fd(s->loop, fds[i], EPOLLIN, on_look_up, s);
}

static void on_restart(void *data)
{
	struct supervise *s = data;

	loop_remove(s->network.dns_timer);
	s->network.dns_timer = NULL;
	names_start(s);
}

static void lost(struct supervise *s)
{
	struct network *n = &s->network;

	chan_destroy(n->dns);
	n->dns = NULL;
	n->dns_wanted = false;
	/* Who waits asks again by itself; nobody is let through meanwhile. */
	for (size_t i = 0; i < NETWORK_WAITS_MAX; i++) {
		if (n->waits[i].number && n->waits[i].kind == NET_WANT_NAME)
			n->waits[i].number = 0;
	}
	if (++n->dns_deaths >= DEATHS_MAX)
		log_warn("the resolver of '%s' died %u times; no names any more", s->app, n->dns_deaths);
	else if (!n->dns_timer)
		n->dns_timer = loop_add_timer(s->loop, RESTART_MS, on_restart, s);
}

static bool handle_need(struct supervise *s, struct msg *m)
{
	uint32_t number = rd_u32(&m->body);
	char raw[256], name[REACH_ITEM_SIZE];
	struct net_flow from = { .port = DNS_PORT };
	struct network_wait *w;

	from.version = rd_u8(&m->body);
	from.protocol = rd_u8(&m->body);
	from.source_port = rd_u16(&m->body);
	rd_str(&m->body, raw, sizeof(raw));
	if (!rd_end(&m->body))
		return false;
	w = s->state == SUPERVISE_LIVE && s->kind != SESSION_INSTALL && reach_name_normal(raw, name) ? network_wait_new(s)
												      : NULL;
	if (!w) {
		names_answer(s, &(struct network_wait){ .dns_number = number }, false);
		return true;
	}
	w->kind = NET_WANT_NAME;
	w->dns_number = number;
	(void)snprintf(w->name, sizeof(w->name), "%s", name);
	network_name_program(s, w, &from);
	network_tell_need(s, w);
	return true;
}

static void learn(struct network *n, uint8_t version, const uint8_t to[16], const char *name)
{
	struct network_name *e = NULL;

	for (size_t i = 0; i < NETWORK_NAMES_MAX && i < n->name_count && !e; i++) {
		if (n->names[i].version == version && memcmp(n->names[i].to, to, 16) == 0)
			e = &n->names[i];
	}
	if (!e)
		e = &n->names[n->name_count++ % NETWORK_NAMES_MAX];
	e->version = version;
	memcpy(e->to, to, 16);
	(void)snprintf(e->name, sizeof(e->name), "%s", name);
}

static bool handle_learned(struct supervise *s, struct msg *m)
{
	char raw[256], name[REACH_ITEM_SIZE];
	uint16_t count;

	rd_str(&m->body, raw, sizeof(raw));
	(void)rd_u32(&m->body);
	count = rd_u16(&m->body);
	if (count > ADDRESSES_MAX || !reach_name_normal(raw, name))
		return false;
	for (uint16_t i = 0; i < count; i++) {
		uint8_t version = rd_u8(&m->body), to[16];

		rd_bytes(&m->body, to, sizeof(to));
		if (version != 4 && version != 6)
			return false;
		if (!m->body.bad)
			learn(&s->network, version, to, name);
	}
	return rd_end(&m->body);
}

static bool on_message(void *data, struct msg *m)
{
	struct supervise *s = data;

	if (!msg_allowed(m->op, 'N', 'S'))
		return false;
	return m->op == MSG_DNS_NEED ? handle_need(s, m) : handle_learned(s, m);
}

static void on_gone(void *data, const struct err *err)
{
	struct supervise *s = data;

	if (err->code)
		log_warn("resolver of '%s': %s", s->app, err->msg);
	lost(s);
}

bool network_handle_dns_channel(struct supervise *s, struct msg *m)
{
	static const struct chan_ops ops = { on_message, on_gone };
	static struct wr w;
	int fd, fds[4];

	if (!rd_end(&m->body) || m->fd_count > 1)
		return false;
	if (m->fd_count == 0) {
		lost(s);
		return true;
	}
	fd = m->fds[0];
	m->fds[0] = -1;
	chan_destroy(s->network.dns);
	s->network.dns = chan_create(s->loop, fd, &ops, s);
	if (!s->network.dns) {
		lost(s);
		return true;
	}
	chan_begin(&w, MSG_DNS_SOCKETS, s->session);
	chan_send(s->network.dns, &w, fds, dns_fds(&s->network, fds));
	return true;
}

void names_answer(struct supervise *s, const struct network_wait *wait, bool allowed)
{
	static struct wr w;

	if (!s->network.dns)
		return;
	chan_begin(&w, MSG_DNS_ANSWER, s->session);
	wr_u32(&w, wait->dns_number);
	wr_u8(&w, allowed ? GIVE_ALLOW : GIVE_NO);
	chan_send(s->network.dns, &w, NULL, 0);
}

void names_drain(struct supervise *s)
{
	if (s->network.dns)
		chan_drain(s->network.dns);
}

const char *names_of(const struct network *n, const struct net_flow *flow)
{
	for (size_t i = 0; i < NETWORK_NAMES_MAX && i < n->name_count; i++) {
		if (n->names[i].version == flow->version && memcmp(n->names[i].to, flow->to, 16) == 0)
			return n->names[i].name;
	}
	return "";
}
