/* SPDX-License-Identifier: MIT
 *
 * The terminal's screen, which an app and the bell use in turn. While it is
 * taken, what the app writes is kept back.
 */
#ifndef UI_STAGE_H
#define UI_STAGE_H

#include "ui-tty/modes.h"
#include "ui-tty/prompt_view.h"
#include "ui-tty/screen.h"

struct stage {
	int out, rows, columns;
	bool plain, taken, own_screen; /* own: the terminal's second one */
	struct screen *screen;	       /* NULL until there is a size */
	struct modes modes;
	char mark[64]; /* the owner's, escaped */
	char *held;
	size_t held_len;
	bool held_lost; /* it is in the model alone */
};

/* out is borrowed. plain: ASCII alone. */
void stage_init(struct stage *stage, int out, bool plain);

/* The app's modes are taken off for whoever has the terminal next. Frees. */
void stage_end(struct stage *stage);

void stage_resize(struct stage *stage, int rows, int columns);

/* What the app writes. */
void stage_output(struct stage *stage, const char *buf, size_t n);

/* For the bell, and back to the app. Needs a size. */
void stage_take(struct stage *stage);
void stage_give_back(struct stage *stage);

/* On a stage that is taken. draw: false when the choice could not be shown; then the
 * safe one is meant. say: a line in Cowbell's row. */
bool stage_draw(struct stage *stage, const struct prompt_text *prompt, const struct prompt_choice *choice);
void stage_say(struct stage *stage, const char *text);
void stage_clear(struct stage *stage);
void stage_beep(struct stage *stage);

#endif
