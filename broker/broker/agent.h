/* SPDX-License-Identifier: MIT
 *
 * User interfaces that show prompts: connections that called Agent, and those
 * that only watch. A locked agent counts as absent.
 */
#ifndef BROKER_AGENT_H
#define BROKER_AGENT_H

#include "broker/prompt.h"

struct varlink_call;

/* Keeps call for a stream of prompts; watch: does not count as an agent. */
void agent_add(struct broker *broker, struct varlink_call *call, bool watch);


/* Agents that can show a prompt now. */
bool agent_present(const struct broker *broker);

/* Tells all of them about one prompt. */
void agent_publish(struct broker *broker, const struct prompt *prompt);

#endif
