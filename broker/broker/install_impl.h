/* SPDX-License-Identifier: MIT
 *
 * One install under way, shared by install.c (its life and its client),
 * install_run.c (the commands) and install_rebuild.c (an app's install made anew).
 * Nobody else includes this.
 */
#ifndef BROKER_INSTALL_IMPL_H
#define BROKER_INSTALL_IMPL_H

#include "broker/install.h"
#include "broker/install_name.h"
#include "broker/install_steps.h"
#include "broker/inspect.h"
#include "broker/job.h"
#include "broker/packages.h"

struct install {
	struct install *next;
	struct broker *broker;
	struct client *client;
	struct session *session;
	struct command *command;
	struct install_plan plan;
	size_t step;
	char id[APP_ID_SIZE];   /* of its record; "" before there is one */
	char name[APP_ID_SIZE]; /* that it is to have; "" until its package said so */
	struct install_about about;
	uint32_t base;
	uint64_t layer;
	int fds[3];  /* the client's standard ones */
	int *files;  /* what it is installed from: the client's, then what the host's lists gave */
	size_t file_count, want_files;
	uint8_t tty;
	uint16_t rows, columns;
	bool prepared, have_fds, done, failed;
	bool wants_range;
	bool packages;      /* its files are kept, and installed from what is kept */
	size_t kept;
	uint64_t kept_bytes, kept_in; /* of the packages; the layer that they were first kept with, 0: this one */
	char **names;       /* of packages in the host's lists; NULL: it comes from files */
	struct packages *asking;
	size_t coming, came;  /* packages that the host lacks: how many, and how many are fetched */
	uint64_t said_room; /* by the package that is read */
	bool switched; /* its record has what about says */
	uint64_t coming_bytes, coming_room; /* to fetch; on the disk, as lists and packages say */
	uint64_t timeout_ms; /* 0: what is usual for its kind */
	struct loop_source *deadline, *room_timer;
	struct job *looking;
	uint64_t disk_bytes, disk_inodes;   /* what there is, above the floor */
	struct inspect *reading;
	size_t read;        /* how many of the client's packages are read */
	char *came_names[INSTALL_FILES_MAX]; /* what they call themselves */
	char **depends;     /* of the client's packages */
	size_t depend_count;
	struct inspect_entries entries;
	unsigned int permille;
	bool update, no_new, newest, listed;
	char old_version[64];
	struct comparing *comparing;
	bool bundle, checked, force;
	char bundle_key[64], pinned_key[64], accepted_key[64], pinned_id[64], bundle_arch[16];
	bool trial, held;   /* installed for one client's trial; it is */
	struct turn *purge_turn;
	char tail[8][200];  /* the last lines of the package manager */
	size_t tail_at;
	uint64_t old_layer; /* of the install that is made anew */
	struct job *feeding; /* passes a kept package to the step that runs */
	bool step_over;      /* that step has ended well */
	void (*rebuilt)(void *data, int code, const char *why); /* NULL: a new app */
	void *rebuilt_data;
	int fields_fd;
	char fields[8192];
	size_t fields_len;
	struct loop_source *fields_source;
	int output_fd;
	struct loop_source *output_source;
	char output[512];
	size_t output_len, output_seen;
	uint32_t status;
	char why[700];
};

/* All that are under way. */
extern struct install *installs;

/* An empty one, in the list. */
struct install *install_new(struct broker *broker);

/* Takes it out of the list; a client or a job of its own hears nothing more. */
void install_free(struct install *in);

/* It goes no further: what runs is ended, everything of it is taken away, and
 * then whoever waits is told why. Only the first reason counts. */
void install_fail(struct install *in, const char *why);

/* The same where nothing of it runs any more. */
void install_purge(struct install *in, const char *why);

/* Starts the session and its commands, one after the other; at the end, or when
 * one fails, the session is over and install_over is called. */
void install_run(struct install *in);
void install_over(void *data, int code, const char *why);

/* session.h: what the record of an app that is installed anew says from now on. */
int install_switch(void *data, struct store_txn *txn, struct app_record *app, struct err *err);

/* install_run with packages kept first, from the client's files. */
void install_keep_and_run(struct install *in);

/* install_fetch.c: what is missing is fetched from the host's lists, then it is
 * kept and installed. */
void install_fetch(struct install *in);

/* install_output.c: what the package manager says: progress for the person, its
 * last words for when it fails. The writing end of a pipe, the caller's; -1 errno. */
int install_output_open(struct install *in);
void install_output_close(struct install *in);
/* Takes in what still stands in the pipe, and closes it. */
void install_output_drain(struct install *in);
/* Shows the person the last lines. */
void install_output_show(struct install *in);
/* The same in one line, for who is not there to see it. */
void install_output_reason(const struct install *in, char *buf, size_t size);
/* Tells the person how far it is: thousandths, and a word for the step. */
void install_progress(struct install *in, unsigned int permille, const char *what);

/* install_update.c: begins once the client is there; compares what the new version
 * wants with the old one and then goes on by install_keep_new. */
void install_update_begin(struct install *in);
void install_compare(struct install *in);
void install_compare_cancel(struct install *in);
void install_keep_new(struct install *in);
void install_begin_if_ready(struct install *in);

/* install_bundle.c: checks what was kept and goes on to install_run; and the kept
 * payload as a plain tar on a pipe, -1 errno. */
void install_bundle_check(struct install *in);
int install_bundle_feed(struct install *in);
int install_check_room(struct install *in, struct err *err);
/* install_run.c: what the package calls itself becomes the app's name, if it may. */
int install_take_name(struct install *in, const char *package, struct err *err);
void install_step_maybe_over(struct install *in);

/* install_limits.c: time and disk, from the start of the session to its end. */
void install_limits_begin(struct install *in);
void install_limits_end(struct install *in);

/* install_tell.c: what an installer of the person's own changed; and, once the app has
 * its name, how it is started. */
void install_tell_changes(struct install *in);
void install_tell_done(struct install *in);

/* install_rebuild.c: tells who wanted it; "" for done. */
void install_rebuild_over(struct install *in, const char *why);

#endif
