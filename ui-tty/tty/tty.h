/* SPDX-License-Identifier: MIT
 *
 * cowbell-tty: the screens on a terminal, or as lines.
 */
#ifndef UI_TTY_TTY_H
#define UI_TTY_TTY_H

#include "ui-tty/ui.h"

struct varlink_client;

/* What a session of the interface holds: the broker, and its stream of bells. */
struct tty {
	const char *root; /* NULL: the system's own */
	char *cowbell;    /* path of the command line */
	struct ui_port port;
	struct varlink_client *stream;
	struct ui ui;
	/* Around a command on the person's own terminal; NULL: nothing to do. */
	void (*leave)(void);
	void (*enter)(void);
};

/* 0 or -1 with err; finish also after failure. */
int tty_start(struct tty *tty, const char *root, struct err *err);
void tty_finish(struct tty *tty);

/* The stream's descriptor, -1 when it is gone; read it when it is readable. */
int tty_stream_fd(const struct tty *tty);
void tty_read_stream(struct tty *tty);

/* Attaches anew after the broker went away; false while there is none. */
bool tty_attach(struct tty *tty);

/* They run until the person quits and return the exit status. */
int tty_curses(struct tty *tty); /* the only file with curses */
int tty_lines(struct tty *tty);

#endif
