/* SPDX-License-Identifier: MIT
 *
 * Generation records. Key: app, number.
 */
#include "store/db.h"

#include <errno.h>
#include <string.h>

const char *generation_kind_name(enum generation_kind kind)
{
	switch (kind) {
	case GENERATION_INSTALL:
		return "install";
	case GENERATION_RUN:
		return "run";
	case GENERATION_UNCLEAN:
		return "unclean";
	case GENERATION_ROLLBACK:
		return "rollback";
	case GENERATION_RESET:
		return "reset";
	case GENERATION_REBUILT:
		return "rebuilt";
	case GENERATION_SNAPSHOT:
		return "snapshot";
	}
	return "run";
}

static void generation_key(struct key *key, const char *app, uint32_t number)
{
	key_init(key);
	key_text(key, app);
	key_u32(key, number);
}

static void encode(struct wr *w, const struct generation_record *g)
{
	wr_u32(w, g->parent);
	wr_u8(w, (uint8_t)g->kind);
	wr_u64(w, g->wall_ms);
	wr_u8(w, g->pinned);
	wr_u64(w, g->doomed_powered_ms);
	wr_str(w, g->label);
	wr_u32(w, g->of);
	wr_u64(w, g->entries);
	wr_u64(w, g->bytes);
	wr_bytes(w, g->root_hash, sizeof(g->root_hash));
	wr_bytes(w, g->base_hash, sizeof(g->base_hash));
	wr_u16(w, g->layer_count);
	for (uint16_t i = 0; i < g->layer_count; i++)
		wr_u64(w, g->layers[i]);
	wr_u64(w, g->own_layer);
	wr_u64(w, g->kept_bytes);
	wr_u64(w, g->kept_in);
}

static bool decode(struct rd *r, struct generation_record *g)
{
	uint8_t kind;

	g->parent = rd_u32(r);
	kind = rd_u8(r);
	g->wall_ms = rd_u64(r);
	g->pinned = rd_u8(r) != 0;
	g->doomed_powered_ms = rd_u64(r);
	rd_str(r, g->label, sizeof(g->label));
	g->of = rd_u32(r);
	g->entries = rd_u64(r);
	g->bytes = rd_u64(r);
	rd_bytes(r, g->root_hash, sizeof(g->root_hash));
	rd_bytes(r, g->base_hash, sizeof(g->base_hash));
	g->layer_count = rd_u16(r);
	if (g->layer_count > LAYERS_MAX || kind > GENERATION_REBUILT)
		return false;
	g->kind = (enum generation_kind)kind;
	for (uint16_t i = 0; i < g->layer_count; i++)
		g->layers[i] = rd_u64(r);
	g->own_layer = rd_u64(r);
	if (rd_end(r)) /* as written before packages were counted */
		return true;
	g->kept_bytes = rd_u64(r);
	g->kept_in = rd_u64(r);
	return rd_end(r);
}

static bool split_key(const uint8_t *key, size_t len, struct generation_record *g)
{
	size_t n = strnlen((const char *)key, len);

	if (n == len || n >= sizeof(g->app) || len != n + 5)
		return false;
	memcpy(g->app, key, n + 1);
	g->number = be32(key + n + 1);
	return true;
}

int store_generation_get(struct store_txn *txn, const char *app, uint32_t number, struct generation_record *ret,
			 struct err *err)
{
	struct key key;
	struct rd body;
	int rc;

	memset(ret, 0, sizeof(*ret));
	generation_key(&key, app, number);
	rc = db_get(txn, DB_GENERATIONS, &key, &body, NULL, err);
	if (rc != 1)
		return rc;
	if (decode(&body, ret) && split_key(key.buf, key.len, ret))
		return 1;
	db_count_broken(txn);
	memset(ret, 0, sizeof(*ret));
	return 0;
}

int store_generation_put(struct store_txn *txn, const struct generation_record *g, struct err *err)
{
	struct wr *w = db_record(txn);
	struct key key;

	if (g->layer_count > LAYERS_MAX) {
		return err_set(err, EINVAL, "store generation %u of '%s': %u layers are more than %u", g->number, g->app,
			       g->layer_count, LAYERS_MAX);
	}
	generation_key(&key, g->app, g->number);
	encode(w, g);
	return db_put(txn, DB_GENERATIONS, &key, w, err);
}

int store_generation_delete(struct store_txn *txn, const char *app, uint32_t number, struct err *err)
{
	struct key key;

	if (version_forget(txn, app, number, err) < 0 || grants_then_forget(txn, app, number, err) < 0)
		return -1;
	generation_key(&key, app, number);
	return db_delete(txn, DB_GENERATIONS, &key, err) < 0 ? -1 : 0;
}

struct generation_walk {
	struct store_txn *txn;
	int (*fn)(void *data, const struct generation_record *g);
	void *data;
};

static int visit(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct generation_walk *walk = data;
	struct generation_record g = { 0 };

	if (!body)
		return 0;
	if (!split_key(key, key_len, &g) || !decode(body, &g)) {
		db_count_broken(walk->txn);
		return 0;
	}
	return walk->fn(walk->data, &g);
}

int store_generation_each(struct store_txn *txn, const char *app,
			  int (*fn)(void *data, const struct generation_record *g), void *data, struct err *err)
{
	struct generation_walk walk = { txn, fn, data };
	struct key prefix;

	key_init(&prefix);
	if (app)
		key_text(&prefix, app);
	return db_each(txn, DB_GENERATIONS, &prefix, visit, &walk, err);
}
