/* SPDX-License-Identifier: MIT
 *
 * The encoder. Attributes are written straight into the batch, lengths are
 * patched when a nest ends; a batch that does not fit is never sent.
 */
#include "platform/arm/nft_put.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
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

void nft_put(struct nft *n, uint16_t type, const void *data, size_t size)
{
	struct nlattr *a = room(n, NLA_HDRLEN + size);

	if (!a)
		return;
	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + size);
	if (size)
		memcpy((uint8_t *)a + NLA_HDRLEN, data, size);
}

void nft_put_str(struct nft *n, uint16_t type, const char *s)
{
	nft_put(n, type, s, strlen(s) + 1);
}

void nft_put_be32(struct nft *n, uint16_t type, uint32_t v)
{
	v = htonl(v);
	nft_put(n, type, &v, sizeof(v));
}

void nft_put_be16(struct nft *n, uint16_t type, uint16_t v)
{
	v = htons(v);
	nft_put(n, type, &v, sizeof(v));
}

void nft_put_be64(struct nft *n, uint16_t type, uint64_t v)
{
	uint32_t halves[2] = { htonl((uint32_t)(v >> 32)), htonl((uint32_t)v) };

	nft_put(n, type, halves, sizeof(halves));
}

size_t nft_nest(struct nft *n, uint16_t type)
{
	size_t at = n->len;

	nft_put(n, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void nft_nest_end(struct nft *n, size_t at)
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

void nft_msg_end(struct nft *n)
{
	if (!n->overflow)
		((struct nlmsghdr *)(n->buf + n->msg))->nlmsg_len = (uint32_t)(n->len - n->msg);
}

void nft_msg_begin(struct nft *n, int type, uint16_t flags, uint16_t table_attr)
{
	msg_begin(n, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET, 0);
	nft_put_str(n, table_attr, n->table);
}

void nft_begin(struct nft *n, const char *table)
{
	n->len = 0;
	n->seq = 0;
	n->overflow = false;
	n->table = table;
	msg_begin(n, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	nft_msg_end(n);
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
	nft_msg_end(n);
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
	nft_msg_begin(n, NFT_MSG_NEWTABLE, NLM_F_CREATE, NFTA_TABLE_NAME);
	nft_put_be32(n, NFTA_TABLE_FLAGS, owned ? NFT_TABLE_F_OWNER : 0);
	nft_msg_end(n);
}

void nft_delete_table(struct nft *n)
{
	nft_msg_begin(n, NFT_MSG_DELTABLE, 0, NFTA_TABLE_NAME);
	nft_msg_end(n);
}

void nft_add_chain(struct nft *n, const char *chain)
{
	nft_msg_begin(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_TABLE);
	nft_put_str(n, NFTA_CHAIN_NAME, chain);
	nft_msg_end(n);
}

void nft_add_base_chain(struct nft *n, const char *chain, const char *type, unsigned int hook, int priority,
			bool accept)
{
	size_t at;

	nft_msg_begin(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_TABLE);
	nft_put_str(n, NFTA_CHAIN_NAME, chain);
	nft_put_str(n, NFTA_CHAIN_TYPE, type);
	at = nft_nest(n, NFTA_CHAIN_HOOK);
	nft_put_be32(n, NFTA_HOOK_HOOKNUM, hook);
	nft_put_be32(n, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	nft_nest_end(n, at);
	nft_put_be32(n, NFTA_CHAIN_POLICY, accept ? NF_ACCEPT : NF_DROP);
	nft_msg_end(n);
}

void nft_flush_chain(struct nft *n, const char *chain)
{
	nft_msg_begin(n, NFT_MSG_DELRULE, 0, NFTA_RULE_TABLE);
	nft_put_str(n, NFTA_RULE_CHAIN, chain);
	nft_msg_end(n);
}

void nft_add_counter(struct nft *n, const char *name)
{
	nft_msg_begin(n, NFT_MSG_NEWOBJ, NLM_F_CREATE, NFTA_OBJ_TABLE);
	nft_put_str(n, NFTA_OBJ_NAME, name);
	nft_put_be32(n, NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
	nft_nest_end(n, nft_nest(n, NFTA_OBJ_DATA));
	nft_msg_end(n);
}

void nft_add_quota(struct nft *n, const char *name, uint64_t bytes)
{
	size_t at;

	nft_msg_begin(n, NFT_MSG_NEWOBJ, NLM_F_CREATE, NFTA_OBJ_TABLE);
	nft_put_str(n, NFTA_OBJ_NAME, name);
	nft_put_be32(n, NFTA_OBJ_TYPE, NFT_OBJECT_QUOTA);
	at = nft_nest(n, NFTA_OBJ_DATA);
	nft_put_be64(n, NFTA_QUOTA_BYTES, bytes);
	nft_put_be32(n, NFTA_QUOTA_FLAGS, NFT_QUOTA_F_INV);
	nft_nest_end(n, at);
	nft_msg_end(n);
}

void nft_delete_quota(struct nft *n, const char *name)
{
	nft_msg_begin(n, NFT_MSG_DELOBJ, 0, NFTA_OBJ_TABLE);
	nft_put_str(n, NFTA_OBJ_NAME, name);
	nft_put_be32(n, NFTA_OBJ_TYPE, NFT_OBJECT_QUOTA);
	nft_msg_end(n);
}

static void add_set(struct nft *n, const char *set, uint32_t flags, uint32_t key_type, uint32_t key_size, uint32_t size)
{
	size_t at;

	nft_msg_begin(n, NFT_MSG_NEWSET, NLM_F_CREATE, NFTA_SET_TABLE);
	nft_put_str(n, NFTA_SET_NAME, set);
	nft_put_be32(n, NFTA_SET_FLAGS, flags);
	nft_put_be32(n, NFTA_SET_KEY_TYPE, key_type);
	nft_put_be32(n, NFTA_SET_KEY_LEN, key_size);
	nft_put_be32(n, NFTA_SET_ID, n->seq);
	at = nft_nest(n, NFTA_SET_DESC);
	nft_put_be32(n, NFTA_SET_DESC_SIZE, size);
	nft_nest_end(n, at);
	nft_msg_end(n);
}

void nft_add_tally(struct nft *n, const char *set, uint32_t key_type, uint32_t key_size, uint32_t size)
{
	add_set(n, set, NFT_SET_EVAL, key_type, key_size, size);
}

void nft_add_set(struct nft *n, const char *set, uint32_t key_type, uint32_t key_size, bool lapses)
{
	add_set(n, set, lapses ? NFT_SET_TIMEOUT : 0, key_type, key_size, 4096);
}

static void element(struct nft *n, int type, const char *set, const void *key, size_t size, uint64_t timeout_ms)
{
	size_t list, one, in;

	nft_msg_begin(n, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, NFTA_SET_ELEM_LIST_TABLE);
	nft_put_str(n, NFTA_SET_ELEM_LIST_SET, set);
	list = nft_nest(n, NFTA_SET_ELEM_LIST_ELEMENTS);
	one = nft_nest(n, NFTA_LIST_ELEM);
	in = nft_nest(n, NFTA_SET_ELEM_KEY);
	nft_put(n, NFTA_DATA_VALUE, key, size);
	nft_nest_end(n, in);
	if (timeout_ms)
		nft_put_be64(n, NFTA_SET_ELEM_TIMEOUT, timeout_ms);
	nft_nest_end(n, one);
	nft_nest_end(n, list);
	nft_msg_end(n);
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
	nft_msg_begin(n, NFT_MSG_DELSETELEM, 0, NFTA_SET_ELEM_LIST_TABLE);
	nft_put_str(n, NFTA_SET_ELEM_LIST_SET, set);
	nft_msg_end(n);
}
