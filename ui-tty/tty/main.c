/* SPDX-License-Identifier: MIT
 *
 * cowbell-tty: the screens of Cowbell on a terminal. All that it knows and does
 * goes over the public socket.
 */
#include "ui-tty/tty/tty.h"

#include "base/fd.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] = "usage: cowbell-tty [--root DIR] [--plain]\n"
				 "  --root DIR  the system under DIR (COWBELL_ROOT does the same)\n"
				 "  --plain     lines instead of screens\n";

int main(int argc, char **argv)
{
	static struct tty tty;
	const char *root = getenv("COWBELL_ROOT");
	struct err err = { 0 };
	bool plain = false;
	int status;

	(void)signal(SIGPIPE, SIG_IGN);
	if (fd_fill_standard() < 0)
		return 1;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--plain") == 0) {
			plain = true;
		} else if (strcmp(argv[i], "--root") == 0 && i + 1 < argc) {
			root = argv[++i];
		} else if (strcmp(argv[i], "--help") == 0) {
			(void)fputs(usage_text, stdout);
			return 0;
		} else {
			(void)fputs(usage_text, stderr);
			return 2;
		}
	}
	(void)setlocale(LC_ALL, "");
	if (!plain && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
		(void)fprintf(stderr, "cowbell: ui: standard input and output are not a terminal (cowbell ui --plain)\n");
		return 1;
	}
	if (tty_start(&tty, root && *root ? root : NULL, &err) < 0) {
		(void)fprintf(stderr, "cowbell: ui: %s\n", err.msg);
		free(tty.cowbell);
		return 1;
	}
	status = plain ? tty_lines(&tty) : tty_curses(&tty);
	tty_finish(&tty);
	return status;
}
