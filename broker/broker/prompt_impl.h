/* SPDX-License-Identifier: MIT
 *
 * What the parts of the queue of questions share.
 */
#ifndef BROKER_PROMPT_IMPL_H
#define BROKER_PROMPT_IMPL_H

#include "broker/prompt.h"

/* Whether it still waits for an answer. */
bool prompt_is_open(const struct prompt *prompt);

/* Its one ending; agents that show it hear of it. Frees it, unless it is to be listed
 * as PROMPT_UNANSWERED. */
void prompt_end(struct prompt *prompt, enum prompt_state state);

#endif
