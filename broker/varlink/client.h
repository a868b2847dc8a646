/* SPDX-License-Identifier: MIT
 *
 * The blocking end of a Varlink connection, for the command line.
 */
#ifndef VARLINK_CLIENT_H
#define VARLINK_CLIENT_H

#include "base/err.h"

#include <jansson.h>

struct varlink_client;

/* root NULL: the system's own socket. -1 of a connect says how to start
 * cowbelld. NULL with err. */
struct varlink_client *varlink_client_open(const char *root, struct err *err);
void varlink_client_close(struct varlink_client *client);
int varlink_client_fd(const struct varlink_client *client);

/* Calls and waits. Takes params (NULL: none). 0 with *ret a new object that the
 * caller frees; -1 with err: the transport's failure or the method's error as a
 * sentence. */
int varlink_client_call(struct varlink_client *client, const char *method, json_t *params, json_t **ret,
			struct err *err);

/* Starts a stream; then recv: 1 a reply in *ret, 0 the end, -1 err. */
int varlink_client_more(struct varlink_client *client, const char *method, json_t *params, struct err *err);
int varlink_client_recv(struct varlink_client *client, json_t **ret, struct err *err);

/* Calls with upgrade; after the reply sends one byte with fds. The socket then
 * speaks proto/stream.h. */
int varlink_client_upgrade(struct varlink_client *client, const char *method, json_t *params, const int *fds,
			   size_t fd_count, json_t **ret, struct err *err);

#endif
