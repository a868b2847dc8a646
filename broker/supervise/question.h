/* SPDX-License-Identifier: MIT
 *
 * What waits at the gates, and what becomes of it. One question a gate at a
 * time, however many programs wait there.
 */
#ifndef SUPERVISE_QUESTION_H
#define SUPERVISE_QUESTION_H

#include "base/loop.h"
#include "platform/platform.h"
#include "policy/permission.h"
#include "proto/chan.h"
#include "proto/launch.h"

#include <sys/types.h>

struct supervise;
struct gate_engine;

#define QUESTION_TOKENS_MAX 16u
#define QUESTION_PROGRAM_SIZE 128u

struct question_answer {
	enum give give;
	uint32_t code; /* for GIVE_NO */
	uint64_t serial, max_bytes;
	uint32_t max_files;
};

struct question {
	struct supervise *s;
	uint16_t gate;
	enum platform_gate_kind kind;
	char *path;         /* of a volume's gate, owned; NULL for those that stand from the start */
	int vault;          /* the gate's folder out of the app's reach, O_PATH; -1: it has none */
	uint32_t number;    /* 0: nobody waits */
	uint32_t tokens[QUESTION_TOKENS_MAX];
	size_t token_count;
	pid_t pid; /* labels: the first that waited */
	char program[QUESTION_PROGRAM_SIZE];
	bool answered;
	struct question_answer answer;
	int mount; /* from cowbelld, until it is attached; -1 */
	enum give mount_give;
	enum give given; /* GIVE_NO: nothing is attached */
	enum give standing; /* what a first use is given without asking; GIVE_NO: it is asked about */
	uint64_t standing_until_ms; /* CLOCK_BOOTTIME; 0: no end */
	struct copying *copying; /* a private copy in the making */
};

struct questions {
	struct gate_engine *engine;
	struct question of[GATES_MAX];
	size_t count;
	uint32_t last_number;
};

/* engine and view are borrowed for the life of the session. */
void questions_init(struct questions *q, struct gate_engine *engine, const struct platform_view *view);

/* Takes vault, for the gate at index of the view. */
void questions_set_vault(struct questions *q, size_t index, int vault);

/* Reads what came through the gates. */
void questions_read(struct supervise *s);

/* ANSWER, STANDING and REVOKE from the broker, MOUNT from cowbelld. false: malformed. */
bool questions_handle_answer(struct supervise *s, struct msg *m);
bool questions_handle_standing(struct supervise *s, struct msg *m);
bool questions_handle_revoke(struct supervise *s, struct msg *m);
bool questions_handle_mount(struct supervise *s, struct msg *m);

/* The broker that laid them out is gone: every first use is asked about. */
void questions_forget_standing(struct supervise *s);

/* What stands open, for SESSION_HELLO; and a NEED for all that waits. */
void questions_list(const struct questions *q, struct session_hello *ret);
void questions_repeat(struct supervise *s);

/* A child that was not pid 1 ended. */
void questions_child(struct supervise *s, pid_t pid, int status);

/* The app is dead: ends copies under way and closes what writes to its layer. */
void questions_finish(struct supervise *s);

/* --- for copying.c and volume.c --- */

/* NULL: there is no such gate. Gate 0: a place in the table that is free again. */
struct question *question_find(struct questions *q, uint16_t gate);

/* Whoever waits gets code, and nobody is told; what was laid out is let go. */
void question_shut(struct question *q, int code);


/* Attaches mnt (borrowed) to the gate and lets everybody in who waits. */
void question_settle(struct question *q, int mnt, uint64_t bytes, uint32_t files);

/* Refuses everybody who waits. */
void question_refuse(struct question *q, const struct err *err);

#endif
