/* SPDX-License-Identifier: MIT
 *
 * Only arrows move by themselves. At either end they stop: one press too many
 * must not arrive at the other end, where the most is given.
 */
#include "ui-tty/keys.h"

#include <string.h>

void keys_start(struct keys *keys, uint64_t now_ms)
{
	memset(keys, 0, sizeof(*keys));
	keys->deaf_until_ms = now_ms + KEYS_DEAF_MS;
}

void keys_choose_safe(const struct prompt_text *p, struct prompt_choice *c)
{
	c->answer = p->safe;
	c->duration = p->next_time ? PROMPT_DURATIONS - 1 : 0;
	c->all = false;
}

static enum key_action move(size_t *at, size_t first, size_t end, int by)
{
	if ((by < 0 && *at <= first) || (by > 0 && *at + 1 >= end))
		return KEY_NOTHING;
	*at += (size_t)by;
	return KEY_REDRAW;
}

static bool gives(const struct prompt_text *p, const struct prompt_choice *c)
{
	return c->answer != p->safe && strcmp(p->answers[c->answer], "no") != 0;
}

/* Space, Tab and deleting are typing as well. */
static bool key_writes(int key)
{
	return key != UI_KEY_ENTER && key != '\n' && key != UI_KEY_ESC && key != 3 && key < UI_KEY_UP;
}

static enum key_action letter(struct keys *k, const struct prompt_text *p, struct prompt_choice *c, int key,
			      uint64_t now_ms)
{
	k->typing = k->typed_ms && now_ms < k->typed_ms + KEYS_TYPING_MS;
	k->typed_ms = now_ms;
	if (k->typing) {
		keys_choose_safe(p, c);
		return KEY_REDRAW;
	}
	if (key >= 'A' && key <= 'Z')
		key += 'a' - 'A';
	if (key == 's' && p->more) { /* no answer begins with it */
		c->all = !c->all;
		return KEY_REDRAW;
	}
	for (size_t i = 0; i < p->answer_count; i++) {
		if ((prompt_answer_word(p->permission, p->answers[i])[0] | 0x20) == key) {
			c->answer = i;
			return KEY_REDRAW;
		}
	}
	return KEY_NOTHING;
}

static enum key_action enter(const struct keys *k, const struct prompt_text *p, struct prompt_choice *c,
			     uint64_t now_ms)
{
	bool soon = k->typed_ms && now_ms < k->typed_ms + KEYS_TYPING_MS;

	if (!soon || (!k->typing && !gives(p, c) && !c->all))
		return KEY_TAKE;
	keys_choose_safe(p, c); /* the end of a typed line, not an answer */
	return KEY_REDRAW;
}

enum key_action keys_take(struct keys *k, const struct prompt_text *p, struct prompt_choice *c, int key,
			  uint64_t now_ms)
{
	if (now_ms < k->deaf_until_ms) {
		k->deaf_until_ms = now_ms + KEYS_DEAF_MS;
		return KEY_NOTHING;
	}
	if (key_writes(key))
		return letter(k, p, c, key, now_ms);
	switch (key) {
	case UI_KEY_ENTER:
	case '\n':
		return enter(k, p, c, now_ms);
	case UI_KEY_ESC:
	case 3: /* Ctrl-C */
		return KEY_LATER;
	case UI_KEY_UP:
		return move(&c->answer, 0, p->answer_count, -1);
	case UI_KEY_DOWN:
		return move(&c->answer, 0, p->answer_count, 1);
	case UI_KEY_LEFT:
		return move(&c->duration, p->next_time ? 1 : 0, PROMPT_DURATIONS, -1);
	case UI_KEY_RIGHT:
		return move(&c->duration, p->next_time ? 1 : 0, PROMPT_DURATIONS, 1);
	}
	return KEY_NOTHING;
}
