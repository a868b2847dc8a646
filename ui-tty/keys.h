/* SPDX-License-Identifier: MIT
 *
 * What a person's keys mean while a bell rings. Pure: keys and the clock in, a
 * choice and an action out.
 *
 * A bell comes in the middle of what a person types elsewhere, so nothing that
 * looks like typing answers it: keys in its first second are dropped and make
 * that second begin again, letters that follow each other quickly light
 * nothing, and Enter soon after a letter takes nothing that gives.
 */
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include "ui-tty/prompt_view.h"

/* Keys beyond Unicode's last character. */
enum {
	UI_KEY_ENTER = '\r',
	UI_KEY_ESC = 27,
	UI_KEY_UP = 0x110000,
	UI_KEY_DOWN,
	UI_KEY_LEFT,
	UI_KEY_RIGHT,
	UI_KEY_PAGE_UP,
	UI_KEY_PAGE_DOWN,
	UI_KEY_HOME,
	UI_KEY_END,
	UI_KEY_BACKSPACE,
};

/* The bell is deaf until this long has passed without a key. */
#define KEYS_DEAF_MS 1000u
/* Letters closer together than this are typing. */
#define KEYS_TYPING_MS 700u

enum key_action { KEY_NOTHING = 0, KEY_REDRAW, KEY_TAKE, KEY_LATER };

struct keys {
	uint64_t deaf_until_ms;
	uint64_t typed_ms; /* the last key that writes; 0: none */
	bool typing;       /* it followed another one closely */
};

/* A prompt came onto the screen, or something on the wire was not understood. */
void keys_start(struct keys *keys, uint64_t now_ms);

/* The safe answer, for the shortest time, for this question alone. */
void keys_choose_safe(const struct prompt_text *prompt, struct prompt_choice *choice);

/* One key. KEY_TAKE: choice is what the person wants. */
enum key_action keys_take(struct keys *keys, const struct prompt_text *prompt, struct prompt_choice *choice, int key,
			  uint64_t now_ms);

#endif
