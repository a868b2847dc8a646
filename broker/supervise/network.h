/* SPDX-License-Identifier: MIT
 *
 * The app's network: first packets and look-ups that wait, and what becomes of
 * them. Policy lives in the kernel's rules; what is kept here is who waits, and
 * which names the app itself has looked up.
 */
#ifndef SUPERVISE_NETWORK_H
#define SUPERVISE_NETWORK_H

#include "base/loop.h"
#include "platform/arm/net.h"
#include "policy/reach.h"
#include "proto/chan.h"
#include "supervise/question.h"

struct supervise;

#define NETWORK_WAITS_MAX 64u  /* destinations and names asked about at once */
#define NETWORK_PACKETS_MAX 32u /* of one destination */
#define NETWORK_NAMES_MAX 1024u

struct network_wait {
	uint32_t number; /* 0: free */
	uint8_t kind;    /* enum net_want */
	struct net_flow flow;
	char name[REACH_ITEM_SIZE];
	char program[QUESTION_PROGRAM_SIZE]; /* "": not known */
	uint32_t packets[NETWORK_PACKETS_MAX];
	size_t packet_count;
	uint32_t dns_number; /* the resolver's, for a name */
};

struct network_name {
	uint8_t version;
	uint8_t to[16];
	char name[REACH_ITEM_SIZE];
};

struct network {
	enum net_hold hold;
	struct net_sockets sock;
	struct network_wait waits[NETWORK_WAITS_MAX];
	struct network_name names[NETWORK_NAMES_MAX]; /* a ring, the latest stands */
	size_t name_count;
	struct chan *dns;
	struct loop_source *dns_sources[4];
	struct loop_source *dns_timer;
	unsigned int dns_deaths;
	bool dns_wanted;
	struct loop_source *spent; /* once there is a cap */
};

/* The session begins: watches what spare_prepare opened. -1 errno. */
int network_start(struct supervise *s);

bool network_handle_answer(struct supervise *s, struct msg *m);
bool network_handle_revoke(struct supervise *s, struct msg *m);
bool network_handle_dns_channel(struct supervise *s, struct msg *m);

/* NET_NEED for all that waits, to a broker that is new. */
void network_repeat(struct supervise *s);

/* --- names.c --- */

void names_start(struct supervise *s);
void names_answer(struct supervise *s, const struct network_wait *wait, bool allowed);
/* Takes in what the resolver said before now. */
void names_drain(struct supervise *s);
/* "" when the app never looked it up. */
const char *names_of(const struct network *n, const struct net_flow *flow);

/* --- traffic.c: what went through --- */

/* NET_COUNT and NET_CAP from the broker. false: malformed. */
bool traffic_handle_count(struct supervise *s, struct msg *m);
bool traffic_handle_cap(struct supervise *s, struct msg *m);
/* NET_TRAFFIC, by itself: something ended. */
void traffic_tell(struct supervise *s);

/* --- for names.c --- */

/* NULL when too many wait already. */
struct network_wait *network_wait_new(struct supervise *s);
void network_tell_need(struct supervise *s, const struct network_wait *wait);
/* Fills in the program behind from: for a look-up, where it came from and went to. */
void network_name_program(struct supervise *s, struct network_wait *wait, const struct net_flow *from);

#endif
