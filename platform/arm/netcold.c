/* SPDX-License-Identifier: MIT
 *
 * The routes are of type prohibit, not absent: without a route connect(2)
 * fails too, but as ENETUNREACH, which programs take for a cable to wait for.
 */
#include "platform/arm/netcold.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <sched.h>
#include <string.h>

static int nl_fail(struct err *err, int code, const char *what)
{
	return err_set(err, EIO, "%s: %s", what, nl_geterror(code));
}

static int lo_up(struct nl_sock *sock, struct err *err)
{
	struct rtnl_link *lo = rtnl_link_alloc(), *change = rtnl_link_alloc();
	int r = -NLE_NOMEM;

	if (lo && change) {
		rtnl_link_set_ifindex(lo, 1);
		rtnl_link_set_flags(change, IFF_UP);
		r = rtnl_link_change(sock, lo, change, 0);
	}
	rtnl_link_put(lo);
	rtnl_link_put(change);
	return r < 0 ? nl_fail(err, r, "bring up lo") : 0;
}

static int refuse_rest(struct nl_sock *sock, int family, const char *all, struct err *err)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct nl_addr *dst = NULL;
	int r = -NLE_NOMEM;

	if (route) {
		r = nl_addr_parse(all, family, &dst);
		if (r == 0) {
			rtnl_route_set_family(route, (uint8_t)family);
			(void)rtnl_route_set_dst(route, dst);
			(void)rtnl_route_set_type(route, RTN_PROHIBIT);
			rtnl_route_set_scope(route, RT_SCOPE_UNIVERSE);
			rtnl_route_set_protocol(route, RTPROT_STATIC);
			rtnl_route_set_table(route, RT_TABLE_MAIN);
			r = rtnl_route_add(sock, route, 0);
		}
	}
	nl_addr_put(dst);
	rtnl_route_put(route);
	return r < 0 ? nl_fail(err, r, family == AF_INET ? "refuse IPv4" : "refuse IPv6") : 0;
}

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

static int set_sysctls(struct err *err)
{
	if (set_sysctl("/proc/sys/net/ipv6/conf/all/accept_ra", "0", err) < 0 ||
	    set_sysctl("/proc/sys/net/ipv6/conf/default/accept_ra", "0", err) < 0 ||
	    set_sysctl("/proc/sys/net/ipv4/ping_group_range", "0 4294967294", err) < 0)
		return -1;
	return set_sysctl("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0", err);
}

int netcold_enter(struct err *err)
{
	struct nl_sock *sock;
	int r;

	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(err, "make a network namespace");
	if (set_sysctls(err) < 0)
		return -1;
	sock = nl_socket_alloc();
	if (!sock)
		return nl_fail(err, -NLE_NOMEM, "open a netlink socket");
	r = nl_connect(sock, NETLINK_ROUTE);
	if (r < 0)
		r = nl_fail(err, r, "open a netlink socket");
	else if (lo_up(sock, err) < 0 || refuse_rest(sock, AF_INET, "0.0.0.0/0", err) < 0 ||
		 (access("/proc/sys/net/ipv6", F_OK) == 0 && refuse_rest(sock, AF_INET6, "::/0", err) < 0))
		r = -1;
	nl_socket_free(sock);
	return r < 0 ? -1 : 0;
}
