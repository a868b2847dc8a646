/* SPDX-License-Identifier: MIT
 *
 * Generations and versions on the public socket.
 */
#include "broker/client.h"
#include "broker/generation.h"
#include "broker/job.h"
#include "broker/service.h"
#include "broker/turn.h"
#include "broker/vault_path.h"
#include "varlink/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* --- generations --- */

struct generations_walk {
	json_t *array;
	const struct app_record *app;
};

static int add_generation(void *data, const struct generation_record *g)
{
	struct generations_walk *walk = data;

	json_array_append_new(walk->array, service_json_generation(g, walk->app));
	return 0;
}

SERVICE_METHOD(service_generations)
{
	struct broker *broker = data;
	struct app_record app = { 0 };
	struct generations_walk walk = { .app = &app };
	struct err err = { 0 };
	struct store_txn *txn;

	if (service_wait_settled(data, call, params, service_generations))
		return;
	if (service_get_app(broker, call, service_str(params, "app"), &app) != 1)
		return;
	walk.array = json_array();
	txn = store_begin(broker->store, false, &err);
	if (!txn || store_generation_each(txn, app.id, add_generation, &walk, &err) < 0) {
		json_decref(walk.array);
		service_fail(call, &err);
	} else {
		varlink_reply(call, json_pack("{s:o}", "generations", walk.array));
	}
	store_abort(txn);
	app_record_finish(&app);
}

SERVICE_METHOD(service_pin)
{
	struct broker *broker = data;
	const char *app = service_str(params, "app");
	struct generation_record g;
	struct err err = { 0 };
	struct store_txn *txn;
	int found;

	if (service_wait_settled(data, call, params, service_pin))
		return;
	if (service_get_app(broker, call, app, NULL) != 1)
		return;
	txn = store_begin(broker->store, true, &err);
	found = txn ? store_generation_get(txn, app, service_number(params, "generation"), &g, &err) : -1;
	if (found == 1) {
		g.pinned = service_bool(params, "pinned");
		found = store_generation_put(txn, &g, &err) < 0 ? -1 : 1;
	}
	if (found == 1 && store_commit(txn, &err) == 0) {
		varlink_reply(call, NULL);
		return;
	}
	if (found != 1)
		store_abort(txn);
	if (found == 0)
		service_bad_input(call, "there is no such generation", "cowbell generations APP");
	else
		service_fail(call, &err);
}

/* --- versions --- */

struct versions_walk {
	json_t *array;
	bool cut;
	uint64_t since_ms;
	struct known {
		uint32_t number;
		uint64_t wall_ms;
	} *known; /* generations that have a record, ascending */
	size_t known_count, known_room;
	const struct broker *broker;
	const char *path; /* of a folder that gates stand for: only this one */
};

static int by_number(const void *number, const void *known)
{
	uint32_t wanted = *(const uint32_t *)number, is = ((const struct known *)known)->number;

	return wanted < is ? -1 : wanted > is;
}

static bool is_shown(const struct versions_walk *walk, uint32_t number)
{
	const struct known *k =
		walk->known_count ? bsearch(&number, walk->known, walk->known_count, sizeof(*k), by_number) : NULL;

	return k && k->wall_ms >= walk->since_ms;
}

static int add_version(void *data, const struct version_record *v)
{
	struct versions_walk *walk = data;
	char hash[2 * HASH_SIZE + 1], stood_for[PATH_SIZE];
	enum vault_kind vault = vault_path(walk->broker, v->path, stood_for, sizeof(stood_for));
	const char *path = vault == VAULT_NONE ? v->path : stood_for;

	if (vault == VAULT_FRAME || (walk->path && (vault == VAULT_NONE || strcmp(path, walk->path) != 0)))
		return 0;
	if (!is_shown(walk, v->generation))
		return 0;
	if (json_array_size(walk->array) == SERVICE_VERSIONS_MAX) {
		walk->cut = true;
		return 1;
	}
	for (size_t i = 0; i < HASH_SIZE; i++)
		(void)snprintf(hash + 2 * i, 3, "%02x", v->hash[i]);
	json_array_append_new(walk->array,
			      json_pack("{s:o, s:s, s:I, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:s}", "path", service_json_path(path),
					"inside", vault_name(vault),
					"generation", (json_int_t)v->generation, "kind", service_entry_name(v->kind), "target",
					service_json_path(v->target), "size", (json_int_t)v->size, "mode", (json_int_t)v->mode,
					"uid", (json_int_t)v->uid, "gid", (json_int_t)v->gid, "mtime",
					(json_int_t)(v->mtime_ns / 1000000), "hash", v->kind == ENTRY_FILE ? hash : ""));
	return 0;
}

static int add_known(void *data, const struct generation_record *g)
{
	struct versions_walk *walk = data;

	if (walk->known_count == walk->known_room) {
		walk->known_room = walk->known_room ? 2 * walk->known_room : 64;
		walk->known = xrealloc(walk->known, walk->known_room * sizeof(*walk->known));
	}
	walk->known[walk->known_count].number = g->number;
	walk->known[walk->known_count++].wall_ms = g->wall_ms;
	return 0;
}

/* As the store has it: relative to the root, no slash at either end. */
static const char *clean_path(const char *path, char *buf, size_t size)
{
	size_t n;

	while (path && *path == '/')
		path++;
	if (!path || !*path)
		return NULL;
	(void)snprintf(buf, size, "%s", path);
	n = strlen(buf);
	while (n && buf[n - 1] == '/')
		buf[--n] = '\0';
	return buf;
}

SERVICE_METHOD(service_versions)
{
	struct broker *broker = data;
	const char *app = service_str(params, "app");
	char path[PATH_SIZE];
	struct versions_walk walk = { .since_ms = service_int(params, "since"), .broker = broker };
	const char *one;
	struct err err = { 0 };
	struct store_txn *txn;

	if (service_wait_settled(data, call, params, service_versions))
		return;
	if (service_get_app(broker, call, app, NULL) != 1)
		return;
	walk.array = json_array();
	one = clean_path(service_str(params, "path"), path, sizeof(path));
	txn = store_begin(broker->store, false, &err);
	if (!txn || store_generation_each(txn, app, add_known, &walk, &err) < 0 ||
	    store_version_each(txn, app, one, add_version, &walk, &err) < 0 ||
	    (one && vault_may_have(broker, one) && (walk.path = one) &&
	     store_version_each(txn, app, NULL, add_version, &walk, &err) < 0)) {
		json_decref(walk.array);
		service_fail(call, &err);
	} else {
		varlink_reply(call, json_pack("{s:o, s:b}", "versions", walk.array, "cut", walk.cut));
	}
	store_abort(txn);
	free(walk.known);
}

/* --- cat --- */

struct cat {
	struct broker *broker;
	struct client *client;
	struct job *job;
	char path[PATH_SIZE];
	struct generation_record g;
};

static void cat_free(struct cat *cat)
{
	job_cancel(cat->job);
	client_destroy(cat->client);
	free(cat);
}

static void on_cat_done(void *data, const struct job_result *result)
{
	struct cat *cat = data;

	cat->job = NULL;
	if (result->code)
		client_fail(cat->client, 1, result->why);
	else
		client_exit(cat->client, 0);
	cat_free(cat);
}

static const struct job_ops cat_ops = { .on_done = on_cat_done };

static void on_cat_fds(void *data, int *fds, size_t count)
{
	struct cat *cat = data;
	struct wr *w;

	if (count != 1 || cat->job) {
		client_fail(cat->client, 1, "one descriptor to write to is needed");
		return;
	}
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_CAT, 0);
	wr_str(w, cat->path);
	wr_u16(w, cat->g.layer_count);
	for (uint16_t i = 0; i < cat->g.layer_count; i++)
		wr_u64(w, cat->g.layers[i]);
	cat->job = job_start(cat->broker, w, fds[0], &cat_ops, cat);
	free(w);
}

static void on_cat_signal(void *data, uint32_t signo)
{
	(void)data;
	(void)signo;
}

static void on_cat_gone(void *data)
{
	struct cat *cat = data;

	cat->client = NULL;
	cat_free(cat);
}

static const struct client_ops cat_client_ops = {
	.on_fds = on_cat_fds,
	.on_signal = on_cat_signal,
	.on_gone = on_cat_gone,
};

static void on_cat_upgraded(void *data, int fd)
{
	struct cat *cat = data;

	if (fd >= 0)
		cat->client = client_create(cat->broker, fd, &cat_client_ops, cat);
	if (!cat->client)
		cat_free(cat);
}

SERVICE_METHOD(service_cat)
{
	struct broker *broker = data;
	struct app_record app = { 0 };
	uint32_t number = service_number(params, "generation");
	struct cat *cat;
	struct err err = { 0 };
	struct store_txn *txn;
	bool named;
	int found;

	if (service_wait_settled(data, call, params, service_cat))
		return;
	if (service_get_app(broker, call, service_str(params, "app"), &app) != 1)
		return;
	cat = xcalloc(1, sizeof(*cat));
	cat->broker = broker;
	txn = store_begin(broker->store, false, &err);
	found = txn ? store_generation_get(txn, app.id, number ? number : app.head, &cat->g, &err) : -1;
	named = clean_path(service_str(params, "path"), cat->path, sizeof(cat->path)) != NULL;
	if (found == 1 && named && vault_may_have(broker, cat->path) &&
	    vault_find(broker, txn, &cat->g, cat->path, sizeof(cat->path), &err) < 0)
		found = -1;
	store_abort(txn);
	if (found == 1 && named) {
		varlink_upgrade(call, NULL, on_cat_upgraded, cat);
	} else {
		if (found < 0)
			service_fail(call, &err);
		else
			service_bad_input(call, found ? "no path was named" : "there is no such generation",
					  "cowbell versions APP");
		free(cat);
	}
	app_record_finish(&app);
}
