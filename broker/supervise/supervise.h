/* SPDX-License-Identifier: MIT
 *
 * The guard of one session. It starts as a spare, made ready before anybody
 * knows for which app; a JOB turns it into that app's supervisor; it ends with
 * the session. One process, one loop, inside the app's mount and network
 * namespaces, which belong to the initial user namespace.
 */
#ifndef SUPERVISE_SUPERVISE_H
#define SUPERVISE_SUPERVISE_H

#include "base/loop.h"
#include "proto/chan.h"
#include "proto/launch.h"
#include "supervise/listen.h"
#include "supervise/network.h"
#include "supervise/question.h"
#include "supervise/runs.h"
#include "supervise/spare.h"

enum supervise_state {
	SUPERVISE_NEW = 0, /* waits for PREPARE */
	SUPERVISE_SPARE,   /* waits for JOB */
	SUPERVISE_LIVE,    /* the session runs */
	SUPERVISE_ENDING,  /* pid 1 was killed; waits for it to be gone */
};

#define VOLUME_ROOTS_MAX 4u

struct supervise {
	struct loop *loop;
	enum supervise_state state;
	int init_program; /* cowbell-init, O_PATH */
	struct chan *daemon, *broker, *init; /* broker is NULL while there is none */
	uint64_t session;
	char app[APP_ID_SIZE];
	enum session_kind kind;
	uint32_t base;
	struct spare spare;
	struct runs runs;
	struct questions questions;
	struct network network;
	struct listening listening;
	pid_t init_pid;
	int root_mnt; /* the app's overlay, for the freeze barrier */
	int upper;    /* its fs folder */
	int volume_dirs[VOLUME_ROOTS_MAX]; /* volume.c: those of the view's folders for volumes */
	bool end_asked; /* ENDED is what the broker waits for */
};

/* To the broker, if there is one. */
void supervise_tell(struct supervise *s, const struct wr *w, const int *fds, size_t fd_count);

/* Kills pid 1 and with it all of the app. The session is over when it is gone. */
void supervise_end(struct supervise *s);

/* From the broker's and cowbelld's channels. */
extern const struct chan_ops supervise_broker_ops;

/* SESSION_HELLO and every question that waits, to a broker that is new. */
void supervise_hello(struct supervise *s);

/* --- assemble.c --- */

/* Turns the spare into the session of launch: root, ids, gates, pid 1. Afterwards
 * this process's root is the app's. On failure the process must end. */
int assemble(struct supervise *s, const struct launch *launch, int cgroup_fd, struct err *err);

/* --- finish.c --- */

/* Everything of the app is dead: freezes, tells ENDED, exits. */
void finish_session(struct supervise *s) __attribute__((noreturn));

#endif
