/* SPDX-License-Identifier: MIT
 *
 * What the parts of an app's network share: addresses, names, and how a packet
 * is held. An app's namespace is owned by the initial user namespace; it starts
 * cold, with lo alone, and gets a link to the host when somebody says yes.
 */
#ifndef PLATFORM_NET_H
#define PLATFORM_NET_H

#include "base/err.h"

#include <netinet/in.h> /* before linux/netfilter.h, which has its own of it */
#include <sys/types.h>

struct nl_sock;

#define NET_TABLE "cowbell" /* in each app's namespace */
#define NET_POOLS 128u      /* of IPv4 addresses, 512 each, in 198.18.0.0/16 (RFC 2544) */
#define NET_SLOTS 256u      /* sessions of one pool */
#define NET_QUEUE 0u
#define NET_LINK_INDEX 100 /* of eth0 in the app: low numbers may be fallback devices' */

/* Verdict marks, and conntrack's. The app can set neither. */
enum net_mark {
	NET_MARK_ONCE = 0x1,   /* this flow, as long as it lives */
	NET_MARK_REFUSE = 0x2,
	NET_MARK_AGAIN = 0x10, /* look at the rules again; differs, so that the packet finds its new route */
	NET_MARK_LOCAL = 0x20, /* conntrack only: let through, counted as local */
	NET_MARK_WIDE = 0x40,  /* conntrack only: let through, counted as the internet's */
};

/* How this kernel can hold a packet. */
enum net_hold {
	NET_HOLD_NONE = 0, /* not: the namespace refuses everything at once */
	NET_HOLD_QUEUE,    /* nft's own queue */
	NET_HOLD_COMPAT,   /* the older NFQUEUE target, through nft_compat */
};

/* One session's addresses; network byte order. */
struct net_addresses {
	uint8_t host4[4], app4[4];
	uint8_t host6[16], app6[16];
	bool has6; /* the host can forward IPv6 */
};

/* Addresses of a slot of a pool. instance makes the IPv6 prefix (RFC 4193). */
void net_addresses_of(struct net_addresses *ret, uint64_t instance, uint32_t pool, uint32_t slot);

/* The interface group of all host ends of one system. Never 0. */
uint32_t net_group_of(uint64_t instance);

/* --- netcold.c: the app's side, before anything of the app runs --- */

/* Sockets in the app's namespace, made before the supervisor gives up socket(2). */
struct net_sockets {
	struct nl_sock *rules; /* nfnetlink: rules, counters, conntrack */
	struct nl_sock *queue; /* held packets */
	struct nl_sock *diag;  /* sock_diag */
	struct nl_sock *spent; /* where the kernel tells that a cap is reached; see netcount.c */
	int dns_udp, dns_tcp;    /* 127.0.0.53:53 */
	int dns6_udp, dns6_tcp;  /* [::1]:53, -1 without IPv6 */
};

/* Moves the caller into a new network namespace: lo is up, and every first
 * packet to anywhere else waits in the queue, or, with NET_HOLD_NONE, fails at
 * once with EACCES. Rules stand before addresses do. /proc must be the host's.
 * ret is filled unless hold is NET_HOLD_NONE. On failure the process must end. */
int netcold_enter(enum net_hold hold, const struct net_addresses *addresses, struct net_sockets *ret, struct err *err);

/* What this kernel can do: tried in a child, in a namespace of its own. */
enum net_hold netcold_probe(struct err *err);

/* --- netrules.c: the rules inside, and changes of them --- */

enum net_scope { NET_INTERNET = 0, NET_LOCAL = 1 };
enum net_scope_state { NET_ASK = 0, NET_ALLOW, NET_REFUSE };

int netrules_load(struct nl_sock *sock, enum net_hold hold, const struct net_addresses *addresses, struct err *err);

/* From the next first packet on. */
int netrules_set_scope(struct nl_sock *sock, enum net_scope scope, enum net_scope_state state, struct err *err);

struct net_flow {
	uint8_t version; /* 4 or 6 */
	uint8_t protocol;
	uint16_t port; /* of the destination, host order; 0 where the protocol has none */
	uint16_t source_port;
	uint8_t to[16];
};

enum net_scope net_flow_scope(const struct net_flow *flow);

/* Remembers one destination (address, protocol, port), allowed or refused, for
 * ms (0: until it is taken back). */
int netrules_remember(struct nl_sock *sock, const struct net_flow *flow, bool allowed, uint64_t ms, struct err *err);

/* Connections come in at these TCP ports, and at no others: replaces what was before.
 * What came in stays until it is cut. */
int netrules_listen(struct nl_sock *sock, const uint16_t *ports, size_t count, struct err *err);

/* Everything is asked again. */
int netrules_forget(struct nl_sock *sock, struct err *err);

/* --- netcount.c: what went through, and caps on it --- */

struct net_bytes {
	uint64_t up, down; /* bytes, of what went through */
	uint64_t flows;    /* connections; of datagrams: pairs of ends */
	uint64_t refused;  /* packets */
};

struct net_host {
	uint8_t version;
	uint8_t to[16];
	struct net_bytes bytes;
};

/* Addresses of a family that are counted one by one; the others are in their
 * scope's sum, their refusals in the internet's. */
#define NET_HOSTS_MAX 1024u

struct net_counts {
	struct net_bytes of[2]; /* by enum net_scope, since the session began */
	struct net_host hosts[2 * NET_HOSTS_MAX];
	size_t host_count;
};

int netcount_read(struct nl_sock *sock, struct net_counts *ret, struct err *err);

/* After so many more bytes, both ways, scope is refused: the first packet over it is
 * one of those. UINT64_MAX: never. Replaces an earlier cap. */
int netcount_cap(struct nl_sock *sock, enum net_scope scope, uint64_t bytes, struct err *err);

/* spent begins to hear of caps. */
int netcount_listen(struct nl_sock *spent, struct err *err);
/* Bits of enum net_scope whose cap was reached since the last call. */
unsigned int netcount_spent(struct nl_sock *spent);

/* --- netqueue.c: packets that wait --- */

struct net_packet {
	uint32_t id;
	uint32_t mark;
	bool readable; /* false: not one of TCP, UDP, ICMP, or too short; refuse it */
	struct net_flow flow;
};

int netqueue_open(struct nl_sock *sock, struct err *err);
/* 1 a packet, 0 none now, -1 err. Losing some (ENOBUFS) is no error: they were dropped. */
int netqueue_read(struct nl_sock *sock, struct net_packet *ret, struct err *err);
/* Back to the rules, with mark. */
int netqueue_repeat(struct nl_sock *sock, uint32_t id, uint32_t mark, struct err *err);
int netqueue_drop(struct nl_sock *sock, uint32_t id, struct err *err);
/* For tests and the reader: false when it is no packet that can be named. */
bool netqueue_parse(const uint8_t *p, size_t size, struct net_flow *ret);

/* --- netcut.c: what runs already --- */

/* Ends connections that leave the namespace and forgets their state. which may
 * be NULL: all; else those for which it is true. cut counts them. */
int netcut(struct nl_sock *diag, struct nl_sock *rules, bool (*which)(void *data, const struct net_flow *flow),
	   void *data, uint32_t *ret_cut, struct err *err);

/* --- netowner.c: whose packet it is --- */

/* The inode of the socket that sent flow's first packet (source_port, and where it
 * leads); 0 when it is gone, or of a protocol whose sockets are not listed. */
uint32_t netowner_inode(struct nl_sock *diag, const struct net_flow *flow);

/* --- netlisten.c: who waits for connections --- */

struct net_listener {
	uint16_t port;
	uint32_t inode; /* of one socket that does */
};

/* TCP ports at which sockets of the namespace listen for others than the app itself, each
 * once, room of them at most. Their number, or -1 with err. */
int netlisten_read(struct nl_sock *diag, struct net_listener *ret, size_t room, struct err *err);

/* --- netlink.c: the link to the host; in cowbelld --- */

/* Makes name (host) and eth0 (in netns), with addresses, routes and neighbours,
 * and both up. -1: nothing of it stays. */
int netlink_make(const char *name, uint32_t group, int netns, const struct net_addresses *addresses, struct err *err);

/* --- nethost.c: the one table on the host --- */

/* sock is kept by the caller: the table lives as long as it. */
#define NETHOST_OPENED "opened"
int nethost_load(struct nl_sock *sock, const char *table, uint32_t group, struct err *err);

/* Forwarding was off on this interface and is on for apps: nobody else's
 * packets may pass by it. */
int nethost_opened(struct nl_sock *sock, const char *table, uint32_t index, struct err *err);

/* What comes to a port of the host's goes to an app. */
struct net_arrival {
	uint16_t port;
	uint8_t app4[4];
};

/* These, and no others: replaces what was before. */
int nethost_arrivals(struct nl_sock *sock, const char *table, uint32_t group, const struct net_arrival *arrivals,
		     size_t count, struct err *err);

/* --- nettrace.c: what the host's own rules do with packets of apps --- */

#define NETTRACE_NAME_SIZE 64u

enum net_end {
	NET_END_NONE = 0, /* nothing was heard of it */
	NET_END_ARRIVED,  /* it came in; nothing was heard of its end */
	NET_END_THROUGH,  /* every rule let it pass; it was dropped by ours, after all of them */
	NET_END_DROPPED,  /* by a rule, or by the policy of a chain */
};

struct net_trace {
	enum net_end end;
	uint8_t family; /* of the table that dropped it: NFPROTO_* */
	bool by_policy;
	char table[NETTRACE_NAME_SIZE], chain[NETTRACE_NAME_SIZE]; /* as the kernel has them, cut off */
};

/* A table of that name: packets that come in by interface index and lead to to4 or to6
 * are traced, and whatever came in by it is dropped where packets leave the host. sock
 * is kept by the caller: the table lives as long as it. */
int nettrace_load(struct nl_sock *sock, const char *table, uint32_t index, const uint8_t to4[4], const uint8_t to6[16],
		  struct err *err);

/* trace begins to hear, of everything that is traced in its namespace. */
int nettrace_listen(struct nl_sock *trace, struct err *err);

struct net_traces {
	struct net_trace of[2]; /* of IPv4, of IPv6 */
	uint32_t ids[16]; /* the kernel's, of packets that are ours */
	size_t id_count;
};

/* Adds what was heard since the last call: an end that stands there is not changed.
 * ret begins as zero. table: as loaded. */
void nettrace_read(struct nl_sock *trace, const char *table, struct net_traces *ret);

/* Changes with every change of the namespace's rules. */
int nettrace_generation(struct nl_sock *sock, uint32_t *ret, struct err *err);

/* fn for every chain of the namespace: whoever made it is known by its names. */
int nettrace_chains(struct nl_sock *sock, void (*fn)(void *data, const char *table, const char *chain), void *data,
		    struct err *err);

#endif
