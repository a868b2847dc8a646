/* SPDX-License-Identifier: MIT
 *
 * Rollback and reset write a new generation that takes up an old state: history
 * is never rewritten, and either the whole step stands or none of it.
 */
#include "broker/generation.h"

#include "base/log.h"
#include "broker/ancestry.h"
#include "broker/grants_back.h"
#include "broker/job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef void (*change_fn)(void *data, const struct generation_change *change, const struct err *err);

struct change {
	struct broker *broker;
	char app[APP_ID_SIZE];
	bool reset, now, grants;
	bool lost; /* what the last run left: undoing it is taking up the head again */
	uint32_t to;
	struct generation_record target;
	uint64_t next_upper, old_upper;
	struct generation_change result;
	change_fn fn;
	void *data;
};

static void change_end(struct change *c, const struct err *err)
{
	change_fn fn = c->fn;
	void *data = c->data;
	struct generation_change result = c->result;

	free(c);
	fn(data, err ? NULL : &result, err);
}

void generation_count_kept(struct kept_packages *kept, const struct generation_record *g)
{
	if (!g->kept_bytes)
		return;
	for (unsigned int i = 0; i < kept->count; i++) {
		if (kept->in[i] == g->kept_in)
			return;
	}
	if (kept->count < ARRAY_LEN(kept->in))
		kept->in[kept->count++] = g->kept_in;
	kept->bytes += g->kept_bytes;
}

/* The install is the lowest layer; everything above it is state. */
void generation_restack(struct generation_record *g, const struct generation_record *install)
{
	if (!g->layer_count || !install->layer_count)
		return;
	g->layers[g->layer_count - 1] = install->layers[install->layer_count - 1];
	memcpy(g->base_hash, install->base_hash, sizeof(g->base_hash));
}

/* --- rollback and reset --- */

struct doom_walk {
	struct change *c;
	struct ancestry keep;
	uint32_t *doomed;
	size_t count, room;
};

static int find_doomed(void *data, const struct generation_record *g)
{
	struct doom_walk *walk = data;

	if (ancestry_has(&walk->keep, g->number) || (g->doomed_powered_ms && !walk->c->now) ||
	    g->number == walk->c->result.generation)
		return 0;
	if (walk->count == walk->room) {
		walk->room = walk->room ? 2 * walk->room : 64;
		walk->doomed = xrealloc(walk->doomed, walk->room * sizeof(*walk->doomed));
	}
	walk->doomed[walk->count++] = g->number;
	walk->c->result.files += g->entries;
	walk->c->result.bytes += g->bytes;
	walk->c->result.generations++;
	return 0;
}

static int doom_others(struct change *c, struct store_txn *txn, struct err *err)
{
	struct doom_walk walk = { .c = c };
	uint64_t powered = 0;
	int rc = -1;

	if (broker_powered_ms(c->broker, txn, &powered, err) < 0 ||
	    ancestry_of(txn, c->app, c->target.number, &walk.keep, err) < 0 ||
	    store_generation_each(txn, c->app, find_doomed, &walk, err) < 0)
		goto out;
	for (size_t i = 0; i < walk.count; i++) {
		struct generation_record g;

		if (store_generation_get(txn, c->app, walk.doomed[i], &g, err) != 1)
			continue;
		/* powered + 1 at the least: 0 means that it is not doomed */
		g.doomed_powered_ms = c->now ? 1 : powered + DOOM_MS;
		if (store_generation_put(txn, &g, err) < 0)
			goto out;
	}
	rc = 0;
out:
	free(walk.doomed);
	ancestry_finish(&walk.keep);
	return rc;
}

static int revive(struct change *c, struct store_txn *txn, struct err *err)
{
	struct ancestry set;
	int rc = ancestry_of(txn, c->app, c->target.number, &set, err);

	for (size_t i = 0; i < set.count && rc == 0; i++) {
		struct generation_record g;

		if (store_generation_get(txn, c->app, set.numbers[i], &g, err) != 1 || !g.doomed_powered_ms)
			continue;
		g.doomed_powered_ms = 0;
		rc = store_generation_put(txn, &g, err);
	}
	ancestry_finish(&set);
	return rc;
}

struct grants_walk {
	struct grant_record found[GRANTS_PER_APP_MAX];
	size_t count;
};

static int collect_grant(void *data, const struct grant_record *grant)
{
	struct grants_walk *walk = data;

	if (walk->count < ARRAY_LEN(walk->found))
		walk->found[walk->count++] = *grant;
	return 0;
}

static int drop_grants(struct change *c, struct store_txn *txn, struct err *err)
{
	struct grants_walk *walk = xcalloc(1, sizeof(*walk));
	int rc = store_grant_each(txn, c->app, collect_grant, walk, err) < 0 ? -1 : 0;

	for (size_t i = 0; i < walk->count && rc == 0; i++)
		rc = store_grant_delete(txn, c->app, walk->found[i].permission, walk->found[i].item, err) < 0 ? -1 : 0;
	free(walk);
	return rc;
}

static int bring_grants_back(struct change *c, struct store_txn *txn, struct err *err)
{
	struct grant_changes *changes = xcalloc(1, sizeof(*changes));
	int rc = grants_back_find(c->broker, txn, c->app, c->target.number, changes, err);

	if (rc == 0)
		rc = grants_back_apply(c->broker, txn, changes, c->target.number, err);
	free(changes);
	return rc;
}

struct install_walk {
	uint64_t layer;
	struct generation_record *found;
	bool any;
};

static int find_install(void *data, const struct generation_record *g)
{
	struct install_walk *walk = data;

	if (g->kind == GENERATION_INSTALL && g->own_layer == walk->layer) {
		*walk->found = *g;
		walk->any = true;
	}
	return 0;
}

/* On which install the state comes back. Where the system below has changed since,
 * on the install as it is now; else on its own, and an update is undone with it. */
static int choose_install(struct change *c, struct store_txn *txn, struct app_record *app,
			  struct generation_record *g, struct err *err)
{
	struct generation_record install = { 0 }, own = { 0 };
	struct install_walk walk = { .found = &own };

	if (store_generation_get(txn, c->app, app->install, &install, err) < 0)
		return -1;
	if (!g->layer_count || !install.layer_count)
		return 0;
	walk.layer = g->layers[g->layer_count - 1];
	if (walk.layer == install.own_layer)
		return 0;
	if (store_generation_each(txn, c->app, find_install, &walk, err) < 0)
		return -1;
	if (!walk.any || memcmp(own.base_hash, install.base_hash, sizeof(own.base_hash)) != 0) {
		generation_restack(g, &install);
		return 0;
	}
	app->install = own.number;
	(void)snprintf(app->version, sizeof(app->version), "%.63s", own.label);
	return 0;
}

static int commit_in_txn(struct change *c, struct store_txn *txn, struct app_record *app, struct err *err)
{
	struct generation_record g = { 0 };
	char why[64];

	if (store_app_get(txn, c->app, app, err) != 1)
		return err_set(err, ENOENT, "no app '%s'", c->app);
	(void)snprintf(g.app, sizeof(g.app), "%s", c->app);
	g.number = app->next_generation;
	g.parent = app->head;
	g.kind = c->reset ? GENERATION_RESET : GENERATION_ROLLBACK;
	g.wall_ms = loop_wall_ms();
	g.of = c->target.number;
	memcpy(g.root_hash, c->target.root_hash, sizeof(g.root_hash));
	memcpy(g.base_hash, c->target.base_hash, sizeof(g.base_hash));
	g.layer_count = c->target.layer_count;
	memcpy(g.layers, c->target.layers, sizeof(g.layers));
	if (choose_install(c, txn, app, &g, err) < 0)
		return -1;
	c->result.generation = g.number;
	c->result.of = g.of;
	c->result.before = g.parent;
	app->head = g.number;
	app->next_generation++;
	app->live = c->next_upper;
	app->in_session = false;
	(void)snprintf(why, sizeof(why), "to generation %u", g.of);
	if (store_generation_put(txn, &g, err) < 0 || store_app_put(txn, app, err) < 0)
		return -1;
	if (c->reset ? doom_others(c, txn, err) : revive(c, txn, err))
		return -1;
	if (c->grants && (c->reset ? drop_grants(c, txn, err) : bring_grants_back(c, txn, err)) < 0)
		return -1;
	if (store_grants_keep(txn, c->app, g.number, err) < 0)
		return -1;
	return broker_note(c->broker, txn,
			   &(struct history_note){
				   .kind = HISTORY_LIFE,
				   .app = c->app,
				   .what = c->reset ? "reset" : "rolled back",
				   .why = why,
			   },
			   err);
}

static int commit_change(struct change *c, struct err *err)
{
	struct store_txn *txn = store_begin(c->broker->store, true, err);
	struct app_record app = { 0 };
	int rc;

	if (!txn)
		return -1;
	rc = commit_in_txn(c, txn, &app, err);
	app_record_finish(&app);
	if (rc < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

static void on_prepared(void *data, const struct job_result *result)
{
	struct change *c = data;
	struct broker *broker = c->broker;
	uint64_t drop[2] = { c->old_upper, c->next_upper };
	struct err err = { 0 };

	if (result->code == ENOSPC) {
		/* Going back must not need room on the disk: the next session makes
		 * its upper itself, when there is some. */
		c->next_upper = 0;
	} else if (result->code) {
		err_set(&err, result->code, "%s", result->why);
		change_end(c, &err);
		return;
	}
	if (commit_change(c, &err) < 0) {
		generation_drop_layers(broker, drop + 1, 1);
		change_end(c, &err);
		return;
	}
	generation_drop_layers(broker, drop, 1); /* leaves what is still named */
	change_end(c, NULL);
	generation_cleanup(broker);
}

static const struct job_ops prepare_ops = { .on_done = on_prepared };

/* Put on another version, and not only on another state of the system. */
static bool is_update(struct store_txn *txn, const struct generation_record *g)
{
	struct generation_record before;
	struct err err = { 0 };

	return store_generation_get(txn, g->app, g->of, &before, &err) == 1 &&
	       memcmp(before.base_hash, g->base_hash, sizeof(g->base_hash)) == 0;
}

/* The generation that "undo last run" goes back to: before the last one that
 * changed something. */
static uint32_t one_back(struct store_txn *txn, const char *app, uint32_t head)
{
	struct generation_record g;
	struct err err = { 0 };

	while (head && store_generation_get(txn, app, head, &g, &err) == 1) {
		if (!ancestry_takes_up(&g))
			return g.parent;
		if (g.kind == GENERATION_REBUILT && is_update(txn, &g))
			return g.of;
		head = g.of;
	}
	return 0;
}

int generation_back_from(struct store_txn *txn, const char *app, uint32_t to, uint32_t *ret, struct err *err)
{
	struct generation_record g;
	struct app_record record = { 0 };
	int found = store_app_get(txn, app, &record, err);

	*ret = found == 1 && to == 0 ? one_back(txn, app, record.head) : to;
	app_record_finish(&record);
	if (found != 1)
		return found < 0 ? -1 : err_set(err, ENOENT, "no app '%s'", app);
	if (*ret == 0)
		return err_set(err, ENOENT, "'%s' has nothing to go back to: it stands on its install", app);
	found = store_generation_get(txn, app, *ret, &g, err);
	if (found == 0)
		err_set(err, ENOENT, "'%s' has no generation %u", app, *ret);
	return found == 1 ? 0 : err_hint(err, "cowbell generations %s", app);
}

static int load_target(struct change *c, uint32_t to, struct err *err)
{
	struct store_txn *txn = store_begin(c->broker->store, true, err);
	struct app_record app = { 0 };
	int rc = -1, found;

	if (!txn)
		return -1;
	found = store_app_get(txn, c->app, &app, err);
	if (found != 1 || app.state != APP_READY) {
		if (found == 0 || found == 1)
			err_set(err, ENOENT, "no app '%s'", c->app);
		goto out;
	}
	if (c->lost && to == 0)
		to = app.head;
	if (generation_back_from(txn, c->app, c->reset ? app.install : to, &to, err) < 0 ||
	    store_generation_get(txn, c->app, to, &c->target, err) != 1)
		goto out;
	c->old_upper = app.live;
	rc = store_counter_add(txn, COUNTER_LAYER, 1, &c->next_upper, err);
out:
	app_record_finish(&app);
	if (rc < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

static bool is_unsettled(struct broker *broker, const char *name)
{
	struct err err = { 0 };
	struct store_txn *txn = store_begin(broker->store, false, &err);
	struct app_record app = { 0 };
	bool unsettled = txn && store_app_get(txn, name, &app, &err) == 1 && app.in_session && app.live;

	app_record_finish(&app);
	store_abort(txn);
	return unsettled;
}

static void change_prepare(struct change *c);

static void on_settled_first(void *data, int code, const char *why)
{
	struct change *c = data;
	struct err err = { 0 };

	/* An app that leaves what cannot be settled is not thereby safe from going
	 * back; what is lost is lost by the person's word. */
	c->lost = code != 0;
	if (code == 0 || c->now) {
		change_prepare(c);
		return;
	}
	err_set(&err, code, "what its last run left is not settled: %s", why);
	err_hint(&err, "cowbell %s %s --now goes back without it", c->reset ? "reset" : "rollback", c->app);
	change_end(c, &err);
}

static void change_start(struct change *c, uint32_t to)
{
	c->to = to;
	/* What an earlier session left must become a generation before it is
	 * left behind, or it would be lost. */
	if (is_unsettled(c->broker, c->app))
		generation_settle_unclean(c->broker, c->app, on_settled_first, c);
	else
		change_prepare(c);
}

static void change_prepare(struct change *c)
{
	struct err err = { 0 };
	struct wr *w;

	if (load_target(c, c->to, &err) < 0) {
		change_end(c, &err);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_PREPARE, 0);
	wr_u64(w, c->next_upper);
	wr_u64(w, c->target.layer_count ? c->target.layers[0] : 0);
	wr_u32(w, 0);
	(void)job_start(c->broker, w, -1, &prepare_ops, c);
	free(w);
}

static struct change *change_new(struct broker *broker, const char *app, change_fn fn, void *data)
{
	struct change *c = xcalloc(1, sizeof(*c));

	c->broker = broker;
	c->fn = fn;
	c->data = data;
	(void)snprintf(c->app, sizeof(c->app), "%s", app);
	return c;
}

void generation_rollback(struct broker *broker, const char *app, uint32_t to, bool grants, bool now, change_fn fn,
			 void *data)
{
	struct change *c = change_new(broker, app, fn, data);

	c->grants = grants;
	c->now = now;
	change_start(c, to);
}

void generation_reset(struct broker *broker, const char *app, bool now, bool grants, change_fn fn, void *data)
{
	struct change *c = change_new(broker, app, fn, data);

	c->reset = true;
	c->now = now;
	c->grants = grants;
	change_start(c, 0);
}
