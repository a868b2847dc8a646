/* SPDX-License-Identifier: MIT
 *
 * Answers become memory: what was said is written down, with its history, in
 * one synced transaction before anything is given.
 */
#ifndef BROKER_ANSWER_H
#define BROKER_ANSWER_H

#include "broker/session.h"

struct answer {
	const char *app;
	struct permission_ref ref;
	enum give give;
	struct duration lasts;
	const char *by;
	bool lock;
};

struct answer_result {
	uint64_t copy_serial, until_boot_ms;
	enum give before;
};

/* Stores an answer as a grant, or for RUN with session. Refuses answers and
 * durations that do not fit the permission, with what would. After -1 nothing
 * is stored. GIVE_ASK forgets. */
int answer_store(struct broker *broker, struct session *session, const struct answer *answer,
		 struct answer_result *ret, struct err *err);

/* Forgets what was answered for permission and item ("" for all items), stored
 * and for this run. ret_was names what was in force. */
int answer_forget(struct broker *broker, struct session *session, const char *app, const struct permission_ref *ref,
		  const char *by, char *ret_was, size_t was_size, struct err *err);

/* "flashlight sees an empty contact book until it ends. Change it: ..." */
void answer_says(const struct answer *answer, char *buf, size_t size);

/* What was answered for this very run, read back from history by a broker that
 * takes the session over. A copy is asked about again: which copy it was is not
 * written there. After failure fewer answers stand, never more. */
void answer_recall(struct broker *broker, struct session *session);

#endif
