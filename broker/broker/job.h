/* SPDX-License-Identifier: MIT
 *
 * One-job processes that cowbelld starts for the broker: keepers, which work on
 * layers, readers of the owner's contacts and of what strangers made, and the one
 * that asks the host's package manager.
 */
#ifndef BROKER_JOB_H
#define BROKER_JOB_H

#include "broker/broker.h"

struct job;

struct job_result {
	int code; /* errno; 0: done */
	char why[512];
	bool changed, no_next, too_deep; /* too_deep: not all of it was told */
	uint64_t entries, bytes;
	uint8_t root_hash[HASH_SIZE];
};

struct job_ops {
	/* A batch of KEEPER_ENTRIES; false: the batch is malformed, the job fails.
	 * May be NULL. */
	bool (*on_entries)(void *data, struct rd *body);
	/* Exactly once, unless the job was cancelled. The job is gone after it. */
	void (*on_done)(void *data, const struct job_result *result);
};

/* A keeper for one job: body is a complete KEEPER_* message (chan_begin with
 * id 0; the id is filled in). before may hold messages to send ahead of it
 * (KEEPER_KEEP). out_fd rides on it and is borrowed; -1: none. */
struct job *job_start(struct broker *broker, const struct wr *body, int out_fd, const struct job_ops *ops, void *data);

/* As job_start with a list of layer ids to keep, for GC. Copies keep. */
struct job *job_start_gc(struct broker *broker, const uint64_t *keep, size_t keep_count, uint64_t newest,
			 const struct job_ops *ops, void *data);

/* Counts the contacts behind a gate: at most names[64] of 127 bytes. */
struct contacts_result {
	int code;
	uint32_t count;
	uint16_t name_count;
	char names[64][128];
};
struct job *job_start_contacts(struct broker *broker, uint16_t gate,
			       void (*fn)(void *data, const struct contacts_result *result), void *data);

/* A process of another kind: start (PACKAGES, INSPECT) asks cowbelld for it, ask is
 * its one message (chan_begin with any id; filled in), fd and second ride on it and are
 * borrowed (-1: none). Every message goes to on_message, false: it broke the
 * protocol. The owner cancels the job when it has its answer; on_gone says that
 * the process ended before, and the job is gone. */
struct job_talk {
	const char *what; /* "reader", for errors */
	bool (*on_message)(void *data, struct msg *m);
	void (*on_gone)(void *data, const char *why);
};
struct job *job_start_talk(struct broker *broker, enum msg_op start, const struct wr *ask, int fd, int second,
			   const struct job_talk *talk, void *data);

/* Nobody is called any more; the process ends by itself. NULL is allowed. */
void job_cancel(struct job *job);

/* From the channel to cowbelld. false: out of place. */
bool job_handle_parent(struct broker *broker, struct msg *m);

/* Frees every job; at shutdown. */
void job_finish_all(struct broker *broker);

#endif
