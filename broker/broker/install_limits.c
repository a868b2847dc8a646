/* SPDX-License-Identifier: MIT
 *
 * An installer is a stranger's program that nobody watches: it gets so much time,
 * and may not take the room on the disk that is kept for everybody else.
 */
#include "broker/install_impl.h"

#include <stdio.h>
#include <string.h>

#define ROOM_CHECK_MS 2000u
#define MINUTE_MS ((uint64_t)60000)
#define PACKAGES_MS (30 * MINUTE_MS) /* maintainer scripts, where the person did not say otherwise */
#define COMMAND_MS (120 * MINUTE_MS)

static void watch_room(struct install *in);

static void on_room(void *data, const struct job_result *result)
{
	struct install *in = data;

	in->looking = NULL;
	if (in->failed || in->done)
		return;
	if (result->code == 0 && result->bytes > 0 && result->entries > 0) {
		watch_room(in);
		return;
	}
	install_fail(in, result->code ? result->why
				      : "its installer has filled the disk down to what is kept free for the system; "
					"nothing was installed");
}

static const struct job_ops room_ops = { .on_done = on_room };

static void on_room_due(void *data)
{
	struct install *in = data;
	struct wr *w = xcalloc(1, sizeof(*w));

	loop_remove(in->room_timer);
	in->room_timer = NULL;
	chan_begin(w, MSG_KEEPER_ROOM, 0);
	in->looking = job_start(in->broker, w, -1, &room_ops, in);
	free(w);
}

static void watch_room(struct install *in)
{
	in->room_timer = loop_add_timer(in->broker->loop, ROOM_CHECK_MS, on_room_due, in);
}

static void on_deadline(void *data)
{
	struct install *in = data;
	char text[200], lasts[DURATION_TEXT_SIZE];

	loop_remove(in->deadline);
	in->deadline = NULL;
	if (in->done)
		return;
	duration_format((struct duration){ .lasts = LASTS_TIME, .ms = in->timeout_ms }, lasts);
	(void)snprintf(text, sizeof(text), "%s was not done after %s and was ended; nothing was installed (--timeout 4h)",
		       in->plan.count > in->step ? in->plan.steps[in->step].what : "its installer", lasts);
	install_fail(in, text);
}

void install_limits_begin(struct install *in)
{
	if (!in->timeout_ms)
		in->timeout_ms = in->packages ? PACKAGES_MS : COMMAND_MS;
	in->deadline = loop_add_timer(in->broker->loop, in->timeout_ms, on_deadline, in);
	watch_room(in);
}

void install_limits_end(struct install *in)
{
	loop_remove(in->deadline);
	loop_remove(in->room_timer);
	in->deadline = in->room_timer = NULL;
	job_cancel(in->looking);
	in->looking = NULL;
}
