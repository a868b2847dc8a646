/* SPDX-License-Identifier: MIT
 *
 * Taking back what runs. Sockets are destroyed, so that also a reader who never
 * sends hears of it; then the tracked state goes, so that no later packet counts
 * as part of an old flow.
 */
#include "platform/arm/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netfilter/ct.h>
#include <netlink/netlink.h>
#include <string.h>

#define SOCKETS_MAX 4096u
#define TCP_LISTENING 10
#define LIST_TRIES 10

struct found {
	bool (*which)(void *data, const struct net_flow *flow);
	void *data;
	uint8_t protocol;
	struct inet_diag_req_v2 of[SOCKETS_MAX];
	size_t count;
};

static bool leaves(const struct net_flow *f)
{
	static const uint8_t loopback6[16] = { [15] = 1 }, none[16], mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (f->version == 4)
		return f->to[0] != 127 && memcmp(f->to, none, 4) != 0;
	if (memcmp(f->to, mapped, sizeof(mapped)) == 0)
		return f->to[12] != 127;
	return memcmp(f->to, loopback6, 16) != 0 && memcmp(f->to, none, 16) != 0;
}

static int on_socket(struct nl_msg *msg, void *data)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct inet_diag_msg *d = nlmsg_data(nlmsg_hdr(msg));
	struct found *found = data;
	struct net_flow flow = { .protocol = found->protocol };

	if (nlmsg_datalen(nlmsg_hdr(msg)) < (int)sizeof(*d) || d->idiag_state == TCP_LISTENING ||
	    found->count == SOCKETS_MAX)
		return NL_OK;
	flow.version = d->idiag_family == AF_INET ? 4 : 6;
	flow.port = ntohs(d->id.idiag_dport);
	flow.source_port = ntohs(d->id.idiag_sport);
	memcpy(flow.to, d->id.idiag_dst, flow.version == 4 ? 4 : 16);
	if (!leaves(&flow))
		return NL_OK;
	if (flow.version == 6 && memcmp(flow.to, mapped, sizeof(mapped)) == 0) {
		flow.version = 4;
		memmove(flow.to, flow.to + 12, 4);
	}
	if (found->which && !found->which(found->data, &flow))
		return NL_OK;
	found->of[found->count++] = (struct inet_diag_req_v2){
		.sdiag_family = d->idiag_family,
		.sdiag_protocol = found->protocol,
		.idiag_states = ~0u,
		.id = d->id,
	};
	return NL_OK;
}

static int list(struct nl_sock *diag, uint8_t family, struct found *found)
{
	struct inet_diag_req_v2 req = {
		.sdiag_family = family, .sdiag_protocol = found->protocol, .idiag_states = ~0u };
	int r;

	(void)nl_socket_modify_cb(diag, NL_CB_VALID, NL_CB_CUSTOM, on_socket, found);
	r = nl_send_simple(diag, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
	return r < 0 ? r : nl_recvmsgs_default(diag);
}

static int destroy(struct nl_sock *diag, const struct found *found, uint32_t *cut)
{
	int worst = 0;

	for (size_t i = 0; i < found->count; i++) {
		struct inet_diag_req_v2 req = found->of[i];
		int r = nl_send_simple(diag, SOCK_DESTROY, NLM_F_ACK, &req, sizeof(req));

		if (r >= 0)
			r = nl_wait_for_ack(diag);
		if (r >= 0)
			(*cut)++;
		else if (r != -NLE_OBJ_NOTFOUND) /* gone by itself meanwhile */
			worst = r;
	}
	return worst;
}

/* libnl deletes by tuple; an empty one is all of the namespace's. */
static int forget_flows(struct nl_sock *rules)
{
	struct nfnl_ct *all = nfnl_ct_alloc();
	int r = -NLE_NOMEM;

	if (all) {
		nfnl_ct_set_family(all, AF_UNSPEC);
		r = nfnl_ct_del(rules, all, 0);
	}
	nfnl_ct_put(all);
	return r == -NLE_OBJ_NOTFOUND ? 0 : r;
}

int netcut(struct nl_sock *diag, struct nl_sock *rules, bool (*which)(void *data, const struct net_flow *flow),
	   void *data, uint32_t *ret_cut, struct err *err)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct found *found = xcalloc(1, sizeof(*found));
	int r, worst = 0;

	*ret_cut = 0;
	found->which = which;
	found->data = data;
	for (size_t i = 0; i < 4; i++) {
		found->protocol = protocols[i / 2];
		for (int k = 0; k < LIST_TRIES; k++) {
			found->count = 0;
			r = list(diag, i & 1 ? AF_INET6 : AF_INET, found);
			if (r != -NLE_DUMP_INTR) /* something changed in the middle */
				break;
		}
		if (r >= 0)
			r = destroy(diag, found, ret_cut);
		if (r < 0 && !(r == -NLE_OBJ_NOTFOUND && (i & 1))) /* a kernel without IPv6 */
			worst = r;
	}
	free(found);
	r = forget_flows(rules);
	if (r < 0)
		worst = r;
	return worst < 0 ? err_set(err, EIO, "cut connections: %s", nl_geterror(worst)) : 0;
}
