/* SPDX-License-Identifier: MIT
 *
 * The host's own resolvers, as its resolver settings name them now.
 */
#ifndef DNS_SERVERS_H
#define DNS_SERVERS_H

#include "base/mem.h"

#include <sys/socket.h>

#define SERVERS_MAX 3u

struct servers {
	struct sockaddr_storage of[SERVERS_MAX];
	socklen_t size[SERVERS_MAX];
	size_t count;
	uint64_t stamp[3]; /* which file this was */
};

/* The text of a resolv.conf(5); of it only "nameserver ADDRESS" counts. None is
 * the same as the loopback's. */
void servers_parse(struct servers *s, const char *text);

/* Reads path again if it is another file than last time. */
void servers_refresh(struct servers *s, const char *path);

#endif
