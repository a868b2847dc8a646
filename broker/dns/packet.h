/* SPDX-License-Identifier: MIT
 *
 * DNS messages (RFC 1035, 6891, 8914) as far as a forwarder must understand
 * them. Both ends are strangers: the app that asks, the server that answers.
 */
#ifndef DNS_PACKET_H
#define DNS_PACKET_H

#include "base/err.h"
#include "policy/reach.h"

#include <sys/types.h>

#define PACKET_QUERY_MAX 1024u
#define PACKET_REPLY_MAX 65535u
#define PACKET_ADDRESSES_MAX 32u

struct packet_query {
	uint16_t id;
	uint16_t type;
	bool edns;
	size_t question_end; /* bytes of header and question */
	char name[REACH_ITEM_SIZE]; /* lower case; what cannot be a host's name is not forwarded */
};

/* One standard query with one question of class IN. False: anything else. */
bool packet_read_query(const uint8_t *p, size_t size, struct packet_query *ret);

/* The answer "there is no such name" (or another rcode) to the query in p, with
 * the extended error "prohibited" for a program that reads it. buf has room for
 * PACKET_QUERY_MAX. Returns its size. */
size_t packet_refuse(const uint8_t *p, const struct packet_query *query, uint8_t rcode, uint8_t *buf);

struct packet_address {
	uint8_t version;
	uint8_t to[16];
};

/* Whether a reply belongs to the query; and its addresses, with the shortest
 * time they may be kept (seconds). */
bool packet_is_reply(const uint8_t *p, size_t size, const struct packet_query *query, uint16_t id);
size_t packet_addresses(const uint8_t *p, size_t size, struct packet_address ret[PACKET_ADDRESSES_MAX], uint32_t *ttl);

void packet_set_id(uint8_t *p, uint16_t id);

#endif
