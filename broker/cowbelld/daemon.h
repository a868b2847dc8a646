/* SPDX-License-Identifier: MIT
 *
 * The root object of cowbelld: starts everything, opens what the broker may
 * give, and parses nothing that an app or package made.
 */
#ifndef COWBELLD_DAEMON_H
#define COWBELLD_DAEMON_H

#include "base/loop.h"
#include "platform/arm/cgroup.h"
#include "platform/arm/claim.h"
#include "policy/resource.h"
#include "proto/chan.h"
#include "proto/launch.h"

#include <sys/stat.h>
#include <sys/types.h>

struct child;
struct led;
struct network;
struct volumes;

#define READER_UIDS 60000u
#define COUNTED_UIDS 1000u

/* session_room.c */
struct room {
	uint64_t reference; /* bytes free from which a fall is counted; 0: not looked at yet */
	uint64_t resume;    /* bytes free at which those that are held go on; 0: nobody is */
};

struct options {
	const char *root, *user, *home;
	const char *board;       /* NULL: as the device tree says */
	const char *device_tree; /* the folder of it; for tests */
	int ready_fd;
	unsigned int seccomp_flags;
};

struct daemon {
	struct loop *loop;
	struct options options;

	/* paths.c */
	char root[PATH_SIZE]; /* "" for the system itself */
	char state[PATH_SIZE], store[PATH_SIZE], run[PATH_SIZE];
	int lock_fd, store_fd, meta_fd, bin_fd, listen_fd, fetch_fd;
	int state_watch; /* state.c */
	uint64_t instance;
	uint64_t features; /* FEATURE_*, without those of cgroup */
	char boot_id[64];

	/* profile.c */
	struct board board;
	char board_why[160]; /* how it was recognised */

	/* owner.c */
	uid_t owner_uid;
	gid_t owner_gid;
	char owner_name[64], home[PATH_SIZE];
	struct resource_table resources;

	struct volumes *volumes; /* volumes.c */

	/* devices.c */
	struct led *leds; /* those of the board's torches */

	/* ids.c */
	int claim_fd;
	uint32_t blocks[CLAIM_BLOCKS];
	size_t block_count;
	uid_t broker_uid, packages_uid;
	uid_t readers_uid; /* the first of READER_UIDS */
	uid_t counted_uids; /* the first of COUNTED_UIDS, each for one session: see ids_clone */
	gid_t device_gid;  /* may write to attributes of devices that are given */

	struct cgroup_root cgroup;
	int seccomp_fd;
	int mask_ns; /* of the mask that the last spare made; -1: none */

	/* children.c */
	struct child *children;

	/* broker_proc.c */
	struct chan *broker;
	pid_t broker_pid;
	bool broker_ready;
	uint64_t broker_deaths[5];
	struct loop_source *broker_timer;

	/* jobs.c */
	struct job *jobs;

	/* session.c */
	struct session *sessions; /* spares, live and ending ones */
	struct loop_source *spare_timer;
	struct loop_source *room_timer; /* session_room.c: while sessions run */
	struct room room;
	unsigned int spare_failures;
	uint64_t spare_retry_ms;

	struct network *network; /* network.c */

	bool stopping;
	int status; /* of our exit, once all sessions are over */
};

/* main.c: ends all sessions, then the loop, with this exit status. */
void daemon_end(struct daemon *d, int status);

/* options.c: true to go on; else *ret_status is the exit status. */
bool options_parse(int argc, char **argv, struct options *ret, int *ret_status);

/* profile.c: which board this is; d->board is whole afterwards. */
int profile_load(struct daemon *d, struct err *err);

/* paths.c: opens the folder of our own programs. */
int paths_open_programs(struct daemon *d, struct err *err);

/* paths.c: resolves, makes and locks the folders; the public socket. */
int paths_open(struct daemon *d, struct err *err);
int paths_listen(struct daemon *d, struct err *err);
void paths_close(struct daemon *d);
/* paths.c: a pause before a lock is tried again, and false when that was enough (2 s).
 * What a cowbelld that was killed had started holds its locks until it is gone, too;
 * that is soon, and not worth an error. *tries is 0 at first. */
bool paths_wait_for_killed(unsigned int *tries);

/* state.c: -1 with err when the records of apps are gone and their files are not: a
 * new system would take the place of the old one without a word. */
int state_check(const struct daemon *d, struct err *err);
/* From now on cowbelld ends when the state is moved, deleted or replaced. */
int state_watch(struct daemon *d, struct err *err);

/* probe.c: 0 when apps' layers can be mounted from the store; nothing stays. */
int probe_store(const struct daemon *d, struct err *err);

/* owner.c: who the owner is and what stands behind the gates. */
int owner_find(struct daemon *d, struct err *err);
int owner_read_resources(struct daemon *d, struct err *err);
const struct resource *owner_resource(const struct daemon *d, uint16_t gate);

/* ids.c: claims this system's id ranges, those of earlier starts first. */
int ids_open(struct daemon *d, struct err *err);
/* One more block; 0 none is free, 1, -1 err. */
int ids_claim_more(struct daemon *d, struct err *err);
/* True for the base of a range that apps may have. */
bool ids_is_app_base(const struct daemon *d, uint32_t base);
/* list{u32 base, u32 count} of the app ranges of blocks from on. */
void ids_encode(const struct daemon *d, struct wr *w, size_t from);

/* children.c: one table of what was forked; fn is called once, after the child
 * was reaped. */
void children_add(struct daemon *d, pid_t pid, void (*fn)(void *data, int status), void *data);
int children_start(struct daemon *d);
/* Starts program from our own folder with fd as descriptor 3 and, if >= 0,
 * second as 4. owner_uid (uid_t)-1: stays root. Returns the pid, -1 err. */
struct spawn {
	const char *program;
	char *const *argv; /* NULL: the program's name alone */
	int fd, second;
	bool as_user;
	uid_t uid;
	gid_t gid;
	bool no_network;
	bool read_only; /* the whole file system, in a mount namespace of its own; but second, if >= 0, is its /tmp */
};
pid_t children_spawn(struct daemon *d, const struct spawn *spawn, struct err *err);

/* broker_proc.c */
int broker_start(struct daemon *d, struct err *err);

/* session.c */
void session_keep_spare(struct daemon *d);
bool session_handle_launch(struct daemon *d, struct msg *m);
void session_kill(struct daemon *d, uint64_t id);
/* Every live session gets a channel to the broker that has just started. */
void session_rewire(struct daemon *d);
void session_encode_live(const struct daemon *d, struct wr *w);
void session_stop_all(struct daemon *d);
bool session_any_left(const struct daemon *d);
/* Passes w with a mount to the session's supervisor; takes fd. False: no such session. */
bool session_pass(struct daemon *d, uint64_t id, const struct wr *w, int fd);
/* The user namespace by which owners are shown to this session; borrowed, -1. */
int session_userns(struct daemon *d, uint64_t id, struct err *err);

/* The first host id of the session's app; 0: no such session. */
uint32_t session_base(const struct daemon *d, uint64_t id);

/* devices.c: adds what the board has to d->resources. */
void devices_find(struct daemon *d);
/* Where a new session finds them, by the names that programs know. */
void devices_prepare(const struct daemon *d, struct prepare *p);
/* A detached mount of the device for the session, and what the host needs so that
 * it can be used; -1 with err, and nothing is changed. */
int devices_open(struct daemon *d, uint64_t session, const struct resource *r, struct err *err);
/* One of the session's devices, all of them, all of everybody's are given back. */
bool devices_handle_close(struct daemon *d, struct msg *m);
void devices_session_gone(struct daemon *d, uint64_t session);
void devices_finish(struct daemon *d);

/* led.c: an LED whose brightness apps may set. Undoes what an earlier cowbelld
 * that was killed left behind. */
void led_add(struct daemon *d, uint16_t gate, const char *path);
/* From now on the group may write to it, until every session that took it gave it
 * back; then it shines as before. gate is not of an LED: nothing, 0. */
int led_take(struct daemon *d, uint64_t session, uint16_t gate, struct err *err);
/* gate 0: all of the session's. */
void led_give_back(struct daemon *d, uint64_t session, uint16_t gate);
void led_finish(struct daemon *d);

/* network.c: what apps' networks need of the host. Without it every use is refused. */
struct session_link {
	int slot;  /* of the address pool; -1 none */
	bool has6, made;
};
void network_open(struct daemon *d);
/* Once there is a loop: the ways that granted traffic takes are followed. */
int network_watch(struct daemon *d, struct err *err);
void network_close(struct daemon *d);
bool network_is_held(const struct daemon *d);
/* Addresses for a session that is being prepared, and back. */
void network_prepare(struct daemon *d, struct prepare *p, struct session_link *link);
void network_release(struct daemon *d, struct session_link *link);
bool network_handle_link(struct daemon *d, struct msg *m);
/* A process that resolves for one session: our end of its channel, -1 err. */
int network_start_resolver(struct daemon *d, const struct session_link *link, struct err *err);
/* listen.c: ports of the host that lead to apps. */
bool listen_handle_open(struct daemon *d, struct msg *m);
/* The session is over: none leads to it. */
void listen_release(struct daemon *d, uint64_t session);
/* NULL: no such live session. */
struct session_link *session_link(struct daemon *d, uint64_t id, pid_t *ret_pid);
/* Whether any session has a link to the host, and one with IPv6. */
bool sessions_linked(const struct daemon *d, bool *ret_has6);

/* volumes.c: what is mounted below the board's removable folders; VOLUME_SEEN tells. */
#define VOLUMES_MAX 8u
int volumes_watch(struct daemon *d, struct err *err);
bool volumes_are_named(const struct daemon *d);
void volumes_prepare(const struct daemon *d, struct prepare *p);
/* To a broker that has just started. */
void volumes_tell_all(const struct daemon *d);
/* NULL: no volume ever had this number. */
const struct resource *volumes_resource(const struct daemon *d, uint16_t gate);
/* -1 with err: its file system is a program's or another machine's. Nobody has to answer
 * for it, so that even a look at it could hold cowbelld up; ids of none of them can be mapped. */
int volumes_may_open(const struct resource *r, struct err *err);
/* 0 while dir, opened at r's path, is the volume that was told of; -1 with err. */
int volumes_check(const struct daemon *d, const struct resource *r, int dir, struct err *err);
void volumes_finish(struct daemon *d);

/* opener.c */
bool opener_handle(struct daemon *d, struct msg *m);
const char *opener_fs_name(int fd);
/* Whether the folder dir is path, or lies above it. */
bool opener_is_or_holds(const struct stat *dir, const char *path);

/* hand.c */
bool hand_handle(struct daemon *d, struct msg *m);

/* jobs.c */
/* Kills the jobs of a dead broker; true once none is left. What they knew of the
 * store is of its time: one that deletes would delete what came after. */
bool jobs_end_all(struct daemon *d);
bool jobs_handle_keeper(struct daemon *d, struct msg *m);
bool jobs_handle_contacts(struct daemon *d, struct msg *m);
bool jobs_handle_packages(struct daemon *d, struct msg *m);
bool jobs_handle_inspect(struct daemon *d, struct msg *m);

#endif
