/* SPDX-License-Identifier: MIT
 *
 * Before the link exists every packet's way leads to lo, where the output hook
 * sees it first: that is enough to hold it. Without a queue the routes refuse,
 * which programs take for a no; no route at all they take for a cable to wait for.
 */
#include "platform/arm/net.h"

#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define LO 1
#define DNS_PORT 53
#define LINK_MTU 1500u /* lo's 65536 would make a first SYN promise too much */
#define COLD_METRIC 1000u

static int nl_fail(struct err *err, int code, const char *what)
{
	return err_set(err, EIO, "%s: %s", what, nl_geterror(code));
}

static struct nl_sock *open_socket(int protocol, struct err *err)
{
	struct nl_sock *sock = nl_socket_alloc();
	int r = sock ? nl_connect(sock, protocol) : -NLE_NOMEM;
	const struct timeval patience = { .tv_sec = 5 };

	if (r < 0) {
		nl_socket_free(sock);
		(void)nl_fail(err, r, "open a netlink socket");
		return NULL;
	}
	(void)setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return sock;
}

static int lo_up(struct nl_sock *sock, struct err *err)
{
	struct rtnl_link *lo = rtnl_link_alloc(), *change = rtnl_link_alloc();
	int r = -NLE_NOMEM;

	if (lo && change) {
		rtnl_link_set_ifindex(lo, LO);
		rtnl_link_set_flags(change, IFF_UP);
		r = rtnl_link_change(sock, lo, change, 0);
	}
	rtnl_link_put(lo);
	rtnl_link_put(change);
	return r < 0 ? nl_fail(err, r, "bring up lo") : 0;
}

static int own_address(struct nl_sock *sock, int family, const uint8_t *address, size_t size, struct err *err)
{
	struct rtnl_addr *a = rtnl_addr_alloc();
	struct nl_addr *local = nl_addr_build(family, address, size);
	int r = -NLE_NOMEM;

	if (a && local) {
		rtnl_addr_set_ifindex(a, LO);
		(void)rtnl_addr_set_local(a, local);
		rtnl_addr_set_prefixlen(a, (int)size * 8);
		if (family == AF_INET6)
			rtnl_addr_set_flags(a, IFA_F_NODAD);
		r = rtnl_addr_add(sock, a, 0);
	}
	nl_addr_put(local);
	rtnl_addr_put(a);
	return r < 0 ? nl_fail(err, r, "set the app's address") : 0;
}

/* Everything: type says what becomes of it. */
static int route_all(struct nl_sock *sock, int family, int type, struct err *err)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *dst = NULL;
	bool refuses = type == RTN_PROHIBIT || type == RTN_UNREACHABLE;
	int r = -NLE_NOMEM;

	if (route && hop) {
		r = nl_addr_parse(family == AF_INET ? "0.0.0.0/0" : "::/0", family, &dst);
		if (r == 0) {
			rtnl_route_set_family(route, (uint8_t)family);
			(void)rtnl_route_set_dst(route, dst);
			(void)rtnl_route_set_type(route, (uint8_t)type);
			rtnl_route_set_scope(route, refuses || family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
			rtnl_route_set_protocol(route, RTPROT_STATIC);
			rtnl_route_set_table(route, RT_TABLE_MAIN);
			rtnl_route_set_priority(route, COLD_METRIC);
			if (!refuses) {
				rtnl_route_nh_set_ifindex(hop, LO);
				rtnl_route_add_nexthop(route, hop);
				hop = NULL;
				(void)rtnl_route_set_metric(route, RTAX_MTU, LINK_MTU);
			}
			r = rtnl_route_add(sock, route, 0);
		}
	}
	if (hop)
		rtnl_route_nh_free(hop);
	nl_addr_put(dst);
	rtnl_route_put(route);
	return r < 0 ? nl_fail(err, r, family == AF_INET ? "set the way of IPv4" : "set the way of IPv6") : 0;
}

/* --- sysctls --- */

/* A kernel without IPv6 lacks some of these. */
static int set_sysctl(const char *path, const char *value, struct err *err)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fd_write_full(fd, value, strlen(value)) < 0)
		return err_sys(err, "write '%s'", path);
	return 0;
}

/* More SYNs than the default six: a person may think for longer than two
 * minutes. After connections are cut, their late packets must count as new, so
 * that they are refused and not silently dropped (tcp_loose). */
static int set_sysctls(struct err *err)
{
	static const struct {
		const char *path, *value;
	} values[] = {
		{ "/proc/sys/net/ipv6/conf/all/accept_ra", "0" },
		{ "/proc/sys/net/ipv6/conf/default/accept_ra", "0" },
		{ "/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1" },
		{ "/proc/sys/net/ipv6/conf/all/forwarding", "0" },
		{ "/proc/sys/net/ipv4/ip_forward", "0" },
		{ "/proc/sys/net/ipv4/ping_group_range", "0 4294967294" },
		{ "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0" },
		{ "/proc/sys/net/ipv4/tcp_syn_retries", "9" },
		{ "/proc/sys/net/netfilter/nf_conntrack_tcp_loose", "1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		if (set_sysctl(values[i].path, values[i].value, err) < 0)
			return -1;
	}
	return 0;
}

/* --- the resolver's sockets --- */

static int listen_dns(int family, int type, struct err *err)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const void *to = family == AF_INET ? (const void *)&v4 : (const void *)&v6;
	socklen_t size = family == AF_INET ? sizeof(v4) : sizeof(v6);
	cleanup_fd int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1;

	v4.sin_addr.s_addr = htonl(0x7f000035); /* 127.0.0.53 */
	if (fd < 0 || (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    bind(fd, to, size) < 0 || (type == SOCK_STREAM && listen(fd, 16) < 0))
		return err_sys(err, "listen for the app's look-ups");
	return steal_fd(&fd);
}

static int open_dns(const struct net_addresses *a, struct net_sockets *s, struct err *err)
{
	s->dns_udp = listen_dns(AF_INET, SOCK_DGRAM, err);
	s->dns_tcp = s->dns_udp < 0 ? -1 : listen_dns(AF_INET, SOCK_STREAM, err);
	if (s->dns_tcp < 0)
		return -1;
	if (!a->has6)
		return 0;
	s->dns6_udp = listen_dns(AF_INET6, SOCK_DGRAM, err);
	s->dns6_tcp = s->dns6_udp < 0 ? -1 : listen_dns(AF_INET6, SOCK_STREAM, err);
	return s->dns6_tcp < 0 ? -1 : 0;
}

/* --- putting it together --- */

static int refuse_all(struct nl_sock *route, bool v6, struct err *err)
{
	if (route_all(route, AF_INET, RTN_PROHIBIT, err) < 0)
		return -1;
	return v6 ? route_all(route, AF_INET6, RTN_PROHIBIT, err) : 0;
}

static int hold_all(struct nl_sock *route, bool v6, enum net_hold hold, const struct net_addresses *a,
		    struct net_sockets *s, struct err *err)
{
	s->dns_udp = s->dns_tcp = s->dns6_udp = s->dns6_tcp = -1;
	s->rules = open_socket(NETLINK_NETFILTER, err);
	s->queue = s->rules ? open_socket(NETLINK_NETFILTER, err) : NULL;
	s->diag = s->queue ? open_socket(NETLINK_SOCK_DIAG, err) : NULL;
	s->spent = s->diag ? open_socket(NETLINK_NETFILTER, err) : NULL;
	if (!s->spent || netrules_load(s->rules, hold, a, err) < 0 || netqueue_open(s->queue, err) < 0)
		return -1;
	if (own_address(route, AF_INET, a->app4, 4, err) < 0 || route_all(route, AF_INET, RTN_UNICAST, err) < 0 ||
	    open_dns(a, s, err) < 0)
		return -1;
	if (!v6)
		return 0;
	/* Where the host cannot forward it, programs must go on to IPv4 at once. */
	if (!a->has6)
		return route_all(route, AF_INET6, RTN_UNREACHABLE, err);
	return own_address(route, AF_INET6, a->app6, 16, err) < 0 ? -1 : route_all(route, AF_INET6, RTN_LOCAL, err);
}

int netcold_enter(enum net_hold hold, const struct net_addresses *addresses, struct net_sockets *ret, struct err *err)
{
	struct nl_sock *route;
	bool v6;
	int r = -1;

	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(err, "make a network namespace");
	if (set_sysctls(err) < 0)
		return -1;
	route = open_socket(NETLINK_ROUTE, err);
	if (!route)
		return -1;
	v6 = access("/proc/sys/net/ipv6", F_OK) == 0;
	if (lo_up(route, err) == 0)
		r = hold == NET_HOLD_NONE ? refuse_all(route, v6, err) : hold_all(route, v6, hold, addresses, ret, err);
	nl_socket_free(route);
	return r;
}

/* --- the probe --- */

static void try_one(enum net_hold hold) __attribute__((noreturn));
static void try_one(enum net_hold hold)
{
	struct net_addresses addresses;
	struct net_sockets sockets;
	struct err err = { 0 };

	net_addresses_of(&addresses, 0, 0, 0);
	addresses.has6 = access("/proc/sys/net/ipv6", F_OK) == 0;
	_exit(netcold_enter(hold, &addresses, &sockets, &err) < 0 ? 1 : 0);
}

enum net_hold netcold_probe(struct err *err)
{
	static const enum net_hold kinds[] = { NET_HOLD_QUEUE, NET_HOLD_COMPAT };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		pid_t pid = fork();
		int status;

		if (pid < 0) {
			(void)err_sys(err, "try the packet queue");
			return NET_HOLD_NONE;
		}
		if (pid == 0)
			try_one(kinds[i]);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return kinds[i];
	}
	(void)err_set(err, ENOTSUP, "this kernel cannot hold packets (nft_queue, or nft_compat with xt_NFQUEUE)");
	return NET_HOLD_NONE;
}
