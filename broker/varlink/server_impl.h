/* SPDX-License-Identifier: MIT
 *
 * What server.c (who may connect), connection.c (bytes and replies) and call.c (what
 * is called) share. Nobody else includes this.
 */
#ifndef VARLINK_SERVER_IMPL_H
#define VARLINK_SERVER_IMPL_H

#include "varlink/server.h"

#define OWN_INTERFACE "io.cowbell"

struct connection {
	struct connection *next;
	struct varlink_server *server;
	int fd;
	uid_t uid;
	pid_t pid; /* when it connected */
	struct loop_source *source;
	char *in;
	size_t in_len;
	char *out;
	size_t out_len;
	struct varlink_call *call; /* open */
	bool dead, closing;        /* closing: after out is flushed */
	struct loop_source *next_call;
};

struct varlink_call {
	struct connection *connection; /* NULL: the peer left */
	const struct varlink_method *method;
	bool more, oneway, upgrade;
	void (*on_gone)(void *data);
	void *gone_data;
	void (*on_upgraded)(void *data, int fd);
	void *upgraded_data;
};

struct varlink_server {
	struct loop *loop;
	int listen_fd;
	int spare;                 /* to turn somebody away with, when there is no other descriptor */
	struct loop_source *source, *pause;
	struct varlink_server_config config;
	struct connection *connections;
	size_t count;
};

/* --- connection.c --- */

/* Takes fd, which is not blocking; the connection is in server's list. */
void connection_add(struct varlink_server *server, int fd, uid_t uid, pid_t pid);

/* At once, with what of it is open told that the peer left. */
void connection_free(struct connection *c);

/* Reads no more while a call is open. */
void connection_set_interest(struct connection *c);

/* --- call.c --- */

/* Answers, or begins, the call that text (n bytes, NUL-ended) is; false: it is none. */
bool call_take(struct connection *c, const char *text, size_t n);

#endif
