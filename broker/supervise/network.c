/* SPDX-License-Identifier: MIT
 *
 * A packet that waits ends in one of two ways: back to the rules, which were
 * changed for it, or back with the mark that refuses. What comes beyond those that
 * are kept of one destination is dropped, as a network would; without us the kernel
 * drops. Out of the queue there is no other way.
 */
#include "supervise/supervise.h"

#include "base/log.h"
#include "supervise/who.h"

#include <errno.h>
#include <netinet/in.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#define READS_AT_ONCE 64
#define REFUSAL_MS 30000u /* a no is looked up again after that */

static struct network_wait *find_wait(struct network *n, uint32_t number)
{
	for (size_t i = 0; i < NETWORK_WAITS_MAX; i++) {
		if (n->waits[i].number && n->waits[i].number == number)
			return &n->waits[i];
	}
	return NULL;
}

static struct network_wait *find_flow(struct network *n, const struct net_flow *flow)
{
	for (size_t i = 0; i < NETWORK_WAITS_MAX; i++) {
		struct network_wait *w = &n->waits[i];

		if (w->number && w->kind == NET_WANT_FLOW && w->flow.version == flow->version &&
		    w->flow.protocol == flow->protocol && w->flow.port == flow->port &&
		    memcmp(w->flow.to, flow->to, sizeof(flow->to)) == 0)
			return w;
	}
	return NULL;
}

struct network_wait *network_wait_new(struct supervise *s)
{
	for (size_t i = 0; i < NETWORK_WAITS_MAX; i++) {
		struct network_wait *w = &s->network.waits[i];

		if (w->number)
			continue;
		memset(w, 0, sizeof(*w));
		if (++s->questions.last_number == 0)
			s->questions.last_number = 1;
		w->number = s->questions.last_number;
		return w;
	}
	return NULL;
}

void network_tell_need(struct supervise *s, const struct network_wait *w)
{
	static struct wr wr;

	chan_begin(&wr, MSG_NET_NEED, s->session);
	wr_u32(&wr, w->number);
	wr_u8(&wr, w->kind);
	wr_u8(&wr, w->flow.version);
	wr_bytes(&wr, w->flow.to, sizeof(w->flow.to));
	wr_u16(&wr, w->flow.port);
	wr_u8(&wr, w->flow.protocol);
	wr_u8(&wr, w->kind == NET_WANT_FLOW ? net_flow_scope(&w->flow) == NET_LOCAL : reach_name_is_local(w->name));
	wr_str(&wr, w->name);
	wr_str(&wr, w->program);
	supervise_tell(s, &wr, NULL, 0);
}

void network_name_program(struct supervise *s, struct network_wait *w, const struct net_flow *from)
{
	who_holds(s->spare.proc, netowner_inode(s->network.sock.diag, from), w->program, sizeof(w->program));
}

static void repeat_one(struct network *n, uint32_t id, uint32_t mark)
{
	struct err err = { 0 };

	if (netqueue_repeat(n->sock.queue, id, mark, &err) < 0)
		log_warn("%s", err.msg);
}

static void drop_one(struct network *n, uint32_t id)
{
	struct err err = { 0 };

	if (netqueue_drop(n->sock.queue, id, &err) < 0)
		log_warn("%s", err.msg);
}

static void repeat_all(struct network *n, struct network_wait *w, uint32_t mark)
{
	for (size_t i = 0; i < w->packet_count; i++)
		repeat_one(n, w->packets[i], mark);
	w->number = 0;
}

/* --- what comes from the queue --- */

static void hold_packet(struct supervise *s, const struct net_packet *p)
{
	struct network *n = &s->network;
	struct network_wait *w;

	/* One that comes back although it was let through, and an installer's: no. */
	if (s->state != SUPERVISE_LIVE || s->kind == SESSION_INSTALL || !p->readable || p->mark == NET_MARK_AGAIN) {
		repeat_one(n, p->id, NET_MARK_REFUSE);
		return;
	}
	w = find_flow(n, &p->flow);
	if (w && w->packet_count < NETWORK_PACKETS_MAX) {
		w->packets[w->packet_count++] = p->id;
		return;
	}
	if (w) { /* a refusal would say that there is no way, before anybody said so */
		drop_one(n, p->id);
		return;
	}
	w = network_wait_new(s);
	if (!w) {
		repeat_one(n, p->id, NET_MARK_REFUSE);
		return;
	}
	w->kind = NET_WANT_FLOW;
	w->flow = p->flow;
	(void)snprintf(w->name, sizeof(w->name), "%s", names_of(n, &p->flow));
	w->packets[w->packet_count++] = p->id;
	network_name_program(s, w, &w->flow);
	network_tell_need(s, w);
}

static void on_queue(void *data, uint32_t events)
{
	struct supervise *s = data;
	struct net_packet packet;
	struct err err = { 0 };
	int n = 0;

	(void)events;
	/* The resolver tells us addresses before it tells the app. */
	names_drain(s);
	for (int i = 0; i < READS_AT_ONCE && (n = netqueue_read(s->network.sock.queue, &packet, &err)) > 0; i++)
		hold_packet(s, &packet);
	if (n < 0)
		fatal("%s", err.msg);
}

int network_start(struct supervise *s)
{
	struct network *n = &s->network;

	if (n->hold == NET_HOLD_NONE)
		return 0;
	if (!loop_add_fd(s->loop, nl_socket_get_fd(n->sock.queue), EPOLLIN, on_queue, s))
		return -1;
	names_start(s);
	return 0;
}

/* --- answers --- */

static void tell_failed(struct supervise *s, const struct network_wait *w, const struct err *err)
{
	static struct wr wr;

	log_warn("%s", err->msg);
	chan_begin(&wr, MSG_ANSWERED, s->session);
	wr_u32(&wr, w->number);
	wr_u16(&wr, GATE_NETWORK);
	wr_u8(&wr, GIVE_ALLOW);
	wr_u32(&wr, (uint32_t)(err->code ? err->code : EIO));
	wr_str(&wr, err->msg);
	wr_u64(&wr, 0);
	wr_u32(&wr, 0);
	supervise_tell(s, &wr, NULL, 0);
}

/* What the rules cannot remember is let through flow by flow. */
static bool is_remembered(const struct net_flow *flow)
{
	return flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP;
}

static void let_through(struct supervise *s, struct network_wait *w, uint8_t lasts, uint64_t ms)
{
	struct network *n = &s->network;
	struct err err = { 0 };
	int rc = 0;

	if (lasts == NET_FOR_ONCE || (lasts == NET_FOR_HOST && !is_remembered(&w->flow))) {
		repeat_all(n, w, NET_MARK_ONCE);
		return;
	}
	if (lasts == NET_FOR_SCOPE)
		rc = netrules_set_scope(n->sock.rules, net_flow_scope(&w->flow), NET_ALLOW, &err);
	else
		rc = netrules_remember(n->sock.rules, &w->flow, true, ms, &err);
	if (rc < 0)
		tell_failed(s, w, &err);
	repeat_all(n, w, rc < 0 ? NET_MARK_REFUSE : NET_MARK_AGAIN);
}

static void refuse(struct supervise *s, struct network_wait *w, uint8_t lasts)
{
	struct network *n = &s->network;
	struct err err = { 0 };

	if (lasts != NET_FOR_ONCE && netrules_remember(n->sock.rules, &w->flow, false, REFUSAL_MS, &err) < 0)
		log_warn("%s", err.msg); /* it is refused all the same, only not as fast */
	repeat_all(n, w, NET_MARK_REFUSE);
}

bool network_handle_answer(struct supervise *s, struct msg *m)
{
	struct network_wait *w = find_wait(&s->network, rd_u32(&m->body));
	uint8_t give = rd_u8(&m->body), lasts = rd_u8(&m->body);
	uint64_t ms = rd_u64(&m->body);

	if (!rd_end(&m->body) || (give != GIVE_NO && give != GIVE_ALLOW) || lasts > NET_FOR_SCOPE)
		return false;
	if (!w)
		return true;
	if (w->kind == NET_WANT_NAME) {
		names_answer(s, w, give == GIVE_ALLOW);
		w->number = 0;
	} else if (give == GIVE_ALLOW) {
		let_through(s, w, lasts, ms);
	} else {
		refuse(s, w, lasts);
	}
	return true;
}

/* --- taking back --- */

struct cut {
	const struct supervise *s;
	char item[REACH_ITEM_SIZE];
};

static bool is_cut(void *data, const struct net_flow *flow)
{
	const struct cut *cut = data;
	struct reach to = { .version = flow->version, .port = flow->port, .local = net_flow_scope(flow) == NET_LOCAL };

	/* What came in: the kernel forgets all flows at a cut, and of one that came in it
	 * would not know any more which way it began. */
	if (flow->protocol == IPPROTO_TCP && listening_is_open(cut->s, flow->source_port))
		return true;
	memcpy(to.to, flow->to, sizeof(to.to));
	(void)snprintf(to.name, sizeof(to.name), "%s", names_of(&cut->s->network, flow));
	return cut->item[0] == '\0' || reach_covers(cut->item, &to) > 0;
}

bool network_handle_revoke(struct supervise *s, struct msg *m)
{
	struct network *n = &s->network;
	struct cut cut = { .s = s };
	struct err err = { 0 };
	static struct wr wr;
	uint32_t count = 0;
	uint8_t cuts = rd_u8(&m->body);

	rd_str(&m->body, cut.item, sizeof(cut.item));
	if (!rd_end(&m->body))
		return false;
	/* First nothing new, then what runs. */
	if (n->hold != NET_HOLD_NONE && netrules_forget(n->sock.rules, &err) == 0 && cuts)
		(void)netcut(n->sock.diag, n->sock.rules, is_cut, &cut, &count, &err);
	if (err.code)
		log_warn("%s", err.msg);
	traffic_tell(s);
	chan_begin(&wr, MSG_REVOKED, s->session);
	wr_u16(&wr, GATE_NETWORK);
	wr_u32(&wr, (uint32_t)err.code);
	wr_u32(&wr, 0);
	supervise_tell(s, &wr, NULL, 0);
	return true;
}

void network_repeat(struct supervise *s)
{
	for (size_t i = 0; i < NETWORK_WAITS_MAX; i++) {
		if (s->network.waits[i].number)
			network_tell_need(s, &s->network.waits[i]);
	}
}
