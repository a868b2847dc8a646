/* SPDX-License-Identifier: MIT
 *
 * The larger bodies of proto/msg.h: what a session is to be, what a spare
 * supervisor prepares, what a command is. Encoders write a body after
 * chan_begin; decoders read it to its end and check every bound.
 */
#ifndef PROTO_LAUNCH_H
#define PROTO_LAUNCH_H

#include "base/err.h"
#include "proto/wire.h"

#define ID_RANGE 65536u     /* host ids of one app */
#define LAYERS_MAX 24u      /* install layers and at most 8 generations, with room */
#define GATES_MAX 48u
#define GATE_NETWORK 0xfff0u /* the network's number among gates: it is no folder */
#define GATE_VOLUMES 0xfff2u /* of all volumes together, for what was answered about them: no place has it */
#define LINKS_MAX 128u     /* names of devices in a private /dev and /sys */
#define DEVICE_GID ID_RANGE /* inside: the group that may write to devices which were given */
#define GAMES_GID 60u       /* inside: of Debian's games, whose scores an app may write */
#define NOBODYS_GID 65535u  /* inside: whose files a given folder shows that are the host's games' */
#define HANDS_MAX 8u        /* files given to one command */
#define ARGS_MAX 1024u      /* words of a command, and of its environment */
#define RUN_USER_SIZE 33u   /* useradd(8): names of at most 32 */
#define APP_ID_SIZE 64u     /* with the final NUL */
#define PATH_SIZE 4096u

enum session_kind {
	SESSION_RUN = 0,     /* the owner's uid inside, no capabilities */
	SESSION_INSTALL = 1, /* root inside, the installer's capabilities; every gate answers no */
	SESSION_SERVICE = 2, /* as RUN, and commands that a package declares as services may be root inside */
	SESSION_KIND_COUNT
};

struct launch {
	char app[APP_ID_SIZE];
	uint32_t base; /* host id of the app's id 0 */
	enum session_kind kind;
	uint64_t upper;              /* this session's changes */
	uint64_t layers[LAYERS_MAX]; /* frozen, top first; the base view lies under them */
	uint16_t layer_count;
	uint64_t memory_max; /* bytes, 0: no limit; pids likewise */
	uint32_t pids_max;
};

struct gate_path {
	uint16_t gate;
	uint8_t kind;         /* enum platform_gate_kind */
	char path[PATH_SIZE]; /* absolute, inside the app's root; no symlinks, "." or ".." */
};

/* A symlink of the app's private /dev or /sys, at a name that programs know. */
struct link_path {
	char path[256]; /* absolute */
	char target[512];
};

struct prepare {
	char store[PATH_SIZE]; /* directory that holds layers/, absolute, resolved */
	char home[PATH_SIZE];  /* the owner's, and HOME inside */
	char user[64];
	uint32_t uid, gid; /* the owner's, on the host and inside */
	struct gate_path gates[GATES_MAX];
	uint16_t gate_count;
	struct link_path links[LINKS_MAX];
	uint16_t link_count;
	uint32_t device_gid;   /* DEVICE_GID's host id; 0: this board needs none */
	uint32_t counted_uid;  /* host id to whose account the kernel puts what the session uses up, see ids_clone */
	uint16_t volumes_count; /* folders below which volumes get their gates (VOLUME) */
	char volumes[4][160];
	uint16_t hidden_count; /* more absolute host paths that no app may see, Cowbell's own root first */
	char hidden[8][PATH_SIZE];
	/* The session's network: how packets are held (enum net_hold), its addresses. */
	uint8_t hold, has6;
	uint64_t instance;
	uint32_t pool, slot;
};

struct session_hello {
	char app[APP_ID_SIZE];
	enum session_kind kind;
	uint16_t command_count;
	uint32_t commands[64]; /* those that still run */
	bool left;             /* processes run that are no command's: see EXITED */
	uint16_t given_count;
	struct {
		uint16_t gate;
		uint8_t give;
	} given[GATES_MAX]; /* gates that stand open, and how */
};

enum run_flag {
	RUN_TTY_STDIN = 1 << 0, /* this standard fd is the session's pty */
	RUN_TTY_STDOUT = 1 << 1,
	RUN_TTY_STDERR = 1 << 2,
	RUN_TTY_ANY = RUN_TTY_STDIN | RUN_TTY_STDOUT | RUN_TTY_STDERR,
	RUN_ROOT = 1 << 3, /* as the user namespace's root, or as user; never in SESSION_RUN */
	RUN_LOG = 1 << 4,  /* the last descriptor is the reading end of where it writes */
};

/* What goes before a service's start, inside its box; the first letter of an element of
 * struct run's before, whose words follow, each after a newline. */
#define RUN_BEFORE_ROOT 'r'   /* a command, as the app's root */
#define RUN_BEFORE_USER 'u'   /* a command, as the service's user */
#define RUN_BEFORE_FOLDER 'd' /* PATH MODE USER GROUP; "-": the service's user, the user's group */
#define RUN_BEFORE_SET 'e'    /* NAME=VALUE, for what follows and for the service */
#define RUN_BEFORE_LEFT 'x'   /* nothing is done, WHY is told */

struct run {
	uint32_t command; /* unique in the session */
	uint8_t flags;
	uint16_t rows, columns;
	char user[RUN_USER_SIZE]; /* RUN_ROOT: the name or number of whom to become, "" for root */
	char cwd[PATH_SIZE];
	char **argv; /* NULL-ended; argv[0] is looked up in the PATH of env */
	char **env;  /* NULL-ended; complete, nothing is added */
	char **before; /* NULL-ended or NULL; done first, in this order; a failure is told and stops nothing */
};

void launch_encode(struct wr *w, const struct launch *l);
bool launch_decode(struct rd *r, struct launch *ret);

void prepare_encode(struct wr *w, const struct prepare *p);
bool prepare_decode(struct rd *r, struct prepare *ret);

void session_hello_encode(struct wr *w, const struct session_hello *h);
bool session_hello_decode(struct rd *r, struct session_hello *ret);

/* run_decode allocates argv, env and before; run_finish frees them, also after a
 * decode that failed. */
void run_encode(struct wr *w, const struct run *run);
bool run_decode(struct rd *r, struct run *ret);
void run_finish(struct run *run);

/* A NULL-ended vector of strings, as INIT_RUN uses too. */
void strv_encode(struct wr *w, char *const *v);
bool strv_decode(struct rd *r, char ***ret);
void strv_free(char **v);

#endif
