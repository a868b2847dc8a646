/* SPDX-License-Identifier: MIT
 *
 * Look-ups of one app: each waits until its name is allowed, goes to the host's
 * resolver, is learnt from, and only then answered.
 */
#ifndef DNS_LOOK_H
#define DNS_LOOK_H

#include "base/loop.h"
#include "dns/packet.h"
#include "dns/servers.h"
#include "proto/chan.h"

#include <netinet/in.h>

#define LOOKS_MAX 128u
#define TCP_MAX 16u
#define RESOLV_CONF "/etc/resolv.conf"

struct tcp_client;

struct look {
	struct dns *dns;
	bool used, allowed;
	uint32_t number; /* the question about its name; the same for all that wait for it */
	struct packet_query query;
	uint8_t packet[PACKET_QUERY_MAX];
	size_t size;
	int udp; /* the app's socket it came by, -1: a TCP client's */
	struct sockaddr_storage from;
	socklen_t from_size;
	struct tcp_client *client;
	/* upstream */
	int fd;
	struct loop_source *source, *timer;
	uint16_t id;
	unsigned int tries;
	uint8_t *reply; /* of a TCP upstream, as far as it has come */
	size_t reply_size;
};

struct dns {
	struct loop *loop;
	struct chan *supervisor;
	struct servers servers;
	struct look looks[LOOKS_MAX];
	uint32_t last_number;
	int sockets[4];
	struct tcp_client *clients;
	unsigned int client_count;
};

/* A query has come from that place: by UDP, or by TCP from client. Takes nothing. */
void look_begin(struct dns *dns, const uint8_t *p, size_t size, int udp, const struct sockaddr_storage *from,
		socklen_t from_size, struct tcp_client *client);

/* The supervisor's word on a question. */
void look_decided(struct dns *dns, uint32_t number, bool allowed);

/* Its client is gone. */
void look_forget_client(struct dns *dns, const struct tcp_client *client);

/* tcp.c */
void tcp_accept(struct dns *dns, int listener);
void tcp_reply(struct tcp_client *client, const uint8_t *p, size_t size);

#endif
