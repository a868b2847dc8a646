/* SPDX-License-Identifier: MIT
 *
 * What an upgraded connection of the public socket speaks (Run, Install, Cat):
 * frames of a 5-byte header, u8 type and u32 length (little endian), and that
 * many bytes, at most STREAM_BODY_MAX. Descriptors ride on a frame's first
 * byte. Either side treats anything else as the end of the conversation.
 */
#ifndef PROTO_STREAM_H
#define PROTO_STREAM_H

#include "base/err.h"

#define STREAM_BODY_MAX 4096u

enum stream_type {
	/* broker to client */
	STREAM_PTY = 1,     /* the pty's master rides along */
	STREAM_STARTED = 2, /* exec is done; body: a notice for the user, or empty */
	STREAM_NOTICE = 3,  /* body: one line for standard error (what waits and how to answer it) */
	STREAM_EXIT = 4,    /* body: u32 status; the last frame */
	STREAM_FAILED = 5,  /* body: u32 exit status to use (125, 126, 127), then "what: why (hint)"; the last frame */
	STREAM_PROGRESS = 6, /* body: one line on long work (install) */
	STREAM_PERCENT = 7,  /* body: u16 thousandths done, then a word for the step (install) */
	STREAM_TEXT = 8,     /* a piece of what goes to standard output (Inspect: a line of JSON about each thing) */
	/* client to broker */
	STREAM_SIGNAL = 16, /* body: u32 signal for the command */
	STREAM_RESIZE = 17, /* unused by us: the client resizes the pty it holds; accepted and ignored */
};

struct stream_frame {
	enum stream_type type;
	uint32_t len;
	uint8_t body[STREAM_BODY_MAX];
	int fd; /* -1, or the caller's to close */
};

/* Blocking. 1 a frame, 0 end of stream at a frame's border, -1 err. */
int stream_recv(int sock, struct stream_frame *ret, struct err *err);

/* fd -1: none. */
int stream_send(int sock, enum stream_type type, const void *body, uint32_t len, int fd, struct err *err);

#endif
