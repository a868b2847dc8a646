/* SPDX-License-Identifier: MIT
 *
 * The broker's end of an upgraded connection: first the client's descriptors,
 * then frames of proto/stream.h.
 */
#ifndef BROKER_CLIENT_H
#define BROKER_CLIENT_H

#include "broker/broker.h"
#include "proto/stream.h"

#define CLIENT_FDS_MAX 64u

struct client;

struct client_ops {
	/* The descriptors came: count of them, to be taken by setting them to -1. */
	void (*on_fds)(void *data, int *fds, size_t count);
	void (*on_signal)(void *data, uint32_t signo);
	/* The peer is gone or broke the protocol; the client is destroyed after it
	 * returned. */
	void (*on_gone)(void *data);
};

/* Takes fd. */
struct client *client_create(struct broker *broker, int fd, const struct client_ops *ops, void *data);

/* Closes the connection after what was sent; on_gone is not called any more.
 * NULL is allowed. */
void client_destroy(struct client *client);

/* Frames are small and few: a peer that does not read them is cut off. fd is
 * borrowed; -1: none. client NULL: nobody is there to hear. */
void client_send(struct client *client, enum stream_type type, const void *body, size_t len, int fd);
void client_text(struct client *client, enum stream_type type, const char *text);
void client_exit(struct client *client, uint32_t status);
void client_fail(struct client *client, uint32_t status, const char *text);

#endif
