/* SPDX-License-Identifier: MIT
 *
 * What the person hears once an app is there: what its installer changed, and how
 * it is started.
 */
#include "broker/install_impl.h"

#include "broker/runner.h"
#include "broker/unit.h"

#include <stdio.h>
#include <string.h>

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

/* A service is what most people want of such a package, and its program alone is not it. */
static void tell_service(struct install *in, struct store_txn *txn, const char *app)
{
	struct unit_service service;
	struct err err = { 0 };
	char line[300];

	if (unit_get(in->broker, txn, app, &service, &err) != 1)
		return;
	(void)snprintf(line, sizeof(line), "its service is %s: cowbell autostart %s on starts it", service.name, app);
	client_text(in->client, STREAM_PROGRESS, line);
	unit_finish(&service);
}

void install_tell_done(struct install *in)
{
	struct err err = { 0 };
	struct store_txn *txn = store_begin(in->broker->store, false, &err);
	struct app_record app = { 0 };
	char line[800];

	if (txn && store_app_get(txn, in->name, &app, &err) == 1) {
		int n = snprintf(line, sizeof(line), "%s%s%s is installed: ", app.id, app.version[0] ? " " : "", app.version);

		if (runner_program(&app, NULL, &err))
			(void)snprintf(line + n, sizeof(line) - (size_t)n, "cowbell run %s starts it", app.id);
		else
			(void)snprintf(line + n, sizeof(line) - (size_t)n, "%.600s", err.msg);
		client_text(in->client, STREAM_PROGRESS, line);
		tell_service(in, txn, app.id);
	}
	app_record_finish(&app);
	store_abort(txn);
}
