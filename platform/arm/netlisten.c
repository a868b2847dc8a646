/* SPDX-License-Identifier: MIT
 *
 * Who waits for connections in the app's namespace (sock_diag), but for those that only
 * the app itself can reach.
 */
#include "platform/arm/net.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#define LISTENING_STATES (1u << 10) /* TCP_LISTEN, net/tcp_states.h */
#define LIST_TRIES 10

struct found {
	struct net_listener *of;
	size_t count, room;
};

static bool is_own(const struct inet_diag_msg *d)
{
	static const uint8_t loopback6[16] = { [15] = 1 }, mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *at = (const uint8_t *)d->id.idiag_src;

	if (d->idiag_family == AF_INET)
		return at[0] == 127;
	return memcmp(at, loopback6, sizeof(loopback6)) == 0 ||
	       (memcmp(at, mapped, sizeof(mapped)) == 0 && at[12] == 127);
}

static int on_socket(struct nl_msg *msg, void *data)
{
	const struct inet_diag_msg *d = nlmsg_data(nlmsg_hdr(msg));
	struct found *found = data;
	uint16_t port;

	if (nlmsg_datalen(nlmsg_hdr(msg)) < (int)sizeof(*d) || is_own(d) || found->count == found->room)
		return NL_OK;
	port = ntohs(d->id.idiag_sport);
	for (size_t i = 0; i < found->count; i++) {
		if (found->of[i].port == port)
			return NL_OK;
	}
	found->of[found->count++] = (struct net_listener){ .port = port, .inode = d->idiag_inode };
	return NL_OK;
}

static int list(struct nl_sock *diag, uint8_t family, struct found *found)
{
	struct inet_diag_req_v2 req = {
		.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = LISTENING_STATES };
	int r;

	(void)nl_socket_modify_cb(diag, NL_CB_VALID, NL_CB_CUSTOM, on_socket, found);
	r = nl_send_simple(diag, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
	return r < 0 ? r : nl_recvmsgs_default(diag);
}

int netlisten_read(struct nl_sock *diag, struct net_listener *ret, size_t room, struct err *err)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct found found = { .of = ret, .room = room };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		for (int k = 0; k < LIST_TRIES; k++) {
			r = list(diag, families[i], &found);
			if (r != -NLE_DUMP_INTR) /* something changed in the middle; what is known already is not added */
				break;
		}
		if (r < 0 && !(r == -NLE_OBJ_NOTFOUND && families[i] == AF_INET6)) /* a kernel without IPv6 */
			return err_set(err, EIO, "list who listens: %s", nl_geterror(r));
	}
	return (int)found.count;
}
