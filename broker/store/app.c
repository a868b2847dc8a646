/* SPDX-License-Identifier: MIT
 *
 * App records, and what happens to everything of an app at once.
 */
#include "store/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void app_key(struct key *key, const char *id)
{
	key_init(key);
	key_text(key, id);
}

static void encode(struct wr *w, const struct app_record *a)
{
	wr_u8(w, (uint8_t)a->state);
	wr_u32(w, a->base);
	wr_u64(w, a->live);
	wr_u8(w, a->in_session);
	wr_u32(w, a->head);
	wr_u32(w, a->install);
	wr_u32(w, a->next_generation);
	wr_str(w, a->title);
	wr_str(w, a->version);
	wr_str(w, a->source);
	wr_str(w, a->kind);
	wr_str(w, a->summary);
	wr_u64(w, a->installed_wall_ms);
	wr_u16(w, a->command_count);
	for (uint16_t i = 0; i < a->command_count; i++)
		wr_str(w, a->commands[i]);
}

static bool decode(struct rd *r, struct app_record *a)
{
	uint8_t state = rd_u8(r);

	a->state = state <= APP_REMOVING ? (enum app_state)state : APP_BROKEN;
	a->base = rd_u32(r);
	a->live = rd_u64(r);
	a->in_session = rd_u8(r) != 0;
	a->head = rd_u32(r);
	a->install = rd_u32(r);
	a->next_generation = rd_u32(r);
	rd_str(r, a->title, sizeof(a->title));
	rd_str(r, a->version, sizeof(a->version));
	rd_str(r, a->source, sizeof(a->source));
	rd_str(r, a->kind, sizeof(a->kind));
	rd_str(r, a->summary, sizeof(a->summary));
	a->installed_wall_ms = rd_u64(r);
	a->command_count = rd_u16(r);
	if (a->command_count > APP_COMMANDS_MAX) {
		a->command_count = 0;
		return false;
	}
	for (uint16_t i = 0; i < a->command_count; i++)
		a->commands[i] = rd_dup(r, PATH_SIZE);
	return rd_end(r);
}

void app_record_finish(struct app_record *app)
{
	for (uint16_t i = 0; i < app->command_count; i++)
		free(app->commands[i]);
	app->command_count = 0;
}

static void read_app(const char *id, struct rd *body, struct app_record *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!body || !decode(body, ret)) {
		app_record_finish(ret);
		memset(ret, 0, sizeof(*ret)); /* APP_BROKEN */
	}
	(void)snprintf(ret->id, sizeof(ret->id), "%s", id);
}

int store_app_get(struct store_txn *txn, const char *id, struct app_record *ret, struct err *err)
{
	struct key key;
	struct rd body;
	bool broken;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (strlen(id) >= APP_ID_SIZE)
		return 0;
	app_key(&key, id);
	rc = db_get(txn, DB_APPS, &key, &body, &broken, err);
	if (rc < 0 || (rc == 0 && !broken))
		return rc;
	read_app(id, broken ? NULL : &body, ret);
	return 1;
}

int store_app_put(struct store_txn *txn, const struct app_record *app, struct err *err)
{
	struct wr *w = xcalloc(1, sizeof(*w));
	struct key key;
	int rc;

	app_key(&key, app->id);
	encode(w, app);
	rc = db_put(txn, DB_APPS, &key, w, err);
	free(w);
	return rc;
}

struct app_walk {
	int (*fn)(void *data, const struct app_record *app);
	void *data;
};

static int visit(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct app_walk *walk = data;
	struct app_record *app;
	int rc;

	if (key_len < 2 || key_len > APP_ID_SIZE || key[key_len - 1] != '\0')
		return 0;
	app = xcalloc(1, sizeof(*app));
	read_app((const char *)key, body, app);
	rc = walk->fn(walk->data, app);
	app_record_finish(app);
	free(app);
	return rc;
}

int store_app_each(struct store_txn *txn, int (*fn)(void *data, const struct app_record *app), void *data,
		   struct err *err)
{
	struct app_walk walk = { fn, data };
	struct key all;

	key_init(&all);
	return db_each(txn, DB_APPS, &all, NULL, visit, &walk, err);
}

static const enum db of_app[] = { DB_GRANTS, DB_GENERATIONS, DB_PATHS, DB_VERSIONS, DB_JOURNAL };

int store_app_delete(struct store_txn *txn, const char *id, struct err *err)
{
	struct key key;

	app_key(&key, id);
	for (size_t i = 0; i < ARRAY_LEN(of_app); i++) {
		if (db_delete_prefix(txn, of_app[i], &key, err) < 0)
			return -1;
	}
	return db_delete(txn, DB_APPS, &key, err) < 0 ? -1 : 0;
}

/* --- renaming --- */

struct moved {
	struct moved *next;
	struct key key; /* the new one */
	size_t len;
	uint8_t body[];
};

struct move_walk {
	const char *to;
	size_t from_len;
	struct moved *list;
};

static int collect(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct move_walk *walk = data;
	struct moved *m;
	size_t n = body ? (size_t)(body->end - body->p) : 0;

	if (!body)
		return 0;
	m = xcalloc(1, sizeof(*m) + n);
	key_init(&m->key);
	key_text(&m->key, walk->to);
	if (m->key.len + key_len - walk->from_len > KEY_MAX) {
		free(m);
		return 0;
	}
	memcpy(m->key.buf + m->key.len, key + walk->from_len, key_len - walk->from_len);
	m->key.len += key_len - walk->from_len;
	m->len = n;
	memcpy(m->body, body->p, n);
	m->next = walk->list;
	walk->list = m;
	return 0;
}

static int move_db(struct store_txn *txn, enum db db, const char *from, const char *to, struct err *err)
{
	struct move_walk walk = { .to = to, .from_len = strlen(from) + 1 };
	struct wr *w = xcalloc(1, sizeof(*w));
	struct key prefix;
	int rc;

	app_key(&prefix, from);
	rc = db_each(txn, db, &prefix, NULL, collect, &walk, err);
	if (rc == 0)
		rc = db_delete_prefix(txn, db, &prefix, err);
	while (walk.list) {
		struct moved *m = walk.list;

		walk.list = m->next;
		wr_init(w);
		wr_bytes(w, m->body, m->len);
		if (rc == 0)
			rc = db_put(txn, db, &m->key, w, err);
		free(m);
	}
	free(w);
	return rc;
}

int store_app_rename(struct store_txn *txn, const char *from, const char *to, struct err *err)
{
	struct app_record app;
	int found = store_app_get(txn, to, &app, err);

	app_record_finish(&app);
	if (found < 0)
		return -1;
	if (found)
		return err_set(err, EEXIST, "app '%s' is installed already", to);
	for (size_t i = 0; i < ARRAY_LEN(of_app); i++) {
		if (move_db(txn, of_app[i], from, to, err) < 0)
			return -1;
	}
	return move_db(txn, DB_APPS, from, to, err);
}
