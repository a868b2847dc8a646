/* SPDX-License-Identifier: MIT
 *
 * Reading what the rules have counted, and caps. Nothing here is called unless
 * somebody looks: the kernel counts, refuses over a cap, and tells of it, alone.
 */
#include "platform/arm/net.h"

#include "platform/arm/nft.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
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
#define QUOTA_MAX ((uint64_t)INT64_MAX) /* the kernel's sum is signed */

static struct nlattr *child(struct nlattr *in, int type)
{
	return in ? nla_find(nla_data(in), nla_len(in), type) : NULL;
}

static uint64_t number(struct nlattr *in, int type)
{
	struct nlattr *a = child(in, type);
	uint64_t v = 0;

	if (a && nla_len(a) == (int)sizeof(v))
		memcpy(&v, nla_data(a), sizeof(v));
	return be64toh(v);
}

static bool is_called(struct nlattr *a, const char *name)
{
	return a && nla_len(a) > 0 && strncmp(nla_data(a), name, (size_t)nla_len(a)) == 0;
}

/* fn for each message of a dump, again from the beginning when something changed
 * in the middle of it: begin makes that harmless. */
static int dump(struct nl_sock *sock, int type, const char *set, int (*fn)(struct nl_msg *msg, void *data), void *data)
{
	struct nfgenmsg head = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	struct nl_msg *msg = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_DUMP);
	int r;

	if (!msg)
		return -NLE_NOMEM;
	(void)nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, fn, data);
	r = nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO);
	if (r == 0)
		r = set ? nla_put_string(msg, NFTA_SET_ELEM_LIST_TABLE, NET_TABLE) : nla_put_string(msg, NFTA_OBJ_TABLE, NET_TABLE);
	if (r == 0 && set)
		r = nla_put_string(msg, NFTA_SET_ELEM_LIST_SET, set);
	if (r == 0)
		r = nl_send_auto(sock, msg);
	nlmsg_free(msg);
	return r < 0 ? r : nl_recvmsgs_default(sock);
}

/* --- of scopes --- */

static int on_counter(struct nl_msg *msg, void *data)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct nlattr *name = nlmsg_find_attr(h, sizeof(struct nfgenmsg), NFTA_OBJ_NAME);
	struct nlattr *body = nlmsg_find_attr(h, sizeof(struct nfgenmsg), NFTA_OBJ_DATA);
	struct nlattr *type = nlmsg_find_attr(h, sizeof(struct nfgenmsg), NFTA_OBJ_TYPE);
	struct net_counts *c = data;
	const struct {
		const char *name;
		uint64_t *bytes, *packets;
	} counters[] = {
		{ "up", &c->of[NET_INTERNET].up, NULL },
		{ "down", &c->of[NET_INTERNET].down, NULL },
		{ "flows", NULL, &c->of[NET_INTERNET].flows },
		{ "up_local", &c->of[NET_LOCAL].up, NULL },
		{ "down_local", &c->of[NET_LOCAL].down, NULL },
		{ "flows_local", NULL, &c->of[NET_LOCAL].flows },
		{ "refused", NULL, &c->of[NET_INTERNET].refused },
	};

	if (!type || ntohl(nla_get_u32(type)) != NFT_OBJECT_COUNTER)
		return NL_OK;
	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		if (!is_called(name, counters[i].name))
			continue;
		if (counters[i].bytes)
			*counters[i].bytes = number(body, NFTA_COUNTER_BYTES);
		else
			*counters[i].packets = number(body, NFTA_COUNTER_PACKETS);
	}
	return NL_OK;
}

/* --- of hosts --- */

struct tally {
	struct net_counts *counts;
	uint8_t version;
	enum { TALLY_UP, TALLY_DOWN, TALLY_FLOWS, TALLY_REFUSED, TALLY_COUNT } what;
};

static struct net_host *host_of(struct tally *t, const uint8_t *to)
{
	size_t size = t->version == 4 ? 4 : 16;
	struct net_counts *c = t->counts;
	struct net_host *h;

	for (size_t i = 0; i < c->host_count; i++) {
		if (c->hosts[i].version == t->version && memcmp(c->hosts[i].to, to, size) == 0)
			return &c->hosts[i];
	}
	if (c->host_count == ARRAY_LEN(c->hosts))
		return NULL;
	h = &c->hosts[c->host_count++];
	memset(h, 0, sizeof(*h));
	h->version = t->version;
	memcpy(h->to, to, size);
	return h;
}

static void add_element(struct tally *t, struct nlattr *element)
{
	struct nlattr *key = child(child(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	struct nlattr *counter = child(child(element, NFTA_SET_ELEM_EXPR), NFTA_EXPR_DATA);
	struct net_host *h;

	if (!key || !counter || nla_len(key) != (t->version == 4 ? 4 : 16))
		return;
	h = host_of(t, nla_data(key));
	if (!h)
		return;
	switch (t->what) {
	case TALLY_UP:
		h->bytes.up = number(counter, NFTA_COUNTER_BYTES);
		break;
	case TALLY_DOWN:
		h->bytes.down = number(counter, NFTA_COUNTER_BYTES);
		break;
	case TALLY_FLOWS:
		h->bytes.flows = number(counter, NFTA_COUNTER_PACKETS);
		break;
	case TALLY_REFUSED:
		h->bytes.refused = number(counter, NFTA_COUNTER_PACKETS);
		break;
	case TALLY_COUNT:
		break;
	}
}

static int on_elements(struct nl_msg *msg, void *data)
{
	struct nlattr *list =
		nlmsg_find_attr(nlmsg_hdr(msg), sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *element;
	int left;

	if (!list)
		return NL_OK;
	nla_for_each_nested(element, list, left)
		add_element(data, element);
	return NL_OK;
}

/* --- both --- */

static int read_one(struct nl_sock *sock, int type, const char *set, int (*fn)(struct nl_msg *msg, void *data),
		    void *data, struct err *err)
{
	int r = -NLE_DUMP_INTR;

	for (int i = 0; i < LIST_TRIES && r == -NLE_DUMP_INTR; i++)
		r = dump(sock, type, set, fn, data);
	return r < 0 ? err_set(err, EIO, "read the counters of the network: %s", nl_geterror(r)) : 0;
}

/* The rules count all refusals in one; the local network's are known by host. */
static void part_refusals(struct net_counts *c)
{
	uint64_t local = 0;

	for (size_t i = 0; i < c->host_count; i++) {
		struct net_flow flow = { .version = c->hosts[i].version };

		memcpy(flow.to, c->hosts[i].to, sizeof(flow.to));
		if (net_flow_scope(&flow) == NET_LOCAL)
			local += c->hosts[i].bytes.refused;
	}
	c->of[NET_LOCAL].refused = local;
	c->of[NET_INTERNET].refused -= local < c->of[NET_INTERNET].refused ? local : c->of[NET_INTERNET].refused;
}

int netcount_read(struct nl_sock *sock, struct net_counts *ret, struct err *err)
{
	static const char *const sets[2][TALLY_COUNT] = { { "up4", "down4", "flows4", "refused4" },
							  { "up6", "down6", "flows6", "refused6" } };

	memset(ret, 0, sizeof(*ret));
	if (read_one(sock, NFT_MSG_GETOBJ, NULL, on_counter, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < 2 * TALLY_COUNT; i++) {
		struct tally t = { .counts = ret, .version = i < TALLY_COUNT ? 4 : 6, .what = i % TALLY_COUNT };

		if (read_one(sock, NFT_MSG_GETSETELEM, sets[i / TALLY_COUNT][t.what], on_elements, &t, err) < 0)
			return -1;
	}
	part_refusals(ret);
	return 0;
}

/* --- caps --- */

static void fill_cap(struct nft *n, const char *chain, const char *quota, bool capped, bool out)
{
	nft_flush_chain(n, chain);
	if (!capped)
		return;
	nft_rule_begin(n, chain);
	nft_over(n, quota);
	/* What still comes in when nothing more may: its sender is not told. */
	nft_verdict(n, out ? NFT_GOTO : NF_DROP, out ? "refuse" : NULL);
	nft_rule_end(n);
}

int netcount_cap(struct nl_sock *sock, enum net_scope scope, uint64_t bytes, struct err *err)
{
	const char *quota = scope == NET_LOCAL ? "cap_local" : "cap", *in = scope == NET_LOCAL ? "cap_local_in" : "cap_in";
	bool capped = bytes <= QUOTA_MAX;
	struct nft *n = xcalloc(1, sizeof(*n));
	int rc;

	nft_begin(n, NET_TABLE);
	nft_flush_chain(n, quota);
	nft_flush_chain(n, in);
	/* A new one: the old one remembers what it has seen. */
	nft_delete_quota(n, quota);
	nft_add_quota(n, quota, capped ? bytes : QUOTA_MAX);
	fill_cap(n, quota, quota, capped, true);
	fill_cap(n, in, quota, capped, false);
	rc = nft_commit(n, sock, err);
	free(n);
	return rc;
}

int netcount_listen(struct nl_sock *spent, struct err *err)
{
	int r = nl_socket_add_membership(spent, NFNLGRP_NFTABLES);

	return r < 0 ? err_set(err, EIO, "hear of caps: %s", nl_geterror(r)) : 0;
}

static bool is_over(struct nlattr *body)
{
	return number(body, NFTA_QUOTA_CONSUMED) >= number(body, NFTA_QUOTA_BYTES) && number(body, NFTA_QUOTA_BYTES);
}

static unsigned int scope_of(struct nlmsghdr *h)
{
	struct nlattr *name = nlmsg_find_attr(h, sizeof(struct nfgenmsg), NFTA_OBJ_NAME);
	struct nlattr *type = nlmsg_find_attr(h, sizeof(struct nfgenmsg), NFTA_OBJ_TYPE);

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWOBJ) || !type ||
	    ntohl(nla_get_u32(type)) != NFT_OBJECT_QUOTA ||
	    !is_over(nlmsg_find_attr(h, sizeof(struct nfgenmsg), NFTA_OBJ_DATA)))
		return 0;
	return is_called(name, "cap") ? 1u << NET_INTERNET : is_called(name, "cap_local") ? 1u << NET_LOCAL : 0;
}

/* Our own changes are told there too, and are passed over. */
unsigned int netcount_spent(struct nl_sock *spent)
{
	static union {
		struct nlmsghdr h;
		uint8_t bytes[16384];
	} in;
	unsigned int scopes = 0;
	ssize_t got;

	while ((got = recv(nl_socket_get_fd(spent), &in, sizeof(in), MSG_DONTWAIT)) > 0 ||
	       (got < 0 && (errno == EINTR || errno == ENOBUFS))) {
		int len = (int)got;

		for (struct nlmsghdr *h = &in.h; got > 0 && nlmsg_ok(h, len); h = nlmsg_next(h, &len))
			scopes |= scope_of(h);
	}
	return scopes;
}
