/* SPDX-License-Identifier: MIT
 *
 * A Varlink server on an event loop (varlink.org: JSON objects ended by NUL).
 * Peers are known by SO_PEERCRED; every call's parameters are checked against
 * the interface text before a method sees them. A peer that sends nonsense,
 * floods, or does not read its replies is dropped and costs nobody else.
 */
#ifndef VARLINK_SERVER_H
#define VARLINK_SERVER_H

#include "base/err.h"
#include "base/loop.h"

#include <jansson.h>
#include <sys/types.h>

#define VARLINK_MESSAGE_MAX 65536u

struct varlink_server;
struct varlink_call;

enum {
	METHOD_ANY_READER = 1, /* members of the read-only group may call it */
	METHOD_UPGRADE = 2,    /* must be called with upgrade */
	METHOD_MORE = 4,       /* may be called with more */
};

struct varlink_method {
	const char *name; /* with the interface: "io.cowbell.List" */
	int flags;
	/* params are borrowed for the call of fn. Exactly one final reply, error or
	 * upgrade must follow, now or later. */
	void (*fn)(void *data, struct varlink_call *call, json_t *params);
};

struct varlink_server_config {
	const struct varlink_method *methods; /* ended by a NULL name; borrowed */
	void *data;
	uid_t owner_uid;
};

/* Takes listen_fd. NULL with err. */
struct varlink_server *varlink_server_create(struct loop *loop, int listen_fd,
					     const struct varlink_server_config *config, struct err *err);

/* Drops every connection; calls that are still open are told by on_gone. */
void varlink_server_destroy(struct varlink_server *server);

/* The final reply; takes params (NULL: none). The call is gone after it. When
 * the peer has left, it just goes. */
void varlink_reply(struct varlink_call *call, json_t *params);
void varlink_error(struct varlink_call *call, const char *name, json_t *params);

/* One reply of a stream; only for calls with more. */
void varlink_reply_continues(struct varlink_call *call, json_t *params);

/* Replies and hands over the connection: fn gets its descriptor, to close, or
 * -1 if the peer had left or sent more than the call. Called from the loop. */
void varlink_upgrade(struct varlink_call *call, json_t *params, void (*fn)(void *data, int fd), void *data);

/* fn when the peer of a stream leaves; the call is gone after it. */
void varlink_call_on_gone(struct varlink_call *call, void (*fn)(void *data), void *data);
bool varlink_call_more(const struct varlink_call *call);
uid_t varlink_call_uid(const struct varlink_call *call);

/* The text of broker/proto/io.cowbell.varlink. */
extern const char varlink_interface_text[];

#endif
