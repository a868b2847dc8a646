/* SPDX-License-Identifier: MIT
 *
 * What went through the app's network, read from the kernel when somebody asks,
 * and caps, which the kernel keeps by itself. Nothing here runs while nobody
 * looks.
 */
#include "supervise/supervise.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define HOSTS_TOLD_MAX 64u

struct host {
	bool local;
	char name[REACH_ITEM_SIZE];
	struct net_bytes bytes;
};

static void add_bytes(struct net_bytes *to, const struct net_bytes *b)
{
	to->up += b->up;
	to->down += b->down;
	to->flows += b->flows;
	to->refused += b->refused;
}

/* By the name under which the app looked the address up, else by the address. */
static size_t name_hosts(const struct network *n, const struct net_counts *c, struct host *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < c->host_count; i++) {
		struct reach to = { .version = c->hosts[i].version };
		struct net_flow flow = { .version = c->hosts[i].version };
		struct host h = { .local = false };
		size_t k = 0;

		memcpy(flow.to, c->hosts[i].to, sizeof(flow.to));
		memcpy(to.to, c->hosts[i].to, sizeof(to.to));
		h.local = to.local = net_flow_scope(&flow) == NET_LOCAL;
		(void)snprintf(to.name, sizeof(to.name), "%s", names_of(n, &flow));
		reach_item_of(&to, h.name);
		while (k < count && (ret[k].local != h.local || strcmp(ret[k].name, h.name) != 0))
			k++;
		if (k == count)
			ret[count++] = h;
		add_bytes(&ret[k].bytes, &c->hosts[i].bytes);
	}
	return count;
}

static uint64_t size_of(const struct host *h)
{
	return h->bytes.up + h->bytes.down + h->bytes.flows + h->bytes.refused;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = size_of(a), y = size_of(b);

	return x > y ? -1 : x < y;
}

static void write_bytes(struct wr *w, const struct net_bytes *b)
{
	wr_u64(w, b->up);
	wr_u64(w, b->down);
	wr_u64(w, b->flows);
	wr_u64(w, b->refused);
}

static void tell(struct supervise *s, uint32_t ticket, unsigned int spent)
{
	struct net_counts *c = xcalloc(1, sizeof(*c));
	struct host *hosts = xcalloc(2 * NET_HOSTS_MAX, sizeof(*hosts));
	struct err err = { 0 };
	static struct wr w;
	size_t count = 0;

	if (s->network.hold != NET_HOLD_NONE && netcount_read(s->network.sock.rules, c, &err) < 0)
		log_warn("%s", err.msg);
	count = name_hosts(&s->network, c, hosts);
	qsort(hosts, count, sizeof(*hosts), by_size);
	chan_begin(&w, MSG_NET_TRAFFIC, s->session);
	wr_u32(&w, ticket);
	wr_u8(&w, (uint8_t)spent);
	write_bytes(&w, &c->of[NET_INTERNET]);
	write_bytes(&w, &c->of[NET_LOCAL]);
	count = count < HOSTS_TOLD_MAX ? count : HOSTS_TOLD_MAX;
	wr_u16(&w, (uint16_t)count);
	for (size_t i = 0; i < count; i++) {
		wr_u8(&w, hosts[i].local);
		wr_str(&w, hosts[i].name);
		write_bytes(&w, &hosts[i].bytes);
	}
	supervise_tell(s, &w, NULL, 0);
	free(hosts);
	free(c);
}

void traffic_tell(struct supervise *s)
{
	if (s->network.hold != NET_HOLD_NONE)
		tell(s, 0, 0);
}

bool traffic_handle_count(struct supervise *s, struct msg *m)
{
	uint32_t ticket = rd_u32(&m->body);

	if (!rd_end(&m->body) || ticket == 0)
		return false;
	tell(s, ticket, 0);
	return true;
}

/* --- caps --- */

static bool is_spent(void *data, const struct net_flow *flow)
{
	const unsigned int *scopes = data;

	return (*scopes >> net_flow_scope(flow) & 1) != 0;
}

/* The rules refuse what is over; who waits for what comes in hears of it only so. */
static void on_spent(void *data, uint32_t events)
{
	struct supervise *s = data;
	struct network *n = &s->network;
	unsigned int scopes = netcount_spent(n->sock.spent);
	struct err err = { 0 };
	uint32_t count;

	(void)events;
	if (!scopes)
		return;
	if (netcut(n->sock.diag, n->sock.rules, is_spent, &scopes, &count, &err) < 0)
		log_warn("%s", err.msg);
	tell(s, 0, scopes);
}

static int set_cap(struct supervise *s, enum net_scope scope, uint64_t bytes, struct err *err)
{
	struct network *n = &s->network;

	if (!n->spent) {
		if (netcount_listen(n->sock.spent, err) < 0)
			return -1;
		n->spent = loop_add_fd(s->loop, nl_socket_get_fd(n->sock.spent), EPOLLIN, on_spent, s);
		if (!n->spent)
			return err_sys(err, "hear of caps");
	}
	return netcount_cap(n->sock.rules, scope, bytes, err);
}

bool traffic_handle_cap(struct supervise *s, struct msg *m)
{
	uint8_t scope = rd_u8(&m->body);
	uint64_t bytes = rd_u64(&m->body);
	struct err err = { 0 };

	if (!rd_end(&m->body) || scope > NET_LOCAL)
		return false;
	/* A cap that cannot be kept is not passed over. */
	if (s->network.hold != NET_HOLD_NONE && set_cap(s, (enum net_scope)scope, bytes, &err) < 0)
		fatal("%s", err.msg);
	return true;
}
