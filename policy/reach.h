/* SPDX-License-Identifier: MIT
 *
 * Destinations on the network, and the words that name them: the items of the
 * permission "network". Pure.
 *
 *   ""                     the internet
 *   local                  the local network
 *   example.com            a host by name, as the app itself looked it up
 *   *.example.com          any host below it
 *   203.0.113.10  2001:db8::1
 *   each of the last four with a port: example.com:443, [2001:db8::1]:443
 */
#ifndef POLICY_REACH_H
#define POLICY_REACH_H

#include "base/err.h"

#define REACH_ITEM_SIZE 128u
#define REACH_LOCAL "local"

struct reach {
	uint8_t version; /* 4 or 6; 0: no address is known, a look-up or a whole scope */
	uint8_t to[16];
	uint16_t port;   /* 0: not known, or the protocol has none */
	bool local;      /* on the local network */
	char name[REACH_ITEM_SIZE]; /* lower case, no dot at the end; "" unknown */
};

/* Writes item in its one spelling. -1 with err naming what it should be. */
int reach_item_parse(const char *item, char ret[REACH_ITEM_SIZE], struct err *err);

/* How exactly item speaks of to: 0 not at all, 1 its scope, more is more exact.
 * Items are in the spelling of reach_item_parse. */
unsigned int reach_covers(const char *item, const struct reach *to);

/* The item that names to alone: by name where it has one. */
void reach_item_of(const struct reach *to, char ret[REACH_ITEM_SIZE]);

/* The name of a host in lower case without the final dot; false when it is
 * none: labels of letters, digits, "-" and "_", at most 112 bytes. */
bool reach_name_normal(const char *name, char ret[REACH_ITEM_SIZE]);

/* True for a name that only the local network knows. */
bool reach_name_is_local(const char *name);

/* "to reach ads.example.com (port 443)", as a person says it. */
void reach_about(const struct reach *to, char *buf, size_t size);

#endif
