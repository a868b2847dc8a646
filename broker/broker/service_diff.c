/* SPDX-License-Identifier: MIT
 *
 * What two states of an app differ in, from the versions that each is made of.
 */
#include "broker/ancestry.h"
#include "broker/service.h"
#include "broker/vault_path.h"
#include "varlink/server.h"

#include <errno.h>
#include <string.h>

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
	struct ancestry sets[2]; /* before, after */
	struct state_entry *entries;
	size_t count, room;
};

/* Versions come path by path, so the entry to fill is the last one or a new one. */
static int add_state(void *data, const struct version_record *v)
{
	struct diff_walk *walk = data;
	struct state_entry *e;

	if (!ancestry_has(&walk->sets[0], v->generation) && !ancestry_has(&walk->sets[1], v->generation))
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
		if (!ancestry_has(&walk->sets[side], v->generation) || (e->in[side] && e->best[side] > v->generation))
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

/* The change as the interface has it; NULL: there is none to show. */
static json_t *change_json(const struct broker *broker, const struct state_entry *e)
{
	const char *change = change_of(e);
	int side = e->in[1] && e->kind[1] != ENTRY_DELETED ? 1 : 0;
	char stood_for[PATH_SIZE];
	enum vault_kind vault = vault_path(broker, e->path, stood_for, sizeof(stood_for));
	const char *path = vault == VAULT_NONE ? e->path : stood_for;

	if (!change || vault == VAULT_FRAME)
		return NULL;
	return json_pack("{s:o, s:s, s:s, s:s, s:o, s:I, s:I}", "path", service_json_path(path), "inside",
			 vault_name(vault), "change", change, "kind", service_entry_name(e->kind[side]), "from",
			 service_json_path(strcmp(change, "moved") == 0 ? e->target : ""), "size_before",
			 (json_int_t)e->size[0], "size_after", (json_int_t)e->size[1]);
}

/* Takes walk apart. */
static json_t *diff_json(const struct broker *broker, struct diff_walk *walk, bool *ret_cut)
{
	json_t *array = json_array();

	*ret_cut = false;
	for (size_t i = 0; i < walk->count; i++) {
		struct state_entry *e = &walk->entries[i];
		json_t *change = *ret_cut ? NULL : change_json(broker, e);

		if (change && json_array_size(array) == SERVICE_VERSIONS_MAX) {
			*ret_cut = true;
			json_decref(change);
		} else if (change) {
			json_array_append_new(array, change);
		}
		free(e->path);
		free(e->target);
	}
	free(walk->entries);
	for (int side = 0; side < 2; side++)
		ancestry_finish(&walk->sets[side]);
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
	struct diff_walk walk = { 0 };
	struct err err = { 0 };
	struct store_txn *txn;
	json_t *changes;
	bool cut;

	if (service_wait_settled(data, call, params, service_diff))
		return;
	if (service_get_app(broker, call, service_str(params, "app"), &app) != 1)
		return;
	txn = store_begin(broker->store, false, &err);
	if (!txn || diff_ends(txn, &app, &from, &to, &err) < 0 ||
	    ancestry_of(txn, app.id, from, &walk.sets[0], &err) < 0 ||
	    ancestry_of(txn, app.id, to, &walk.sets[1], &err) < 0 ||
	    store_version_each(txn, app.id, NULL, add_state, &walk, &err) < 0) {
		json_decref(diff_json(broker, &walk, &cut));
		service_fail(call, &err);
	} else {
		changes = diff_json(broker, &walk, &cut);
		varlink_reply(call, json_pack("{s:o, s:I, s:I, s:b}", "changes", changes, "from", (json_int_t)from,
					      "to", (json_int_t)to, "cut", cut));
	}
	store_abort(txn);
	app_record_finish(&app);
}
