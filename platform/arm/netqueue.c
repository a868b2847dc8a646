/* SPDX-License-Identifier: MIT
 *
 * What waits. A packet is the app's bytes: it is read within its length, and
 * only to name where it wants to go; the rules decide what it is.
 */
#include "platform/arm/net.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <netinet/in.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netfilter/queue.h>
#include <netlink/netfilter/queue_msg.h>
#include <netlink/netlink.h>
#include <string.h>
#include <sys/socket.h>

#define HELD_MAX 256u
#define COPY_BYTES 512u

#ifndef NETLINK_NO_ENOBUFS
#define NETLINK_NO_ENOBUFS 5
#endif

/* libnl takes acks off such sockets; the creation alone must not succeed
 * unheard: without a listener every packet is lost. */
int netqueue_open(struct nl_sock *sock, struct err *err)
{
	struct nfnl_queue *queue = nfnl_queue_alloc();
	int r = -NLE_NOMEM;

	nl_socket_disable_seq_check(sock);
	(void)nl_socket_set_buffer_size(sock, 1 << 20, 0);
	if (queue) {
		nfnl_queue_set_group(queue, NET_QUEUE);
		nfnl_queue_set_maxlen(queue, HELD_MAX);
		nfnl_queue_set_copy_mode(queue, NFNL_QUEUE_COPY_PACKET);
		nfnl_queue_set_copy_range(queue, COPY_BYTES);
		nl_socket_enable_auto_ack(sock);
		r = nfnl_queue_create(sock, queue);
		nl_socket_disable_auto_ack(sock);
	}
	nfnl_queue_put(queue);
	if (r < 0)
		return err_set(err, EIO, "listen for held packets: %s", nl_geterror(r));
	(void)nl_socket_set_nonblocking(sock);
	return 0;
}

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Steps over the IPv6 headers that may stand before the transport's; 0: none of
 * it can be read. */
static size_t skip_ipv6_headers(const uint8_t *p, size_t size, uint8_t *protocol)
{
	size_t at = 40;
	uint8_t next = p[6];

	for (int i = 0; i < 8 && at + 8 <= size; i++) {
		if (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS) {
			next = p[at];
			at += ((size_t)p[at + 1] + 1) * 8;
		} else if (next == IPPROTO_FRAGMENT) {
			if (be16(p + at + 2) & 0xfff8)
				return 0;
			next = p[at];
			at += 8;
		} else {
			*protocol = next;
			return at;
		}
	}
	return 0;
}

bool netqueue_parse(const uint8_t *p, size_t size, struct net_flow *ret)
{
	size_t at;

	memset(ret, 0, sizeof(*ret));
	if (size < 1)
		return false;
	ret->version = p[0] >> 4;
	if (ret->version == 4 && size >= 20) {
		at = (size_t)(p[0] & 0xf) * 4;
		ret->protocol = p[9];
		memcpy(ret->to, p + 16, 4);
		if (at < 20 || be16(p + 6) & 0x1fff)
			return false;
	} else if (ret->version == 6 && size >= 40) {
		memcpy(ret->to, p + 24, 16);
		at = skip_ipv6_headers(p, size, &ret->protocol);
		if (!at)
			return false;
	} else {
		return false;
	}
	if (ret->protocol != IPPROTO_TCP && ret->protocol != IPPROTO_UDP)
		return ret->protocol == (ret->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (at + 4 > size)
		return false;
	ret->source_port = be16(p + at);
	ret->port = be16(p + at + 2);
	return true;
}

static void read_packet(struct nfnl_queue_msg *m, struct net_packet *ret)
{
	int size = 0;
	const uint8_t *p = nfnl_queue_msg_get_payload(m, &size);

	ret->id = nfnl_queue_msg_get_packetid(m);
	ret->mark = nfnl_queue_msg_test_mark(m) ? nfnl_queue_msg_get_mark(m) : 0;
	ret->readable = p && netqueue_parse(p, (size_t)size, &ret->flow);
}

int netqueue_read(struct nl_sock *sock, struct net_packet *ret, struct err *err)
{
	union {
		struct nlmsghdr h;
		uint8_t bytes[COPY_BYTES + 4096];
	} in;
	struct nfnl_queue_msg *m;

	for (;;) {
		ssize_t n = recv(nl_socket_get_fd(sock), &in, sizeof(in), MSG_DONTWAIT);

		if (n < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : err_sys(err, "read held packets");
		if (n < (ssize_t)sizeof(in.h) || !NLMSG_OK(&in.h, (size_t)n) || in.h.nlmsg_type == NLMSG_ERROR)
			continue;
		if (nfnlmsg_queue_msg_parse(&in.h, &m) < 0)
			continue;
		read_packet(m, ret);
		nfnl_queue_msg_put(m);
		return 1;
	}
}

static int send_verdict(struct nl_sock *sock, uint32_t id, unsigned int verdict, uint32_t mark, struct err *err)
{
	struct nfnl_queue_msg *m = nfnl_queue_msg_alloc();
	int r = -NLE_NOMEM;

	if (m) {
		nfnl_queue_msg_set_family(m, AF_UNSPEC);
		nfnl_queue_msg_set_group(m, NET_QUEUE);
		nfnl_queue_msg_set_packetid(m, id);
		nfnl_queue_msg_set_verdict(m, verdict);
		if (mark)
			nfnl_queue_msg_set_mark(m, mark);
		r = nfnl_queue_msg_send_verdict(sock, m);
	}
	nfnl_queue_msg_put(m);
	return r < 0 ? err_set(err, EIO, "let a packet go on: %s", nl_geterror(r)) : 0;
}

int netqueue_repeat(struct nl_sock *sock, uint32_t id, uint32_t mark, struct err *err)
{
	return send_verdict(sock, id, NF_REPEAT, mark, err);
}

int netqueue_drop(struct nl_sock *sock, uint32_t id, struct err *err)
{
	return send_verdict(sock, id, NF_DROP, 0, err);
}
