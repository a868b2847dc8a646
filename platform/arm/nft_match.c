/* SPDX-License-Identifier: MIT
 *
 * Matches of more than one expression, for nft.h.
 */
#include "platform/arm/nft.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

void nft_match_u32(struct nft *n, uint32_t meta_key, uint32_t value)
{
	nft_meta(n, meta_key, NFT_R0);
	nft_equal(n, NFT_R0, &value, sizeof(value));
}

void nft_match_family(struct nft *n, uint8_t nfproto)
{
	nft_meta(n, NFT_META_NFPROTO, NFT_R0);
	nft_equal(n, NFT_R0, &nfproto, 1);
}

void nft_match_l4(struct nft *n, uint8_t protocol)
{
	nft_meta(n, NFT_META_L4PROTO, NFT_R0);
	nft_equal(n, NFT_R0, &protocol, 1);
}

static void match_address(struct nft *n, int family, const void *address, unsigned int prefix, bool source)
{
	size_t size = family == AF_INET ? 4 : 16;
	uint32_t at = family == AF_INET ? 12 : 8;
	uint8_t mask[16] = { 0 }, net[16];

	memcpy(net, address, size);
	for (size_t i = 0; i < size; i++) {
		unsigned int bits = prefix > i * 8 ? prefix - (unsigned int)i * 8 : 0;

		mask[i] = bits >= 8 ? 0xff : (uint8_t)(0xff00u >> bits);
		net[i] &= mask[i];
	}
	nft_match_family(n, family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nft_payload(n, NFT_PAYLOAD_NETWORK_HEADER, source ? at : at + (uint32_t)size, (uint32_t)size, NFT_R0);
	if (prefix < size * 8)
		nft_mask(n, NFT_R0, mask, size);
	nft_equal(n, NFT_R0, net, size);
}

void nft_match_to(struct nft *n, int family, const void *address, unsigned int prefix)
{
	match_address(n, family, address, prefix, false);
}

void nft_match_from(struct nft *n, int family, const void *address, unsigned int prefix)
{
	match_address(n, family, address, prefix, true);
}

void nft_match_port(struct nft *n, uint16_t port)
{
	const uint16_t wire = htons(port);

	nft_match_l4(n, IPPROTO_TCP);
	nft_payload(n, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_R0);
	nft_equal(n, NFT_R0, &wire, sizeof(wire));
}

void nft_match_group(struct nft *n, bool in, uint32_t group, bool same)
{
	nft_meta(n, in ? NFT_META_IIFGROUP : NFT_META_OIFGROUP, NFT_R0);
	if (same)
		nft_equal(n, NFT_R0, &group, sizeof(group));
	else
		nft_differs(n, NFT_R0, &group, sizeof(group));
}

static void match_ct_bits(struct nft *n, uint32_t key, uint32_t bits)
{
	const uint32_t none = 0;

	nft_ct(n, key, NFT_R0);
	nft_mask(n, NFT_R0, &bits, sizeof(bits));
	nft_differs(n, NFT_R0, &none, sizeof(none));
}

void nft_match_ct_state(struct nft *n, uint32_t bits)
{
	match_ct_bits(n, NFT_CT_STATE, bits);
}

void nft_match_ct_status(struct nft *n, uint32_t bits)
{
	match_ct_bits(n, NFT_CT_STATUS, bits);
}
