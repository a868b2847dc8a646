/* SPDX-License-Identifier: MIT
 *
 * The link between an app and the host, made while the app's first packet waits.
 * Neighbours are written down, not looked up, and nobody goes on before the
 * host's end is known to be up: a SYN that meets neither is lost for a second.
 */
#include "platform/arm/net.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/neighbour.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define UP_CHECKS 200
#define METRIC6 100u

/* Both ends' hardware addresses; every link is a network of its own. */
static const uint8_t mac_host[6] = { 0x02, 0xcb, 0, 0, 0, 1 }, mac_app[6] = { 0x02, 0xcb, 0, 0, 0, 2 };

static int nl_fail(struct err *err, int code, const char *what)
{
	return err_set(err, EIO, "%s: %s", what, nl_geterror(code));
}

static struct nl_sock *open_route(struct err *err)
{
	struct nl_sock *sock = nl_socket_alloc();
	int r = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;

	if (r == 0)
		return sock;
	nl_socket_free(sock);
	(void)nl_fail(err, r, "open a netlink socket");
	return NULL;
}

/* A socket stays where it was made; its maker comes back. */
static struct nl_sock *open_route_in(int netns, struct err *err)
{
	cleanup_fd int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct nl_sock *sock;

	if (own < 0 || setns(netns, CLONE_NEWNET) < 0) {
		(void)err_sys(err, "enter the app's network");
		return NULL;
	}
	sock = open_route(err);
	if (setns(own, CLONE_NEWNET) < 0)
		abort(); /* everything after it would be done in the wrong place */
	return sock;
}

static void set_mac(struct rtnl_link *link, const uint8_t mac[6])
{
	struct nl_addr *a = nl_addr_build(AF_LLC, mac, 6);

	rtnl_link_set_addr(link, a);
	nl_addr_put(a);
}

/* Chosen, because the kernel takes the peer's only together with ours; out of
 * the way of those that it counts up. Addresses are one system's alone. */
static int index_of(const struct net_addresses *a)
{
	return 0x1c000000 | a->host4[2] << 8 | a->host4[3];
}

static int add_pair(struct nl_sock *host, const char *name, int index, uint32_t group, int netns)
{
	struct rtnl_link *link = rtnl_link_veth_alloc(), *peer;
	int r;

	if (!link)
		return -NLE_NOMEM;
	peer = rtnl_link_veth_get_peer(link);
	rtnl_link_set_name(link, name);
	rtnl_link_set_ifindex(link, index);
	rtnl_link_set_group(link, group);
	set_mac(link, mac_host);
	rtnl_link_set_name(peer, "eth0");
	rtnl_link_set_ifindex(peer, NET_LINK_INDEX);
	rtnl_link_set_ns_fd(peer, netns);
	set_mac(peer, mac_app);
	r = rtnl_link_add(host, link, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(peer);
	rtnl_link_put(link);
	return r;
}

static int find_link(struct nl_sock *host, const char *name, int *index, uint8_t *operstate)
{
	struct rtnl_link *link = NULL;
	int r = rtnl_link_get_kernel(host, 0, name, &link);

	if (r < 0)
		return r;
	*index = rtnl_link_get_ifindex(link);
	*operstate = rtnl_link_get_operstate(link);
	rtnl_link_put(link);
	return 0;
}

static int bring_up(struct nl_sock *sock, int index)
{
	struct rtnl_link *link = rtnl_link_alloc(), *change = rtnl_link_alloc();
	int r = -NLE_NOMEM;

	if (link && change) {
		rtnl_link_set_ifindex(link, index);
		rtnl_link_set_flags(change, IFF_UP);
		r = rtnl_link_change(sock, link, change, 0);
	}
	rtnl_link_put(link);
	rtnl_link_put(change);
	return r;
}

static int add_address(struct nl_sock *sock, int index, int family, const uint8_t *address)
{
	size_t size = family == AF_INET ? 4 : 16;
	struct rtnl_addr *a = rtnl_addr_alloc();
	struct nl_addr *local = nl_addr_build(family, address, size);
	int r = -NLE_NOMEM;

	if (a && local) {
		rtnl_addr_set_ifindex(a, index);
		(void)rtnl_addr_set_local(a, local);
		rtnl_addr_set_prefixlen(a, (int)size * 8 - 1);
		if (family == AF_INET6)
			rtnl_addr_set_flags(a, IFA_F_NODAD);
		r = rtnl_addr_add(sock, a, 0);
	}
	nl_addr_put(local);
	rtnl_addr_put(a);
	return r;
}

static int add_neighbour(struct nl_sock *sock, int index, int family, const uint8_t *address, const uint8_t mac[6])
{
	struct rtnl_neigh *n = rtnl_neigh_alloc();
	struct nl_addr *dst = nl_addr_build(family, address, family == AF_INET ? 4 : 16);
	struct nl_addr *ll = nl_addr_build(AF_LLC, mac, 6);
	int r = -NLE_NOMEM;

	if (n && dst && ll) {
		rtnl_neigh_set_ifindex(n, index);
		rtnl_neigh_set_family(n, family);
		(void)rtnl_neigh_set_dst(n, dst);
		rtnl_neigh_set_lladdr(n, ll);
		rtnl_neigh_set_state(n, NUD_PERMANENT);
		r = rtnl_neigh_add(sock, n, NLM_F_CREATE | NLM_F_REPLACE);
	}
	nl_addr_put(dst);
	nl_addr_put(ll);
	rtnl_neigh_put(n);
	return r;
}

static int add_default(struct nl_sock *sock, int family, const uint8_t *gateway)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *dst = NULL, *via = nl_addr_build(family, gateway, family == AF_INET ? 4 : 16);
	int r = -NLE_NOMEM;

	if (route && hop && via) {
		r = nl_addr_parse(family == AF_INET ? "0.0.0.0/0" : "::/0", family, &dst);
		if (r == 0) {
			rtnl_route_set_family(route, (uint8_t)family);
			(void)rtnl_route_set_dst(route, dst);
			rtnl_route_set_scope(route, RT_SCOPE_UNIVERSE);
			rtnl_route_set_protocol(route, RTPROT_STATIC);
			rtnl_route_set_table(route, RT_TABLE_MAIN);
			rtnl_route_set_priority(route, family == AF_INET ? 0 : METRIC6);
			rtnl_route_nh_set_ifindex(hop, NET_LINK_INDEX);
			rtnl_route_nh_set_gateway(hop, via);
			rtnl_route_add_nexthop(route, hop);
			hop = NULL;
			r = rtnl_route_add(sock, route, 0);
		}
	}
	if (hop)
		rtnl_route_nh_free(hop);
	nl_addr_put(dst);
	nl_addr_put(via);
	rtnl_route_put(route);
	return r;
}

static int set_conf(const char *name, const char *family, const char *key, const char *value, struct err *err)
{
	cleanup_free char *path = xasprintf("/proc/sys/net/%s/conf/%s/%s", family, name, key);
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	return fd < 0 || fd_write_full(fd, value, strlen(value)) < 0 ? err_sys(err, "write '%s'", path) : 0;
}

static int set_host_conf(const char *name, const struct net_addresses *a, struct err *err)
{
	if (set_conf(name, "ipv4", "forwarding", "1", err) < 0 || set_conf(name, "ipv6", "addr_gen_mode", "1", err) < 0)
		return -1;
	return a->has6 ? set_conf(name, "ipv6", "force_forwarding", "1", err) : 0;
}

static int fill_end(struct nl_sock *sock, int index, int family, const uint8_t *own, const uint8_t *other,
		    const uint8_t other_mac[6])
{
	int r = add_address(sock, index, family, own);

	return r < 0 ? r : add_neighbour(sock, index, family, other, other_mac);
}

static int fill(struct nl_sock *host, struct nl_sock *app, int index, const struct net_addresses *a)
{
	int r = fill_end(host, index, AF_INET, a->host4, a->app4, mac_app);

	if (r == 0)
		r = bring_up(host, index);
	if (r == 0)
		r = bring_up(app, NET_LINK_INDEX);
	if (r == 0)
		r = fill_end(app, NET_LINK_INDEX, AF_INET, a->app4, a->host4, mac_host);
	if (r == 0)
		r = add_default(app, AF_INET, a->host4);
	if (r < 0 || !a->has6)
		return r;
	r = fill_end(host, index, AF_INET6, a->host6, a->app6, mac_app);
	if (r == 0)
		r = fill_end(app, NET_LINK_INDEX, AF_INET6, a->app6, a->host6, mac_host);
	return r < 0 ? r : add_default(app, AF_INET6, a->host6);
}

static void remove_link(struct nl_sock *host, const char *name)
{
	struct rtnl_link *link = rtnl_link_alloc();

	if (!link)
		return;
	rtnl_link_set_name(link, name);
	(void)rtnl_link_delete(host, link);
	rtnl_link_put(link);
}

static int build(struct nl_sock *host, struct nl_sock *app, const char *name, uint32_t group, int netns,
		 const struct net_addresses *addresses, struct err *err)
{
	int index = index_of(addresses), r = add_pair(host, name, index, group, netns);
	uint8_t state = 0;

	if (r == -NLE_EXIST) {
		/* An earlier app's, whose network the kernel has not removed yet. */
		remove_link(host, name);
		r = add_pair(host, name, index, group, netns);
	}
	if (r < 0)
		return nl_fail(err, r, "make the app's link");
	r = find_link(host, name, &index, &state);
	if (r == 0 && set_host_conf(name, addresses, err) < 0) {
		remove_link(host, name);
		return -1;
	}
	if (r == 0)
		r = fill(host, app, index, addresses);
	for (int i = 0; r == 0 && i < UP_CHECKS && state != IF_OPER_UP; i++) {
		r = find_link(host, name, &index, &state);
		if (state != IF_OPER_UP)
			(void)usleep(50);
	}
	if (r < 0) {
		remove_link(host, name);
		return nl_fail(err, r, "set up the app's link");
	}
	return 0;
}

int netlink_make(const char *name, uint32_t group, int netns, const struct net_addresses *addresses, struct err *err)
{
	struct nl_sock *host = open_route(err), *app = host ? open_route_in(netns, err) : NULL;
	int r = app ? build(host, app, name, group, netns, addresses, err) : -1;

	nl_socket_free(app);
	nl_socket_free(host);
	return r;
}
