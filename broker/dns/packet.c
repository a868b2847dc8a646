/* SPDX-License-Identifier: MIT
 *
 * libresolv does the parsing; what it is fed is bounded here, and what it gives
 * back is checked again where it goes to others.
 */
#include "dns/packet.h"

#include <arpa/nameser.h>
#include <string.h>

#define EDE_PROHIBITED 18

void packet_set_id(uint8_t *p, uint16_t id)
{
	p[0] = (uint8_t)(id >> 8);
	p[1] = (uint8_t)id;
}

bool packet_read_query(const uint8_t *p, size_t size, struct packet_query *ret)
{
	const u_char *at;
	ns_msg m;
	ns_rr rr;

	memset(ret, 0, sizeof(*ret));
	if (size < NS_HFIXEDSZ || size > PACKET_QUERY_MAX || ns_initparse(p, (int)size, &m) < 0 ||
	    ns_msg_getflag(m, ns_f_qr) || ns_msg_getflag(m, ns_f_opcode) != ns_o_query || ns_msg_count(m, ns_s_qd) != 1 ||
	    ns_msg_count(m, ns_s_an) != 0 || ns_parserr(&m, ns_s_qd, 0, &rr) < 0 || ns_rr_class(rr) != ns_c_in)
		return false;
	ret->id = ns_msg_id(m);
	ret->type = ns_rr_type(rr);
	at = p + NS_HFIXEDSZ;
	if (ns_name_skip(&at, p + size) < 0 || at + 4 > p + size)
		return false;
	ret->question_end = (size_t)(at + 4 - p);
	for (int i = 0; i < ns_msg_count(m, ns_s_ar) && i < 8; i++) {
		ns_rr extra;

		if (ns_parserr(&m, ns_s_ar, i, &extra) < 0)
			return false;
		ret->edns |= ns_rr_type(extra) == ns_t_opt;
	}
	return reach_name_normal(ns_rr_name(rr), ret->name);
}

size_t packet_refuse(const uint8_t *p, const struct packet_query *query, uint8_t rcode, uint8_t *buf)
{
	/* OPT: root name, type 41, 1232 bytes, no flags, option 15 with its code. */
	static const uint8_t opt[] = { 0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 6, 0, 15, 0, 2, 0, EDE_PROHIBITED };
	size_t n = query->question_end;

	memcpy(buf, p, n);
	buf[2] = (uint8_t)(0x80 | (p[2] & 0x01)); /* an answer; recursion as it was desired */
	buf[3] = (uint8_t)(0x80 | (rcode & 0x0f));
	memset(buf + 6, 0, 6);
	if (query->edns && n + sizeof(opt) <= PACKET_QUERY_MAX) {
		memcpy(buf + n, opt, sizeof(opt));
		buf[11] = 1;
		n += sizeof(opt);
	}
	return n;
}

bool packet_is_reply(const uint8_t *p, size_t size, const struct packet_query *query, uint16_t id)
{
	char name[REACH_ITEM_SIZE];
	ns_msg m;
	ns_rr rr;

	return size >= NS_HFIXEDSZ && size <= PACKET_REPLY_MAX && ns_initparse(p, (int)size, &m) == 0 &&
	       ns_msg_getflag(m, ns_f_qr) && ns_msg_id(m) == id && ns_msg_count(m, ns_s_qd) == 1 &&
	       ns_parserr(&m, ns_s_qd, 0, &rr) == 0 && ns_rr_type(rr) == query->type &&
	       reach_name_normal(ns_rr_name(rr), name) && strcmp(name, query->name) == 0;
}

size_t packet_addresses(const uint8_t *p, size_t size, struct packet_address ret[PACKET_ADDRESSES_MAX], uint32_t *ttl)
{
	size_t count = 0;
	ns_msg m;
	ns_rr rr;

	*ttl = UINT32_MAX;
	if (size < NS_HFIXEDSZ || size > PACKET_REPLY_MAX || ns_initparse(p, (int)size, &m) < 0)
		return 0;
	for (int i = 0; i < ns_msg_count(m, ns_s_an) && count < PACKET_ADDRESSES_MAX; i++) {
		bool v4, v6;

		if (ns_parserr(&m, ns_s_an, i, &rr) < 0)
			break;
		v4 = ns_rr_type(rr) == ns_t_a && ns_rr_rdlen(rr) == 4;
		v6 = ns_rr_type(rr) == ns_t_aaaa && ns_rr_rdlen(rr) == 16;
		if (!v4 && !v6)
			continue;
		memset(&ret[count], 0, sizeof(ret[count]));
		ret[count].version = v4 ? 4 : 6;
		memcpy(ret[count++].to, ns_rr_rdata(rr), ns_rr_rdlen(rr));
		if (ns_rr_ttl(rr) < *ttl)
			*ttl = ns_rr_ttl(rr);
	}
	return count;
}
