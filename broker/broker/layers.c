/* SPDX-License-Identifier: MIT
 *
 * Which layers are still wanted, and the background work that follows from it:
 * dropping, merging, and the end of doomed generations. A layer goes only after
 * the commit that stopped naming it.
 */
#include "broker/generation.h"

#include "base/log.h"
#include "broker/job.h"
#include "broker/turn.h"

#include <stdio.h>
#include <string.h>

#define CLEANUP_EVERY_MS ((uint64_t)3600 * 1000)
#define DROP_PER_JOB 4096u

struct referenced {
	uint64_t *lids;
	size_t count, room;
};

static void add_lid(struct referenced *r, uint64_t lid)
{
	if (!lid)
		return;
	if (r->count == r->room) {
		r->room = r->room ? r->room * 2 : 256;
		r->lids = xrealloc(r->lids, r->room * sizeof(*r->lids));
	}
	r->lids[r->count++] = lid;
}

static int add_generation(void *data, const struct generation_record *g)
{
	add_lid(data, g->own_layer);
	for (uint16_t i = 0; i < g->layer_count; i++)
		add_lid(data, g->layers[i]);
	return 0;
}

static int add_app(void *data, const struct app_record *app)
{
	add_lid(data, app->live);
	return 0;
}

static int compare_lids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int generation_referenced(struct broker *broker, uint64_t **ret, size_t *ret_count, struct err *err)
{
	struct referenced r = { 0 };
	struct store_txn *txn = store_begin(broker->store, false, err);
	size_t kept = 0;

	if (!txn)
		return -1;
	if (store_app_each(txn, add_app, &r, err) < 0 || store_generation_each(txn, NULL, add_generation, &r, err) < 0) {
		store_abort(txn);
		free(r.lids);
		return -1;
	}
	store_abort(txn);
	if (r.count)
		qsort(r.lids, r.count, sizeof(*r.lids), compare_lids);
	for (size_t i = 0; i < r.count; i++) {
		if (kept == 0 || r.lids[kept - 1] != r.lids[i])
			r.lids[kept++] = r.lids[i];
	}
	*ret = r.lids;
	*ret_count = kept;
	return 0;
}

static void on_dropped(void *data, const struct job_result *result)
{
	(void)data;
	if (result->code)
		log_warn("layers not deleted, the next start will: %s", result->why);
}

static const struct job_ops drop_ops = { .on_done = on_dropped };

void generation_drop_layers(struct broker *broker, const uint64_t *layers, size_t count)
{
	cleanup_free uint64_t *wanted = NULL, *drop = xcalloc(count, sizeof(*drop));
	struct err err = { 0 };
	size_t wanted_count, n = 0;
	struct wr *w;

	/* A record that cannot be read may name a layer that nothing else names. */
	if (store_broken_records(broker->store)) {
		log_warn("the store has broken records: layers are left in place");
		return;
	}
	if (generation_referenced(broker, &wanted, &wanted_count, &err) < 0) {
		log_warn("layers not deleted, the next start will: %s", err.msg);
		return;
	}
	for (size_t i = 0; i < count && n < DROP_PER_JOB; i++) {
		if (layers[i] && (!wanted_count || !bsearch(&layers[i], wanted, wanted_count, sizeof(*wanted), compare_lids)))
			drop[n++] = layers[i];
	}
	if (n == 0)
		return;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_DROP, 0);
	wr_u16(w, (uint16_t)n);
	for (size_t i = 0; i < n; i++)
		wr_u64(w, drop[i]);
	(void)job_start(broker, w, -1, &drop_ops, NULL);
	free(w);
}

/* --- doomed generations --- */

struct doomed_walk {
	uint64_t powered;
	struct {
		char app[APP_ID_SIZE];
		uint32_t number;
	} due[256];
	size_t count;
	struct referenced layers;
	bool any_left;
};

static int find_due(void *data, const struct generation_record *g)
{
	struct doomed_walk *walk = data;

	if (!g->doomed_powered_ms || g->pinned)
		return 0;
	if (g->doomed_powered_ms > walk->powered || walk->count == ARRAY_LEN(walk->due)) {
		walk->any_left = true;
		return 0;
	}
	(void)snprintf(walk->due[walk->count].app, sizeof(walk->due[0].app), "%s", g->app);
	walk->due[walk->count++].number = g->number;
	(void)add_generation(&walk->layers, g);
	return 0;
}

static void on_cleanup(void *data)
{
	generation_cleanup(data);
}

/* Of each app in one walk over its versions; they came in order. */
static int delete_all(const struct doomed_walk *walk, struct store_txn *txn, struct err *err)
{
	struct absorbed going[ARRAY_LEN(walk->due)];
	size_t n = 0;

	for (size_t i = 0; i < walk->count; i++) {
		going[n++] = (struct absorbed){ .generation = walk->due[i].number };
		if (i + 1 < walk->count && strcmp(walk->due[i].app, walk->due[i + 1].app) == 0)
			continue;
		if (store_generations_absorb(txn, walk->due[i].app, going, n, err) < 0)
			return -1;
		n = 0;
	}
	return 0;
}

static int delete_due(struct broker *broker, struct doomed_walk *walk, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, true, err);
	int rc = -1;

	if (!txn)
		return -1;
	if (broker_powered_ms(broker, txn, &walk->powered, err) < 0 ||
	    store_generation_each(txn, NULL, find_due, walk, err) < 0)
		goto out;
	rc = delete_all(walk, txn, err);
out:
	if (rc < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

void generation_cleanup(struct broker *broker)
{
	struct doomed_walk *walk = xcalloc(1, sizeof(*walk));
	struct err err = { 0 };

	loop_remove(broker->cleanup);
	broker->cleanup = NULL;
	if (delete_due(broker, walk, &err) < 0)
		log_warn("dropped generations not deleted: %s", err.msg);
	else if (walk->layers.count)
		generation_drop_layers(broker, walk->layers.lids, walk->layers.count);
	/* Nothing polls while nothing waits for its end. */
	if (walk->any_left)
		broker->cleanup = loop_add_timer(broker->loop, CLEANUP_EVERY_MS, on_cleanup, broker);
	free(walk->layers.lids);
	free(walk);
}

/* --- merging --- */

struct merge {
	struct broker *broker;
	struct turn *turn;
	char app[APP_ID_SIZE];
	uint32_t head;
	uint64_t layer; /* the merged one */
	uint64_t range[LAYERS_MAX], below[LAYERS_MAX];
	uint16_t range_count, below_count;
};

static void merge_end(struct merge *m)
{
	turn_end(m->turn);
	free(m);
}

static int commit_merge(struct merge *m, struct err *err)
{
	struct store_txn *txn = store_begin(m->broker->store, true, err);
	struct generation_record g;

	if (!txn)
		return -1;
	if (store_generation_get(txn, m->app, m->head, &g, err) != 1)
		goto fail;
	g.layers[0] = m->layer;
	memcpy(g.layers + 1, m->below, sizeof(m->below[0]) * m->below_count);
	g.layer_count = (uint16_t)(m->below_count + 1);
	g.own_layer = m->layer; /* what it froze is in there */
	if (store_generation_put(txn, &g, err) < 0)
		goto fail;
	return store_commit(txn, err);
fail:
	store_abort(txn);
	return -1;
}

static void on_merged(void *data, const struct job_result *result)
{
	struct merge *m = data;
	struct broker *broker = m->broker;
	struct err err = { 0 };
	uint64_t drop[LAYERS_MAX + 1];
	size_t n = m->range_count;

	if (result->code) {
		log_warn("layers of '%s' not merged: %s", m->app, result->why);
		merge_end(m);
		return;
	}
	memcpy(drop, m->range, sizeof(m->range[0]) * n);
	if (commit_merge(m, &err) < 0) {
		log_warn("layers of '%s' not merged: %s", m->app, err.msg);
		drop[0] = m->layer;
		n = 1;
	}
	generation_drop_layers(broker, drop, n);
	merge_end(m);
}

static const struct job_ops merge_ops = { .on_done = on_merged };

static bool load_merge(struct merge *m, struct err *err)
{
	struct store_txn *txn = store_begin(m->broker->store, true, err);
	struct generation_record head = { 0 }, install = { 0 };
	struct app_record app = { 0 };
	bool wanted = false;

	if (!txn)
		return false;
	if (store_app_get(txn, m->app, &app, err) == 1 && app.state == APP_READY &&
	    store_generation_get(txn, m->app, app.head, &head, err) == 1 &&
	    store_generation_get(txn, m->app, app.install, &install, err) == 1 &&
	    head.layer_count >= install.layer_count + MERGE_DEPTH) {
		m->head = app.head;
		m->range_count = (uint16_t)(head.layer_count - install.layer_count);
		m->below_count = install.layer_count;
		memcpy(m->range, head.layers, sizeof(head.layers[0]) * m->range_count);
		memcpy(m->below, head.layers + m->range_count, sizeof(head.layers[0]) * m->below_count);
		wanted = store_counter_add(txn, COUNTER_LAYER, 1, &m->layer, err) == 0;
	}
	app_record_finish(&app);
	if (!wanted) {
		store_abort(txn);
		return false;
	}
	return store_commit(txn, err) == 0;
}

static void on_merge_turn(void *data)
{
	struct merge *m = data;
	struct err err = { 0 };
	struct wr *w;

	if (!load_merge(m, &err)) {
		merge_end(m);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_MERGE, 0);
	wr_u64(w, m->layer);
	wr_u16(w, m->range_count);
	for (uint16_t i = 0; i < m->range_count; i++)
		wr_u64(w, m->range[i]);
	wr_u16(w, m->below_count);
	for (uint16_t i = 0; i < m->below_count; i++)
		wr_u64(w, m->below[i]);
	(void)job_start(m->broker, w, -1, &merge_ops, m);
	free(w);
}

static bool is_deep(struct broker *broker, const char *name)
{
	struct err err = { 0 };
	struct store_txn *txn = store_begin(broker->store, false, &err);
	struct generation_record head = { 0 }, install = { 0 };
	struct app_record app = { 0 };
	bool deep;

	if (!txn)
		return false;
	deep = store_app_get(txn, name, &app, &err) == 1 && app.state == APP_READY &&
	       store_generation_get(txn, name, app.head, &head, &err) == 1 &&
	       store_generation_get(txn, name, app.install, &install, &err) == 1 &&
	       head.layer_count >= install.layer_count + MERGE_DEPTH;
	app_record_finish(&app);
	store_abort(txn);
	return deep;
}

void generation_merge_if_deep(struct broker *broker, const char *app)
{
	struct merge *m;

	if (!is_deep(broker, app))
		return;
	m = xcalloc(1, sizeof(*m));
	m->broker = broker;
	(void)snprintf(m->app, sizeof(m->app), "%s", app);
	m->turn = turn_request(broker, app, on_merge_turn, m);
}
