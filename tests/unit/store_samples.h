/* SPDX-License-Identifier: MIT
 *
 * Records with something in every field.
 */
#ifndef TESTS_STORE_SAMPLES_H
#define TESTS_STORE_SAMPLES_H

#include "store_dir.h"

static __attribute__((unused)) void fill_app(struct app_record *a, const char *id)
{
	memset(a, 0, sizeof(*a));
	(void)snprintf(a->id, sizeof(a->id), "%s", id);
	a->state = APP_READY;
	a->base = 10 * ID_RANGE;
	a->live = 77;
	a->in_session = true;
	a->head = 4;
	a->install = 1;
	a->next_generation = 5;
	(void)snprintf(a->title, sizeof(a->title), "Nano's");
	(void)snprintf(a->source, sizeof(a->source), "file nano_7.2-1_amd64.deb");
	(void)snprintf(a->says, sizeof(a->says), "storage write letters\n");
	a->installed_wall_ms = 1790000000000u;
	a->command_count = 2;
	a->commands[0] = xstrdup("/usr/bin/nano");
	a->commands[1] = xstrdup("/usr/bin/rnano");
}

static __attribute__((unused)) void put_app(struct store_dir *d, const char *id)
{
	struct app_record a;

	fill_app(&a, id);
	GOOD(store_app_put(d->txn, &a, &d->err));
	app_record_finish(&a);
}

static __attribute__((unused)) void fill_grant(struct grant_record *g, const char *app, const char *permission, const char *item)
{
	memset(g, 0, sizeof(*g));
	(void)snprintf(g->app, sizeof(g->app), "%s", app);
	(void)snprintf(g->permission, sizeof(g->permission), "%s", permission);
	(void)snprintf(g->item, sizeof(g->item), "%s", item);
	g->give = GIVE_READ;
	g->lasts.lasts = LASTS_TIME;
	g->lasts.ms = 60000;
	g->until_boot_ms = 99;
	g->wall_ms = 1;
	g->copy_serial = 3;
	g->locked = true;
	g->used_powered_ms = 4;
	g->lapsed_wall_ms = 5;
	(void)snprintf(g->boot_id, sizeof(g->boot_id), "0f2a");
	(void)snprintf(g->by, sizeof(g->by), "uid 1000, cowbell run");
}

static __attribute__((unused)) void put_grant(struct store_dir *d, const char *app, const char *permission, const char *item)
{
	struct grant_record g;

	fill_grant(&g, app, permission, item);
	GOOD(store_grant_put(d->txn, &g, &d->err));
}

static __attribute__((unused)) void put_generation(struct store_dir *d, const char *app, uint32_t number)
{
	struct generation_record g = { .number = number, .parent = number - 1, .layer_count = 2, .layers = { 9, 8 } };

	(void)snprintf(g.app, sizeof(g.app), "%s", app);
	g.pinned = true;
	g.root_hash[31] = 0xee;
	g.kind = GENERATION_UNCLEAN;
	GOOD(store_generation_put(d->txn, &g, &d->err));
}

struct names {
	char text[256];
};

static __attribute__((unused)) int add_grant(void *data, const struct grant_record *g)
{
	struct names *n = data;
	size_t used = strlen(n->text);

	(void)snprintf(n->text + used, sizeof(n->text) - used, "%s/%s/%s ", g->app, g->permission, g->item);
	return 0;
}

#endif
