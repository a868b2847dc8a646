/* SPDX-License-Identifier: MIT
 *
 * What an app has done to its terminal beyond the cells: modes, character sets,
 * margins, colours. The bell takes all of them back before it draws, whether
 * they were noticed or not, and puts back those that were. Pure: bytes in, bytes
 * out.
 *
 * Output goes through here so that the terminal is never left inside of a
 * sequence or a character: the bell's first bytes would be eaten as its rest.
 */
#ifndef UI_MODES_H
#define UI_MODES_H

#include "base/err.h"

#define MODES_TAIL_MAX 512u
#define MODES_TEXT_MAX 96u
#define MODES_PARAMS_MAX 16u

enum modes_state {
	MODES_GROUND = 0,
	MODES_ESC,
	MODES_ESC_MORE, /* an intermediate has come */
	MODES_CSI,
	MODES_STRING,
	MODES_STRING_ESC,
};

struct modes {
	enum modes_state state;
	char leader, intermediate; /* of the sequence that is being read */
	unsigned int param[MODES_PARAMS_MAX], params, utf8_left;
	char kind; /* of the string */
	char text[MODES_TEXT_MAX];
	size_t text_len;
	char tail[MODES_TAIL_MAX]; /* read, not written: the beginning of a sequence */
	size_t tail_len;
	bool tail_written, skip; /* too long to be kept; its rest is not to be written */

	uint32_t changed; /* bit i: private mode i of the table is not as at power on */
	bool insert, shift_out, kitty_set;
	unsigned int top, bottom; /* the scrolling region; bottom 0: the whole screen */
	char charset;		  /* in G0 */
	unsigned int kitty, other_keys;
	char color[2][MODES_TEXT_MAX]; /* OSC 10 and 11: "10;..." */
};

void modes_init(struct modes *modes);

/* Reads the app's output and hands what is whole to emit (NULL: to nobody). */
void modes_pass(struct modes *modes, const char *buf, size_t n, void (*emit)(void *data, const char *buf, size_t n),
		void *data);

bool modes_alternate(const struct modes *modes);
bool modes_cursor_hidden(const struct modes *modes);

/* What the terminal understands: rich: an emulator's (xterm and after), not a
 * console's or a VT's. */

/* First of all: out of whatever sequence, protocol or printer is in the way. */
const char *modes_break(struct modes *modes);

/* Takes everything back; the caller frees. */
char *modes_take_back(bool rich, bool utf8);

/* The keyboard's protocol, of which each of a terminal's two screens has its own:
 * to be put back on the screen on which it was taken. */
const char *modes_keyboard_back(bool rich);

/* Puts back what the app had, with the cursor (from 0) where it is; at_home: it has
 * to be told where. The caller frees. */
char *modes_put_back(const struct modes *modes, bool rich, int row, int column, bool at_home);

/* What the app left on when it ended is taken off; "" when nothing. The caller frees. */
char *modes_end(struct modes *modes, bool rich, int row, int column);

#endif
