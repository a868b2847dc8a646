/* SPDX-License-Identifier: MIT
 *
 * The bell on the terminal on which an app runs: shows one prompt at a time
 * over the app's screen, takes the person's answer, and puts the screen back.
 */
#ifndef UI_AGENT_H
#define UI_AGENT_H

#include "base/err.h"

struct agent;

/* Attaches to the broker of root. app: whose questions come first. to_app gets
 * the keys that are not ours. NULL when there is no broker to attach to. */
struct agent *agent_create(const char *root, const char *app, void (*to_app)(void *data, const char *buf, size_t n),
			   void *data);

/* Leaves the screen to the app and frees. */
void agent_finish(struct agent *agent);

/* A question waits that there is no terminal to show on yet: call agent_resize. */
bool agent_waits(const struct agent *agent);

/* From now on there is a terminal of this size to show prompts on. */
void agent_resize(struct agent *agent, int rows, int columns);

/* Readable: call agent_ready. Timeout: call agent_tick; -1 none. */
int agent_fd(const struct agent *agent);
void agent_ready(struct agent *agent);
int agent_timeout_ms(const struct agent *agent);
void agent_tick(struct agent *agent);

/* The app's output, and the person's keys. */
void agent_output(struct agent *agent, const char *buf, size_t n);
void agent_keys(struct agent *agent, const char *buf, size_t n);
bool agent_wants_keys(const struct agent *agent);

/* A line for the person, beside the app's screen. */
void agent_notice(struct agent *agent, const char *text);

#endif
