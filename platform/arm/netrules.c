/* SPDX-License-Identifier: MIT
 *
 * What decides about an app's packets, in the order of cost: flows that stand,
 * what was remembered, what is never given, what a scope was given, and last the
 * queue. Nothing that userspace said once is asked of it twice.
 */
#include "platform/arm/net.h"

#include "platform/arm/nft.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>

#define CT_ESTABLISHED NF_CT_STATE_BIT(IP_CT_ESTABLISHED)
#define CT_RELATED NF_CT_STATE_BIT(IP_CT_RELATED)
#define CT_NEW NF_CT_STATE_BIT(IP_CT_NEW)
#define CT_INVALID NF_CT_STATE_INVALID_BIT
#define CONNECTIONS_MAX 512u /* of one app: the table is the whole machine's */

/* Types of set keys as nft(8) prints them: address . inet_proto . inet_service. */
#define KEY4 (7u << 12 | 12u << 6 | 13u)
#define KEY6 (8u << 12 | 12u << 6 | 13u)
#define KEY_ADDRESS4 7u
#define KEY_ADDRESS6 8u

struct prefix {
	int family;
	const char *address;
	unsigned int size;
};

/* RFC 1918, RFC 6598 (carriers), RFC 4193. */
static const struct prefix local[] = {
	{ AF_INET, "10.0.0.0", 8 },     { AF_INET, "172.16.0.0", 12 }, { AF_INET, "192.168.0.0", 16 },
	{ AF_INET, "100.64.0.0", 10 },  { AF_INET6, "fc00::", 7 },
};

/* Other apps and gateways, link-local, multicast, broadcast, nowhere: no answer
 * gives them. */
static const struct prefix never[] = {
	{ AF_INET, "198.18.0.0", 16 },  { AF_INET, "169.254.0.0", 16 },     { AF_INET, "224.0.0.0", 4 },
	{ AF_INET, "240.0.0.0", 4 },    { AF_INET, "0.0.0.0", 8 },          { AF_INET6, "ff00::", 8 },
	{ AF_INET6, "fe80::", 10 },     { AF_INET6, "::", 96 },             { AF_INET6, "::ffff:0:0", 96 },
};

static void match(struct nft *n, const struct prefix *p)
{
	uint8_t address[16];

	(void)inet_pton(p->family, p->address, address);
	nft_match_to(n, p->family, address, p->size);
}

static void rule(struct nft *n, const char *chain, const struct prefix *p, int code, const char *to)
{
	nft_rule_begin(n, chain);
	match(n, p);
	nft_verdict(n, code, to);
	nft_rule_end(n);
}

static void rule_to(struct nft *n, int family, const void *address, unsigned int size, int code, const char *to)
{
	nft_rule_begin(n, "output");
	nft_match_to(n, family, address, size);
	nft_verdict(n, code, to);
	nft_rule_end(n);
}

static void rule_state(struct nft *n, const char *chain, uint32_t state, int code, const char *to)
{
	nft_rule_begin(n, chain);
	nft_match_ct_state(n, state);
	nft_verdict(n, code, to);
	nft_rule_end(n);
}

static void rule_ct_mark(struct nft *n, const char *chain, uint32_t mark, int code, const char *to)
{
	nft_rule_begin(n, chain);
	nft_ct(n, NFT_CT_MARK, NFT_R0);
	nft_equal(n, NFT_R0, &mark, sizeof(mark));
	nft_verdict(n, code, to);
	nft_rule_end(n);
}

static void rule_mark(struct nft *n, uint32_t mark, const char *to)
{
	nft_rule_begin(n, "output");
	nft_match_u32(n, NFT_META_MARK, mark);
	nft_verdict(n, NFT_GOTO, to);
	nft_rule_end(n);
}

/* An ICMP error can only be made for a packet whose way does not lead to lo, so
 * such packets first find their new one: the kernel looks for it when this chain
 * has accepted, and asks the later chain afterwards. */
static void add_refusals(struct nft *n)
{
	nft_rule_begin(n, "output");
	nft_match_u32(n, NFT_META_MARK, NET_MARK_REFUSE);
	nft_match_l4(n, IPPROTO_TCP);
	nft_verdict(n, NFT_GOTO, "refuse");
	nft_rule_end(n);
	nft_rule_begin(n, "output");
	nft_match_u32(n, NFT_META_MARK, NET_MARK_REFUSE);
	nft_verdict(n, NF_ACCEPT, NULL);
	nft_rule_end(n);
	nft_rule_begin(n, "late");
	nft_match_u32(n, NFT_META_MARK, NET_MARK_REFUSE);
	nft_verdict(n, NFT_GOTO, "refuse");
	nft_rule_end(n);
}

static void rule_icmp6(struct nft *n, const char *chain, uint8_t first, uint8_t last, int code)
{
	for (unsigned int type = first; type <= last; type++) {
		uint8_t t = (uint8_t)type;

		nft_rule_begin(n, chain);
		nft_match_l4(n, IPPROTO_ICMPV6);
		nft_payload(n, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, NFT_R0);
		nft_equal(n, NFT_R0, &t, 1);
		nft_verdict(n, code, NULL);
		nft_rule_end(n);
	}
}

/* Loads the key of the remembered sets: destination, protocol, port. A protocol
 * without ports is asked about each time. */
static void rule_remembered(struct nft *n, int family, uint8_t protocol, const char *set, const char *to)
{
	bool v4 = family == AF_INET;
	enum nft_reg next = v4 ? NFT_R1 : NFT_R4;

	nft_rule_begin(n, "output");
	nft_match_family(n, v4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nft_match_l4(n, protocol);
	nft_payload(n, NFT_PAYLOAD_NETWORK_HEADER, v4 ? 16 : 24, v4 ? 4 : 16, NFT_R0);
	nft_meta(n, NFT_META_L4PROTO, next);
	nft_payload(n, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, next + 1);
	nft_in_set(n, NFT_R0, set);
	nft_verdict(n, NFT_GOTO, to);
	nft_rule_end(n);
}

/* The other end's address, of either family, as the key of a tally. */
static void tally(struct nft *n, const char *chain, const char *set4, const char *set6, bool source)
{
	nft_rule_begin(n, chain);
	nft_match_family(n, NFPROTO_IPV4);
	nft_payload(n, NFT_PAYLOAD_NETWORK_HEADER, source ? 12 : 16, 4, NFT_R0);
	nft_tally(n, NFT_R0, set4);
	nft_rule_end(n);
	nft_rule_begin(n, chain);
	nft_match_family(n, NFPROTO_IPV6);
	nft_payload(n, NFT_PAYLOAD_NETWORK_HEADER, source ? 8 : 24, 16, NFT_R0);
	nft_tally(n, NFT_R0, set6);
	nft_rule_end(n);
}

static void end_in(struct nft *n, const char *chain, int code, const char *to)
{
	nft_rule_begin(n, chain);
	nft_verdict(n, code, to);
	nft_rule_end(n);
}

/* Under its cap, counted for its scope, then for the other end. */
static void add_scope(struct nft *n, const char *chain, const char *cap, const char *counter, const char *to)
{
	end_in(n, chain, NFT_JUMP, cap);
	nft_rule_begin(n, chain);
	nft_count_in(n, counter);
	nft_verdict(n, NFT_GOTO, to);
	nft_rule_end(n);
}

static void add_counted(struct nft *n, bool out)
{
	const uint32_t lo = 1;
	const char *chain = out ? "go" : "come";

	if (out) { /* what rejects come home as must not be counted */
		nft_rule_begin(n, chain);
		nft_match_u32(n, NFT_META_OIF, lo);
		nft_verdict(n, NF_ACCEPT, NULL);
		nft_rule_end(n);
	}
	rule_ct_mark(n, chain, NET_MARK_LOCAL, NFT_GOTO, out ? "up_local" : "down_local");
	add_scope(n, chain, out ? "cap" : "cap_in", out ? "up" : "down", out ? "sent" : "got");
	add_scope(n, out ? "up_local" : "down_local", out ? "cap_local" : "cap_local_in", out ? "up_local" : "down_local",
		  out ? "sent" : "got");
	tally(n, out ? "sent" : "got", out ? "up4" : "down4", out ? "up6" : "down6", !out);
	end_in(n, out ? "sent" : "got", NF_ACCEPT, NULL);
}

/* The first packet of a flow that may go. */
static void add_first(struct nft *n, const char *chain, uint32_t mark, const char *counter)
{
	nft_rule_begin(n, chain);
	nft_ct_set_mark(n, mark);
	nft_count_in(n, counter);
	nft_rule_end(n);
	tally(n, chain, "flows4", "flows6", false);
	end_in(n, chain, NFT_GOTO, "go");
}

static void add_ends(struct nft *n)
{
	tally(n, "refuse", "refused4", "refused6", false);
	nft_rule_begin(n, "refuse");
	nft_match_l4(n, IPPROTO_TCP);
	nft_count_in(n, "refused");
	nft_reject_tcp(n);
	nft_rule_end(n);
	nft_rule_begin(n, "refuse");
	nft_count_in(n, "refused");
	nft_reject_icmp(n);
	nft_rule_end(n);

	add_counted(n, true);
	add_counted(n, false);
	add_first(n, "go_wide", NET_MARK_WIDE, "flows");
	add_first(n, "go_local", NET_MARK_LOCAL, "flows_local");
}

static void comes_in(struct nft *n, const struct prefix *from, uint32_t mark, const char *counter)
{
	uint8_t address[16];

	nft_rule_begin(n, "heard");
	if (from) {
		(void)inet_pton(from->family, from->address, address);
		nft_match_from(n, from->family, address, from->size);
	}
	nft_ct_set_mark(n, mark);
	nft_count_in(n, counter);
	nft_verdict(n, NFT_GOTO, "come");
	nft_rule_end(n);
}

/* The first packet of a connection that may come in. */
static void add_heard(struct nft *n)
{
	nft_rule_begin(n, "heard");
	nft_connections_over(n, CONNECTIONS_MAX);
	nft_verdict(n, NF_DROP, NULL);
	nft_rule_end(n);
	for (size_t i = 0; i < ARRAY_LEN(local); i++)
		comes_in(n, &local[i], NET_MARK_LOCAL, "flows_local");
	comes_in(n, NULL, NET_MARK_WIDE, "flows");
}

static void add_ask(struct nft *n, enum net_hold hold)
{
	nft_rule_begin(n, "ask");
	nft_connections_over(n, CONNECTIONS_MAX);
	nft_verdict(n, NFT_GOTO, "refuse");
	nft_rule_end(n);
	nft_rule_begin(n, "ask");
	nft_queue(n, NET_QUEUE, hold == NET_HOLD_COMPAT);
	nft_rule_end(n);
}

static void add_output(struct nft *n, const struct net_addresses *a)
{
	static const uint8_t loopback4[4] = { 127 }, loopback6[16] = { [15] = 1 };

	rule_state(n, "output", CT_ESTABLISHED | CT_RELATED, NFT_GOTO, "go");
	/* Before what is invalid: an error about a first packet that was refused is,
	 * because its flow never came to be. */
	rule_to(n, AF_INET, loopback4, 8, NF_ACCEPT, NULL);
	rule_to(n, AF_INET, a->app4, 32, NF_ACCEPT, NULL);
	rule_to(n, AF_INET6, loopback6, 128, NF_ACCEPT, NULL);
	rule_to(n, AF_INET6, a->app6, 128, NF_ACCEPT, NULL);
	rule_state(n, "output", CT_INVALID, NF_DROP, NULL);
	rule_icmp6(n, "output", ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT, NF_ACCEPT);
	rule_icmp6(n, "output", ND_ROUTER_SOLICIT, ND_ROUTER_SOLICIT, NF_DROP);
	rule_icmp6(n, "output", MLD_LISTENER_REPORT, MLD_LISTENER_REPORT, NF_DROP);
	rule_icmp6(n, "output", 143, 143, NF_DROP); /* MLDv2 report */
	/* A one-way UDP flow stays new for ever. */
	rule_ct_mark(n, "output", NET_MARK_WIDE, NFT_GOTO, "go");
	rule_ct_mark(n, "output", NET_MARK_LOCAL, NFT_GOTO, "go");
	rule_to(n, AF_INET6, a->host6, 48, NFT_GOTO, "refuse");
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		rule(n, "output", &never[i], NFT_GOTO, "refuse");
	rule_mark(n, NET_MARK_ONCE, "classed");
	add_refusals(n);
	for (size_t i = 0; i < 2; i++) {
		uint8_t protocol = i ? IPPROTO_UDP : IPPROTO_TCP;

		rule_remembered(n, AF_INET, protocol, "no4", "refuse");
		rule_remembered(n, AF_INET6, protocol, "no6", "refuse");
		rule_remembered(n, AF_INET, protocol, "ok4", "classed");
		rule_remembered(n, AF_INET6, protocol, "ok6", "classed");
	}
	for (size_t i = 0; i < ARRAY_LEN(local); i++)
		rule(n, "output", &local[i], NFT_GOTO, "to_local");
	end_in(n, "output", NFT_JUMP, "internet");
	end_in(n, "output", NFT_GOTO, "ask");
	end_in(n, "to_local", NFT_JUMP, "local");
	end_in(n, "to_local", NFT_GOTO, "ask");
	for (size_t i = 0; i < ARRAY_LEN(local); i++)
		rule(n, "classed", &local[i], NFT_GOTO, "go_local");
	end_in(n, "classed", NFT_GOTO, "go_wide");
}

static void add_input(struct nft *n)
{
	const uint32_t lo = 1;

	nft_rule_begin(n, "input");
	nft_match_u32(n, NFT_META_IIF, lo);
	nft_verdict(n, NF_ACCEPT, NULL);
	nft_rule_end(n);
	rule_state(n, "input", CT_ESTABLISHED | CT_RELATED, NFT_GOTO, "come");
	rule_icmp6(n, "input", ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT, NF_ACCEPT);
	rule_state(n, "input", CT_NEW, NFT_JUMP, "listen");
}

/* A resolver that a program has built in is ours too: the name is asked about,
 * not the resolver. */
static void add_dns(struct nft *n)
{
	static const uint8_t ours4[4] = { 127, 0, 0, 53 }, ours6[16] = { [15] = 1 }, any[16];
	const uint16_t port = htons(53);

	for (size_t i = 0; i < 4; i++) {
		int family = i & 1 ? AF_INET6 : AF_INET;

		nft_rule_begin(n, "resolver");
		nft_match_to(n, family, any, 0);
		nft_match_l4(n, i & 2 ? IPPROTO_UDP : IPPROTO_TCP);
		nft_payload(n, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_R0);
		nft_equal(n, NFT_R0, &port, sizeof(port));
		if (family == AF_INET)
			nft_dnat(n, family, ours4, sizeof(ours4));
		else
			nft_dnat(n, family, ours6, sizeof(ours6));
		nft_rule_end(n);
	}
}

int netrules_load(struct nl_sock *sock, enum net_hold hold, const struct net_addresses *addresses, struct err *err)
{
	static const char *const counters[] = { "up",   "down",  "up_local",    "down_local",
						"flows", "flows_local", "refused" };
	static const char *const chains[] = { "go",       "go_wide",  "go_local", "up_local", "sent", "come", "down_local",
					      "got",      "classed",  "refuse",   "ask",      "internet", "local",
					      "to_local", "listen",   "heard",    "cap",      "cap_in",   "cap_local", "cap_local_in" };
	static const char *const tallies[] = { "up4", "down4", "flows4", "refused4", "up6", "down6", "flows6", "refused6" };
	struct nft *n = xcalloc(1, sizeof(*n));
	int rc;

	nft_begin(n, NET_TABLE);
	nft_add_table(n, false);
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		nft_add_counter(n, counters[i]);
	nft_add_set(n, "ok4", KEY4, 12, true);
	nft_add_set(n, "no4", KEY4, 12, true);
	nft_add_set(n, "ok6", KEY6, 24, true);
	nft_add_set(n, "no6", KEY6, 24, true);
	nft_add_quota(n, "cap", INT64_MAX);
	nft_add_quota(n, "cap_local", INT64_MAX);
	for (size_t i = 0; i < ARRAY_LEN(tallies); i++)
		nft_add_tally(n, tallies[i], i < 4 ? KEY_ADDRESS4 : KEY_ADDRESS6, i < 4 ? 4 : 16, NET_HOSTS_MAX);
	for (size_t i = 0; i < ARRAY_LEN(chains); i++)
		nft_add_chain(n, chains[i]);
	nft_add_base_chain(n, "resolver", "nat", NF_INET_LOCAL_OUT, -100, true);
	nft_add_base_chain(n, "output", "filter", NF_INET_LOCAL_OUT, 0, false);
	nft_add_base_chain(n, "late", "filter", NF_INET_LOCAL_OUT, 10, true);
	nft_add_base_chain(n, "input", "filter", NF_INET_LOCAL_IN, 0, false);
	nft_add_base_chain(n, "forward", "filter", NF_INET_FORWARD, 0, false);
	add_ends(n);
	add_heard(n);
	add_ask(n, hold);
	add_dns(n);
	add_output(n, addresses);
	add_input(n);
	rc = nft_commit(n, sock, err);
	free(n);
	return rc;
}

/* --- changes --- */

static void fill_scope(struct nft *n, enum net_scope scope, enum net_scope_state state)
{
	const char *chain = scope == NET_LOCAL ? "local" : "internet";

	nft_flush_chain(n, chain);
	if (state == NET_ASK)
		return;
	nft_rule_begin(n, chain);
	nft_verdict(n, NFT_GOTO, state == NET_REFUSE ? "refuse" : scope == NET_LOCAL ? "go_local" : "go_wide");
	nft_rule_end(n);
}

int netrules_set_scope(struct nl_sock *sock, enum net_scope scope, enum net_scope_state state, struct err *err)
{
	struct nft *n = xcalloc(1, sizeof(*n));
	int rc;

	nft_begin(n, NET_TABLE);
	fill_scope(n, scope, state);
	rc = nft_commit(n, sock, err);
	free(n);
	return rc;
}

int netrules_remember(struct nl_sock *sock, const struct net_flow *flow, bool allowed, uint64_t ms, struct err *err)
{
	static const char *const sets[2][2] = { { "no4", "no6" }, { "ok4", "ok6" } };
	size_t address = flow->version == 4 ? 4 : 16;
	uint8_t key[24] = { 0 };
	struct nft *n;
	int rc;

	if (flow->protocol != IPPROTO_TCP && flow->protocol != IPPROTO_UDP)
		return 0;
	memcpy(key, flow->to, address);
	key[address] = flow->protocol;
	key[address + 4] = (uint8_t)(flow->port >> 8);
	key[address + 5] = (uint8_t)flow->port;
	n = xcalloc(1, sizeof(*n));
	nft_begin(n, NET_TABLE);
	nft_add_element(n, sets[allowed][flow->version == 6], key, address + 8, ms);
	rc = nft_commit(n, sock, err);
	free(n);
	return rc;
}

int netrules_listen(struct nl_sock *sock, const uint16_t *ports, size_t count, struct err *err)
{
	struct nft *n = xcalloc(1, sizeof(*n));
	int rc;

	nft_begin(n, NET_TABLE);
	nft_flush_chain(n, "listen");
	for (size_t i = 0; i < count; i++) {
		nft_rule_begin(n, "listen");
		nft_match_port(n, ports[i]);
		nft_verdict(n, NFT_GOTO, "heard");
		nft_rule_end(n);
	}
	rc = nft_commit(n, sock, err);
	free(n);
	return rc;
}

int netrules_forget(struct nl_sock *sock, struct err *err)
{
	static const char *const sets[] = { "ok4", "ok6", "no4", "no6" };
	struct nft *n = xcalloc(1, sizeof(*n));
	int rc;

	nft_begin(n, NET_TABLE);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		nft_flush_set(n, sets[i]);
	fill_scope(n, NET_INTERNET, NET_ASK);
	fill_scope(n, NET_LOCAL, NET_ASK);
	rc = nft_commit(n, sock, err);
	free(n);
	return rc;
}

enum net_scope net_flow_scope(const struct net_flow *flow)
{
	for (size_t i = 0; i < ARRAY_LEN(local); i++) {
		int family = flow->version == 4 ? AF_INET : AF_INET6;
		uint8_t net[16];
		bool same = local[i].family == family;

		(void)inet_pton(local[i].family, local[i].address, net);
		for (unsigned int bit = 0; bit < local[i].size && same; bit++)
			same = ((flow->to[bit / 8] ^ net[bit / 8]) >> (7 - bit % 8) & 1) == 0;
		if (same)
			return NET_LOCAL;
	}
	return NET_INTERNET;
}
