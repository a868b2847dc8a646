/* SPDX-License-Identifier: MIT
 *
 * The root object of cowbell-broker: what every module of the program reaches
 * the others through. The broker decides and remembers; it has no rights.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "base/loop.h"
#include "policy/board.h"
#include "policy/decide.h"
#include "proto/chan.h"
#include "proto/launch.h"
#include "store/store.h"

struct varlink_server;

/* A gate as cowbelld described it: a permission of this device and where it is. */
struct gate {
	uint16_t id;
	const struct permission *permission;
	char item[128];
	char path[PATH_SIZE];
	bool exists;
};

struct broker {
	struct loop *loop;
	struct chan *parent; /* to cowbelld */
	struct store *store;
	struct varlink_server *server;
	int listen_fd;

	char boot_id[BOOT_ID_SIZE];
	uint64_t instance;
	uint32_t owner_uid, owner_gid;
	char owner_name[64];
	char home[PATH_SIZE];
	struct board board; /* name, model and things alone: what cowbelld told */
	char board_why[160];
	char root[PATH_SIZE]; /* "" for the system itself */
	uint64_t features;
	struct gate gates[GATES_MAX];
	size_t gate_count;

	struct ruleset admin, vendor;
	struct policy_files *policy_files; /* policy_files.h: keeps the two as the folders are */

	struct turn *turns;       /* turn.h */
	struct job *jobs;         /* job.h */
	struct session *sessions; /* session.h */
	struct prompt *prompts;   /* prompt.h */
	struct agent *agents;     /* prompt.h */
	struct autostart *autostarts; /* autostart.h */
	struct base_change *base_change; /* base_change.h; NULL: the host's packages rest */
	struct app_log *logs;     /* app_log.h */
	int state_fd;             /* the store's folder, for files beside the database */
	struct loop_source *expiry; /* answer.h: the next grant that runs out */
	struct loop_source *cleanup; /* generation.h: doomed generations */
	struct notes *notes; /* notes.h; NULL: none yet */
	uint64_t next_job;
	struct loop_source *lapsing; /* lapse.h: the next look for unused answers */
	uint64_t powered_mark_ms; /* CLOCK_BOOTTIME up to which COUNTER_POWERED is counted */
	uint64_t powered_ms;      /* what it was then */
	bool recovering;
};

/* What an app's person or script is told about a failure: a sentence and what
 * to do. Commands on the public socket carry it. */

/* The gate with this id, NULL when cowbelld never told of one. */
const struct gate *broker_gate(const struct broker *broker, uint16_t id);

/* Adds the time since the last call to COUNTER_POWERED and gives its value. */
int broker_powered_ms(struct broker *broker, struct store_txn *txn, uint64_t *ret, struct err *err);

/* The same without counting it: as of now, by what was counted last. */
uint64_t broker_powered_now(const struct broker *broker);

/* What tells this base from another: the system's release and its package
 * database, as they are now. */
void broker_base_hash(uint8_t ret[HASH_SIZE]);

/* True while a grant's time has not run out on this boot, and it has not lapsed. */
bool broker_grant_live(const struct broker *broker, const struct grant_record *grant);

/* Writes one history entry inside txn; NULL fields are "". Times are filled in. */
struct history_note {
	enum history_kind kind;
	const char *app, *permission, *item, *what, *why, *program;
	enum give give, before;
	struct duration lasts;
	uint64_t session;
};
void broker_note_fill(const struct history_note *note, struct history_record *ret);
int broker_note(struct broker *broker, struct store_txn *txn, const struct history_note *note, struct err *err);

/* broker_note in a transaction of its own; a failure is logged. */
void broker_note_alone(struct broker *broker, const struct history_note *note);

#endif
