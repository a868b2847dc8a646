/* SPDX-License-Identifier: MIT
 *
 * Everything that must survive: apps, grants, history, generations, versions,
 * the journal of multi-step work, and a few counters, in one LMDB environment.
 * Only this folder knows LMDB; MDB_val never leaves it. Opened in
 * cowbell-broker alone, after exec, once.
 *
 * Every record carries a format version and a checksum. A record that does not
 * check costs itself alone: reads skip it, count it (store_broken_records) and
 * for a grant that means "ask"; for an app that it cannot run, with the reason.
 *
 * A transaction is durable when store_commit returned 0 (two syncs). When the
 * disk is full, writes fail with ENOSPC and nothing of them stands; rollback,
 * reset, revoke and uninstall still work, because the file is preallocated
 * ahead of its use; of that reserve store_version_put takes nothing.
 *
 * The map grows by itself between transactions, as soon as less than 8 MB of it
 * are free. Only a single transaction that needs more than that can hit its
 * end: it fails with ENOSPC and "its map was full", and the next store_begin
 * has one twice as large, so that the same work can be tried again. It does not
 * grow while a read transaction is open.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "policy/permission.h"
#include "policy/rules.h"
#include "proto/launch.h"
#include "proto/msg.h"

#define STORE_SCHEMA 2u
#define BOOT_ID_SIZE 37u
#define HASH_SIZE 32u

struct store;
struct store_txn;

/* dir_fd is borrowed for the call; the environment's files are 0600. Refuses a
 * newer schema ("schema 7 is newer than this program's 1"), another word size,
 * and a directory that another process has open; upgrades an older schema in
 * one transaction after a backup copy. NULL with err. */
struct store *store_open(int dir_fd, struct err *err);
void store_close(struct store *store);

/* One write transaction at a time (a second one: EBUSY) and none open while
 * waiting for an event. NULL with err. A read transaction sees one consistent
 * state. */
struct store_txn *store_begin(struct store *store, bool write, struct err *err);

/* Ends txn in every case. After -1 nothing of it stands. */
int store_commit(struct store_txn *txn, struct err *err);

/* NULL is allowed. Ends a read transaction, drops a write transaction. */
void store_abort(struct store_txn *txn);

/* Broken records met since open. */
uint64_t store_broken_records(const struct store *store);

/* --- meta --- */

enum counter {
	COUNTER_LAYER = 0, /* layer ids: never reused */
	COUNTER_SESSION,
	COUNTER_COPY,     /* serials of private copies */
	COUNTER_POWERED,  /* milliseconds this device was on, over all boots */
	COUNTER_COUNT
};

/* Adds by to the counter and returns the new value in ret. A number never comes
 * twice, also after its record broke: then the next ones are above 2^40. Only
 * COUNTER_POWERED begins again instead. */
int store_counter_add(struct store_txn *txn, enum counter counter, uint64_t by, uint64_t *ret, struct err *err);

#define STORE_TEXT_MAX 4095u

/* Small named texts (the owner's mark, the base fingerprint, an app's service); "" when
 * unset. At most STORE_TEXT_MAX bytes. */
int store_text_put(struct store_txn *txn, const char *name, const char *text, struct err *err);
int store_text_get(struct store_txn *txn, const char *name, char *buf, size_t size, struct err *err);
int store_text_delete(struct store_txn *txn, const char *name, struct err *err); /* 0 also when it was unset */

/* --- id ranges --- */

/* Makes a range (65536 ids from base) known as free. Known ones stay as they
 * are. EINVAL below 65536: those ids are the system's. */
int store_range_add(struct store_txn *txn, uint32_t base, struct err *err);

/* Takes the lowest free range for app. ENOSPC with err when there is none. */
int store_range_take(struct store_txn *txn, const char *app, uint32_t *ret, struct err *err);

/* Taken -> to be wiped -> free again. A range is free only after its wipe is
 * recorded. EINVAL for a range that is not in that state or not known; base 0
 * (an app whose range nobody knows) is no range, and nothing happens. */
int store_range_release(struct store_txn *txn, uint32_t base, struct err *err);
int store_range_wiped(struct store_txn *txn, uint32_t base, struct err *err);

/* --- apps --- */

enum app_state {
	APP_BROKEN = 0,     /* its record does not check, or an install ended half way */
	APP_INSTALLING = 1, /* not visible to anybody yet */
	APP_READY = 2,
	APP_REMOVING = 3, /* uninstall under way */
};

#define APP_COMMANDS_MAX 128u
#define APP_ENTRIES_MAX 8u
#define APP_SAYS_SIZE 1024u

/* A desktop entry that an app brought: its author's words, escaped. */
struct app_entry {
	char name[128], exec[256], icon[128], categories[256];
	bool terminal;
};

struct app_record {
	char id[APP_ID_SIZE];
	enum app_state state;
	uint32_t base;                /* first host id of its range */
	uint64_t live;                /* layer id of the upper for the next session; 0 none */
	bool in_session;              /* set before a session starts, cleared with its generation: tells an unclean end */
	uint32_t head;                /* generation that the next session stands on */
	uint32_t install;             /* generation that reset goes back to */
	uint32_t next_generation;
	char title[64];               /* as its author calls it, escaped */
	char version[64];
	char source[256];             /* "file nano_7.2-1_amd64.deb", escaped */
	char kind[16];                /* "deb", "directory", "program", "command" */
	char summary[128];
	uint64_t installed_wall_ms;
	uint16_t command_count;
	char *commands[APP_COMMANDS_MAX]; /* absolute paths inside its root; owned by the record */
	char main[256];    /* which of them "run" starts; "" where nothing tells */
	char package[64];  /* its name in the host's lists; "" when it came from elsewhere */
	char signer[64];    /* of a native bundle: the publisher's key, "" none */
	char declared[256]; /* permissions of its manifest, with blanks between */
	char says[APP_SAYS_SIZE]; /* "contacts find friends", a line each: why it wants what, escaped */
	uint64_t memory_max; /* its manifest's limits; 0 none */
	uint32_t pids_max;
	bool from_base;    /* the host has the package itself: the app runs the host's program */
	uint16_t entry_count;
	struct app_entry *entries; /* entry_count of them; owned by the record */
};

/* get: 1 found, 0 none, -1 error. finish frees what a get filled in. put copies. */
int store_app_get(struct store_txn *txn, const char *id, struct app_record *ret, struct err *err);
int store_app_put(struct store_txn *txn, const struct app_record *app, struct err *err);
void app_record_finish(struct app_record *app);

/* Every app in order of id; fn returns 0 to go on, else the walk ends with that
 * value. Broken ones are handed over with state APP_BROKEN, their id, and the
 * base of the range that is taken under that id (0: not known). */
int store_app_each(struct store_txn *txn, int (*fn)(void *data, const struct app_record *app), void *data,
		   struct err *err);

/* Removes the app with all its grants, generations, paths, versions and usage:
 * afterwards no key names it. History entries stay. */
int store_app_delete(struct store_txn *txn, const char *id, struct err *err);

/* Deletes at most that many versions and paths of an app that is being removed, so that
 * store_app_delete has little left to do: 1 there may be more, 0 there are none, -1. */
int store_app_shrink(struct store_txn *txn, const char *id, size_t most, struct err *err);

/* Gives a provisional app its name: all its records and its range move; what
 * history says stays said. EEXIST when taken, ENOENT without a good record. */
int store_app_rename(struct store_txn *txn, const char *from, const char *to, struct err *err);

/* --- grants --- */

struct grant_record {
	char app[APP_ID_SIZE];
	char permission[32];
	char item[128]; /* "" for the whole */
	enum give give;
	struct duration lasts;       /* TIME, BOOT or ALWAYS; RUN and ONCE are the broker's memory */
	char boot_id[BOOT_ID_SIZE];  /* of the answer; TIME and BOOT end with it */
	uint64_t until_boot_ms;      /* LASTS_TIME: CLOCK_BOOTTIME at which it ends */
	uint64_t wall_ms;            /* of the answer, for display */
	uint64_t copy_serial;        /* GIVE_COPY */
	bool locked;
	char by[64];                 /* "uid 1000, cowbell run", escaped */
	uint64_t used_powered_ms;    /* powered-on time of the last use, or of the answer; 0: before it was counted */
	uint64_t lapsed_wall_ms;     /* not 0: it lay unused for too long then, and gives nothing any more */
};

int store_grant_get(struct store_txn *txn, const char *app, const char *permission, const char *item,
		    struct grant_record *ret, struct err *err); /* 1, 0, -1 */

/* E2BIG, with a hint, for one more than GRANTS_PER_APP_MAX. */
#define GRANTS_PER_APP_MAX 512u
int store_grant_put(struct store_txn *txn, const struct grant_record *grant, struct err *err);
int store_grant_delete(struct store_txn *txn, const char *app, const char *permission, const char *item,
		       struct err *err); /* 1 was there, 0 was not, -1 */

/* app NULL: all. In order of app, permission, item. */
int store_grant_each(struct store_txn *txn, const char *app, int (*fn)(void *data, const struct grant_record *grant),
		     void *data, struct err *err);

/* Writes down, under that generation, which grants of app stand now. They go with
 * their generation. */
int store_grants_keep(struct store_txn *txn, const char *app, uint32_t generation, struct err *err);

/* The grants that stood when the generation was made, as store_grant_each. ENOENT
 * when nobody wrote them down, or one of them cannot be read: half of them may
 * never pass for all. */
int store_grants_then_each(struct store_txn *txn, const char *app, uint32_t generation,
			   int (*fn)(void *data, const struct grant_record *grant), void *data, struct err *err);

/* --- history --- */

enum history_kind {
	HISTORY_DECISION = 0,  /* somebody answered, granted, revoked, locked */
	HISTORY_ACCESS = 1,    /* a gate was used */
	HISTORY_LIFE = 2,      /* installed, run, ended, rolled back, reset, removed */
};

struct history_record {
	uint64_t seq; /* filled in by append; order of time */
	uint64_t wall_ms, boot_ms;
	enum history_kind kind;
	char app[APP_ID_SIZE];
	char permission[32], item[128];
	enum give give, before;
	struct duration lasts;
	char what[32]; /* "answered", "revoked", "used", "refused", "installed", "run", "reset", ... */
	char why[256];
	char program[128];
	uint64_t session;
	uint32_t count; /* folded equal accesses of one session */
	uint64_t last_wall_ms;
};

/* Appends, or folds into the session's last equal ACCESS entry. Keeps at most
 * 100,000 entries: the oldest go. */
int store_history_append(struct store_txn *txn, const struct history_record *entry, struct err *err);

/* Oldest first; app and permission may be NULL; since_wall_ms 0: all. */
int store_history_each(struct store_txn *txn, const char *app, const char *permission, uint64_t since_wall_ms,
		       int (*fn)(void *data, const struct history_record *entry), void *data, struct err *err);

/* --- traffic --- */

struct traffic_bytes {
	uint64_t up, down, flows, refused; /* bytes, bytes, connections, packets */
};

/* What went to one scope or host. */
struct traffic_record {
	char app[APP_ID_SIZE];
	char item[128]; /* "" the internet, "local", or a host by name or address */
	bool local;
	struct traffic_bytes ever;
	uint32_t month; /* year * 12 + month of this_month; never goes back */
	struct traffic_bytes this_month;
	uint64_t session; /* the last one that was counted in, */
	struct traffic_bytes seen; /* and what of it is in the sums already */
	uint64_t cap; /* bytes a month, both ways; 0: none. Of scopes alone */
	uint32_t spent; /* the month in which the cap was reached; sums may end a packet below it */
};

#define TRAFFIC_HOSTS_MAX 256u /* of an app; later ones stand in their scope's sum alone */

/* 1, 0, -1. EBADMSG: there is one that cannot be read, and nobody may take its cap for
 * none; ret is empty, and the transaction is good. */
int store_traffic_get(struct store_txn *txn, const char *app, const char *item, struct traffic_record *ret,
		      struct err *err);
int store_traffic_put(struct store_txn *txn, const struct traffic_record *record, struct err *err);
int store_traffic_each(struct store_txn *txn, const char *app, int (*fn)(void *data, const struct traffic_record *record),
		       void *data, struct err *err);

/* --- policy files --- */

/* The last good text of a policy file, vendor's or administrator's; any bytes. */
int store_policy_put(struct store_txn *txn, bool vendor, const char *file, const char *text, size_t size,
		     struct err *err);
/* file NULL: of all of them. 0 also when there was none. */
int store_policy_delete(struct store_txn *txn, bool vendor, const char *file, struct err *err);

/* In order of names. One that is not whole is left out: half a policy is another
 * one. What fn gets is borrowed for the call. */
int store_policy_each(struct store_txn *txn, bool vendor,
		      int (*fn)(void *data, const char *file, const char *text, size_t size), void *data,
		      struct err *err);

/* --- generations --- */

enum generation_kind {
	GENERATION_INSTALL = 0,
	GENERATION_RUN,
	GENERATION_UNCLEAN, /* what a session left that did not end by itself */
	GENERATION_ROLLBACK,
	GENERATION_RESET,
	GENERATION_SNAPSHOT,
	GENERATION_REBUILT, /* parent: the install made anew on a changed base; of: whose state it takes up */
};

struct generation_record {
	char app[APP_ID_SIZE];
	uint32_t number, parent;
	enum generation_kind kind;
	uint64_t wall_ms;
	bool pinned;
	uint64_t doomed_powered_ms; /* not 0: dropped by reset; its layers go at this powered-on time */
	char label[128];
	uint32_t of; /* ROLLBACK, RESET: the generation whose state it takes up */
	uint64_t entries, bytes;
	uint8_t root_hash[HASH_SIZE];
	uint8_t base_hash[HASH_SIZE]; /* fingerprint of the host root it was made on */
	uint16_t layer_count;
	uint64_t layers[LAYERS_MAX]; /* frozen, top first */
	uint64_t own_layer; /* the layer this generation froze; 0 for ROLLBACK and RESET */
	uint64_t kept_bytes; /* INSTALL: the packages that are kept beside it */
	uint64_t kept_in;    /* the layer that they were first kept with: those of one number are the same files */
};

const char *generation_kind_name(enum generation_kind kind);
int store_generation_get(struct store_txn *txn, const char *app, uint32_t number, struct generation_record *ret,
			 struct err *err); /* 1, 0, -1 */
int store_generation_put(struct store_txn *txn, const struct generation_record *g, struct err *err);

/* With its versions, and the paths that then have none. */
int store_generation_delete(struct store_txn *txn, const char *app, uint32_t number, struct err *err);

/* Ends generations of app whose states others go on from. Of each path the newest
 * version among those that go into one generation becomes that one's, unless it has
 * its own; what goes into 0 goes with its versions. list is in order of generation,
 * and no into is in it. What pointed at them is the caller's to mend. -1 with err,
 * and the transaction can only be aborted. */
struct absorbed {
	uint32_t generation, into;
};
int store_generations_absorb(struct store_txn *txn, const char *app, const struct absorbed *list, size_t count,
			     struct err *err);

/* Oldest first. app NULL: of all apps (for garbage collection). */
int store_generation_each(struct store_txn *txn, const char *app,
			  int (*fn)(void *data, const struct generation_record *g), void *data, struct err *err);

/* --- versions --- */

struct version_record {
	uint32_t generation;
	enum entry_kind kind;
	char *path;   /* relative to the root; at most 4095 bytes, components as long as the file system's */
	char *target; /* symlink text, old path of MOVED, else "" */
	uint64_t size, mtime_ns;
	uint32_t mode, uid, gid;
	uint8_t hash[HASH_SIZE];
};

/* path and target are borrowed. EINVAL or ENAMETOOLONG for what no file can be
 * called; ENOSPC, and a failed transaction, when it would take room that smaller
 * ones need. */
int store_version_put(struct store_txn *txn, const char *app, const struct version_record *v, struct err *err);

/* The states of one path, oldest generation first; path NULL: of every path, in
 * order of path id, then generation. What fn gets is borrowed for the call. */
int store_version_each(struct store_txn *txn, const char *app, const char *path,
		       int (*fn)(void *data, const struct version_record *v), void *data, struct err *err);

/* --- journal --- */

enum journal_op {
	JOURNAL_INSTALL = 1,
	JOURNAL_UNINSTALL,
	JOURNAL_SETTLE, /* versions are being written under the number in step, that nothing names yet */
	JOURNAL_MERGE,
	JOURNAL_FORGET,
};

/* One entry an app: the multi-step work under way on it. */
struct journal_record {
	char app[APP_ID_SIZE];
	enum journal_op op;
	uint32_t step;
	uint32_t base;
	uint16_t layer_count;
	uint64_t layers[LAYERS_MAX * 4];
	char text[256];
};

int store_journal_put(struct store_txn *txn, const struct journal_record *j, struct err *err);
/* 1 app has an entry, 0, -1. */
int store_journal_has(struct store_txn *txn, const char *app, struct err *err);
int store_journal_delete(struct store_txn *txn, const char *app, struct err *err);
int store_journal_each(struct store_txn *txn, int (*fn)(void *data, const struct journal_record *j), void *data,
		       struct err *err);

#endif
