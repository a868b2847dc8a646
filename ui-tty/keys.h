/* SPDX-License-Identifier: MIT
 *
 * What a person's keys mean while a bell rings. Pure.
 */
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include "ui-tty/prompt_view.h"

enum key_action { KEY_NOTHING = 0, KEY_REDRAW, KEY_TAKE, KEY_TAKE_ALL, KEY_LATER };

/* Reads one key from buf (n bytes) and moves the choice; *ret_used bytes are
 * spent. */
enum key_action keys_read(const struct prompt_text *prompt, struct prompt_choice *choice, const char *buf, size_t n,
			  size_t *ret_used);

#endif
