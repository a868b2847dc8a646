/* SPDX-License-Identifier: MIT
 *
 * What the kernel tells about links, addresses and routes. None of it is read: a
 * message only says that it is time to look again.
 */
#include "cowbelld/uplink.h"

#include "base/mem.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct uplink {
	struct nl_sock *sock;
	struct loop_source *source;
	loop_fn changed;
	void *data;
};

static void on_told(void *data, uint32_t events)
{
	struct uplink *u = data;
	char buf[64]; /* the rest of a message is cut off by the kernel */
	ssize_t n;

	(void)events;
	/* ENOBUFS: some were lost, and that is news too. */
	do {
		n = recv(nl_socket_get_fd(u->sock), buf, sizeof(buf), MSG_DONTWAIT);
	} while (n > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR)));
	u->changed(u->data);
}

struct uplink *uplink_watch(struct loop *loop, loop_fn changed, void *data, struct err *err)
{
	/* A link that goes down takes IPv4 routes along without a word about them. */
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_IFADDR,
				      RTNLGRP_IPV6_ROUTE };
	struct uplink *u = xcalloc(1, sizeof(*u));
	int r;

	u->changed = changed;
	u->data = data;
	u->sock = nl_socket_alloc();
	r = u->sock ? nl_connect(u->sock, NETLINK_ROUTE) : -NLE_NOMEM;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(groups); i++)
		r = nl_socket_add_membership(u->sock, groups[i]);
	u->source = r == 0 ? loop_add_fd(loop, nl_socket_get_fd(u->sock), EPOLLIN, on_told, u) : NULL;
	if (u->source)
		return u;
	(void)(r < 0 ? err_set(err, EIO, "watch the host's routes: %s", nl_geterror(r)) : err_sys(err, "watch the host's routes"));
	uplink_free(u);
	return NULL;
}

void uplink_free(struct uplink *u)
{
	if (!u)
		return;
	loop_remove(u->source);
	nl_socket_free(u->sock);
	free(u);
}
