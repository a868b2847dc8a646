/* SPDX-License-Identifier: MIT
 *
 * One nftables transaction, written as the kernel reads it (nfnetlink, see
 * linux/netfilter/nf_tables.h). It happens whole or not at all.
 */
#ifndef PLATFORM_NFT_H
#define PLATFORM_NFT_H

#include "base/err.h"

#include <netinet/in.h> /* before linux/netfilter.h, which brings its own */

struct nl_sock;

#define NFT_BATCH_MAX 32768u

/* Table, chain, set and object names are borrowed for the call. Verdicts are
 * NF_ACCEPT, NF_DROP, and NFT_JUMP and NFT_GOTO with a chain. */
struct nft {
	uint8_t buf[NFT_BATCH_MAX];
	size_t len;
	const char *table;
	uint32_t seq;
	size_t msg, list; /* where the message and its expression list begin */
	bool overflow;
};

/* Where a value lies while a rule is matched. Addresses take four in a row. */
enum nft_reg { NFT_R0 = 8, NFT_R1 = 9, NFT_R2 = 10, NFT_R3 = 11, NFT_R4 = 12, NFT_R5 = 13 };

/* table is borrowed until nft_commit; family is inet. */
void nft_begin(struct nft *n, const char *table);

/* Sends all of it and waits for the kernel's word. The socket is one of
 * NETLINK_NETFILTER whose owner may configure its namespace. -1: nothing of it
 * was done. */
int nft_commit(struct nft *n, struct nl_sock *sock, struct err *err);

/* owned: the table goes with the socket that makes it, however that ends. */
void nft_add_table(struct nft *n, bool owned);
void nft_delete_table(struct nft *n);
void nft_add_chain(struct nft *n, const char *chain);
/* hook: NF_INET_*; accept: the policy, else drop. */
void nft_add_base_chain(struct nft *n, const char *chain, const char *type, unsigned int hook, int priority,
			bool accept);
void nft_flush_chain(struct nft *n, const char *chain);
void nft_add_counter(struct nft *n, const char *name);
/* Bytes, either way; what makes it over is counted too. The kernel tells listeners
 * of the group NFNLGRP_NFTABLES once when it is over. */
void nft_add_quota(struct nft *n, const char *name, uint64_t bytes);
void nft_delete_quota(struct nft *n, const char *name);

/* A hash set of fixed keys of key_size bytes; key_type as nft(8) lists it;
 * lapses: elements may have a timeout. */
void nft_add_set(struct nft *n, const char *set, uint32_t key_type, uint32_t key_size, bool lapses);
/* A set that packets fill by themselves: a counter for each key, of at most room
 * keys; those that come later are not in it. */
void nft_add_tally(struct nft *n, const char *set, uint32_t key_type, uint32_t key_size, uint32_t room);
/* timeout_ms 0: none. Kernels differ in what adding a present element does to
 * its timeout: this one replaces it. */
void nft_add_element(struct nft *n, const char *set, const void *key, size_t size, uint64_t timeout_ms);
void nft_delete_element(struct nft *n, const char *set, const void *key, size_t size);
void nft_flush_set(struct nft *n, const char *set);

/* A rule: its expressions, in order, stand between begin and end. */
void nft_rule_begin(struct nft *n, const char *chain);
void nft_rule_end(struct nft *n);

void nft_meta(struct nft *n, uint32_t key, enum nft_reg to);
void nft_ct(struct nft *n, uint32_t key, enum nft_reg to);
void nft_ct_set_mark(struct nft *n, uint32_t mark);
void nft_trace(struct nft *n); /* listeners of NFNLGRP_NFTRACE hear what every rule of the namespace does with it */
void nft_payload(struct nft *n, uint32_t base, uint32_t offset, uint32_t size, enum nft_reg to);
void nft_mask(struct nft *n, enum nft_reg reg, const void *mask, size_t size);
void nft_equal(struct nft *n, enum nft_reg reg, const void *value, size_t size);
void nft_differs(struct nft *n, enum nft_reg reg, const void *value, size_t size);
void nft_in_set(struct nft *n, enum nft_reg reg, const char *set);
void nft_to_this_host(struct nft *n); /* its destination is an address of the namespace's own */
void nft_not_routed(struct nft *n); /* no route leads back to the source by the interface it came from */
void nft_count(struct nft *n);
void nft_count_in(struct nft *n, const char *counter);
/* Goes on when quota is over. */
void nft_over(struct nft *n, const char *quota);
/* Counts the packet for the key in reg; nothing may follow it in its rule. */
void nft_tally(struct nft *n, enum nft_reg reg, const char *set);
void nft_connections_over(struct nft *n, uint32_t count);
void nft_verdict(struct nft *n, int code, const char *chain);
void nft_reject_tcp(struct nft *n);
void nft_reject_icmp(struct nft *n); /* administratively prohibited, either family */
void nft_masquerade(struct nft *n);
void nft_dnat(struct nft *n, int family, const void *address, size_t size);
/* To userspace, never past it: no bypass. compat: by the older target. */
void nft_queue(struct nft *n, uint16_t number, bool compat);

/* Whole matches that many rules need. */
void nft_match_family(struct nft *n, uint8_t nfproto);
void nft_match_l4(struct nft *n, uint8_t protocol);
/* Destination below prefix; family AF_INET or AF_INET6, address as in a packet. */
void nft_match_to(struct nft *n, int family, const void *address, unsigned int prefix);
/* The same of the source. */
void nft_match_from(struct nft *n, int family, const void *address, unsigned int prefix);
void nft_match_port(struct nft *n, uint16_t port); /* TCP, destination, host order */
void nft_match_group(struct nft *n, bool in, uint32_t group, bool same);
void nft_match_ct_state(struct nft *n, uint32_t bits);
/* Any of the bits, of enum ip_conntrack_status. */
void nft_match_ct_status(struct nft *n, uint32_t bits);
void nft_match_u32(struct nft *n, uint32_t meta_key, uint32_t value);

#endif
