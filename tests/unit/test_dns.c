/* SPDX-License-Identifier: MIT */
#include "dns/packet.h"
#include "dns/servers.h"
#include "platform/arm/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

/* id 0x0707, recursion desired, one question a.Example A IN, one OPT record. */
static const uint8_t query_bytes[] = { 7,   7,   1,   0,   0,   1,   0,   0, 0, 0, 0, 1, 1,  'a',  7, 'E',
				       'x', 'a', 'm', 'p', 'l', 'e', 0,   0, 1, 0, 1, 0, 0,  0x29, 4, 0xd0,
				       0,   0,   0,   0,   0,   0 };
static const uint8_t reply_bytes[] = { 7,   7,   0x81, 0x80, 0,   1,   0, 2,    0,    0, 0, 0, 1,  'a', 7, 'e',  'x', 'a', 'm',
				       'p', 'l', 'e',  0,    0,   1,   0, 1,    0xc0, 12, 0, 1, 0, 1,  0,   0, 0,   60,  0,   4,
				       198, 51,  100,  10,   0xc0, 12, 0, 0x1c, 0,    1, 0, 0, 0, 30, 0,   16, 0x20, 1,   0xd, 0xb8,
				       0,   0,   0,    0,    0,   0,   0, 0,    0,    0, 0, 1 };

static void test_a_query(void **state)
{
	struct packet_query q;
	uint8_t bytes[sizeof(query_bytes)];

	(void)state;
	assert_true(packet_read_query(query_bytes, sizeof(query_bytes), &q));
	assert_string_equal(q.name, "a.example");
	assert_int_equal(q.id, 0x0707);
	assert_int_equal(q.type, 1);
	assert_true(q.edns);
	for (size_t n = 0; n < sizeof(query_bytes); n++)
		assert_false(packet_read_query(query_bytes, n, &q));
	memcpy(bytes, query_bytes, sizeof(bytes));
	bytes[2] |= 0x80; /* an answer is no question */
	assert_false(packet_read_query(bytes, sizeof(bytes), &q));
	bytes[2] = 0x29; /* nor is an update */
	assert_false(packet_read_query(bytes, sizeof(bytes), &q));
	memcpy(bytes, query_bytes, sizeof(bytes));
	bytes[26] = 3; /* class CHAOS */
	assert_false(packet_read_query(bytes, sizeof(bytes), &q));
	bytes[26] = 1;
	bytes[13] = 0x07; /* a bell in the name */
	assert_false(packet_read_query(bytes, sizeof(bytes), &q));
}

static void test_a_refusal_says_that_it_is_one(void **state)
{
	uint8_t out[PACKET_QUERY_MAX];
	struct packet_query q;
	size_t n;

	(void)state;
	assert_true(packet_read_query(query_bytes, sizeof(query_bytes), &q));
	n = packet_refuse(query_bytes, &q, 3, out);
	assert_true(packet_is_reply(out, n, &q, 0x0707));
	assert_int_equal(out[3] & 0xf, 3);
	assert_int_equal(out[n - 1], 18);
}

static void test_what_is_learnt(void **state)
{
	struct packet_address found[PACKET_ADDRESSES_MAX];
	struct packet_query q;
	uint32_t ttl;

	(void)state;
	assert_true(packet_read_query(query_bytes, sizeof(query_bytes), &q));
	assert_true(packet_is_reply(reply_bytes, sizeof(reply_bytes), &q, 0x0707));
	assert_false(packet_is_reply(reply_bytes, sizeof(reply_bytes), &q, 0x0708));
	q.type = 28;
	assert_false(packet_is_reply(reply_bytes, sizeof(reply_bytes), &q, 0x0707));
	assert_int_equal(packet_addresses(reply_bytes, sizeof(reply_bytes), found, &ttl), 2);
	assert_int_equal(found[0].version, 4);
	assert_int_equal(found[0].to[0], 198);
	assert_int_equal(found[1].version, 6);
	assert_int_equal(ttl, 30);
	/* Of one that was cut the whole records count. */
	assert_int_equal(packet_addresses(reply_bytes, sizeof(reply_bytes) - 4, found, &ttl), 0);
}

static void test_the_hosts_resolvers(void **state)
{
	struct servers s = { 0 };

	(void)state;
	servers_parse(&s, "# by somebody\nsearch lan\nnameserver 192.0.2.1\nnameserver\t2001:db8::53  \noptions edns0\n"
			  "nameserver nonsense\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n");
	assert_int_equal(s.count, 3);
	assert_int_equal(((struct sockaddr_in *)&s.of[0])->sin_addr.s_addr, htonl(0xc0000201));
	assert_int_equal(s.of[1].ss_family, AF_INET6);
	servers_parse(&s, "");
	assert_int_equal(s.count, 1);
	assert_int_equal(((struct sockaddr_in *)&s.of[0])->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
}

static void test_packets_that_wait(void **state)
{
	uint8_t tcp[40] = { 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, IPPROTO_TCP, 0, 0, 198, 18, 0, 1, 198, 51, 100, 10, 0x9c, 0x40, 1, 0xbb };
	struct net_flow flow;

	(void)state;
	assert_true(netqueue_parse(tcp, sizeof(tcp), &flow));
	assert_int_equal(flow.port, 443);
	assert_int_equal(flow.source_port, 40000);
	assert_int_equal(net_flow_scope(&flow), NET_INTERNET);
	for (size_t n = 0; n < 24; n++)
		assert_false(netqueue_parse(tcp, n, &flow));
	tcp[7] = 1; /* a later fragment: its ports are data */
	assert_false(netqueue_parse(tcp, sizeof(tcp), &flow));
	tcp[7] = 0;
	tcp[9] = IPPROTO_SCTP;
	assert_false(netqueue_parse(tcp, sizeof(tcp), &flow));
	tcp[9] = IPPROTO_ICMP;
	assert_true(netqueue_parse(tcp, sizeof(tcp), &flow));
	assert_int_equal(flow.port, 0);
	tcp[16] = 192, tcp[17] = 168;
	assert_true(netqueue_parse(tcp, sizeof(tcp), &flow));
	assert_int_equal(net_flow_scope(&flow), NET_LOCAL);
}

static void test_addresses_are_one_sessions(void **state)
{
	struct net_addresses a, b;

	(void)state;
	net_addresses_of(&a, 1, 0, 0);
	net_addresses_of(&b, 1, NET_POOLS - 1, NET_SLOTS - 1);
	assert_int_equal(a.app4[1], 18);
	assert_int_equal(b.app4[1], 18);
	assert_int_equal(b.app4[2], 255);
	assert_int_equal(b.app4[3], 255);
	assert_memory_not_equal(a.app6, b.app6, 16);
	assert_memory_not_equal(a.app6, a.host6, 16);
	net_addresses_of(&b, 2, 0, 0);
	assert_memory_not_equal(a.app6, b.app6, 16);
	assert_int_not_equal(net_group_of(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_query),
		cmocka_unit_test(test_a_refusal_says_that_it_is_one),
		cmocka_unit_test(test_what_is_learnt),
		cmocka_unit_test(test_the_hosts_resolvers),
		cmocka_unit_test(test_packets_that_wait),
		cmocka_unit_test(test_addresses_are_one_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
