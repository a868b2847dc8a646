/* SPDX-License-Identifier: MIT
 *
 * A command's stream: the frames of the broker, the app's pty against our own
 * terminal, and, where somebody can see it, the bell.
 */
#ifndef CTL_RELAY_H
#define CTL_RELAY_H

#include "ctl/ctl.h"

/* Calls method (upgraded) with params (taken), passes the standard three
 * descriptors and extra ones, relays until the command's end and returns the
 * status to exit with. agent: show prompts if a terminal is there. what names
 * the thing in errors. */
int relay_command(struct ctl *ctl, const char *what, const char *method, json_t *params, const int *extra,
		  size_t extra_count, bool agent, bool detach);

/* What run, exec and shell end with when it is not the app's own status. */
enum { EXIT_BROKEN = 125, EXIT_REFUSED = 126, EXIT_NO_PROGRAM = 127 };
/* The same without an agent, for methods that answer with text: fn gets its pieces. */
int relay_text(struct ctl *ctl, const char *what, const char *method, json_t *params, const int *extra,
	       size_t extra_count, void (*fn)(void *data, const char *text, size_t len), void *data);

/* Installs for a trial: EXIT_DONE with the app's id and the connection, which holds
 * it for as long as the caller does not close it. */
struct varlink_client;
int relay_hold(struct ctl *ctl, const char *what, json_t *params, const int *extra, size_t extra_count,
	       char id[SHORT_TEXT], struct varlink_client **ret);

/* Bits of those of 0, 1, 2 that are terminals, and the terminal's size. */
int relay_tty_bits(void);
void relay_size(int *rows, int *columns);

#endif
