/* SPDX-License-Identifier: MIT
 *
 * Addresses of apps. IPv4 from the range for benchmarks (RFC 2544): neither
 * private, nor a carrier's, nor one that the internet routes. IPv6 from a
 * prefix that the system's own number makes, so that two systems differ.
 */
#include "platform/arm/net.h"

#include <string.h>

void net_addresses_of(struct net_addresses *ret, uint64_t instance, uint32_t pool, uint32_t slot)
{
	uint32_t host = pool * NET_SLOTS * 2 + slot * 2;
	uint32_t low = (pool * NET_SLOTS + slot) * 2;

	memset(ret, 0, sizeof(*ret));
	ret->host4[0] = 198;
	ret->host4[1] = 18;
	ret->host4[2] = (uint8_t)(host >> 8);
	ret->host4[3] = (uint8_t)host;
	memcpy(ret->app4, ret->host4, 4);
	ret->app4[3] |= 1;
	ret->host6[0] = 0xfd;
	for (size_t i = 0; i < 5; i++)
		ret->host6[1 + i] = (uint8_t)(instance >> (8 * i));
	/* The lowest address of a prefix is every router's (RFC 4291, 2.6.1). */
	ret->host6[12] = (uint8_t)(low >> 16);
	ret->host6[13] = (uint8_t)(low >> 8);
	ret->host6[14] = (uint8_t)low;
	ret->host6[15] = 1;
	memcpy(ret->app6, ret->host6, 16);
	ret->app6[15] = 0;
}

uint32_t net_group_of(uint64_t instance)
{
	return 0x0c000000u | ((uint32_t)(instance >> 40) & 0xffffffu);
}
