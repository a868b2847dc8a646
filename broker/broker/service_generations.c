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

#define VERSIONS_MAX 20000u /* in one reply, which must stay bounded */

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

static const char *const entry_names[] = {
	[ENTRY_DELETED] = "deleted", [ENTRY_FILE] = "file",     [ENTRY_DIR] = "directory",
	[ENTRY_SYMLINK] = "symlink", [ENTRY_FIFO] = "fifo",     [ENTRY_SOCKET] = "socket",
	[ENTRY_REPLACED] = "directory", [ENTRY_MOVED] = "directory",
};

static json_t *json_text(const char *s)
{
	char shown[PATH_SIZE * 2];

	text_escape(s, strlen(s), shown, sizeof(shown));
	return json_string(shown);
}

struct versions_walk {
	json_t *array;
	uint64_t since_ms;
	const bool *known; /* generation numbers that have a record */
	uint32_t known_size;
	struct store_txn *txn;
	const char *app;
	uint64_t *times;
	const struct broker *broker;
	const char *path; /* of a folder that gates stand for: only this one */
};

static int add_version(void *data, const struct version_record *v)
{
	struct versions_walk *walk = data;
	char hash[2 * HASH_SIZE + 1], stood_for[PATH_SIZE];
	enum vault_kind vault = vault_path(walk->broker, v->path, stood_for, sizeof(stood_for));
	const char *path = vault == VAULT_NONE ? v->path : stood_for;

	if (vault == VAULT_FRAME || (walk->path && (vault == VAULT_NONE || strcmp(path, walk->path) != 0)))
		return 0;
	if (v->generation >= walk->known_size || !walk->known[v->generation] ||
	    walk->times[v->generation] < walk->since_ms)
		return 0;
	for (size_t i = 0; i < HASH_SIZE; i++)
		(void)snprintf(hash + 2 * i, 3, "%02x", v->hash[i]);
	json_array_append_new(walk->array,
			      json_pack("{s:o, s:s, s:I, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:s}", "path", json_text(path),
					"inside", vault_name(vault),
					"generation", (json_int_t)v->generation, "kind", entry_names[v->kind], "target",
					json_text(v->target), "size", (json_int_t)v->size, "mode", (json_int_t)v->mode,
					"uid", (json_int_t)v->uid, "gid", (json_int_t)v->gid, "mtime",
					(json_int_t)(v->mtime_ns / 1000000), "hash", v->kind == ENTRY_FILE ? hash : ""));
	return json_array_size(walk->array) >= VERSIONS_MAX;
}

struct known_walk {
	bool known[65536];
	uint64_t times[65536];
};

static int add_known(void *data, const struct generation_record *g)
{
	struct known_walk *walk = data;

	if (g->number < ARRAY_LEN(walk->known)) {
		walk->known[g->number] = true;
		walk->times[g->number] = g->wall_ms;
	}
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
	struct known_walk *known;
	struct err err = { 0 };
	struct store_txn *txn;

	if (service_wait_settled(data, call, params, service_versions))
		return;
	if (service_get_app(broker, call, app, NULL) != 1)
		return;
	known = xcalloc(1, sizeof(*known));
	walk.array = json_array();
	walk.known = known->known;
	walk.times = known->times;
	walk.known_size = ARRAY_LEN(known->known);
	one = clean_path(service_str(params, "path"), path, sizeof(path));
	txn = store_begin(broker->store, false, &err);
	if (!txn || store_generation_each(txn, app, add_known, known, &err) < 0 ||
	    store_version_each(txn, app, one, add_version, &walk, &err) < 0 ||
	    (one && vault_may_have(broker, one) && (walk.path = one) &&
	     store_version_each(txn, app, NULL, add_version, &walk, &err) < 0)) {
		json_decref(walk.array);
		service_fail(call, &err);
	} else {
		varlink_reply(call, json_pack("{s:o}", "versions", walk.array));
	}
	store_abort(txn);
	free(known);
}

/* --- diff --- */

struct state_entry {
	char *path;
	enum entry_kind kind[2]; /* before, after */
	bool in[2];
	uint64_t size[2];
	uint8_t hash[2][HASH_SIZE];
	uint32_t mode[2];
	uint32_t best[2]; /* generation that said so */
	char *target;
};

struct diff_walk {
	bool sets[2][65536];
	struct state_entry *entries;
	size_t count, room;
};

/* Versions come path by path, so the entry to fill is the last one or a new one. */
static int add_state(void *data, const struct version_record *v)
{
	struct diff_walk *walk = data;
	struct state_entry *e;

	if (v->generation >= 65536 || (!walk->sets[0][v->generation] && !walk->sets[1][v->generation]))
		return 0;
	if (!walk->count || strcmp(walk->entries[walk->count - 1].path, v->path) != 0) {
		if (walk->count == walk->room) {
			walk->room = walk->room ? walk->room * 2 : 256;
			walk->entries = xrealloc(walk->entries, walk->room * sizeof(*walk->entries));
		}
		e = &walk->entries[walk->count++];
		memset(e, 0, sizeof(*e));
		e->path = xstrdup(v->path);
		e->target = xstrdup(v->target);
	}
	e = &walk->entries[walk->count - 1];
	for (int side = 0; side < 2; side++) {
		if (!walk->sets[side][v->generation] || (e->in[side] && e->best[side] > v->generation))
			continue;
		e->in[side] = true;
		e->kind[side] = v->kind;
		e->size[side] = v->size;
		e->mode[side] = v->mode;
		e->best[side] = v->generation;
		memcpy(e->hash[side], v->hash, HASH_SIZE);
	}
	return 0;
}

static const char *change_of(const struct state_entry *e)
{
	bool was = e->in[0] && e->kind[0] != ENTRY_DELETED, is = e->in[1] && e->kind[1] != ENTRY_DELETED;

	if (e->in[0] && e->in[1] && e->best[0] == e->best[1])
		return NULL;
	if (e->in[1] && e->kind[1] == ENTRY_MOVED && !(e->in[0] && e->kind[0] == ENTRY_MOVED))
		return "moved";
	if (was && is) {
		bool same = e->kind[0] == e->kind[1] && e->size[0] == e->size[1] && e->mode[0] == e->mode[1] &&
			    memcmp(e->hash[0], e->hash[1], HASH_SIZE) == 0;

		return same ? NULL : "changed";
	}
	if (is)
		return "added";
	if (was || (e->in[1] && !e->in[0]))
		return "deleted";
	return NULL;
}

static json_t *diff_json(const struct broker *broker, struct diff_walk *walk)
{
	json_t *array = json_array();

	for (size_t i = 0; i < walk->count; i++) {
		struct state_entry *e = &walk->entries[i];
		const char *change = change_of(e);
		int side = e->in[1] && e->kind[1] != ENTRY_DELETED ? 1 : 0;
		char stood_for[PATH_SIZE];
		enum vault_kind vault = vault_path(broker, e->path, stood_for, sizeof(stood_for));
		const char *path = vault == VAULT_NONE ? e->path : stood_for;

		if (change && vault != VAULT_FRAME && json_array_size(array) < VERSIONS_MAX)
			json_array_append_new(array, json_pack("{s:o, s:s, s:s, s:s, s:o, s:I, s:I}", "path",
							       json_text(path), "inside", vault_name(vault), "change", change, "kind",
							       entry_names[e->kind[side]], "from",
							       json_text(strcmp(change, "moved") == 0 ? e->target : ""),
							       "size_before", (json_int_t)e->size[0], "size_after",
							       (json_int_t)e->size[1]));
		free(e->path);
		free(e->target);
	}
	free(walk->entries);
	return array;
}

/* Defaults: from the generation before the head to the head. */
static int diff_ends(struct store_txn *txn, const struct app_record *app, uint32_t *from, uint32_t *to, struct err *err)
{
	struct generation_record g;
	int found;

	if (!*to)
		*to = app->head;
	found = store_generation_get(txn, app->id, *to, &g, err);
	if (found != 1)
		return found < 0 ? -1 : err_set(err, EINVAL, "'%s' has no generation %u", app->id, *to);
	if (!*from) {
		*from = g.parent;
		return 0;
	}
	found = store_generation_get(txn, app->id, *from, &g, err);
	if (found == 0)
		return err_set(err, EINVAL, "'%s' has no generation %u", app->id, *from);
	return found < 0 ? -1 : 0;
}

SERVICE_METHOD(service_diff)
{
	struct broker *broker = data;
	uint32_t from = service_number(params, "from"), to = service_number(params, "to");
	struct app_record app = { 0 };
	struct diff_walk *walk;
	struct err err = { 0 };
	struct store_txn *txn;
	json_t *changes;

	if (service_wait_settled(data, call, params, service_diff))
		return;
	if (service_get_app(broker, call, service_str(params, "app"), &app) != 1)
		return;
	walk = xcalloc(1, sizeof(*walk));
	txn = store_begin(broker->store, false, &err);
	if (!txn || diff_ends(txn, &app, &from, &to, &err) < 0 ||
	    generation_ancestry(txn, app.id, from, walk->sets[0], 65536, &err) < 0 ||
	    generation_ancestry(txn, app.id, to, walk->sets[1], 65536, &err) < 0 ||
	    store_version_each(txn, app.id, NULL, add_state, walk, &err) < 0) {
		json_decref(diff_json(broker, walk));
		service_fail(call, &err);
	} else {
		changes = diff_json(broker, walk);
		varlink_reply(call, json_pack("{s:o, s:I, s:I}", "changes", changes, "from", (json_int_t)from, "to",
					      (json_int_t)to));
	}
	store_abort(txn);
	app_record_finish(&app);
	free(walk);
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
