/* SPDX-License-Identifier: MIT
 *
 * The socket behind a packet that waits. Its number is the kernel's word
 * (sock_diag, in the app's namespace); whose descriptor it is stands in /proc.
 */
#include "platform/arm/net.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#define LIST_TRIES 3

struct wanted {
	const struct net_flow *flow;
	uint32_t inode, loose; /* exactly this flow; the port alone */
};

static bool is_to(const struct inet_diag_msg *d, const struct net_flow *flow)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *dst = (const uint8_t *)d->id.idiag_dst;

	if (ntohs(d->id.idiag_dport) != flow->port)
		return false;
	if (flow->version == 4 && d->idiag_family == AF_INET6)
		return memcmp(dst, mapped, sizeof(mapped)) == 0 && memcmp(dst + 12, flow->to, 4) == 0;
	return memcmp(dst, flow->to, flow->version == 4 ? 4 : 16) == 0;
}

static bool has_address(const struct net_flow *flow)
{
	static const uint8_t none[16];

	return memcmp(flow->to, none, sizeof(none)) != 0;
}

static int on_socket(struct nl_msg *msg, void *data)
{
	const struct inet_diag_msg *d = nlmsg_data(nlmsg_hdr(msg));
	struct wanted *w = data;

	if (nlmsg_datalen(nlmsg_hdr(msg)) < (int)sizeof(*d) || ntohs(d->id.idiag_sport) != w->flow->source_port ||
	    !d->idiag_inode)
		return NL_OK;
	if (is_to(d, w->flow))
		w->inode = d->idiag_inode;
	/* Not connected, and sent from there to anybody; or nobody knows where it led. */
	else if (w->flow->protocol == IPPROTO_UDP || (!has_address(w->flow) && ntohs(d->id.idiag_dport) == w->flow->port))
		w->loose = d->idiag_inode;
	return NL_OK;
}

static void list(struct nl_sock *diag, uint8_t family, struct wanted *w)
{
	struct inet_diag_req_v2 req = {
		.sdiag_family = family, .sdiag_protocol = w->flow->protocol, .idiag_states = ~0u };

	(void)nl_socket_modify_cb(diag, NL_CB_VALID, NL_CB_CUSTOM, on_socket, w);
	for (int i = 0; i < LIST_TRIES; i++) {
		int r = nl_send_simple(diag, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));

		if (r >= 0)
			r = nl_recvmsgs_default(diag);
		if (r != -NLE_DUMP_INTR) /* something changed in the middle */
			return;
	}
}

uint32_t netowner_inode(struct nl_sock *diag, const struct net_flow *flow)
{
	struct wanted w = { .flow = flow };

	if (flow->protocol != IPPROTO_TCP && flow->protocol != IPPROTO_UDP)
		return 0;
	if (flow->version == 4)
		list(diag, AF_INET, &w);
	if (!w.inode)
		list(diag, AF_INET6, &w);
	return w.inode ? w.inode : w.loose;
}
