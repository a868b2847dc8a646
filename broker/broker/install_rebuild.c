/* SPDX-License-Identifier: MIT
 *
 * Installing an app anew when the host below it has changed, and taking away what
 * a dead broker was installing. Until the new install is settled in one
 * transaction, no record names anything of it.
 */
#include "broker/install_impl.h"

#include "base/log.h"
#include "broker/generation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void install_rebuild_over(struct install *in, const char *why)
{
	void (*fn)(void *, int, const char *) = in->rebuilt;
	void *data = in->rebuilt_data;
	char text[700];

	(void)snprintf(text, sizeof(text), "%s", why);
	if (text[0] && !in->update)
		broker_note_alone(in->broker, &(struct history_note){ .kind = HISTORY_LIFE,
								     .app = in->id,
								     .what = "not installed anew",
								     .why = text });
	generation_drop_layers(in->broker, &in->layer, 1); /* leaves what is named */
	install_free(in);
	fn(data, text[0] ? EIO : 0, text);
}

/* Installed from packages that were kept, or the host's own. A bundle's payload
 * is unpacked over what the host has, and its folders hide what came later. */
bool install_comes_again(const struct app_record *app)
{
	return strcmp(app->kind, "deb") == 0 || strcmp(app->kind, "bundle") == 0;
}

static int load_install(struct broker *broker, const char *name, struct app_record *app,
			struct generation_record *install, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, false, err);
	int rc = -1;

	if (txn && store_app_get(txn, name, app, err) == 1 && app->state == APP_READY &&
	    store_generation_get(txn, name, app->install, install, err) == 1)
		rc = 0;
	store_abort(txn);
	return rc;
}

bool install_is_stale(struct broker *broker, const char *name)
{
	struct generation_record install;
	struct app_record app = { 0 };
	uint8_t base[HASH_SIZE];
	struct err err = { 0 };
	bool stale = false;

	broker_base_hash(base);
	if (load_install(broker, name, &app, &install, &err) == 0)
		stale = install_comes_again(&app) && memcmp(base, install.base_hash, sizeof(base)) != 0;
	app_record_finish(&app);
	return stale;
}

static int plan(struct install *in, size_t packages, struct err *err)
{
	struct install_request request = {
		.kind = in->bundle ? "bundle" : "deb", .name = in->id, .source = "", .file_count = packages, .again = true };

	if (packages)
		return install_plan_make(&in->plan, &request, err);
	if (in->about.from_base)
		return install_plan_base(&in->plan, in->about.package, err);
	return err_set(err, ENOENT, "its packages were not kept");
}

static void on_carried(void *data, const struct job_result *result)
{
	struct install *in = data;
	struct err err = { 0 };

	in->feeding = NULL;
	in->prepared = true;
	in->kept_bytes = result->bytes;
	if (result->code)
		install_fail(in, result->why);
	else if (in->failed)
		install_purge(in, in->why);
	else if (plan(in, result->entries, &err) < 0)
		install_fail(in, err.msg);
	else if (in->bundle)
		install_bundle_check(in);
	else
		install_run(in);
}

static const struct job_ops carry_ops = { .on_done = on_carried };

static void on_rebuild_prepared(void *data, const struct job_result *result)
{
	struct install *in = data;
	struct wr *w;

	in->feeding = NULL;
	in->prepared = true;
	if (result->code || in->failed) {
		install_purge(in, result->code ? result->why : in->why);
		return;
	}
	in->disk_bytes = result->bytes;
	in->disk_inodes = result->entries;
	in->prepared = false;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_PACKAGE_CARRY, 0);
	wr_u64(w, in->old_layer);
	wr_u64(w, in->layer);
	in->feeding = job_start(in->broker, w, -1, &carry_ops, in);
	free(w);
}

static const struct job_ops rebuild_prepare_ops = { .on_done = on_rebuild_prepared };

static int new_layer(struct broker *broker, uint64_t *ret, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, true, err);

	if (!txn)
		return -1;
	if (store_counter_add(txn, COUNTER_LAYER, 1, ret, err) < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

static void on_rebuild_failed_at_once(void *data)
{
	struct install *in = data;

	loop_remove(in->fields_source);
	in->fields_source = NULL;
	install_purge(in, in->why);
}

struct install *install_rebuild(struct broker *broker, const char *name,
				void (*fn)(void *data, int code, const char *why), void *data)
{
	struct install *in = install_new(broker);
	struct generation_record install;
	struct app_record app = { 0 };
	struct err err = { 0 };
	struct wr *w;

	in->packages = true;
	in->rebuilt = fn;
	in->rebuilt_data = data;
	(void)snprintf(in->id, sizeof(in->id), "%s", name);
	(void)snprintf(in->name, sizeof(in->name), "%s", name);
	if (load_install(broker, name, &app, &install, &err) < 0 || new_layer(broker, &in->layer, &err) < 0) {
		(void)snprintf(in->why, sizeof(in->why), "%s", err.msg[0] ? err.msg : "its record cannot be read");
		in->fields_source = loop_add_later(broker->loop, on_rebuild_failed_at_once, in);
		goto out;
	}
	in->base = app.base;
	in->old_layer = install.own_layer;
	in->kept_in = install.kept_in;
	in->bundle = strcmp(app.kind, "bundle") == 0;
	in->about.from_base = app.from_base;
	(void)snprintf(in->about.package, sizeof(in->about.package), "%s", app.package);
	(void)snprintf(in->pinned_key, sizeof(in->pinned_key), "%s", app.signer);
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_PREPARE, 0);
	wr_u64(w, in->layer);
	wr_u64(w, 0);
	wr_u32(w, in->base);
	in->feeding = job_start(broker, w, -1, &rebuild_prepare_ops, in);
	free(w);
out:
	app_record_finish(&app);
	return in;
}

void install_rebuild_cancel(struct install *in)
{
	if (!in->failed)
		install_fail(in, "ended before it was done");
}

/* --- what a dead broker left --- */

struct left {
	struct broker *broker;
	char app[APP_ID_SIZE];
};

static void on_left_removed(void *data, uint32_t generations, uint64_t bytes, const struct err *err)
{
	struct left *left = data;

	(void)generations;
	(void)bytes;
	if (err)
		log_warn("what was left of installing '%s' is not deleted yet: %s", left->app, err->msg);
	free(left);
}

static void on_left_over(void *data, int code, const char *why)
{
	struct left *left = data;
	struct store_txn *txn;
	struct app_record app = { 0 };
	struct err err = { 0 };
	bool unfinished;

	(void)code;
	(void)why;
	txn = store_begin(left->broker->store, false, &err);
	unfinished = txn && store_app_get(txn, left->app, &app, &err) == 1 && app.state == APP_INSTALLING;
	app_record_finish(&app);
	store_abort(txn);
	if (unfinished)
		install_remove(left->broker, left->app, on_left_removed, left);
	else
		free(left);
}

void install_left_behind(struct session *session)
{
	struct left *left = xcalloc(1, sizeof(*left));

	left->broker = session->broker;
	(void)snprintf(left->app, sizeof(left->app), "%s", session->app);
	session->on_over = on_left_over;
	session->over_data = left;
}
