/* SPDX-License-Identifier: MIT
 *
 * Uninstalling in three steps that any crash may cut: the app is marked as
 * being removed with its layers in the journal; the layers go; every record
 * goes and its id range is marked as wiped, in one transaction.
 */
#include "broker/autostart.h"
#include "broker/install.h"

#include "base/log.h"
#include "broker/generation.h"
#include "broker/job.h"
#include "broker/prompt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RECORDS_AT_ONCE 16000u

struct removal {
	struct broker *broker;
	char app[APP_ID_SIZE];
	bool provisional;
	uint32_t base, generations;
	uint64_t bytes;
	struct kept_packages kept;
	struct loop_source *more;
	uint64_t *layers;
	size_t layer_count;
	void (*fn)(void *data, uint32_t generations, uint64_t bytes, const struct err *err);
	void *data;
};

static void removal_end(struct removal *r, const struct err *err)
{
	void (*fn)(void *, uint32_t, uint64_t, const struct err *) = r->fn;
	void *data = r->data;
	uint32_t generations = r->generations;
	uint64_t bytes = r->bytes + r->kept.bytes;

	free(r->layers);
	free(r);
	fn(data, generations, bytes, err);
}

static void add_layer(struct removal *r, uint64_t lid)
{
	for (size_t i = 0; i < r->layer_count; i++) {
		if (r->layers[i] == lid)
			return;
	}
	if (!lid)
		return;
	r->layers = xrealloc(r->layers, (r->layer_count + 1) * sizeof(*r->layers));
	r->layers[r->layer_count++] = lid;
}

static int count_generation(void *data, const struct generation_record *g)
{
	struct removal *r = data;

	r->generations++;
	r->bytes += g->bytes;
	generation_count_kept(&r->kept, g);
	add_layer(r, g->own_layer);
	for (uint16_t i = 0; i < g->layer_count; i++)
		add_layer(r, g->layers[i]);
	return 0;
}

static int mark_in_txn(struct removal *r, struct store_txn *txn, struct app_record *app, struct err *err)
{
	int found = store_app_get(txn, r->app, app, err);

	if (found != 1)
		return found < 0 ? -1 : err_set(err, ENOENT, "no app '%s'", r->app);
	r->base = app->base;
	r->provisional = app->state == APP_INSTALLING;
	add_layer(r, app->live);
	if (store_generation_each(txn, r->app, count_generation, r, err) < 0)
		return -1;
	if (r->provisional)
		return 0; /* its state alone tells the next start what to do */
	app->state = APP_REMOVING;
	return store_app_put(txn, app, err);
}

static int mark(struct removal *r, struct err *err)
{
	struct store_txn *txn = store_begin(r->broker->store, true, err);
	struct app_record app = { 0 };
	int rc;

	if (!txn)
		return -1;
	rc = mark_in_txn(r, txn, &app, err);
	app_record_finish(&app);
	if (rc < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

static int delete_in_txn(struct removal *r, struct store_txn *txn, struct err *err)
{
	if (autostart_forget(r->broker, txn, r->app, err) < 0 || store_app_delete(txn, r->app, err) < 0 ||
	    store_journal_delete(txn, r->app, err) < 0 || store_range_release(txn, r->base, err) < 0 ||
	    store_range_wiped(txn, r->base, err) < 0)
		return -1;
	if (r->provisional)
		return 0;
	return broker_note(r->broker, txn,
			   &(struct history_note){ .kind = HISTORY_LIFE, .app = r->app, .what = "uninstalled" }, err);
}

static void delete_more(void *data);

/* By and by: the records of a million versions at once would keep everybody else
 * waiting. A broker that dies in between goes on at its next start: the app is marked
 * as being removed. */
static int shrink(struct removal *r, struct err *err)
{
	struct store_txn *txn = store_begin(r->broker->store, true, err);
	int more;

	if (!txn)
		return -1;
	more = store_app_shrink(txn, r->app, RECORDS_AT_ONCE, err);
	if (more < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err) < 0 ? -1 : more;
}

static void delete_rest(struct removal *r)
{
	struct err err = { 0 };
	struct store_txn *txn = store_begin(r->broker->store, true, &err);

	if (!txn) {
		removal_end(r, &err);
		return;
	}
	if (delete_in_txn(r, txn, &err) < 0) {
		store_abort(txn);
		removal_end(r, &err);
		return;
	}
	if (store_commit(txn, &err) < 0) {
		removal_end(r, &err);
		return;
	}
	prompt_app_gone(r->broker, r->app);
	removal_end(r, NULL);
}

static void delete_more(void *data)
{
	struct removal *r = data;
	struct err err = { 0 };
	int more;

	loop_remove(r->more);
	r->more = NULL;
	more = shrink(r, &err);
	if (more < 0)
		removal_end(r, &err);
	else if (more)
		r->more = loop_add_later(r->broker->loop, delete_more, r);
	else
		delete_rest(r);
}

static void on_dropped(void *data, const struct job_result *result)
{
	struct removal *r = data;
	struct err err = { 0 };

	if (result->code) {
		err_set(&err, result->code, "files of '%s' not deleted: %s", r->app, result->why);
		removal_end(r, &err);
		return;
	}
	delete_more(r);
}

static const struct job_ops drop_ops = { .on_done = on_dropped };

void install_remove(struct broker *broker, const char *app,
		    void (*fn)(void *data, uint32_t generations, uint64_t bytes, const struct err *err), void *data)
{
	struct removal *r = xcalloc(1, sizeof(*r));
	struct err err = { 0 };
	struct wr *w;

	r->broker = broker;
	r->fn = fn;
	r->data = data;
	(void)snprintf(r->app, sizeof(r->app), "%s", app);
	if (mark(r, &err) < 0) {
		removal_end(r, &err);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_DROP, 0);
	wr_u16(w, (uint16_t)r->layer_count);
	for (size_t i = 0; i < r->layer_count && i < UINT16_MAX; i++)
		wr_u64(w, r->layers[i]);
	if (w->overflow) { /* more layers than a message holds: the next start's collection takes them */
		struct job_result nothing = { 0 };

		on_dropped(r, &nothing);
	} else {
		(void)job_start(broker, w, -1, &drop_ops, r);
	}
	free(w);
}
