/* SPDX-License-Identifier: MIT
 *
 * The settings are kept in one place that exit handlers can reach: a terminal
 * left raw is a broken terminal to its person.
 */
#include "ui-tty/term.h"

#include <termios.h>
#include <unistd.h>

struct term {
	bool raw;
};

static struct termios saved;
static bool must_restore;

static void restore(void)
{
	if (must_restore)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	must_restore = false;
}

struct term *term_open(struct err *err)
{
	static bool registered;
	struct termios raw;
	struct term *term;

	if (tcgetattr(STDIN_FILENO, &saved) < 0) {
		err_sys(err, "read the terminal's settings");
		return NULL;
	}
	raw = saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0) {
		err_sys(err, "put the terminal into raw mode");
		return NULL;
	}
	must_restore = true;
	if (!registered)
		(void)atexit(restore);
	registered = true;
	term = xcalloc(1, sizeof(*term));
	term->raw = true;
	return term;
}

void term_leave(struct term *term)
{
	if (term->raw)
		restore();
	term->raw = false;
}

void term_close(struct term *term)
{
	if (!term)
		return;
	term_leave(term);
	free(term);
}
