/* SPDX-License-Identifier: MIT
 *
 * The encoder. Attributes are written straight into the batch, lengths are
 * patched when a nest ends; a batch that does not fit is never sent.
 */
#include "platform/arm/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>

/* --- bytes --- */

static void *room(struct nft *n, size_t size)
{
	void *p = n->buf + n->len;

	size = NLMSG_ALIGN(size);
	if (n->len + size > sizeof(n->buf)) {
		n->overflow = true;
		return NULL;
	}
	memset(p, 0, size);
	n->len += size;
	return p;
}

static void put(struct nft *n, uint16_t type, const void *data, size_t size)
{
	struct nlattr *a = room(n, NLA_HDRLEN + size);

	if (!a)
		return;
	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + size);
	if (size)
		memcpy((uint8_t *)a + NLA_HDRLEN, data, size);
}

static void put_str(struct nft *n, uint16_t type, const char *s)
{
	put(n, type, s, strlen(s) + 1);
}

static void put_be32(struct nft *n, uint16_t type, uint32_t v)
{
	v = htonl(v);
	put(n, type, &v, sizeof(v));
}

static void put_be16(struct nft *n, uint16_t type, uint16_t v)
{
	v = htons(v);
	put(n, type, &v, sizeof(v));
}

static void put_be64(struct nft *n, uint16_t type, uint64_t v)
{
	uint32_t halves[2] = { htonl((uint32_t)(v >> 32)), htonl((uint32_t)v) };

	put(n, type, halves, sizeof(halves));
}

static size_t nest(struct nft *n, uint16_t type)
{
	size_t at = n->len;

	put(n, type | NLA_F_NESTED, NULL, 0);
	return at;
}

static void nest_end(struct nft *n, size_t at)
{
	if (!n->overflow)
		((struct nlattr *)(n->buf + at))->nla_len = (uint16_t)(n->len - at);
}

/* --- messages --- */

static void msg_begin(struct nft *n, uint16_t type, uint16_t flags, uint8_t family, uint16_t res)
{
	struct nlmsghdr *h;
	struct nfgenmsg *g;

	n->msg = n->len;
	h = room(n, sizeof(*h) + sizeof(*g));
	if (!h)
		return;
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = ++n->seq;
	g = (struct nfgenmsg *)(h + 1);
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = htons(res);
}

static void msg_end(struct nft *n)
{
	if (!n->overflow)
		((struct nlmsghdr *)(n->buf + n->msg))->nlmsg_len = (uint32_t)(n->len - n->msg);
}

static void nft_msg(struct nft *n, int type, uint16_t flags, uint16_t table_attr)
{
	msg_begin(n, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET, 0);
	put_str(n, table_attr, n->table);
}

void nft_begin(struct nft *n, const char *table)
{
	n->len = 0;
	n->seq = 0;
	n->overflow = false;
	n->table = table;
	msg_begin(n, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	msg_end(n);
}

/* Replies come in the order of the messages; the last one asked for one. */
static int await(int fd, uint32_t last, struct err *err)
{
	union {
		struct nlmsghdr h;
		uint8_t bytes[16384];
	} in;
	int first = 0;

	for (bool over = false; !over;) {
		ssize_t got = recv(fd, &in, sizeof(in), 0);
		size_t len = got > 0 ? (size_t)got : 0;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_sys(err, "hear from nftables");
		for (struct nlmsghdr *h = &in.h; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
			const struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			if (e->error && !first)
				first = -e->error;
			over |= h->nlmsg_seq == last || (e->error && h->nlmsg_seq == 1);
		}
	}
	while (recv(fd, &in, sizeof(in), MSG_DONTWAIT) > 0)
		continue;
	return first ? err_set(err, first, "change the packet rules: %s", strerror(first)) : 0;
}

int nft_commit(struct nft *n, struct nl_sock *sock, struct err *err)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nlmsghdr *last = (struct nlmsghdr *)(n->buf + n->msg);
	int fd = nl_socket_get_fd(sock);
	uint32_t seq = n->seq;
	ssize_t sent;

	if (!n->overflow)
		last->nlmsg_flags |= NLM_F_ACK;
	msg_begin(n, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	msg_end(n);
	if (n->overflow)
		return err_set(err, E2BIG, "the packet rules are larger than %u bytes", NFT_BATCH_MAX);
	do {
		sent = sendto(fd, n->buf, n->len, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return err_sys(err, "speak to nftables");
	return await(fd, seq, err);
}

/* --- tables, chains, sets --- */

void nft_add_table(struct nft *n, bool owned)
{
	nft_msg(n, NFT_MSG_NEWTABLE, NLM_F_CREATE, NFTA_TABLE_NAME);
	put_be32(n, NFTA_TABLE_FLAGS, owned ? NFT_TABLE_F_OWNER : 0);
	msg_end(n);
}

void nft_delete_table(struct nft *n)
{
	nft_msg(n, NFT_MSG_DELTABLE, 0, NFTA_TABLE_NAME);
	msg_end(n);
}

void nft_add_chain(struct nft *n, const char *chain)
{
	nft_msg(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_TABLE);
	put_str(n, NFTA_CHAIN_NAME, chain);
	msg_end(n);
}

void nft_add_base_chain(struct nft *n, const char *chain, const char *type, unsigned int hook, int priority,
			bool accept)
{
	size_t at;

	nft_msg(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_TABLE);
	put_str(n, NFTA_CHAIN_NAME, chain);
	put_str(n, NFTA_CHAIN_TYPE, type);
	at = nest(n, NFTA_CHAIN_HOOK);
	put_be32(n, NFTA_HOOK_HOOKNUM, hook);
	put_be32(n, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	nest_end(n, at);
	put_be32(n, NFTA_CHAIN_POLICY, accept ? NF_ACCEPT : NF_DROP);
	msg_end(n);
}

void nft_flush_chain(struct nft *n, const char *chain)
{
	nft_msg(n, NFT_MSG_DELRULE, 0, NFTA_RULE_TABLE);
	put_str(n, NFTA_RULE_CHAIN, chain);
	msg_end(n);
}

void nft_add_counter(struct nft *n, const char *name)
{
	nft_msg(n, NFT_MSG_NEWOBJ, NLM_F_CREATE, NFTA_OBJ_TABLE);
	put_str(n, NFTA_OBJ_NAME, name);
	put_be32(n, NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
	nest_end(n, nest(n, NFTA_OBJ_DATA));
	msg_end(n);
}

void nft_add_set(struct nft *n, const char *set, uint32_t key_type, uint32_t key_size, bool lapses)
{
	size_t at;

	nft_msg(n, NFT_MSG_NEWSET, NLM_F_CREATE, NFTA_SET_TABLE);
	put_str(n, NFTA_SET_NAME, set);
	put_be32(n, NFTA_SET_FLAGS, lapses ? NFT_SET_TIMEOUT : 0);
	put_be32(n, NFTA_SET_KEY_TYPE, key_type);
	put_be32(n, NFTA_SET_KEY_LEN, key_size);
	put_be32(n, NFTA_SET_ID, n->seq);
	at = nest(n, NFTA_SET_DESC);
	put_be32(n, NFTA_SET_DESC_SIZE, 4096);
	nest_end(n, at);
	msg_end(n);
}

static void element(struct nft *n, int type, const char *set, const void *key, size_t size, uint64_t timeout_ms)
{
	size_t list, one, in;

	nft_msg(n, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, NFTA_SET_ELEM_LIST_TABLE);
	put_str(n, NFTA_SET_ELEM_LIST_SET, set);
	list = nest(n, NFTA_SET_ELEM_LIST_ELEMENTS);
	one = nest(n, NFTA_LIST_ELEM);
	in = nest(n, NFTA_SET_ELEM_KEY);
	put(n, NFTA_DATA_VALUE, key, size);
	nest_end(n, in);
	if (timeout_ms)
		put_be64(n, NFTA_SET_ELEM_TIMEOUT, timeout_ms);
	nest_end(n, one);
	nest_end(n, list);
	msg_end(n);
}

void nft_add_element(struct nft *n, const char *set, const void *key, size_t size, uint64_t timeout_ms)
{
	element(n, NFT_MSG_NEWSETELEM, set, key, size, timeout_ms);
	element(n, NFT_MSG_DELSETELEM, set, key, size, 0);
	element(n, NFT_MSG_NEWSETELEM, set, key, size, timeout_ms);
}

void nft_delete_element(struct nft *n, const char *set, const void *key, size_t size)
{
	element(n, NFT_MSG_DELSETELEM, set, key, size, 0);
}

void nft_flush_set(struct nft *n, const char *set)
{
	nft_msg(n, NFT_MSG_DELSETELEM, 0, NFTA_SET_ELEM_LIST_TABLE);
	put_str(n, NFTA_SET_ELEM_LIST_SET, set);
	msg_end(n);
}

/* --- rules --- */

void nft_rule_begin(struct nft *n, const char *chain)
{
	nft_msg(n, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NFTA_RULE_TABLE);
	put_str(n, NFTA_RULE_CHAIN, chain);
	n->list = nest(n, NFTA_RULE_EXPRESSIONS);
}

void nft_rule_end(struct nft *n)
{
	nest_end(n, n->list);
	msg_end(n);
}

struct expr {
	size_t elem, data;
};

static struct expr expr_begin(struct nft *n, const char *name)
{
	struct expr e = { .elem = nest(n, NFTA_LIST_ELEM) };

	put_str(n, NFTA_EXPR_NAME, name);
	e.data = nest(n, NFTA_EXPR_DATA);
	return e;
}

static void expr_end(struct nft *n, struct expr e)
{
	nest_end(n, e.data);
	nest_end(n, e.elem);
}

static void put_data(struct nft *n, uint16_t type, const void *value, size_t size)
{
	size_t at = nest(n, type);

	put(n, NFTA_DATA_VALUE, value, size);
	nest_end(n, at);
}

static void immediate(struct nft *n, enum nft_reg reg, const void *value, size_t size)
{
	struct expr e = expr_begin(n, "immediate");

	put_be32(n, NFTA_IMMEDIATE_DREG, reg);
	put_data(n, NFTA_IMMEDIATE_DATA, value, size);
	expr_end(n, e);
}

void nft_meta(struct nft *n, uint32_t key, enum nft_reg to)
{
	struct expr e = expr_begin(n, "meta");

	put_be32(n, NFTA_META_KEY, key);
	put_be32(n, NFTA_META_DREG, to);
	expr_end(n, e);
}

void nft_ct(struct nft *n, uint32_t key, enum nft_reg to)
{
	struct expr e = expr_begin(n, "ct");

	put_be32(n, NFTA_CT_KEY, key);
	put_be32(n, NFTA_CT_DREG, to);
	expr_end(n, e);
}

void nft_ct_set_mark(struct nft *n, uint32_t mark)
{
	struct expr e;

	immediate(n, NFT_R0, &mark, sizeof(mark));
	e = expr_begin(n, "ct");
	put_be32(n, NFTA_CT_KEY, NFT_CT_MARK);
	put_be32(n, NFTA_CT_SREG, NFT_R0);
	expr_end(n, e);
}

void nft_payload(struct nft *n, uint32_t base, uint32_t offset, uint32_t size, enum nft_reg to)
{
	struct expr e = expr_begin(n, "payload");

	put_be32(n, NFTA_PAYLOAD_DREG, to);
	put_be32(n, NFTA_PAYLOAD_BASE, base);
	put_be32(n, NFTA_PAYLOAD_OFFSET, offset);
	put_be32(n, NFTA_PAYLOAD_LEN, size);
	expr_end(n, e);
}

void nft_mask(struct nft *n, enum nft_reg reg, const void *mask, size_t size)
{
	static const uint8_t zero[16];
	struct expr e = expr_begin(n, "bitwise");

	put_be32(n, NFTA_BITWISE_SREG, reg);
	put_be32(n, NFTA_BITWISE_DREG, reg);
	put_be32(n, NFTA_BITWISE_LEN, (uint32_t)size);
	put_data(n, NFTA_BITWISE_MASK, mask, size);
	put_data(n, NFTA_BITWISE_XOR, zero, size);
	expr_end(n, e);
}

static void compare(struct nft *n, uint32_t op, enum nft_reg reg, const void *value, size_t size)
{
	struct expr e = expr_begin(n, "cmp");

	put_be32(n, NFTA_CMP_SREG, reg);
	put_be32(n, NFTA_CMP_OP, op);
	put_data(n, NFTA_CMP_DATA, value, size);
	expr_end(n, e);
}

void nft_equal(struct nft *n, enum nft_reg reg, const void *value, size_t size)
{
	compare(n, NFT_CMP_EQ, reg, value, size);
}

void nft_differs(struct nft *n, enum nft_reg reg, const void *value, size_t size)
{
	compare(n, NFT_CMP_NEQ, reg, value, size);
}

void nft_in_set(struct nft *n, enum nft_reg reg, const char *set)
{
	struct expr e = expr_begin(n, "lookup");

	put_str(n, NFTA_LOOKUP_SET, set);
	put_be32(n, NFTA_LOOKUP_SREG, reg);
	expr_end(n, e);
}

void nft_not_routed(struct nft *n)
{
	const uint32_t none = 0;
	struct expr e = expr_begin(n, "fib");

	put_be32(n, NFTA_FIB_DREG, NFT_R0);
	put_be32(n, NFTA_FIB_RESULT, NFT_FIB_RESULT_OIF);
	put_be32(n, NFTA_FIB_FLAGS, NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF);
	expr_end(n, e);
	nft_equal(n, NFT_R0, &none, sizeof(none));
}

void nft_count(struct nft *n)
{
	expr_end(n, expr_begin(n, "counter"));
}

void nft_count_in(struct nft *n, const char *counter)
{
	struct expr e = expr_begin(n, "objref");

	put_be32(n, NFTA_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	put_str(n, NFTA_OBJREF_IMM_NAME, counter);
	expr_end(n, e);
}

void nft_connections_over(struct nft *n, uint32_t count)
{
	struct expr e = expr_begin(n, "connlimit");

	put_be32(n, NFTA_CONNLIMIT_COUNT, count);
	put_be32(n, NFTA_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
	expr_end(n, e);
}

void nft_verdict(struct nft *n, int code, const char *chain)
{
	struct expr e = expr_begin(n, "immediate");
	size_t data, verdict;

	put_be32(n, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nest(n, NFTA_IMMEDIATE_DATA);
	verdict = nest(n, NFTA_DATA_VERDICT);
	put_be32(n, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		put_str(n, NFTA_VERDICT_CHAIN, chain);
	nest_end(n, verdict);
	nest_end(n, data);
	expr_end(n, e);
}

static void reject(struct nft *n, uint32_t type, uint8_t code)
{
	struct expr e = expr_begin(n, "reject");

	put_be32(n, NFTA_REJECT_TYPE, type);
	put(n, NFTA_REJECT_ICMP_CODE, &code, 1);
	expr_end(n, e);
}

void nft_reject_tcp(struct nft *n)
{
	reject(n, NFT_REJECT_TCP_RST, 0);
}

void nft_reject_icmp(struct nft *n)
{
	reject(n, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
}

void nft_masquerade(struct nft *n)
{
	expr_end(n, expr_begin(n, "masq"));
}

void nft_dnat(struct nft *n, int family, const void *address, size_t size)
{
	struct expr e;

	immediate(n, NFT_R0, address, size);
	e = expr_begin(n, "nat");
	put_be32(n, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	put_be32(n, NFTA_NAT_FAMILY, family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	put_be32(n, NFTA_NAT_REG_ADDR_MIN, NFT_R0);
	expr_end(n, e);
}

void nft_queue(struct nft *n, uint16_t number, bool compat)
{
	struct expr e = expr_begin(n, compat ? "target" : "queue");
	const uint16_t info[4] = { number, 1, 0, 0 }; /* struct xt_NFQ_info_v3, padded as xt wants it */

	if (compat) {
		put_str(n, NFTA_TARGET_NAME, "NFQUEUE");
		put_be32(n, NFTA_TARGET_REV, 3);
		put(n, NFTA_TARGET_INFO, info, sizeof(info));
	} else {
		put_be16(n, NFTA_QUEUE_NUM, number);
		put_be16(n, NFTA_QUEUE_TOTAL, 1);
		put_be16(n, NFTA_QUEUE_FLAGS, 0);
	}
	expr_end(n, e);
}
