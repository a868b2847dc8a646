/* SPDX-License-Identifier: MIT
 *
 * Updating: the new version is installed on the bare base into a layer that no
 * record names, and one transaction makes it the app's install with the app's state
 * on top. Whatever fails before that leaves the app as it was. Answers stay.
 */
#include "broker/install_impl.h"

#include "broker/turn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static void on_update_over(void *data, int code, const char *why)
{
	(void)data; /* its client was told */
	(void)code;
	(void)why;
}

/* --- what it wants more than before --- */

struct wants {
	char permissions[16][32];
	size_t count;
};

struct comparing {
	struct install *in;
	int old_fd; /* the package that the app was installed from */
	struct wants old, new;
	bool at_new;
};

static void take_want(struct wants *w, const char *value)
{
	size_t n = strcspn(value, " ");

	for (size_t i = 0; i < w->count; i++) {
		if (strlen(w->permissions[i]) == n && memcmp(w->permissions[i], value, n) == 0)
			return;
	}
	if (w->count < ARRAY_LEN(w->permissions) && n < sizeof(w->permissions[0]))
		(void)snprintf(w->permissions[w->count++], sizeof(w->permissions[0]), "%.*s", (int)n, value);
}

static void on_want(void *data, enum inspect_key key, const char *value)
{
	struct comparing *c = data;

	if (key == INSPECT_WANTS || key == INSPECT_SAYS)
		take_want(c->at_new ? &c->new : &c->old, value);
}

static void comparing_end(struct install *in)
{
	struct comparing *c = in->comparing;

	in->comparing = NULL;
	if (!c)
		return;
	if (c->old_fd >= 0)
		(void)close(c->old_fd);
	free(c);
}

void install_compare_cancel(struct install *in)
{
	comparing_end(in);
}

static void judge(struct install *in)
{
	struct comparing *c = in->comparing;
	char more[300] = "", text[600];
	size_t n = 0;

	for (size_t i = 0; i < c->new.count; i++) {
		bool known = false;

		for (size_t k = 0; k < c->old.count; k++)
			known |= strcmp(c->new.permissions[i], c->old.permissions[k]) == 0;
		if (!known && n < sizeof(more))
			n += (size_t)snprintf(more + n, sizeof(more) - n, "%s%s", n ? ", " : "", c->new.permissions[i]);
	}
	comparing_end(in);
	if (!n) {
		install_keep_new(in);
		return;
	}
	(void)snprintf(text, sizeof(text), "the new version may want more than before: %s (cowbell update %s takes it)", more,
		       in->id);
	install_fail(in, text);
}

static void on_compared(void *data, int code, const char *why);
static const struct inspect_ops compare_ops = { .on_fact = on_want, .on_done = on_compared };

static void on_compared(void *data, int code, const char *why)
{
	struct comparing *c = data;
	struct install *in = c->in;

	in->reading = NULL;
	if (code) {
		install_fail(in, why);
	} else if (c->at_new) {
		judge(in);
	} else {
		c->at_new = true;
		in->reading = inspect_ask(in->broker, INSPECT_PACKAGE, in->files[0], -1, &compare_ops, c);
	}
}

static void on_old_here(void *data, const struct job_result *result)
{
	struct install *in = data;
	struct comparing *c = in->comparing;

	in->feeding = NULL;
	if (in->failed)
		install_purge(in, in->why);
	else if (result->code)
		install_fail(in, result->why);
	else
		in->reading = inspect_ask(in->broker, INSPECT_PACKAGE, c->old_fd, -1, &compare_ops, c);
}

static const struct job_ops old_ops = { .on_done = on_old_here };

void install_compare(struct install *in)
{
	struct comparing *c = xcalloc(1, sizeof(*c));
	struct wr *w;

	c->in = in;
	c->old_fd = memfd_create("package", MFD_CLOEXEC);
	in->comparing = c;
	if (c->old_fd < 0) {
		install_fail(in, "no memory to compare the packages");
		return;
	}
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_PACKAGE_GET, 0);
	wr_u64(w, in->old_layer);
	wr_u16(w, 0);
	in->feeding = job_start(in->broker, w, c->old_fd, &old_ops, in);
	free(w);
}

/* --- its beginning --- */

static void on_prepared(void *data, const struct job_result *result)
{
	struct install *in = data;

	in->feeding = NULL;
	in->prepared = true;
	in->disk_bytes = result->bytes;
	in->disk_inodes = result->entries;
	if (result->code || in->failed)
		install_purge(in, result->code ? result->why : in->why);
	else
		install_begin_if_ready(in);
}

static const struct job_ops prepare_ops = { .on_done = on_prepared };

static int load(struct install *in, struct err *err)
{
	struct store_txn *txn = store_begin(in->broker->store, true, err);
	struct generation_record install;
	struct app_record app = { 0 };
	int rc = -1;

	if (!txn)
		return -1;
	if (store_app_get(txn, in->id, &app, err) != 1 || app.state != APP_READY)
		err_set(err, ENOENT, "no app '%s'", in->id);
	else if (app.in_session)
		err_set(err, EBUSY, "what the last run of '%s' left is not settled yet", in->id);
	else if (store_generation_get(txn, in->id, app.install, &install, err) == 1)
		rc = store_counter_add(txn, COUNTER_LAYER, 1, &in->layer, err);
	in->base = app.base;
	in->old_layer = install.own_layer;
	(void)snprintf(in->old_version, sizeof(in->old_version), "%s", app.version);
	(void)snprintf(in->pinned_key, sizeof(in->pinned_key), "%s", app.signer);
	(void)snprintf(in->pinned_id, sizeof(in->pinned_id), "%s", app.package);
	app_record_finish(&app);
	if (rc < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

static void on_turn(void *data)
{
	struct install *in = data;
	struct err err = { 0 };
	struct wr *w;

	if (in->failed || load(in, &err) < 0) {
		install_purge(in, in->failed ? in->why : err.msg);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_PREPARE, 0);
	wr_u64(w, in->layer);
	wr_u64(w, 0);
	wr_u32(w, in->base);
	in->feeding = job_start(in->broker, w, -1, &prepare_ops, in);
	free(w);
}

void install_update_begin(struct install *in)
{
	in->purge_turn = turn_request(in->broker, in->id, on_turn, in);
}

struct install *install_update(struct broker *broker, const struct update_request *r, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, false, err);
	struct app_record app = { 0 };
	struct install *in = NULL;

	if (!txn)
		return NULL;
	if (store_app_get(txn, r->app, &app, err) != 1 || app.state != APP_READY) {
		err_set(err, ENOENT, "no app '%.63s'", r->app);
	} else if (r->file_count > INSTALL_FILES_MAX) {
		err_set(err, E2BIG, "more than %u packages at once", INSTALL_FILES_MAX);
	} else if (session_find(broker, r->app)) {
		err_set(err, EBUSY, "'%s' runs", r->app);
		err_hint(err, "cowbell stop %s", r->app);
	} else if (app.from_base && !r->file_count) {
		err_set(err, EINVAL, "'%s' is this system's own program, and is updated with the system", r->app);
	} else if (!app.package[0] && !r->file_count) {
		err_set(err, EINVAL, "'%s' came from %s, not from this system's lists", r->app, app.source);
		err_hint(err, "cowbell update %s FILE.deb", r->app);
	} else if (r->bundle != (strcmp(app.kind, "bundle") == 0)) {
		err_set(err, EINVAL, "'%s' came from a %s, and is updated by one", r->app, app.kind);
	} else if (strcmp(app.kind, "deb") != 0 && !r->bundle) {
		err_set(err, EINVAL, "'%s' came from a %s, which has no versions", r->app, app.kind);
		err_hint(err, "install it anew under another name");
	} else {
		in = install_new(broker);
		in->update = in->packages = true;
		in->no_new = r->no_new_permissions;
		in->bundle = r->bundle;
		in->force = r->force;
		(void)snprintf(in->accepted_key, sizeof(in->accepted_key), "%.60s", r->key ? r->key : "");
		if (r->bundle && install_plan_make(&in->plan, &(struct install_request){ .kind = "bundle", .file_count = 1 }, err) < 0)
			in->failed = true;
		in->rebuilt = on_update_over;
		in->want_files = r->file_count;
		(void)snprintf(in->id, sizeof(in->id), "%s", app.id);
		(void)snprintf(in->name, sizeof(in->name), "%s", app.id);
		if (!r->file_count) {
			in->names = xcalloc(2, sizeof(*in->names));
			in->names[0] = xstrdup(app.package);
		}
	}
	app_record_finish(&app);
	store_abort(txn);
	return in;
}
