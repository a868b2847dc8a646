/* SPDX-License-Identifier: MIT
 *
 * Servers in an app: at which ports it waits for connections from outside, and which
 * of these are open. Nothing comes in unless the rules of its network say so; that it
 * listens is only told, so that its person can be asked.
 */
#ifndef SUPERVISE_LISTEN_H
#define SUPERVISE_LISTEN_H

#include "base/loop.h"
#include "platform/arm/net.h"
#include "proto/chan.h"
#include "supervise/question.h"

struct supervise;

struct listen_port {
	uint16_t port;
	bool open;
	char program[QUESTION_PROGRAM_SIZE]; /* "": not known */
};

struct listening {
	int fd; /* of the app's filter; 0: not here yet */
	struct loop_source *source, *timer;
	unsigned int looks; /* still to come for what was heard last */
	struct listen_port ports[LISTENS_MAX];
	size_t count;
};

/* INIT_LISTENER from pid 1, LISTEN from the broker. false: malformed. */
bool listening_handle_fd(struct supervise *s, struct msg *m);
bool listening_handle_listen(struct supervise *s, struct msg *m);

/* LISTENS, to a broker that is new. */
void listening_repeat(struct supervise *s);

/* Whether what comes in at this port may. */
bool listening_is_open(const struct supervise *s, uint16_t port);

#endif
