/* SPDX-License-Identifier: MIT
 *
 * A channel between two processes of the family: a SOCK_SEQPACKET socket pair,
 * one message a packet, descriptors beside it. Header and bodies are written
 * with proto/wire.h; opcodes stand in proto/msg.h.
 */
#ifndef PROTO_CHAN_H
#define PROTO_CHAN_H

#include "base/err.h"
#include "base/loop.h"
#include "proto/msg.h"
#include "proto/wire.h"

#define CHAN_FDS_MAX 8

/* A received message. fds that the handler does not take (by setting them to
 * -1) are closed after it returned. */
struct msg {
	enum msg_op op;
	uint64_t id; /* session, job or request: what the table in msg.h says */
	struct rd body;
	int fds[CHAN_FDS_MAX];
	size_t fd_count;
};

/* Blocking calls, for the short-lived single-purpose processes (keeper,
 * supervisor set-up) and for tests. */

/* A connected pair, both CLOEXEC. */
int chan_pair(int ret[2], struct err *err);

/* Starts a message in w. */
void chan_begin(struct wr *w, enum msg_op op, uint64_t id);

/* Sends w with copies of the fds (borrowed). Blocks unless the socket does not;
 * EAGAIN then. MSG_NOSIGNAL: a dead peer is EPIPE. */
int chan_send_fd(int fd, const struct wr *w, const int *fds, size_t fd_count, struct err *err);

/* Receives one message into buf (WIRE_MAX bytes, which m->body then borrows).
 * 1 a message, 0 the peer is gone, -1 error (EAGAIN when non-blocking). A
 * packet that is cut short, has an unknown opcode or carries too many fds is
 * an error, EPROTO; its fds are closed. */
int chan_recv_fd(int fd, uint8_t *buf, struct msg *m, struct err *err);

void msg_close_fds(struct msg *m);

/* The loop's end of a channel. */
struct chan;

/* on_gone runs once, when the peer is gone or broke the protocol (err tells
 * which); after it the owner destroys the channel. Messages are handed out in
 * order; a handler returns false when the message broke the protocol. */
struct chan_ops {
	bool (*on_message)(void *data, struct msg *m);
	void (*on_gone)(void *data, const struct err *err);
};

/* Takes fd. NULL with errno (fd closed). */
struct chan *chan_create(struct loop *loop, int fd, const struct chan_ops *ops, void *data);

/* Closes; nothing is called any more. NULL is allowed. Allowed inside its own
 * callbacks. */
void chan_destroy(struct chan *chan);

/* Hands out everything that has arrived, now: for an owner who learnt elsewhere
 * that the peer has ended. The owner may destroy the channel meanwhile. */
void chan_drain(struct chan *chan);

/* Sends, or queues when the socket is full (at most 256 messages; beyond that
 * the peer is taken for stuck and reported gone). fds are duplicated. An
 * overflowed w is our own mistake: fatal. NULL: the peer is gone, nothing is sent. */
void chan_send(struct chan *chan, const struct wr *w, const int *fds, size_t fd_count);

#endif
