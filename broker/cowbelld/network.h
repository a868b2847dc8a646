/* SPDX-License-Identifier: MIT
 *
 * For network.c and firewall.c: the host's side of apps' networks.
 */
#ifndef COWBELLD_NETWORK_H
#define COWBELLD_NETWORK_H

#include "cowbelld/daemon.h"

#include "platform/arm/net.h"

#define NET_LINK_PREFIX "cbl" /* of the names of apps' links on the host */

struct arrivals;
struct uplink;
struct firewall_check;

struct network {
	enum net_hold hold;
	struct nl_sock *table_sock, *route;
	char table[32];
	uint32_t group, pool;
	bool slots[NET_SLOTS];
	unsigned int next_slot; /* they go round: a link outlives its app in the kernel */
	char *undo; /* lines "PATH VALUE": as it was */
	struct uplink *uplink;
	struct firewall_check *check; /* firewall.c */
	struct arrivals *arrivals;    /* listen.c; NULL: no port leads to an app yet */
	pid_t last_pid;               /* network_last.c; 0: none */
	int last_fd;                  /* while it is open, we live */
};

/* Where a packet would go. */
struct way {
	uint8_t type; /* RTN_UNSPEC: nowhere */
	unsigned int index;
};
struct way network_way(struct network *n, int family, const uint8_t *address);
struct way network_uplink(struct network *n, int family);
extern const uint8_t network_far4[4], network_far6[16];

/* The caller's until nl_socket_free; NULL: err. */
struct nl_sock *network_socket(int protocol, struct err *err);

/* The session's link to the host, and the ways of the internet; no-op when it stands.
 * -1 with err: there is none. */
int network_make_link(struct daemon *d, pid_t pid, struct session_link *link, struct err *err);

/* Every interface that there is takes what comes for apps. -1 with err. */
int network_open_arrivals(struct daemon *d, struct err *err);
/* Whether any port leads to an app. */
bool listen_any(const struct daemon *d);

/* The sockets that hold ports; the rules go with their table. */
void listen_close(struct network *n);

/* Addresses that no session is given soon, until network_release: the free ones below
 * *last, which begins as 0. False: none is left. */
bool network_take_last(struct daemon *d, struct session_link *link, int *last);

/* A process that lives until network_last_stop, or our death: it holds the host's table
 * until it has removed every link of the group. */
int network_last_start(struct network *n, struct err *err);
/* What is left of links is removed; returns when it is. */
void network_last_stop(struct network *n);

#endif
