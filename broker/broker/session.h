/* SPDX-License-Identifier: MIT
 *
 * One run of an app: from the launch to the moment its changes are settled as a
 * generation. Holds the app's turn all that time.
 */
#ifndef BROKER_SESSION_H
#define BROKER_SESSION_H

#include "broker/broker.h"

enum session_state {
	SESSION_WAITING = 0, /* for the app's turn */
	SESSION_LAUNCHING,   /* cowbelld has the launch */
	SESSION_RUNNING,     /* pid 1 takes commands */
	SESSION_ENDING,      /* told to end, or it fell over */
	SESSION_SETTLING,    /* the processes are gone, the keeper works */
	SESSION_STATE_COUNT
};

/* Ids from here up were given while the store could not count, and may come again. */
#define SESSION_UNNUMBERED ((uint64_t)1 << 40)

/* Names that a program may give itself in one session's history. */
#define PROGRAMS_MAX 32u

struct store_txn;
struct app_record;

/* An answer that holds for this session alone. */
struct session_answer {
	struct session_answer *next;
	const struct permission *permission;
	char item[128];
	enum give give;
	uint64_t copy_serial;
};

struct gate_state {
	enum give given;         /* GIVE_NO: nothing is attached */
	enum give standing;      /* laid out in the supervisor for the first use; GIVE_NO: nothing */
	bool noted;              /* taken over: history knows of its use */
	bool lingers;            /* it was taken away, and was (or may be) held all the same */
	uint64_t until_boot_ms;  /* when it must be taken away; 0: not by time */
	uint64_t quiet_until_ms; /* refused without asking until then */
	unsigned int refusals;   /* questions that nobody answered */
	unsigned int unasked;    /* tries refused in quiet times, for people to see */
	unsigned int revoking;   /* REVOKEs that are not answered yet */
	uint32_t question;       /* the last NEED, while it waits */
	bool waiting;
	char program[128];       /* the app's word for who asked last, escaped */
};

struct command_ops {
	/* exec is done (code 0; pty: the master, -1 if none, borrowed) or failed. */
	void (*on_ran)(void *data, int code, const char *why, bool cwd_changed, int pty);
	/* Exactly once for a command that ran or failed to: status as the shell
	 * counts. code 125..127 with why when it never ran. The command is gone. */
	void (*on_exited)(void *data, uint32_t status, const char *why);
	/* A line for the person at this command; may be NULL. */
	void (*on_notice)(void *data, const char *text);
};

struct command {
	struct command *next;
	struct session *session;
	uint32_t id;
	struct run run; /* owned; argv for ps */
	int fds[4];     /* until it is sent; the standard ones, and RUN_LOG's */
	size_t fd_count;
	struct hands *hands; /* owned; hand.h; NULL: none */
	bool ready, sent, ran;
	struct loop_source *hang_up; /* its person left: the time it has to end */
	bool unattended; /* runs with nobody there, as it may (background.h) */
	bool asks;       /* its person left and it goes on: asked whether it may */
	bool over;       /* its program ended with status; told when it is known what becomes of what it left */
	uint32_t status;
	const struct command_ops *ops; /* NULL: nobody listens any more */
	void *data;
};

struct session {
	struct session *next;
	struct broker *broker;
	uint64_t id;
	char app[APP_ID_SIZE];
	enum session_kind kind;
	enum session_state state;
	struct turn *turn;
	struct chan *chan;
	uint64_t upper, next_upper;
	struct launch launch;
	uint64_t since_wall_ms;
	uint32_t next_command;
	struct command *commands;
	struct session_answer *answers;
	struct gate_state gates[GATES_MAX]; /* in the order of broker.gates */
	struct network_state *network;      /* network.h */
	struct listen_state *listen;        /* listen.h */
	struct loop_source *standing;       /* access.h: until what stands is laid out */
	struct traffic *traffic;            /* traffic.h */
	struct session_firewall {
		uint8_t asked, seen; /* bits of scopes and versions */
		char *ends[4];       /* in the same order: which one ends what is allowed there, until it was told */
	} firewall; /* firewall.h */
	uint64_t programs[PROGRAMS_MAX]; /* hashes of the names that its programs gave themselves */
	unsigned int program_count;
	bool ready;     /* SESSION_READY came */
	bool ended;     /* ENDED came */
	bool untouched; /* the upper is empty: nothing to settle */
	bool unsettled; /* the upper holds what an earlier session left and no generation took */
	bool unclean;   /* it fell over, or the barrier did not hold */
	bool adopted;   /* taken over after the broker was started anew */
	struct trial *trial; /* trial.h: nothing of it stays; not ours */
	uint64_t began_ms;   /* of a trial: when its root stood */
	bool waits;     /* is over, and settled as soon as garbage is collected */
	bool old_base;  /* its person wants it on an install made on another base */
	bool rebuild;   /* installs a READY app anew, inside the turn of another session */
	bool updated;   /* rebuild: by another version */
	char why_rebuilt[160];
	uint64_t kept_bytes, kept_in; /* INSTALL: of its packages */
	bool discard;   /* what it changed is not wanted: nothing is settled */
	bool held;      /* its processes are frozen: the disk is nearly full */
	bool keep;      /* an install's: lives without a command */
	bool left;      /* processes run that are no command's, as its pid 1 says */
	bool stays;     /* they may: it lives without a command */
	enum give background_give; /* what background_due will do */
	struct loop_source *background_due;
	char why[512];  /* what went wrong, for whoever waits */
	struct job *preparing; /* makes the upper */
	struct install *rebuilding; /* install.h: goes before the launch */
	struct session_waiter *waiters;
	/* Rebuild, may be NULL: what else its record says, in the one transaction that
	 * makes the new install the app's. -1 err: there is none. With over_data. */
	int (*on_switch)(void *data, struct store_txn *txn, struct app_record *app, struct err *err);
	/* Told when the session is over and settled; code 0 or errno. */
	void (*on_over)(void *data, int code, const char *why);
	void *over_data;
};

/* Starts a session on app's head generation (kind RUN) or on a provisional
 * app's bare base (INSTALL). Never fails at once: whoever adds a command hears.
 * The session destroys itself when it is over. */
struct session *session_start(struct broker *broker, const char *app, enum session_kind kind);

/* Starts a session that installs app anew into the layer upper, on the bare base.
 * The caller holds the app's turn until on_over was called. */
struct session *session_start_rebuild(struct broker *broker, const char *app, uint64_t upper, uint32_t base);

/* The live session of app that still takes commands, or NULL. */
struct session *session_find(struct broker *broker, const char *app);

/* Any session of app, also one that ends. */
struct session *session_any(struct broker *broker, const char *app);
struct session *session_by_id(struct broker *broker, uint64_t id);

/* Adds a command; it starts when the session is ready and command_go was
 * called. Takes run's vectors. ops NULL is allowed. */
struct command *session_command(struct session *session, struct run *run, const struct command_ops *ops, void *data);

/* The standard fds that are not the pty, in order, and with RUN_LOG the reading end
 * of its log; takes them. */
void command_go(struct command *command, int *fds, size_t fd_count);

/* Nobody listens any more: the command is asked to hang up, and killed when it
 * does not. */
void command_abandon(struct command *command);
void command_signal(struct command *command, uint32_t signo);

/* Ends it: everything in it is killed. */
void session_end(struct session *session);

/* fn is called once, when the session is over; data is not touched after. */
void session_wait_over(struct session *session, void (*fn)(void *data), void *data);

/* program, or one word for all once a session has had PROGRAMS_MAX of them: a
 * program names itself, as often as it likes, and history is not its diary. */
const char *session_program(struct session *session, const char *program);

/* A line for everybody at a command of this session. */
void session_notice(struct session *session, const char *text);

void session_send(struct session *session, const struct wr *w);

/* From the channel to cowbelld: SESSION_CHANNEL, SESSION_GONE, OPENED. */
bool session_handle_parent(struct broker *broker, struct msg *m);

/* HELD from cowbelld. */
bool session_handle_held(struct broker *broker, struct msg *m);

/* Settles what ended while the broker took over. */
void session_settle_waiting(struct broker *broker);

/* Frees all of them; at shutdown. */
void session_finish_all(struct broker *broker);

const char *session_state_name(enum session_state state);

#endif
