/* SPDX-License-Identifier: MIT
 *
 * Whether other firewalls of the host let packets of apps pass is not read from their
 * rules, which are many programs' languages: a packet is sent, and the kernel says
 * which rule ended it (NFNLGRP_NFTRACE). It never leaves the host.
 */
#include "platform/arm/net.h"

#include "platform/arm/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>

#define LIST_TRIES 10
#define FIRST (-310)         /* before all that people write: "raw" is -300 */
#define LAST (INT_MAX - 1)   /* conntrack's own last word is INT_MAX */

static void trace_to(struct nft *n, uint32_t index, int family, const uint8_t *to)
{
	nft_rule_begin(n, "first");
	nft_match_u32(n, NFT_META_IIF, index);
	nft_match_to(n, family, to, family == AF_INET ? 32 : 128);
	nft_trace(n);
	nft_rule_end(n);
}

int nettrace_load(struct nl_sock *sock, const char *table, uint32_t index, const uint8_t to4[4], const uint8_t to6[16],
		  struct err *err)
{
	struct nft *n = xcalloc(1, sizeof(*n));
	int rc;

	nft_begin(n, table);
	nft_add_table(n, true);
	nft_add_base_chain(n, "last", "filter", NF_INET_POST_ROUTING, LAST, true);
	nft_add_base_chain(n, "first", "filter", NF_INET_PRE_ROUTING, FIRST, true);
	nft_rule_begin(n, "last");
	nft_match_u32(n, NFT_META_IIF, index);
	nft_verdict(n, NF_DROP, NULL);
	nft_rule_end(n);
	trace_to(n, index, AF_INET, to4);
	trace_to(n, index, AF_INET6, to6);
	rc = nft_commit(n, sock, err);
	free(n);
	return rc < 0 ? err_wrap(err, "table '%s'", table) : 0;
}

int nettrace_listen(struct nl_sock *trace, struct err *err)
{
	const int room = 4 << 20; /* a message for each rule that matches, and they come at once */
	int r = nl_socket_add_membership(trace, NFNLGRP_NFTRACE);

	if (r == 0 && setsockopt(nl_socket_get_fd(trace), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		return err_sys(err, "make room for what is heard of packets");
	return r < 0 ? err_set(err, EIO, "hear of packets: %s", nl_geterror(r)) : 0;
}

/* --- what the kernel tells --- */

static struct nlattr *attr(struct nlmsghdr *h, int type)
{
	return nlmsg_find_attr(h, sizeof(struct nfgenmsg), type);
}

static uint32_t number(const struct nlattr *a)
{
	return a && nla_len(a) == (int)sizeof(uint32_t) ? ntohl(nla_get_u32(a)) : UINT32_MAX;
}

static void copy(char *to, size_t size, const struct nlattr *a)
{
	size_t n = a ? strnlen(nla_data(a), (size_t)nla_len(a)) : 0;

	n = n < size ? n : size - 1;
	if (n)
		memcpy(to, nla_data(a), n);
	to[n] = '\0';
}

static bool is_drop(struct nlmsghdr *h, uint32_t type)
{
	struct nlattr *verdict = attr(h, NFTA_TRACE_VERDICT);

	if (type == NFT_TRACETYPE_POLICY)
		return number(attr(h, NFTA_TRACE_POLICY)) == NF_DROP;
	return type == NFT_TRACETYPE_RULE && verdict &&
	       number(nla_find(nla_data(verdict), nla_len(verdict), NFTA_VERDICT_CODE)) == NF_DROP;
}

/* Whether the packet is one of ours: others may be traced meanwhile. */
static bool is_ours(struct net_traces *ret, uint32_t id, bool first)
{
	size_t known = ret->id_count < ARRAY_LEN(ret->ids) ? ret->id_count : ARRAY_LEN(ret->ids);

	for (size_t i = 0; i < known; i++) {
		if (ret->ids[i] == id)
			return true;
	}
	if (first)
		ret->ids[ret->id_count++ % ARRAY_LEN(ret->ids)] = id;
	return first;
}

static void hear(struct nlmsghdr *h, const char *table, struct net_traces *ret)
{
	const struct nfgenmsg *g = nlmsg_data(h);
	uint32_t protocol, type;
	struct net_trace *t, now = { .end = NET_END_DROPPED };
	bool ours;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE) || nlmsg_datalen(h) < (int)sizeof(*g))
		return;
	protocol = number(attr(h, NFTA_TRACE_NFPROTO));
	type = number(attr(h, NFTA_TRACE_TYPE));
	if (protocol != NFPROTO_IPV4 && protocol != NFPROTO_IPV6)
		return;
	t = &ret->of[protocol == NFPROTO_IPV6];
	copy(now.table, sizeof(now.table), attr(h, NFTA_TRACE_TABLE));
	copy(now.chain, sizeof(now.chain), attr(h, NFTA_TRACE_CHAIN));
	now.family = g->nfgen_family;
	now.by_policy = type == NFT_TRACETYPE_POLICY;
	ours = strcmp(now.table, table) == 0;
	if (!is_ours(ret, number(attr(h, NFTA_TRACE_ID)), ours) || t->end > NET_END_ARRIVED)
		return;
	if (is_drop(h, type))
		*t = ours ? (struct net_trace){ .end = NET_END_THROUGH } : now;
	else if (ours)
		t->end = NET_END_ARRIVED;
}

void nettrace_read(struct nl_sock *trace, const char *table, struct net_traces *ret)
{
	static union {
		struct nlmsghdr h;
		uint8_t bytes[16384];
	} in;
	ssize_t got;

	while ((got = recv(nl_socket_get_fd(trace), &in, sizeof(in), MSG_DONTWAIT)) > 0 ||
	       (got < 0 && (errno == EINTR || errno == ENOBUFS))) {
		int len = (int)got;

		for (struct nlmsghdr *h = &in.h; got > 0 && nlmsg_ok(h, len); h = nlmsg_next(h, &len))
			hear(h, table, ret);
	}
}

/* --- what stands --- */

/* fn for each message of the answer. */
static int ask(struct nl_sock *sock, int type, int flags, int (*fn)(struct nl_msg *msg, void *data), void *data)
{
	struct nfgenmsg head = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
	int r = -NLE_DUMP_INTR;

	(void)nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, fn, data);
	for (int i = 0; i < LIST_TRIES && r == -NLE_DUMP_INTR; i++) {
		r = nl_send_simple(sock, NFNL_SUBSYS_NFTABLES << 8 | type, flags, &head, sizeof(head));
		if (r >= 0)
			r = nl_recvmsgs_default(sock);
	}
	if (r >= 0 && !(flags & NLM_F_DUMP))
		r = nl_wait_for_ack(sock);
	return r < 0 ? r : 0;
}

static int on_generation(struct nl_msg *msg, void *data)
{
	*(uint32_t *)data = number(attr(nlmsg_hdr(msg), NFTA_GEN_ID));
	return NL_OK;
}

int nettrace_generation(struct nl_sock *sock, uint32_t *ret, struct err *err)
{
	int r = ask(sock, NFT_MSG_GETGEN, 0, on_generation, ret);

	return r < 0 ? err_set(err, EIO, "ask for the age of the packet rules: %s", nl_geterror(r)) : 0;
}

struct chain_walk {
	void (*fn)(void *data, const char *table, const char *chain);
	void *data;
};

static int on_chain(struct nl_msg *msg, void *data)
{
	char table[NETTRACE_NAME_SIZE], chain[NETTRACE_NAME_SIZE];
	struct chain_walk *walk = data;

	copy(table, sizeof(table), attr(nlmsg_hdr(msg), NFTA_CHAIN_TABLE));
	copy(chain, sizeof(chain), attr(nlmsg_hdr(msg), NFTA_CHAIN_NAME));
	walk->fn(walk->data, table, chain);
	return NL_OK;
}

int nettrace_chains(struct nl_sock *sock, void (*fn)(void *data, const char *table, const char *chain), void *data,
		    struct err *err)
{
	struct chain_walk walk = { fn, data };
	int r = ask(sock, NFT_MSG_GETCHAIN, NLM_F_DUMP, on_chain, &walk);

	return r < 0 ? err_set(err, EIO, "list the host's packet rules: %s", nl_geterror(r)) : 0;
}
