/* SPDX-License-Identifier: MIT
 *
 * The one file with curses: draws a canvas, reads keys and the mouse. It waits
 * for keys, for the stream of bells, and, while somebody looks, for the moment
 * to look again.
 */
#include "ui-tty/tty/tty.h"

#include "base/loop.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>

#define LOOK_AGAIN_MS 2000u

static struct canvas canvas; /* what stands on the screen; clicks refer to it */
static enum glyphs glyphs;
static volatile sig_atomic_t resized;

static enum glyphs glyphs_of_terminal(void)
{
	const char *term = getenv("TERM");

	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0 || !term)
		return GLYPHS_ASCII;
	if (strncmp(term, "linux", 5) == 0)
		return GLYPHS_CONSOLE;
	return strncmp(term, "vt", 2) == 0 || strcmp(term, "ansi") == 0 ? GLYPHS_ASCII : GLYPHS_FULL;
}

static attr_t attributes_of(enum style style)
{
	switch (style) {
	case STYLE_TITLE:
		return A_BOLD;
	case STYLE_LIT:
	case STYLE_BAR:
		return A_REVERSE;
	case STYLE_RULE:
	case STYLE_DIM:
	case STYLE_PLAIN:
		break;
	}
	return A_NORMAL;
}

static void draw(struct tty *tty)
{
	char row[ROW_BYTES];

	ui_view(&tty->ui, LINES, COLS, &canvas);
	(void)erase();
	for (int i = 0; i < canvas.rows; i++) {
		bool bar = canvas.row[i].style == STYLE_LIT || canvas.row[i].style == STYLE_BAR;
		/* The last cell of the last row scrolls some terminals. */
		int width = i == canvas.rows - 1 ? canvas.columns - 1 : canvas.columns;

		if (bar)
			text_pad(canvas.row[i].text, width, row, sizeof(row));
		else
			text_fit(canvas.row[i].text, width, row, sizeof(row));
		glyphs_lower(glyphs, row);
		(void)attrset(attributes_of(canvas.row[i].style));
		(void)mvaddstr(i, 0, row);
	}
	(void)attrset(A_NORMAL);
	(void)refresh();
}

static void on_winch(int signo)
{
	(void)signo;
	resized = 1;
}

static void take_size(void)
{
	struct winsize ws;

	resized = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row && ws.ws_col)
		(void)resizeterm(ws.ws_row, ws.ws_col);
}

/* --- keys and the mouse --- */

static int key_of(wint_t c)
{
	static const struct {
		int curses, ours;
	} keys[] = {
		{ KEY_UP, UI_KEY_UP },	       { KEY_DOWN, UI_KEY_DOWN },	{ KEY_LEFT, UI_KEY_LEFT },
		{ KEY_RIGHT, UI_KEY_RIGHT },   { KEY_PPAGE, UI_KEY_PAGE_UP },	{ KEY_NPAGE, UI_KEY_PAGE_DOWN },
		{ KEY_HOME, UI_KEY_HOME },     { KEY_END, UI_KEY_END },		{ KEY_BACKSPACE, UI_KEY_BACKSPACE },
		{ KEY_ENTER, UI_KEY_ENTER },
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if ((wint_t)keys[i].curses == c)
			return keys[i].ours;
	}
	return 0;
}

static void take_mouse(struct tty *tty)
{
	MEVENT event;
	uint64_t now = loop_boot_ms();

	if (getmouse(&event) != OK)
		return;
	if (event.bstate & BUTTON4_PRESSED)
		ui_wheel(&tty->ui, -1, now);
	else if (event.bstate & BUTTON5_PRESSED)
		ui_wheel(&tty->ui, 1, now);
	else if (event.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED))
		ui_click(&tty->ui, &canvas, event.y, event.x, now);
}

static void take_keys(struct tty *tty)
{
	wint_t c;
	int what;

	while (!tty->ui.quit && (what = get_wch(&c)) != ERR) {
		bool rang = tty->ui.ringing;

		if (what == OK)
			ui_key(&tty->ui, c == '\n' ? UI_KEY_ENTER : (int)c, loop_boot_ms());
		else if (c == KEY_MOUSE)
			take_mouse(tty);
		else if (c != KEY_RESIZE && key_of(c))
			ui_key(&tty->ui, key_of(c), loop_boot_ms());
		if (!rang && tty->ui.ringing)
			(void)flushinp();
	}
}

/* --- the terminal's other users --- */

static void leave(void)
{
	(void)def_prog_mode();
	(void)endwin();
}

static void enter(void)
{
	(void)reset_prog_mode();
	(void)flushinp();
	take_size();
	(void)clearok(stdscr, TRUE);
	(void)refresh();
}

static int begin(void)
{
	struct sigaction sa = { .sa_handler = on_winch };

	const char *home;

	if (!newterm(NULL, stdout, stdin))
		return -1;
	home = tigetstr("cup");
	if (!home || home == (const char *)-1) { /* on one that only goes on, every screen would be one row */
		(void)endwin();
		return -1;
	}
	glyphs = glyphs_of_terminal();
	(void)raw(); /* Ctrl-C is "later" and "no", never the end of the bells */
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)set_escdelay(50);
	(void)curs_set(0);
	(void)mouseinterval(0);
	(void)mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	(void)sigaction(SIGWINCH, &sa, NULL);
	return 0;
}

static void look_again(struct tty *tty)
{
	(void)tty_attach(tty);
	ui_refresh(&tty->ui, (long long)loop_wall_ms());
}

static void turn(struct tty *tty, uint64_t *look_ms)
{
	struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
			       { .fd = tty_stream_fd(tty), .events = POLLIN } };
	uint64_t now = loop_boot_ms();
	bool rang = tty->ui.ringing;

	if (poll(p, ARRAY_LEN(p), *look_ms > now ? (int)(*look_ms - now) : 0) < 0 && errno != EINTR)
		tty->ui.quit = true;
	if (resized)
		take_size();
	if (p[1].revents)
		tty_read_stream(tty);
	if (!rang && tty->ui.ringing) {
		(void)flushinp(); /* typed before it stood there */
		(void)beep();
	}
	if (p[0].revents & (POLLIN | POLLHUP)) {
		take_keys(tty);
		if (!(p[0].revents & POLLIN))
			tty->ui.quit = true; /* the terminal is gone */
	}
	now = loop_boot_ms();
	if (now < *look_ms)
		return;
	look_again(tty);
	/* A device with very many apps is not kept busy by being looked at. */
	*look_ms = loop_boot_ms() + LOOK_AGAIN_MS + 20 * (loop_boot_ms() - now);
}

int tty_curses(struct tty *tty)
{
	uint64_t look_ms = loop_boot_ms() + LOOK_AGAIN_MS;

	if (begin() < 0) {
		(void)fprintf(stderr, "cowbell-tty: this terminal (TERM=%s) is not known, or shows no screens (cowbell ui --plain)\n",
			      getenv("TERM") ? getenv("TERM") : "");
		return 1;
	}
	tty->leave = leave;
	tty->enter = enter;
	while (!tty->ui.quit) {
		draw(tty);
		turn(tty, &look_ms);
	}
	(void)endwin();
	canvas_free(&canvas);
	return 0;
}
