/* SPDX-License-Identifier: MIT
 *
 * Versions of files. Key: app, path id, generation, so that the states of one
 * path lie side by side.
 */
#include "store/db.h"

#include <errno.h>
#include <string.h>

static int check_version(const struct version_record *v, struct err *err)
{
	if (strlen(v->target) < PATH_SIZE)
		return 0;
	return err_set(err, ENAMETOOLONG, "store a version of '%.200s': its target has more than %u bytes", v->path,
		       PATH_SIZE - 1);
}

int store_version_put(struct store_txn *txn, const char *app, const struct version_record *v, struct err *err)
{
	struct wr *w;
	struct key key;
	uint32_t id;

	if (check_version(v, err) < 0 || path_find(txn, app, v->path, true, &id, err) < 0 ||
	    space_for_version(txn, strlen(v->target) + 256, err) < 0)
		return -1;
	key_init(&key);
	key_text(&key, app);
	key_u32(&key, id);
	key_u32(&key, v->generation);
	w = db_record(txn);
	wr_u8(w, (uint8_t)v->kind);
	wr_str(w, v->target);
	wr_u64(w, v->size);
	wr_u64(w, v->mtime_ns);
	wr_u32(w, v->mode);
	wr_u32(w, v->uid);
	wr_u32(w, v->gid);
	wr_bytes(w, v->hash, sizeof(v->hash));
	return db_put(txn, DB_VERSIONS, &key, w, err);
}

struct version_walk {
	struct store_txn *txn;
	const char *app;
	size_t app_len;
	uint32_t id; /* whose text stands in buf */
	char *path;
	char buf[PATH_SIZE * 2];
	char target[PATH_SIZE];
	int (*fn)(void *data, const struct version_record *v);
	void *data;
};

static int visit(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct version_walk *walk = data;
	struct version_record v = { 0 };
	uint32_t id;
	uint8_t kind;

	if (!body || key_len != walk->app_len + 8)
		return 0;
	id = be32(key + walk->app_len);
	if (id != walk->id || !walk->path) {
		walk->path = path_text(walk->txn, walk->app, id, walk->buf, sizeof(walk->buf));
		walk->id = id;
	}
	if (!walk->path)
		return 0;
	v.generation = be32(key + walk->app_len + 4);
	kind = rd_u8(body);
	rd_str(body, walk->target, sizeof(walk->target));
	v.size = rd_u64(body);
	v.mtime_ns = rd_u64(body);
	v.mode = rd_u32(body);
	v.uid = rd_u32(body);
	v.gid = rd_u32(body);
	rd_bytes(body, v.hash, sizeof(v.hash));
	if (!rd_end(body) || kind > ENTRY_MOVED) {
		db_count_broken(walk->txn);
		return 0;
	}
	v.kind = (enum entry_kind)kind;
	v.path = walk->path;
	v.target = walk->target;
	return walk->fn(walk->data, &v);
}

int store_version_each(struct store_txn *txn, const char *app, const char *path,
		       int (*fn)(void *data, const struct version_record *v), void *data, struct err *err)
{
	struct version_walk *walk = xcalloc(1, sizeof(*walk));
	struct key prefix;
	uint32_t id = 0;
	int rc = 1;

	walk->txn = txn;
	walk->app = app;
	walk->app_len = strlen(app) + 1;
	walk->fn = fn;
	walk->data = data;
	key_init(&prefix);
	key_text(&prefix, app);
	if (path) {
		rc = path_find(txn, app, path, false, &id, err);
		key_u32(&prefix, id);
	}
	if (rc == 1)
		rc = db_each(txn, DB_VERSIONS, &prefix, visit, walk, err);
	free(walk);
	return rc;
}

/* --- forgetting a generation --- */

struct forgotten {
	uint32_t generation;
	size_t app_len;
	uint32_t *ids;
	size_t count, room;
};

static enum pick pick_generation(void *data, const uint8_t *key, size_t key_len)
{
	struct forgotten *f = data;

	if (key_len != f->app_len + 8 || be32(key + f->app_len + 4) != f->generation)
		return PICK_KEEP;
	if (f->count == f->room) {
		f->room = f->room ? f->room * 2 : 64;
		f->ids = xrealloc(f->ids, f->room * sizeof(*f->ids));
	}
	f->ids[f->count++] = be32(key + f->app_len);
	return PICK_DELETE;
}

int version_forget(struct store_txn *txn, const char *app, uint32_t generation, struct err *err)
{
	struct forgotten f = { .generation = generation, .app_len = strlen(app) + 1 };
	struct key prefix;
	int rc;

	key_init(&prefix);
	key_text(&prefix, app);
	rc = db_delete_some(txn, DB_VERSIONS, &prefix, pick_generation, &f, err);
	for (size_t i = 0; i < f.count && rc == 0; i++)
		rc = path_drop_unused(txn, app, f.ids[i], err);
	free(f.ids);
	return rc;
}
