/* SPDX-License-Identifier: MIT
 *
 * The host's side of apps' networks: one table, one link a session that was
 * asked for, and forwarding on the interfaces that granted traffic takes.
 * Everything that is changed is undone at the end; what a killed cowbelld left
 * stands in a file, and the next start undoes it.
 */
#include "cowbelld/firewall.h"
#include "cowbelld/network.h"
#include "cowbelld/uplink.h"

#include "base/fd.h"
#include "base/log.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/netlink.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CLAIM_POOLS 4096u /* beside the blocks of ids, on the same inode */
#define UNDO_FILE "network.undo"
#define UNDO_MAX 65536u
#define TABLE_TRIES 60 /* of 50 ms */

static struct network *network_of(struct daemon *d)
{
	if (!d->network) {
		d->network = xcalloc(1, sizeof(*d->network));
		d->network->last_fd = -1;
	}
	return d->network;
}

struct nl_sock *network_socket(int protocol, struct err *err)
{
	struct nl_sock *sock = nl_socket_alloc();
	const struct timeval patience = { .tv_sec = 5 };

	if (!sock || nl_connect(sock, protocol) < 0) {
		nl_socket_free(sock);
		(void)err_set(err, EIO, "open a netlink socket");
		return NULL;
	}
	(void)setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return sock;
}

/* --- forwarding, and its undo --- */

static int write_value(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = fd_write_full(fd, value, strlen(value));
	(void)close(fd);
	return rc;
}

static bool reads_as(const char *path, const char *value)
{
	char buf[8] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		(void)close(fd);
	return n > 0 && buf[0] == value[0] && (buf[1] == '\n' || buf[1] == '\0');
}

static void undo_all(char *lines)
{
	char *save = NULL;

	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *space = strchr(line, ' ');

		/* An interface that is gone took its settings along. */
		if (space && strncmp(line, "/proc/sys/net/", 14) == 0 && !strstr(line, "..")) {
			*space = '\0';
			(void)write_value(line, space + 1);
		}
	}
}

static int note_undo(struct daemon *d, const char *path, const char *value, struct err *err)
{
	struct network *n = d->network;
	cleanup_free char *line = xasprintf("%s %s\n", path, value);
	cleanup_fd int fd = -1;
	char *all;

	if (n->undo && strstr(n->undo, line)) /* an interface that went and came back */
		return 0;
	all = xasprintf("%s%s", n->undo ? n->undo : "", line);
	free(n->undo);
	n->undo = all;
	fd = openat(d->lock_fd, UNDO_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fd_write_full(fd, all, strlen(all)) < 0)
		return err_sys(err, "write '%s/" UNDO_FILE "'", d->state);
	return 0;
}

/* Off before: it is turned on, and the table keeps everybody else from it. */
static int open_forwarding(struct daemon *d, unsigned int index, const char *family, const char *key, struct err *err)
{
	char name[IF_NAMESIZE], path[128];

	if (!if_indextoname(index, name))
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, name, key);
	if (!reads_as(path, "0"))
		return 0;
	if (nethost_opened(d->network->table_sock, d->network->table, index, err) < 0 ||
	    note_undo(d, path, "0", err) < 0)
		return -1;
	return write_value(path, "1") < 0 ? err_sys(err, "write '%s'", path) : 0;
}

/* --- where a packet would go --- */

struct way network_way(struct network *n, int family, const uint8_t *address)
{
	struct nl_addr *dst = nl_addr_build(family, address, family == AF_INET ? 4 : 16);
	struct rtnl_route *route = NULL;
	struct way way = { .type = RTN_UNSPEC };

	if (dst && rtnl_route_lookup(n->route, dst, &route) == 0 && route) {
		struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);

		way.type = rtnl_route_get_type(route);
		way.index = hop ? (unsigned int)rtnl_route_nh_get_ifindex(hop) : 0;
	}
	rtnl_route_put(route);
	nl_addr_put(dst);
	return way;
}

/* Anywhere on the internet stands for all of it. */
const uint8_t network_far4[4] = { 1, 1, 1, 1 }, network_far6[16] = { 0x20, [15] = 1 };

struct way network_uplink(struct network *n, int family)
{
	return network_way(n, family, family == AF_INET ? network_far4 : network_far6);
}

/* Only where it takes nothing from the host: turning it on as a whole would stop
 * the host from listening to its own router. */
static bool can_forward6(struct network *n)
{
	if (!reads_as("/proc/sys/net/ipv6/conf/all/forwarding", "1") &&
	    access("/proc/sys/net/ipv6/conf/all/force_forwarding", F_OK) < 0)
		return false;
	return network_uplink(n, AF_INET6).type == RTN_UNICAST;
}

static int open_ways(struct daemon *d, const struct way *asked, bool has6, struct err *err)
{
	struct way ways[3] = { *asked, network_uplink(d->network, AF_INET) };

	if (has6)
		ways[2] = network_uplink(d->network, AF_INET6);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (ways[i].type != RTN_UNICAST || !ways[i].index)
			continue;
		if (open_forwarding(d, ways[i].index, "ipv4", "forwarding", err) < 0)
			return -1;
		if (has6 && !reads_as("/proc/sys/net/ipv6/conf/all/forwarding", "1") &&
		    open_forwarding(d, ways[i].index, "ipv6", "force_forwarding", err) < 0)
			return -1;
	}
	return 0;
}

/* Who comes may come by any interface, not only by the one that leads to the internet. */
int network_open_arrivals(struct daemon *d, struct err *err)
{
	struct if_nameindex *all = if_nameindex();
	int rc = 0;

	if (!all)
		return err_sys(err, "list this device's interfaces");
	for (const struct if_nameindex *i = all; i->if_index && rc == 0; i++) {
		if (strcmp(i->if_name, "lo") != 0 && strncmp(i->if_name, NET_LINK_PREFIX, strlen(NET_LINK_PREFIX)) != 0)
			rc = open_forwarding(d, i->if_index, "ipv4", "forwarding", err);
	}
	if_freenameindex(all);
	return rc;
}

static void on_ways_changed(void *data)
{
	static const struct way none = { .type = RTN_UNSPEC };
	struct daemon *d = data;
	struct err err = { 0 };
	bool has6;

	/* Where no app has a link yet, its first answer opens the way. */
	if (sessions_linked(d, &has6) && open_ways(d, &none, has6, &err) < 0)
		log_warn("apps cannot use the new uplink: %s", err.msg);
	if (listen_any(d) && network_open_arrivals(d, &err) < 0)
		log_warn("apps cannot be reached by a new interface: %s", err.msg);
}

/* --- beginning and end --- */

static int claim_pool(struct daemon *d, struct err *err)
{
	for (uint32_t pool = 0; pool < NET_POOLS; pool++) {
		struct net_addresses a;
		struct way way;
		int rc;

		/* Somebody has a use of his own for these addresses. */
		net_addresses_of(&a, d->instance, pool, 0);
		way = network_way(d->network, AF_INET, a.host4);
		if (way.type != RTN_UNSPEC && way.index && way.index != network_uplink(d->network, AF_INET).index)
			continue;
		rc = claim_take(d->claim_fd, CLAIM_POOLS + pool, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		d->network->pool = pool;
		return 0;
	}
	return err_set(err, ENOSPC, "no addresses for apps are left in 198.18.0.0/16");
}

static void undo_earlier(struct daemon *d)
{
	cleanup_free char *text = NULL;
	struct err err = { 0 };

	if (fd_read_file(d->lock_fd, UNDO_FILE, UNDO_MAX, &text, NULL, &err) == 0)
		undo_all(text);
	(void)unlinkat(d->lock_fd, UNDO_FILE, 0);
}

/* The table of a cowbelld that was killed stands until its apps' links are gone. */
static int load_table(struct network *n, struct err *err)
{
	for (int i = 0; i < TABLE_TRIES; i++) {
		*err = (struct err){ 0 };
		if (nethost_load(n->table_sock, n->table, n->group, err) == 0)
			return 0;
		if (err->code != EPERM)
			break;
		(void)usleep(50000);
	}
	return -1;
}

static int open_network(struct daemon *d, struct err *err)
{
	struct network *n = network_of(d);
	enum net_hold hold = netcold_probe(err);

	if (hold == NET_HOLD_NONE)
		return -1;
	n->route = network_socket(NETLINK_ROUTE, err);
	n->table_sock = n->route ? network_socket(NETLINK_NETFILTER, err) : NULL;
	n->group = net_group_of(d->instance);
	(void)snprintf(n->table, sizeof(n->table), "cowbell-%016llx", (unsigned long long)d->instance);
	if (!n->table_sock || claim_pool(d, err) < 0 || load_table(n, err) < 0 || network_last_start(n, err) < 0)
		return -1;
	n->hold = hold;
	return 0;
}

void network_open(struct daemon *d)
{
	struct err err = { 0 };

	undo_earlier(d);
	if (open_network(d, &err) < 0)
		log_warn("apps get no network: %s", err.msg);
	else
		d->features |= d->network->hold == NET_HOLD_QUEUE ? FEATURE_NET_QUEUE : FEATURE_NET_COMPAT;
	if (d->network->hold && can_forward6(d->network))
		d->features |= FEATURE_NET_IPV6;
}

int network_watch(struct daemon *d, struct err *err)
{
	if (!network_is_held(d))
		return 0;
	d->network->uplink = uplink_watch(d->loop, on_ways_changed, d, err);
	return d->network->uplink ? 0 : -1;
}

void network_close(struct daemon *d)
{
	struct network *n = d->network;

	if (!n)
		return;
	firewall_close(d);
	if (n->undo)
		undo_all(n->undo);
	(void)unlinkat(d->lock_fd, UNDO_FILE, 0);
	uplink_free(n->uplink);
	network_last_stop(n);
	listen_close(n);
	nl_socket_free(n->table_sock); /* the table goes with it */
	nl_socket_free(n->route);
	free(n->undo);
	free(n);
	d->network = NULL;
}

bool network_is_held(const struct daemon *d)
{
	return d->network && d->network->hold != NET_HOLD_NONE;
}

/* --- sessions --- */

static bool take(struct network *n, int slot, struct session_link *link)
{
	if (n->slots[slot])
		return false;
	n->slots[slot] = true;
	*link = (struct session_link){ .slot = slot, .has6 = can_forward6(n) };
	return true;
}

/* A link lives a moment longer than the process that had it: no slot is taken that was
 * given back just now. */
bool network_take_last(struct daemon *d, struct session_link *link, int *last)
{
	for (int i = 0; i < (int)NET_SLOTS; i++) {
		*last = *last > 0 ? *last - 1 : (int)NET_SLOTS - 1;
		if (take(d->network, *last, link))
			return true;
	}
	return false;
}

void network_prepare(struct daemon *d, struct prepare *p, struct session_link *link)
{
	struct network *n = d->network;

	link->slot = -1;
	if (!network_is_held(d))
		return;
	for (unsigned int i = 0; i < NET_SLOTS && link->slot < 0; i++)
		(void)take(n, (int)((n->next_slot + i) % NET_SLOTS), link);
	if (link->slot < 0) {
		log_warn("more than %u sessions: this one gets no network", NET_SLOTS);
		return;
	}
	n->next_slot = (unsigned int)link->slot + 1;
	p->hold = (uint8_t)n->hold;
	p->has6 = link->has6;
	p->instance = d->instance;
	p->pool = n->pool;
	p->slot = (uint32_t)link->slot;
}

void network_release(struct daemon *d, struct session_link *link)
{
	if (link->slot >= 0 && d->network)
		d->network->slots[link->slot] = false;
	link->slot = -1;
}

static int make_link(struct daemon *d, pid_t pid, struct session_link *link, struct err *err)
{
	struct network *n = d->network;
	struct net_addresses addresses;
	cleanup_fd int netns = -1;
	char path[64], name[IF_NAMESIZE];

	if (link->made)
		return 0;
	if (link->slot < 0)
		return err_set(err, ENOTSUP, "this session has no network");
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return err_sys(err, "open the app's network");
	net_addresses_of(&addresses, d->instance, n->pool, (uint32_t)link->slot);
	addresses.has6 = link->has6;
	(void)snprintf(name, sizeof(name), NET_LINK_PREFIX "%02x%06x%02x", n->pool & 0xff, n->group & 0xffffff,
		       (unsigned int)link->slot & 0xff);
	if (netlink_make(name, n->group, netns, &addresses, err) < 0)
		return -1;
	link->made = true;
	return 0;
}

int network_make_link(struct daemon *d, pid_t pid, struct session_link *link, struct err *err)
{
	const struct way none = { .type = RTN_UNSPEC };

	return open_ways(d, &none, link->has6, err) < 0 ? -1 : make_link(d, pid, link, err);
}

static void tell_linked(struct daemon *d, uint64_t session, uint32_t question, bool own, const struct err *err)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_NET_LINKED, session);
	wr_u32(w, question);
	wr_u8(w, own);
	wr_u32(w, (uint32_t)err->code);
	wr_str(w, err->msg);
	chan_send(d->broker, w, NULL, 0);
	free(w);
}

bool network_handle_link(struct daemon *d, struct msg *m)
{
	uint32_t question = rd_u32(&m->body);
	uint8_t version = rd_u8(&m->body), address[16];
	struct session_link *link;
	struct way way = { .type = RTN_UNSPEC };
	struct err err = { 0 };
	pid_t pid;

	rd_bytes(&m->body, address, sizeof(address));
	if (!rd_end(&m->body) || (version != 0 && version != 4 && version != 6))
		return false;
	link = session_link(d, m->id, &pid);
	if (!network_is_held(d) || !link) {
		(void)err_set(&err, ESRCH, "the session has no network");
	} else {
		if (version)
			way = network_way(d->network, version == 4 ? AF_INET : AF_INET6, address);
		if (way.type == RTN_UNSPEC || way.type == RTN_UNICAST)
			(void)(open_ways(d, &way, link->has6, &err) < 0 || make_link(d, pid, link, &err) < 0);
	}
	if (err.code)
		log_warn("%s", err.msg);
	tell_linked(d, m->id, question, way.type != RTN_UNSPEC && way.type != RTN_UNICAST, &err);
	return true;
}

/* --- the resolver --- */

static void on_resolver_ended(void *data, int status)
{
	(void)data; /* its supervisor hears it on their channel */
	(void)status;
}

int network_start_resolver(struct daemon *d, const struct session_link *link, struct err *err)
{
	uid_t uid = d->broker_uid + 512 + (uid_t)(link->slot >= 0 ? link->slot : 0);
	struct spawn spawn = { .program = "cowbell-dns", .second = -1, .as_user = true, .uid = uid, .gid = uid };
	int pair[2];
	pid_t pid;

	if (chan_pair(pair, err) < 0)
		return -1;
	spawn.fd = pair[1];
	pid = children_spawn(d, &spawn, err);
	(void)close(pair[1]);
	if (pid < 0) {
		(void)close(pair[0]);
		return -1;
	}
	children_add(d, pid, on_resolver_ended, NULL);
	return pair[0];
}
