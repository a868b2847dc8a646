/* SPDX-License-Identifier: MIT
 *
 * Firewalls that people have on their devices, known by the names of their tables and
 * chains, and the words about one that drops packets of apps. Pure.
 */
#ifndef POLICY_FIREWALL_H
#define POLICY_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum firewall {
	FIREWALL_UNKNOWN = 0,
	FIREWALL_DOCKER,
	FIREWALL_UFW,
	FIREWALL_FIREWALLD,
	FIREWALL_NETWORKMANAGER, /* for a connection that it shares */
	FIREWALL_LIBVIRT,
	FIREWALL_COUNT
};

/* Interfaces of apps begin like that; as iptables and as nft say "and anything". */
#define FIREWALL_LINKS_IPT "cbl+"
#define FIREWALL_LINKS_NFT "cbl*"

/* Who makes a chain of that name in a table of that name; UNKNOWN: anybody. */
enum firewall firewall_of(const char *table, const char *chain);

const char *firewall_name(enum firewall who);

/* "Docker, ufw" for the bits of present; "" for none. */
void firewall_list(uint32_t present, char *buf, size_t size);

enum firewall_family { FIREWALL_INET = 1, FIREWALL_IP = 2, FIREWALL_IP6 = 10 }; /* NFPROTO_* */

/* What ended a packet of an app. */
struct firewall_drop {
	uint8_t version; /* 4 or 6: of the packet */
	bool hidden;     /* no rule of nftables: nobody knows which; the rest is not filled */
	bool legacy;     /* hidden, and the older tables of iptables are loaded */
	uint8_t family;  /* of the table */
	bool by_policy;
	const char *table, *chain; /* printable */
};

/* Whose it is; present: bits of the firewalls that have chains on this host. */
enum firewall firewall_whose(const struct firewall_drop *d, uint32_t present);

/* "ufw drops it (policy of chain FORWARD, table ip filter)". */
void firewall_found(const struct firewall_drop *d, enum firewall who, char *buf, size_t size);

/* Commands for root that let packets of apps pass, and their answers; and what makes
 * them stay. */
void firewall_cure(const struct firewall_drop *d, enum firewall who, char *buf, size_t size);

#endif
