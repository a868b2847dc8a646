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

/* --- what it changed --- */

#define OUTSIDE_SHOWN 20u

struct changes {
	struct broker *broker;
	uint32_t generation;
	unsigned int usr, opt, home, outside;
	char shown[OUTSIDE_SHOWN][200];
};

static bool below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return n && strncmp(path, folder, n) == 0 && path[n] == '/';
}

static int add_change(void *data, const struct version_record *v)
{
	struct changes *c = data;
	const char *home = c->broker->home[0] == '/' ? c->broker->home + 1 : "";

	if (v->generation != c->generation || v->kind == ENTRY_DIR || v->kind == ENTRY_REPLACED)
		return 0;
	if (below(v->path, "usr") || below(v->path, "bin") || below(v->path, "sbin") || below(v->path, "lib"))
		c->usr++;
	else if (below(v->path, "opt"))
		c->opt++;
	else if (below(v->path, "root") || below(v->path, home))
		c->home++;
	else if (c->outside++ < OUTSIDE_SHOWN)
		text_escape(v->path, strlen(v->path), c->shown[c->outside - 1], sizeof(c->shown[0]));
	return 0;
}

void install_tell_changes(struct install *in)
{
	struct changes *c = xcalloc(1, sizeof(*c));
	struct err err = { 0 };
	struct store_txn *txn = store_begin(in->broker->store, false, &err);
	struct app_record app = { 0 };
	char line[300];

	c->broker = in->broker;
	if (txn && store_app_get(txn, in->id, &app, &err) == 1) {
		c->generation = app.install;
		(void)store_version_each(txn, in->id, NULL, add_change, c, &err);
	}
	app_record_finish(&app);
	store_abort(txn);
	(void)snprintf(line, sizeof(line), "it changed %u file%s in /usr, %u in /opt, %u in its home, %u elsewhere", c->usr,
		       c->usr == 1 ? "" : "s", c->opt, c->home, c->outside);
	client_text(in->client, STREAM_NOTICE, line);
	for (unsigned int i = 0; i < c->outside && i < OUTSIDE_SHOWN; i++) {
		(void)snprintf(line, sizeof(line), "  elsewhere: /%s", c->shown[i]);
		client_text(in->client, STREAM_NOTICE, line);
	}
	if (c->outside > OUTSIDE_SHOWN) {
		(void)snprintf(line, sizeof(line), "  and %u more (cowbell versions %s)", c->outside - OUTSIDE_SHOWN, in->id);
		client_text(in->client, STREAM_NOTICE, line);
	}
	free(c);
}
