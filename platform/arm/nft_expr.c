/* SPDX-License-Identifier: MIT
 *
 * Rules, and what they are made of: expressions that load, compare and end.
 */
#include "platform/arm/nft_put.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

void nft_rule_begin(struct nft *n, const char *chain)
{
	nft_msg_begin(n, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NFTA_RULE_TABLE);
	nft_put_str(n, NFTA_RULE_CHAIN, chain);
	n->list = nft_nest(n, NFTA_RULE_EXPRESSIONS);
}

void nft_rule_end(struct nft *n)
{
	nft_nest_end(n, n->list);
	nft_msg_end(n);
}

struct expr {
	size_t elem, data;
};

static struct expr expr_begin(struct nft *n, const char *name)
{
	struct expr e = { .elem = nft_nest(n, NFTA_LIST_ELEM) };

	nft_put_str(n, NFTA_EXPR_NAME, name);
	e.data = nft_nest(n, NFTA_EXPR_DATA);
	return e;
}

static void expr_end(struct nft *n, struct expr e)
{
	nft_nest_end(n, e.data);
	nft_nest_end(n, e.elem);
}

static void put_data(struct nft *n, uint16_t type, const void *value, size_t size)
{
	size_t at = nft_nest(n, type);

	nft_put(n, NFTA_DATA_VALUE, value, size);
	nft_nest_end(n, at);
}

static void immediate(struct nft *n, enum nft_reg reg, const void *value, size_t size)
{
	struct expr e = expr_begin(n, "immediate");

	nft_put_be32(n, NFTA_IMMEDIATE_DREG, reg);
	put_data(n, NFTA_IMMEDIATE_DATA, value, size);
	expr_end(n, e);
}

void nft_meta(struct nft *n, uint32_t key, enum nft_reg to)
{
	struct expr e = expr_begin(n, "meta");

	nft_put_be32(n, NFTA_META_KEY, key);
	nft_put_be32(n, NFTA_META_DREG, to);
	expr_end(n, e);
}

void nft_ct(struct nft *n, uint32_t key, enum nft_reg to)
{
	struct expr e = expr_begin(n, "ct");

	nft_put_be32(n, NFTA_CT_KEY, key);
	nft_put_be32(n, NFTA_CT_DREG, to);
	expr_end(n, e);
}

void nft_ct_set_mark(struct nft *n, uint32_t mark)
{
	struct expr e;

	immediate(n, NFT_R0, &mark, sizeof(mark));
	e = expr_begin(n, "ct");
	nft_put_be32(n, NFTA_CT_KEY, NFT_CT_MARK);
	nft_put_be32(n, NFTA_CT_SREG, NFT_R0);
	expr_end(n, e);
}

void nft_trace(struct nft *n)
{
	const uint8_t on = 1;
	struct expr e;

	immediate(n, NFT_R0, &on, sizeof(on));
	e = expr_begin(n, "meta");
	nft_put_be32(n, NFTA_META_KEY, NFT_META_NFTRACE);
	nft_put_be32(n, NFTA_META_SREG, NFT_R0);
	expr_end(n, e);
}

void nft_payload(struct nft *n, uint32_t base, uint32_t offset, uint32_t size, enum nft_reg to)
{
	struct expr e = expr_begin(n, "payload");

	nft_put_be32(n, NFTA_PAYLOAD_DREG, to);
	nft_put_be32(n, NFTA_PAYLOAD_BASE, base);
	nft_put_be32(n, NFTA_PAYLOAD_OFFSET, offset);
	nft_put_be32(n, NFTA_PAYLOAD_LEN, size);
	expr_end(n, e);
}

void nft_mask(struct nft *n, enum nft_reg reg, const void *mask, size_t size)
{
	static const uint8_t zero[16];
	struct expr e = expr_begin(n, "bitwise");

	nft_put_be32(n, NFTA_BITWISE_SREG, reg);
	nft_put_be32(n, NFTA_BITWISE_DREG, reg);
	nft_put_be32(n, NFTA_BITWISE_LEN, (uint32_t)size);
	put_data(n, NFTA_BITWISE_MASK, mask, size);
	put_data(n, NFTA_BITWISE_XOR, zero, size);
	expr_end(n, e);
}

static void compare(struct nft *n, uint32_t op, enum nft_reg reg, const void *value, size_t size)
{
	struct expr e = expr_begin(n, "cmp");

	nft_put_be32(n, NFTA_CMP_SREG, reg);
	nft_put_be32(n, NFTA_CMP_OP, op);
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

	nft_put_str(n, NFTA_LOOKUP_SET, set);
	nft_put_be32(n, NFTA_LOOKUP_SREG, reg);
	expr_end(n, e);
}

void nft_not_routed(struct nft *n)
{
	const uint32_t none = 0;
	struct expr e = expr_begin(n, "fib");

	nft_put_be32(n, NFTA_FIB_DREG, NFT_R0);
	nft_put_be32(n, NFTA_FIB_RESULT, NFT_FIB_RESULT_OIF);
	nft_put_be32(n, NFTA_FIB_FLAGS, NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF);
	expr_end(n, e);
	nft_equal(n, NFT_R0, &none, sizeof(none));
}

void nft_to_this_host(struct nft *n)
{
	const uint32_t own = RTN_LOCAL;
	struct expr e = expr_begin(n, "fib");

	nft_put_be32(n, NFTA_FIB_DREG, NFT_R0);
	nft_put_be32(n, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nft_put_be32(n, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	expr_end(n, e);
	nft_equal(n, NFT_R0, &own, sizeof(own));
}

void nft_count(struct nft *n)
{
	expr_end(n, expr_begin(n, "counter"));
}

static void object(struct nft *n, uint32_t type, const char *name)
{
	struct expr e = expr_begin(n, "objref");

	nft_put_be32(n, NFTA_OBJREF_IMM_TYPE, type);
	nft_put_str(n, NFTA_OBJREF_IMM_NAME, name);
	expr_end(n, e);
}

void nft_count_in(struct nft *n, const char *counter)
{
	object(n, NFT_OBJECT_COUNTER, counter);
}

void nft_over(struct nft *n, const char *quota)
{
	object(n, NFT_OBJECT_QUOTA, quota);
}

void nft_tally(struct nft *n, enum nft_reg reg, const char *set)
{
	struct expr e = expr_begin(n, "dynset");
	size_t counter;

	nft_put_str(n, NFTA_DYNSET_SET_NAME, set);
	nft_put_be32(n, NFTA_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nft_put_be32(n, NFTA_DYNSET_SREG_KEY, reg);
	counter = nft_nest(n, NFTA_DYNSET_EXPR);
	nft_put_str(n, NFTA_EXPR_NAME, "counter");
	nft_nest_end(n, nft_nest(n, NFTA_EXPR_DATA));
	nft_nest_end(n, counter);
	expr_end(n, e);
}

void nft_connections_over(struct nft *n, uint32_t count)
{
	struct expr e = expr_begin(n, "connlimit");

	nft_put_be32(n, NFTA_CONNLIMIT_COUNT, count);
	nft_put_be32(n, NFTA_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
	expr_end(n, e);
}

void nft_verdict(struct nft *n, int code, const char *chain)
{
	struct expr e = expr_begin(n, "immediate");
	size_t data, verdict;

	nft_put_be32(n, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nft_nest(n, NFTA_IMMEDIATE_DATA);
	verdict = nft_nest(n, NFTA_DATA_VERDICT);
	nft_put_be32(n, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		nft_put_str(n, NFTA_VERDICT_CHAIN, chain);
	nft_nest_end(n, verdict);
	nft_nest_end(n, data);
	expr_end(n, e);
}

static void reject(struct nft *n, uint32_t type, uint8_t code)
{
	struct expr e = expr_begin(n, "reject");

	nft_put_be32(n, NFTA_REJECT_TYPE, type);
	nft_put(n, NFTA_REJECT_ICMP_CODE, &code, 1);
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
	nft_put_be32(n, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	nft_put_be32(n, NFTA_NAT_FAMILY, family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nft_put_be32(n, NFTA_NAT_REG_ADDR_MIN, NFT_R0);
	expr_end(n, e);
}

void nft_queue(struct nft *n, uint16_t number, bool compat)
{
	struct expr e = expr_begin(n, compat ? "target" : "queue");
	const uint16_t info[4] = { number, 1, 0, 0 }; /* struct xt_NFQ_info_v3, padded as xt wants it */

	if (compat) {
		nft_put_str(n, NFTA_TARGET_NAME, "NFQUEUE");
		nft_put_be32(n, NFTA_TARGET_REV, 3);
		nft_put(n, NFTA_TARGET_INFO, info, sizeof(info));
	} else {
		nft_put_be16(n, NFTA_QUEUE_NUM, number);
		nft_put_be16(n, NFTA_QUEUE_TOTAL, 1);
		nft_put_be16(n, NFTA_QUEUE_FLAGS, 0);
	}
	expr_end(n, e);
}
