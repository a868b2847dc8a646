/* SPDX-License-Identifier: MIT
 *
 * Numbers only go down: what a generation stands on has a smaller one. So one walk
 * from the newest to the oldest knows of each one who goes on from it.
 */
#include "broker/retention.h"

#include "base/log.h"
#include "broker/ancestry.h"
#include "broker/generation.h"
#include "broker/turn.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS ((uint64_t)24 * 3600 * 1000)

/* --- the rule --- */

struct picking {
	const struct generation_record *all;
	size_t count;
	bool *stays;
	uint32_t *into; /* of one that goes: the nearest that stays and goes on from it */
};

static int by_number(const void *number, const void *generation)
{
	uint32_t wanted = *(const uint32_t *)number, is = ((const struct generation_record *)generation)->number;

	return wanted < is ? -1 : wanted > is;
}

/* count: there is none. */
static size_t index_of(const struct generation_record *all, size_t count, uint32_t number)
{
	const struct generation_record *g = count ? bsearch(&number, all, count, sizeof(*all), by_number) : NULL;

	return g ? (size_t)(g - all) : count;
}

static void stay(const struct picking *p, uint32_t number)
{
	size_t i = index_of(p->all, p->count, number);

	if (i < p->count)
		p->stays[i] = true;
}

/* The newest ones, and of each day its last. The clock may have been wrong: then
 * there are fewer days, and the newest stay all the same. */
static void stay_by_age(const struct picking *p)
{
	size_t last = 0, days = 0;
	uint64_t day = UINT64_MAX;

	for (size_t i = p->count; i-- > 0;) {
		const struct generation_record *g = &p->all[i];

		if (g->doomed_powered_ms) {
			p->stays[i] = true;
			continue;
		}
		if (last < RETENTION_LAST) {
			p->stays[i] = true;
			last++;
		}
		if (g->wall_ms / DAY_MS != day && days < RETENTION_DAYS) {
			p->stays[i] = true;
			day = g->wall_ms / DAY_MS;
			days++;
		}
		if (g->pinned)
			p->stays[i] = true;
	}
}

/* The install whose layer lies lowest in what g shows. */
static void stay_install_of(const struct picking *p, const struct generation_record *g)
{
	for (size_t i = 0; g->layer_count && i < p->count; i++) {
		if (p->all[i].kind == GENERATION_INSTALL && p->all[i].own_layer == g->layers[g->layer_count - 1])
			p->stays[i] = true;
	}
}

static void go_on_from(const struct picking *p, size_t i)
{
	size_t next = index_of(p->all, p->count, ancestry_next(&p->all[i]));
	uint32_t who = p->stays[i] ? p->all[i].number : p->into[i];

	if (next >= i || who == RETENTION_DROPPED)
		return;
	if (p->into[next] == RETENTION_DROPPED)
		p->into[next] = who;
	else if (p->into[next] != who)
		p->stays[next] = true; /* two lines part here */
}

void retention_pick(const struct generation_record *all, size_t count, uint32_t head, uint32_t install, uint32_t *into)
{
	cleanup_free bool *stays = xcalloc(count + 1, sizeof(*stays));
	struct picking p = { .all = all, .count = count, .stays = stays, .into = into };

	for (size_t i = 0; i < count; i++)
		into[i] = RETENTION_DROPPED;
	stay_by_age(&p);
	stay(&p, head);
	stay(&p, install);
	for (size_t i = count; i-- > 0;) {
		const struct generation_record *g = &all[i];

		if (stays[i]) {
			stay_install_of(&p, g);
			if (ancestry_takes_up(g))
				stay(&p, g->of);
			if (g->kind == GENERATION_REBUILT)
				stay(&p, g->parent);
		}
		go_on_from(&p, i);
	}
	for (size_t i = 0; i < count; i++) {
		if (stays[i])
			into[i] = 0;
	}
}

/* --- doing it --- */

struct retention {
	struct broker *broker;
	struct turn *turn;
	char app[APP_ID_SIZE];
	struct generation_record *all;
	uint32_t *into;
	size_t count, room, going;
	uint64_t *layers; /* of what went */
	size_t layer_count;
};

static int add_generation(void *data, const struct generation_record *g)
{
	struct retention *r = data;

	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->all = xrealloc(r->all, r->room * sizeof(*r->all));
	}
	r->all[r->count++] = *g;
	return 0;
}

/* The first that stays, from number on down. */
static uint32_t staying(const struct retention *r, uint32_t number)
{
	size_t i;

	while (number && (i = index_of(r->all, r->count, number)) < r->count && r->into[i])
		number = ancestry_next(&r->all[i]);
	return number;
}

/* What stays points at what stays, and has taken over what went into it. */
static int put_staying(struct retention *r, struct store_txn *txn, struct err *err)
{
	for (size_t i = 0; i < r->count; i++) {
		struct generation_record *g = &r->all[i];
		uint32_t parent = staying(r, g->parent);
		bool changed = parent != g->parent;

		if (r->into[i])
			continue;
		g->parent = parent;
		for (size_t k = 0; k < i; k++) {
			if (r->into[k] != g->number)
				continue;
			g->entries += r->all[k].entries;
			g->bytes += r->all[k].bytes;
			changed = true;
		}
		if (changed && store_generation_put(txn, g, err) < 0)
			return -1;
	}
	return 0;
}

static void collect_layers(struct retention *r)
{
	r->layers = xcalloc(r->going * (LAYERS_MAX + 1) + 1, sizeof(*r->layers));
	for (size_t i = 0; i < r->count; i++) {
		const struct generation_record *g = &r->all[i];

		if (!r->into[i])
			continue;
		r->layers[r->layer_count++] = g->own_layer;
		for (uint16_t k = 0; k < g->layer_count; k++)
			r->layers[r->layer_count++] = g->layers[k];
	}
}

static int apply(struct retention *r, struct store_txn *txn, struct err *err)
{
	cleanup_free struct absorbed *list = NULL;
	struct app_record app = { 0 };
	bool ready = store_app_get(txn, r->app, &app, err) == 1 && app.state == APP_READY;
	uint32_t head = app.head, install = app.install;
	size_t n = 0;

	app_record_finish(&app);
	if (!ready)
		return 0;
	if (store_generation_each(txn, r->app, add_generation, r, err) < 0)
		return -1;
	r->into = xcalloc(r->count + 1, sizeof(*r->into));
	retention_pick(r->all, r->count, head, install, r->into);
	list = xcalloc(r->count + 1, sizeof(*list));
	for (size_t i = 0; i < r->count; i++) {
		if (r->into[i])
			list[n++] = (struct absorbed){ r->all[i].number,
						       r->into[i] == RETENTION_DROPPED ? 0 : r->into[i] };
	}
	if (n < RETENTION_BATCH)
		return 0;
	r->going = n;
	collect_layers(r);
	return put_staying(r, txn, err) < 0 ? -1 : store_generations_absorb(txn, r->app, list, n, err);
}

static void on_turn(void *data)
{
	struct retention *r = data;
	struct err err = { 0 };
	struct store_txn *txn = store_begin(r->broker->store, true, &err);
	int rc = txn ? apply(r, txn, &err) : -1;

	if (rc == 0 && r->going)
		rc = store_commit(txn, &err);
	else
		store_abort(txn);
	if (rc < 0)
		log_warn("old generations of '%s' stay: %s", r->app, err.msg);
	else if (r->going)
		generation_drop_layers(r->broker, r->layers, r->layer_count);
	turn_end(r->turn);
	free(r->all);
	free(r->into);
	free(r->layers);
	free(r);
}

void retention_apply(struct broker *broker, const char *app)
{
	struct retention *r = xcalloc(1, sizeof(*r));

	/* A record that cannot be read may be what others go on from. */
	if (store_broken_records(broker->store)) {
		free(r);
		return;
	}
	r->broker = broker;
	(void)snprintf(r->app, sizeof(r->app), "%s", app);
	r->turn = turn_request(broker, app, on_turn, r);
}
