/* SPDX-License-Identifier: MIT
 *
 * One look at a time. A child in a network namespace of its own sends the packet, so
 * that it comes in as an app's does; the kernel tells which rule ended it. What was seen
 * holds as long as the kernel's count of changes of its rules stands.
 */
#include "cowbelld/firewall.h"

#include "base/fd.h"
#include "base/log.h"
#include "cowbelld/network.h"
#include "policy/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/socket.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define PATIENCE_MS 1000u
#define KNOWN_MAX 8u
#define PORT 443 /* what nearly everybody lets out */

struct look {
	struct look *next;
	uint64_t id;
	uint32_t ticket;
	bool wanted[2]; /* IPv4, IPv6 */
	uint8_t to[2][16];
};

/* What becomes of packets of a version that leave by an interface. */
struct known {
	int family;
	unsigned int index;
	enum firewall_end end;
	struct net_trace trace;
};

struct firewall_check {
	struct daemon *d;
	struct look *looks; /* the first is the one that is under way */
	struct nl_sock *rules;
	int last_slot;

	pid_t pid; /* 0: none is tried now */
	int fd;
	struct loop_source *ready, *heard, *timer;
	struct nl_sock *table, *trace;
	struct session_link link;
	char name[40];
	bool tried[2];
	unsigned int index[2];
	struct net_traces traces;

	uint32_t generation, present;
	struct known known[KNOWN_MAX];
	size_t known_count;
};

static const int families[2] = { AF_INET, AF_INET6 };

static void next(struct firewall_check *c);

/* --- answers --- */

static struct known *find_known(struct firewall_check *c, int family, unsigned int index)
{
	for (size_t i = 0; i < c->known_count && i < KNOWN_MAX; i++) {
		if (c->known[i].family == family && c->known[i].index == index)
			return &c->known[i];
	}
	return NULL;
}

static void write_seen(struct wr *w, int family, const struct known *k, enum firewall_end end)
{
	wr_u8(w, family == AF_INET ? 4 : 6);
	wr_u8(w, (uint8_t)(k ? k->end : end));
	wr_u8(w, k ? k->trace.family : 0);
	wr_u8(w, k && k->trace.by_policy);
	wr_str(w, k ? k->trace.table : "");
	wr_str(w, k ? k->trace.chain : "");
}

static void tell(struct firewall_check *c, const struct look *look)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_FIREWALL_SEEN, look->id);
	wr_u32(w, look->ticket);
	wr_u32(w, c->present);
	wr_u16(w, (uint16_t)(look->wanted[0] + look->wanted[1]));
	for (size_t i = 0; i < 2; i++) {
		struct way way;

		if (!look->wanted[i])
			continue;
		way = network_way(c->d->network, families[i], look->to[i]);
		write_seen(w, families[i], find_known(c, families[i], way.index),
			   way.type == RTN_UNICAST && way.index ? FIREWALL_NOT_SEEN : FIREWALL_OFFLINE);
	}
	chan_send(c->d->broker, w, NULL, 0);
	free(w);
}

static void note_chain(void *data, const char *table, const char *chain)
{
	*(uint32_t *)data |= 1u << firewall_of(table, chain);
}

/* What is known is of the rules as they stand now, or it is forgotten. */
static void look_at_rules(struct firewall_check *c)
{
	uint32_t generation = 0, present = 0;
	struct err err = { 0 };

	if (nettrace_generation(c->rules, &generation, &err) < 0 ||
	    (generation != c->generation && nettrace_chains(c->rules, note_chain, &present, &err) < 0)) {
		log_warn("%s", err.msg);
		generation = 0;
	}
	if (generation && generation == c->generation)
		return;
	c->generation = generation;
	c->present = present;
	c->known_count = 0;
}

/* --- trying --- */

static bool has_legacy(int family)
{
	cleanup_fd int fd = open(family == AF_INET ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names",
				 O_RDONLY | O_CLOEXEC);
	char names[256];
	ssize_t n = fd < 0 ? -1 : read(fd, names, sizeof(names) - 1);

	names[n > 0 ? n : 0] = '\0';
	return strstr(names, "filter") || strstr(names, "mangle");
}

static enum firewall_end end_of(const struct net_trace *t, int family)
{
	switch (t->end) {
	case NET_END_NONE:
		return FIREWALL_NOT_SEEN;
	case NET_END_ARRIVED:
		return has_legacy(family) ? FIREWALL_LEGACY : FIREWALL_HIDDEN;
	case NET_END_THROUGH:
		return FIREWALL_PASSES;
	case NET_END_DROPPED:
		return FIREWALL_DROPS;
	}
	return FIREWALL_NOT_SEEN;
}

/* Its link goes with the child's namespace. */
static void give_up(struct firewall_check *c)
{
	if (c->pid)
		(void)kill(c->pid, SIGKILL);
	c->pid = 0;
	loop_remove(c->ready);
	loop_remove(c->heard);
	loop_remove(c->timer);
	c->ready = c->heard = c->timer = NULL;
	nl_socket_free(c->table);
	nl_socket_free(c->trace);
	c->table = c->trace = NULL;
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	network_release(c->d, &c->link);
}

static void conclude(struct firewall_check *c)
{
	struct look *look = c->looks;
	bool passing = false;

	give_up(c);
	/* After our own table, which counts as a change too. */
	look_at_rules(c);
	for (size_t i = 0; i < 2; i++) {
		struct known *k;

		if (!c->tried[i] || c->traces.of[i].end == NET_END_NONE)
			continue;
		k = &c->known[c->known_count++ % KNOWN_MAX];
		*k = (struct known){ .family = families[i], .index = c->index[i], .trace = c->traces.of[i] };
		k->end = end_of(&k->trace, k->family);
		/* Of what is no rule of nftables nobody tells when it changes. */
		passing |= has_legacy(k->family) || (k->end != FIREWALL_PASSES && k->end != FIREWALL_DROPS);
	}
	tell(c, look);
	if (passing)
		c->known_count = 0;
	c->looks = look->next;
	free(look);
	next(c);
}

static void on_heard(void *data, uint32_t events)
{
	struct firewall_check *c = data;

	(void)events;
	nettrace_read(c->trace, c->name, &c->traces);
	for (size_t i = 0; i < 2; i++) {
		if (c->tried[i] && c->traces.of[i].end <= NET_END_ARRIVED)
			return;
	}
	conclude(c);
}

static void on_late(void *data)
{
	conclude(data);
}

static int make_way(struct firewall_check *c, struct err *err)
{
	struct network *n = c->d->network;
	struct net_addresses addresses;
	cleanup_fd int netns = -1;
	char path[64], link[IF_NAMESIZE];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)c->pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return err_sys(err, "open the network of a look");
	net_addresses_of(&addresses, c->d->instance, n->pool, (uint32_t)c->link.slot);
	addresses.has6 = c->link.has6;
	/* As those of apps begin, for rules go by that. */
	(void)snprintf(link, sizeof(link), NET_LINK_PREFIX "%02x%06x%02x", n->pool & 0xff, n->group & 0xffffff,
		       (unsigned int)c->link.slot & 0xff);
	if (netlink_make(link, n->group, netns, &addresses, err) < 0)
		return -1;
	c->trace = network_socket(NETLINK_NETFILTER, err);
	c->table = c->trace ? network_socket(NETLINK_NETFILTER, err) : NULL;
	if (!c->table || nettrace_load(c->table, c->name, if_nametoindex(link), c->looks->to[0], c->looks->to[1], err) < 0)
		return -1;
	return nettrace_listen(c->trace, err);
}

/* The child has its namespace. Nothing is sent before the table that drops it stands. */
static void on_ready(void *data, uint32_t events)
{
	struct firewall_check *c = data;
	struct err err = { 0 };
	char byte;

	(void)events;
	if (read(c->fd, &byte, 1) != 1)
		(void)err_set(&err, EIO, "a network of its own could not be made");
	else if (make_way(c, &err) == 0) {
		loop_remove(c->ready);
		c->ready = NULL;
		c->heard = loop_add_fd(c->d->loop, nl_socket_get_fd(c->trace), EPOLLIN, on_heard, c);
		if (c->heard && write(c->fd, "", 1) == 1)
			return;
		(void)err_sys(&err, "begin");
	}
	log_warn("the host's firewall is not looked at: %s", err.msg);
	conclude(c);
}

static void send_one(int family, const uint8_t *to)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memcpy(&v4.sin_addr, to, 4);
	memcpy(&v6.sin6_addr, to, 16);
	(void)connect(fd, family == AF_INET ? (const void *)&v4 : (const void *)&v6,
		      family == AF_INET ? sizeof(v4) : sizeof(v6));
}

static void child_main(const struct firewall_check *c, int fd, pid_t parent) __attribute__((noreturn));
static void child_main(const struct firewall_check *c, int fd, pid_t parent)
{
	char byte;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent || dup2(fd, 3) < 0)
		_exit(70);
	/* What cowbelld has is not kept open by us. */
	(void)syscall(SYS_close_range, 4u, ~0u, 0u);
	if (unshare(CLONE_NEWNET) < 0 || write(3, "", 1) != 1 || read(3, &byte, 1) != 1)
		_exit(70);
	for (size_t i = 0; i < 2; i++) {
		if (c->tried[i])
			send_one(families[i], c->looks->to[i]);
	}
	for (;;)
		(void)pause();
}

static void on_child_ended(void *data, int status)
{
	(void)data; /* by our own hand, or the look ends by its time */
	(void)status;
}

static int start(struct firewall_check *c, struct err *err)
{
	pid_t parent = getpid();
	int pair[2];

	if (!network_take_last(c->d, &c->link, &c->last_slot))
		return err_set(err, ENOSPC, "no addresses are left");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "make a socket pair");
	c->fd = pair[0];
	memset(&c->traces, 0, sizeof(c->traces));
	c->pid = fork();
	if (c->pid == 0)
		child_main(c, pair[1], parent);
	(void)close(pair[1]);
	if (c->pid < 0) {
		c->pid = 0;
		return err_sys(err, "start a child");
	}
	children_add(c->d, c->pid, on_child_ended, NULL);
	c->ready = loop_add_fd(c->d->loop, c->fd, EPOLLIN, on_ready, c);
	c->timer = loop_add_timer(c->d->loop, PATIENCE_MS, on_late, c);
	return c->ready && c->timer ? 0 : err_sys(err, "wait for it");
}

/* --- looks --- */

/* Whether something has to be tried for the first look. */
static bool plan(struct firewall_check *c)
{
	const struct look *look = c->looks;

	look_at_rules(c);
	for (size_t i = 0; i < 2; i++) {
		struct way way = { .type = RTN_UNSPEC };

		if (look->wanted[i])
			way = network_way(c->d->network, families[i], look->to[i]);
		c->index[i] = way.index;
		c->tried[i] = way.type == RTN_UNICAST && way.index && !find_known(c, families[i], way.index);
	}
	return c->tried[0] || c->tried[1];
}

static void next(struct firewall_check *c)
{
	struct err err = { 0 };

	while (c->looks && !c->pid) {
		struct look *look = c->looks;

		if (plan(c) && start(c, &err) == 0)
			return;
		if (err.code)
			log_warn("the host's firewall is not looked at: %s", err.msg);
		give_up(c);
		tell(c, look);
		c->looks = look->next;
		free(look);
	}
}

static struct firewall_check *check_of(struct daemon *d)
{
	struct network *n = d->network;
	struct err err = { 0 };

	if (n->check)
		return n->check;
	n->check = xcalloc(1, sizeof(*n->check));
	n->check->d = d;
	n->check->fd = n->check->link.slot = -1;
	(void)snprintf(n->check->name, sizeof(n->check->name), "%s-look", n->table);
	n->check->rules = network_socket(NETLINK_NETFILTER, &err);
	if (!n->check->rules) {
		log_warn("%s", err.msg);
		firewall_close(d);
	}
	return n->check;
}

static void tell_nothing(struct daemon *d, const struct look *look)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_FIREWALL_SEEN, look->id);
	wr_u32(w, look->ticket);
	wr_u32(w, 0);
	wr_u16(w, 0);
	chan_send(d->broker, w, NULL, 0);
	free(w);
}

bool firewall_handle_look(struct daemon *d, struct msg *m)
{
	uint32_t ticket = rd_u32(&m->body);
	uint8_t version = rd_u8(&m->body), address[16];
	struct firewall_check *c;
	struct look *look, **tail;

	rd_bytes(&m->body, address, sizeof(address));
	if (!rd_end(&m->body) || (version != 0 && version != 4 && version != 6))
		return false;
	look = xcalloc(1, sizeof(*look));
	look->id = m->id;
	look->ticket = ticket;
	look->wanted[0] = version != 6;
	look->wanted[1] = version == 6 || (version == 0 && (d->features & FEATURE_NET_IPV6));
	memcpy(look->to[0], version ? address : network_far4, 4);
	memcpy(look->to[1], version ? address : network_far6, 16);
	c = network_is_held(d) ? check_of(d) : NULL;
	if (!c) {
		tell_nothing(d, look);
		free(look);
		return true;
	}
	for (tail = &c->looks; *tail; tail = &(*tail)->next)
		continue;
	*tail = look;
	next(c);
	return true;
}

void firewall_close(struct daemon *d)
{
	struct firewall_check *c = d->network ? d->network->check : NULL;

	if (!c)
		return;
	give_up(c);
	nl_socket_free(c->rules);
	while (c->looks) {
		struct look *look = c->looks;

		c->looks = look->next;
		free(look);
	}
	free(c);
	d->network->check = NULL;
}
