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
	wr_str(w, a->main);
	wr_str(w, a->package);
	wr_u8(w, a->from_base);
	wr_str(w, a->signer);
	wr_str(w, a->declared);
	wr_u64(w, a->memory_max);
	wr_u32(w, a->pids_max);
	wr_u16(w, a->entry_count);
	for (uint16_t i = 0; i < a->entry_count; i++) {
		wr_str(w, a->entries[i].name);
		wr_str(w, a->entries[i].exec);
		wr_str(w, a->entries[i].icon);
		wr_str(w, a->entries[i].categories);
		wr_u8(w, a->entries[i].terminal);
	}
	wr_str(w, a->says);
}

static bool decode_entries(struct rd *r, struct app_record *a)
{
	uint16_t n = rd_u16(r);

	if (n > APP_ENTRIES_MAX)
		return false;
	a->entries = n ? xcalloc(n, sizeof(*a->entries)) : NULL;
	a->entry_count = n;
	for (uint16_t i = 0; i < n; i++) {
		struct app_entry *e = &a->entries[i];

		rd_str(r, e->name, sizeof(e->name));
		rd_str(r, e->exec, sizeof(e->exec));
		rd_str(r, e->icon, sizeof(e->icon));
		rd_str(r, e->categories, sizeof(e->categories));
		e->terminal = rd_u8(r) != 0;
	}
	return !r->bad;
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
	if (rd_end(r)) /* as written before apps had entries */
		return true;
	rd_str(r, a->main, sizeof(a->main));
	rd_str(r, a->package, sizeof(a->package));
	a->from_base = rd_u8(r) != 0;
	rd_str(r, a->signer, sizeof(a->signer));
	rd_str(r, a->declared, sizeof(a->declared));
	a->memory_max = rd_u64(r);
	a->pids_max = rd_u32(r);
	if (!decode_entries(r, a))
		return false;
	if (!rd_end(r)) /* else as written before apps said why */
		rd_str(r, a->says, sizeof(a->says));
	return rd_end(r);
}

void app_record_finish(struct app_record *app)
{
	for (uint16_t i = 0; i < app->command_count; i++)
		free(app->commands[i]);
	app->command_count = 0;
	free(app->entries);
	app->entries = NULL;
	app->entry_count = 0;
}

/* Of a broken record the range is known all the same: its ids must not come to
 * another app while files of them lie about, and must come back after that. */
static int read_app(struct store_txn *txn, const char *id, struct rd *body, struct app_record *ret, struct err *err)
{
	int rc = 0;

	memset(ret, 0, sizeof(*ret));
	if (!body || !decode(body, ret)) {
		app_record_finish(ret);
		memset(ret, 0, sizeof(*ret)); /* APP_BROKEN */
		if (body)
			db_count_broken(txn);
		rc = range_of_app(txn, id, &ret->base, err);
	}
	(void)snprintf(ret->id, sizeof(ret->id), "%s", id);
	return rc;
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
	return read_app(txn, id, broken ? NULL : &body, ret, err) < 0 ? -1 : 1;
}

int store_app_put(struct store_txn *txn, const struct app_record *app, struct err *err)
{
	struct wr *w = db_record(txn);
	struct key key;

	if (!app->id[0] || app->command_count > APP_COMMANDS_MAX || app->entry_count > APP_ENTRIES_MAX) {
		return err_set(err, EINVAL, "store app '%s': no id, or %u commands are more than %u", app->id,
			       app->command_count, APP_COMMANDS_MAX);
	}
	app_key(&key, app->id);
	encode(w, app);
	return db_put(txn, DB_APPS, &key, w, err);
}

struct app_walk {
	struct store_txn *txn;
	struct err *err;
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
	rc = read_app(walk->txn, (const char *)key, body, app, walk->err);
	if (rc == 0)
		rc = walk->fn(walk->data, app);
	app_record_finish(app);
	free(app);
	return rc;
}

int store_app_each(struct store_txn *txn, int (*fn)(void *data, const struct app_record *app), void *data,
		   struct err *err)
{
	struct app_walk walk = { txn, err, fn, data };
	struct key all;

	key_init(&all);
	return db_each(txn, DB_APPS, &all, visit, &walk, err);
}

static const enum db of_app[] = { DB_GRANTS,  DB_GENERATIONS, DB_PATHS,   DB_VERSIONS,
				  DB_JOURNAL, DB_GRANTS_THEN, DB_TRAFFIC };

struct shrink {
	size_t left;
};

static enum pick pick_some(void *data, const uint8_t *key, size_t key_len)
{
	struct shrink *s = data;

	(void)key;
	(void)key_len;
	if (s->left == 0)
		return PICK_STOP;
	s->left--;
	return PICK_DELETE;
}

int store_app_shrink(struct store_txn *txn, const char *id, size_t most, struct err *err)
{
	/* What comes by the million; paths after what stands on them. */
	static const enum db large[] = { DB_VERSIONS, DB_PATHS };
	struct shrink s = { most };
	struct key key;

	app_key(&key, id);
	for (size_t i = 0; i < ARRAY_LEN(large); i++) {
		if (db_delete_some(txn, large[i], &key, pick_some, &s, err) < 0)
			return -1;
	}
	return s.left == 0;
}

int store_app_delete(struct store_txn *txn, const char *id, struct err *err)
{
	struct key key;

	app_key(&key, id);
	for (size_t i = 0; i < ARRAY_LEN(of_app); i++) {
		if (db_delete_some(txn, of_app[i], &key, NULL, NULL, err) < 0)
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
	size_t n;

	/* A broken record is not worth a new name. */
	if (!body)
		return 0;
	n = (size_t)(body->end - body->p);
	m = xcalloc(1, sizeof(*m) + n);
	key_init(&m->key);
	key_text(&m->key, walk->to);
	key_bytes(&m->key, key + walk->from_len, key_len - walk->from_len);
	m->len = n;
	memcpy(m->body, body->p, n);
	m->next = walk->list;
	walk->list = m;
	return 0;
}

static int move_db(struct store_txn *txn, enum db db, const char *from, const char *to, struct err *err)
{
	struct move_walk walk = { .to = to, .from_len = strlen(from) + 1 };
	struct key prefix;
	int rc;

	app_key(&prefix, from);
	rc = db_each(txn, db, &prefix, collect, &walk, err);
	if (rc == 0)
		rc = db_delete_some(txn, db, &prefix, NULL, NULL, err);
	while (walk.list) {
		struct moved *m = walk.list;
		struct wr *w = db_record(txn);

		walk.list = m->next;
		wr_bytes(w, m->body, m->len);
		if (rc == 0)
			rc = db_put(txn, db, &m->key, w, err);
		free(m);
	}
	return rc;
}

static int check_rename(struct store_txn *txn, const char *from, const char *to, struct err *err)
{
	struct app_record app;
	int found = store_app_get(txn, from, &app, err);
	enum app_state state = app.state;

	app_record_finish(&app);
	if (found < 0)
		return -1;
	if (!found || state == APP_BROKEN)
		return err_set(err, ENOENT, "name app '%s' '%s': it has no good record", from, to);
	if (!to[0] || strlen(to) >= APP_ID_SIZE)
		return err_set(err, EINVAL, "name app '%s': '%.80s' is not an id", from, to);
	found = store_app_get(txn, to, &app, err);
	app_record_finish(&app);
	if (found < 0)
		return -1;
	return found ? err_set(err, EEXIST, "app '%s' is installed already", to) : 0;
}

int store_app_rename(struct store_txn *txn, const char *from, const char *to, struct err *err)
{
	if (check_rename(txn, from, to, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(of_app); i++) {
		if (move_db(txn, of_app[i], from, to, err) < 0)
			return -1;
	}
	if (move_db(txn, DB_APPS, from, to, err) < 0)
		return -1;
	return range_rename(txn, from, to, err);
}
