/* SPDX-License-Identifier: MIT
 *
 * The questions that an agent was told of and has not shown yet. Pure: what the
 * broker's stream says goes in.
 */
#ifndef UI_BELLS_H
#define UI_BELLS_H

#include "ui-tty/prompt_view.h"

#include <jansson.h>

#define BELLS_MAX 256u /* more never wait at once */

struct bells {
	struct prompt_text *waiting;
	size_t count;
	char last[64]; /* the app that was shown last: others go before it, however much it asks */
};

/* Reads one Prompt of the interface. Texts are escaped here once more: a
 * broker's bug must not reach the terminal. False: not a prompt. */
bool bells_read(json_t *prompt, struct prompt_text *ret);

enum bells_news { BELLS_CAME, BELLS_OVER, BELLS_NOTHING };

/* Takes one prompt of the stream: put in, or out when it does not wait any
 * more; *ret_id is its number. */
enum bells_news bells_take(struct bells *bells, json_t *prompt, uint64_t *ret_id);

/* The next one to show, taken out: app's own first; else in the order of their
 * coming, but never two of one app while another app's waits. False: none. */
bool bells_next(struct bells *bells, const char *app, struct prompt_text *ret);

/* Takes out the one with this number. False: not there. */
bool bells_pick(struct bells *bells, uint64_t id, struct prompt_text *ret);

void bells_free(struct bells *bells);

#endif
