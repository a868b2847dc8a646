/* SPDX-License-Identifier: MIT
 *
 * Enter takes the line that is lit; letters only light a line, so that no
 * single key ever says yes.
 */
#include "ui-tty/keys.h"

#include <string.h>

static enum key_action move_answer(const struct prompt_text *p, struct prompt_choice *c, int by)
{
	c->answer = (c->answer + p->answer_count + (size_t)(by + (int)p->answer_count)) % p->answer_count;
	return KEY_REDRAW;
}

static enum key_action move_duration(const struct prompt_text *p, struct prompt_choice *c, int by)
{
	size_t first = p->next_time ? 1 : 0, n = PROMPT_DURATIONS - first;

	c->duration = first + (c->duration - first + n + (size_t)(by + (int)n)) % n;
	return KEY_REDRAW;
}

static enum key_action read_escape(const struct prompt_text *p, struct prompt_choice *c, const char *buf, size_t n,
				   size_t *ret_used)
{
	if (n < 3 || (buf[1] != '[' && buf[1] != 'O')) {
		*ret_used = n; /* a lone Esc, or one of a sequence that we do not know */
		return n == 1 ? KEY_LATER : KEY_NOTHING;
	}
	*ret_used = 3;
	switch (buf[2]) {
	case 'A':
		return move_answer(p, c, -1);
	case 'B':
		return move_answer(p, c, 1);
	case 'C':
		return move_duration(p, c, 1);
	case 'D':
		return move_duration(p, c, -1);
	}
	/* The rest of a longer sequence is not keys. */
	while (*ret_used < n && (buf[*ret_used] < 0x40 || buf[*ret_used] > 0x7e))
		(*ret_used)++;
	if (*ret_used < n)
		(*ret_used)++;
	return KEY_NOTHING;
}

static enum key_action light_letter(const struct prompt_text *p, struct prompt_choice *c, char letter)
{
	for (size_t i = 0; i < p->answer_count; i++) {
		if ((prompt_answer_word(p->answers[i])[0] | 0x20) == letter) {
			c->answer = i;
			return KEY_REDRAW;
		}
	}
	return KEY_NOTHING;
}

enum key_action keys_read(const struct prompt_text *p, struct prompt_choice *c, const char *buf, size_t n,
			  size_t *ret_used)
{
	*ret_used = 1;
	switch (buf[0]) {
	case '\033':
		return read_escape(p, c, buf, n, ret_used);
	case '\r':
	case '\n':
		return KEY_TAKE;
	case 3: /* Ctrl-C */
		return KEY_LATER;
	case 'k':
		return move_answer(p, c, -1);
	case 'j':
	case '\t':
		return move_answer(p, c, 1);
	case 'h':
		return move_duration(p, c, -1);
	case 'l':
		return move_duration(p, c, 1);
	case 's': /* no answer begins with it */
		if (p->more)
			return KEY_TAKE_ALL;
		break;
	}
	if (buf[0] >= 'A' && buf[0] <= 'Z')
		return light_letter(p, c, (char)(buf[0] - 'A' + 'a'));
	return light_letter(p, c, buf[0]);
}
