/* SPDX-License-Identifier: MIT
 *
 * The one table on the host. It knows apps by their interfaces' group alone and
 * changes while cowbelld runs by what comes to ports that apps were given alone: what an
 * app may is decided in the app's own namespace, this keeps apps from the host's services
 * and from each other, and the world from apps.
 */
#include "platform/arm/net.h"

#include "platform/arm/nft.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

#define CT_STANDS (NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED))

static void from_apps(struct nft *n, const char *chain, uint32_t group)
{
	nft_rule_begin(n, chain);
	nft_match_group(n, true, group, true);
}

static void reject_rest(struct nft *n, const char *chain, uint32_t group, bool to_apps)
{
	from_apps(n, chain, group);
	if (to_apps)
		nft_match_group(n, false, group, true);
	nft_match_l4(n, IPPROTO_TCP);
	nft_reject_tcp(n);
	nft_rule_end(n);
	from_apps(n, chain, group);
	if (to_apps)
		nft_match_group(n, false, group, true);
	nft_reject_icmp(n);
	nft_rule_end(n);
}

static void add_input(struct nft *n, uint32_t group)
{
	from_apps(n, "input", group);
	nft_match_ct_state(n, CT_STANDS);
	nft_verdict(n, NF_ACCEPT, NULL);
	nft_rule_end(n);
	for (uint8_t type = ND_NEIGHBOR_SOLICIT; type <= ND_NEIGHBOR_ADVERT; type++) {
		from_apps(n, "input", group);
		nft_match_l4(n, IPPROTO_ICMPV6);
		nft_payload(n, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, NFT_R0);
		nft_equal(n, NFT_R0, &type, 1);
		nft_verdict(n, NF_ACCEPT, NULL);
		nft_rule_end(n);
	}
	reject_rest(n, "input", group, false);
}

static void add_forward(struct nft *n, uint32_t group)
{
	reject_rest(n, "forward", group, true);
	nft_rule_begin(n, "forward");
	nft_match_group(n, false, group, true);
	nft_match_ct_state(n, CT_STANDS);
	nft_verdict(n, NF_ACCEPT, NULL);
	nft_rule_end(n);
	/* What came to a port that an app was given; the app's own rules look again. */
	nft_rule_begin(n, "forward");
	nft_match_group(n, false, group, true);
	nft_match_ct_status(n, IPS_DST_NAT);
	nft_verdict(n, NF_ACCEPT, NULL);
	nft_rule_end(n);
	nft_rule_begin(n, "forward");
	nft_match_group(n, false, group, true);
	nft_verdict(n, NF_DROP, NULL);
	nft_rule_end(n);
	/* Forwarding was turned on for apps, on these interfaces, and for nobody else. */
	nft_rule_begin(n, "forward");
	nft_match_group(n, true, group, false);
	nft_match_group(n, false, group, false);
	nft_meta(n, NFT_META_IIF, NFT_R0);
	nft_in_set(n, NFT_R0, NETHOST_OPENED);
	nft_verdict(n, NF_DROP, NULL);
	nft_rule_end(n);
}

int nethost_load(struct nl_sock *sock, const char *table, uint32_t group, struct err *err)
{
	struct nft *n = xcalloc(1, sizeof(*n));
	int rc;

	nft_begin(n, table);
	nft_add_table(n, true);
	nft_add_set(n, NETHOST_OPENED, 0, 4, false);
	nft_add_base_chain(n, "raw", "filter", NF_INET_PRE_ROUTING, -300, true);
	nft_add_base_chain(n, "input", "filter", NF_INET_LOCAL_IN, 0, true);
	nft_add_base_chain(n, "forward", "filter", NF_INET_FORWARD, 0, true);
	nft_add_base_chain(n, "arrive", "nat", NF_INET_PRE_ROUTING, -100, true);
	nft_add_base_chain(n, "source", "nat", NF_INET_POST_ROUTING, 100, true);
	/* A source that is not the app's. */
	from_apps(n, "raw", group);
	nft_not_routed(n);
	nft_count(n);
	nft_verdict(n, NF_DROP, NULL);
	nft_rule_end(n);
	add_input(n, group);
	add_forward(n, group);
	from_apps(n, "source", group);
	nft_match_group(n, false, group, false);
	nft_masquerade(n);
	nft_rule_end(n);
	rc = nft_commit(n, sock, err);
	free(n);
	return rc < 0 ? err_wrap(err, "table '%s'", table) : 0;
}

int nethost_arrivals(struct nl_sock *sock, const char *table, uint32_t group, const struct net_arrival *arrivals,
		     size_t count, struct err *err)
{
	struct nft *n = xcalloc(1, sizeof(*n));
	int rc;

	nft_begin(n, table);
	nft_flush_chain(n, "arrive");
	for (size_t i = 0; i < count; i++) {
		nft_rule_begin(n, "arrive");
		nft_match_group(n, true, group, false); /* no app comes to another by this */
		nft_match_family(n, NFPROTO_IPV4);
		nft_match_port(n, arrivals[i].port);
		nft_to_this_host(n);
		nft_dnat(n, AF_INET, arrivals[i].app4, sizeof(arrivals[i].app4));
		nft_rule_end(n);
	}
	rc = nft_commit(n, sock, err);
	free(n);
	return rc;
}

int nethost_opened(struct nl_sock *sock, const char *table, uint32_t index, struct err *err)
{
	struct nft *n = xcalloc(1, sizeof(*n));
	int rc;

	nft_begin(n, table);
	nft_add_element(n, NETHOST_OPENED, &index, sizeof(index), 0);
	rc = nft_commit(n, sock, err);
	free(n);
	return rc;
}
