/* SPDX-License-Identifier: MIT
 *
 * One supervisor, shared by session.c (its life), session_spare.c (before it has an
 * app), session_userns.c (whose files it shows) and session_room.c (what it may take
 * of the disk). Nobody else includes this.
 */
#ifndef COWBELLD_SESSION_IMPL_H
#define COWBELLD_SESSION_IMPL_H

#include "cowbelld/daemon.h"

enum session_at { SPARE_MAKING = 0, SPARE_READY, SPARE_WANTED, LIVE, DYING };

struct session {
	struct session *next;
	struct daemon *d;
	enum session_at state;
	uint64_t id;
	struct launch launch; /* from SPARE_WANTED on */
	pid_t pid;
	struct chan *chan;
	int cgroup, userns;
	char cgroup_name[32];
	struct session_link link;
	int status;
	char why[512];
	struct loop_source *timer;
	uint64_t wrote; /* session_room.c: bytes, when the disk was last found in order */
	bool held;      /* frozen for want of room */
};

struct session *session_of(const struct daemon *d, uint64_t id);

/* The spare turns into the session that it is wanted for. */
void session_begin(struct session *s);
void session_free(struct session *s);

/* What is told about its end. */
void session_dead(void *data, int status);

/* session_spare.c */
struct session *spare_find(struct daemon *d);
struct session *spare_start(struct daemon *d, struct err *err);

/* session_userns.c: makes the map of owners a moment from now. */
void userns_make_soon(struct session *s);

/* session_room.c: a session began; sessions ended. */
void room_watch(struct daemon *d);
/* To a new broker: that this one is held, if it is. */
void room_tell(const struct session *s);

#endif
