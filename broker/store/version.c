/* SPDX-License-Identifier: MIT
 *
 * Versions of files. A path is a chain of numbered names, so that a deep tree
 * does not repeat its prefixes a million times. In the paths database:
 *   app, parent (u32), name        -> id
 *   app, 0xffffffff, id            -> parent, name
 *   app, 0xfffffffe                -> last id given
 */
#include "store/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BY_ID 0xffffffffu
#define LAST_ID 0xfffffffeu
#define NAME_BYTES 255u
#define DEPTH_LIMIT 2048u

static void name_key(struct key *key, const char *app, uint32_t parent, const char *name, size_t n)
{
	char text[NAME_BYTES + 1];

	memcpy(text, name, n);
	text[n] = '\0';
	key_init(key);
	key_text(key, app);
	key_u32(key, parent);
	key_text(key, text);
}

static void id_key(struct key *key, const char *app, uint32_t id)
{
	key_init(key);
	key_text(key, app);
	key_u32(key, BY_ID);
	key_u32(key, id);
}

static int give_id(struct store_txn *txn, const char *app, uint32_t *ret, struct err *err)
{
	struct wr *w;
	struct key key;
	struct rd body;
	int rc;

	key_init(&key);
	key_text(&key, app);
	key_u32(&key, LAST_ID);
	rc = db_get(txn, DB_PATHS, &key, &body, NULL, err);
	if (rc < 0)
		return -1;
	*ret = (rc == 1 ? rd_u32(&body) : 0) + 1;
	w = xcalloc(1, sizeof(*w));
	wr_u32(w, *ret);
	rc = db_put(txn, DB_PATHS, &key, w, err);
	free(w);
	return rc;
}

static int add_name(struct store_txn *txn, const char *app, uint32_t parent, const char *name, size_t n,
		    uint32_t *ret, struct err *err)
{
	struct wr *w;
	struct key key;
	char text[NAME_BYTES + 1];
	int rc;

	if (give_id(txn, app, ret, err) < 0)
		return -1;
	w = xcalloc(1, sizeof(*w));
	wr_u32(w, *ret);
	name_key(&key, app, parent, name, n);
	rc = db_put(txn, DB_PATHS, &key, w, err);
	if (rc == 0) {
		memcpy(text, name, n);
		text[n] = '\0';
		wr_init(w);
		wr_u32(w, parent);
		wr_str(w, text);
		id_key(&key, app, *ret);
		rc = db_put(txn, DB_PATHS, &key, w, err);
	}
	free(w);
	return rc;
}

/* The id of a path: 1 found, 0 not there, -1 err. make: it is made. */
static int path_id(struct store_txn *txn, const char *app, const char *path, bool make, uint32_t *ret, struct err *err)
{
	uint32_t id = 0;

	while (*path) {
		size_t n = strcspn(path, "/");
		struct key key;
		struct rd body;
		int rc;

		if (n == 0 || n > NAME_BYTES)
			return err_set(err, EINVAL, "a path in a layer has a name of %zu bytes", n);
		name_key(&key, app, id, path, n);
		rc = db_get(txn, DB_PATHS, &key, &body, NULL, err);
		if (rc < 0 || (rc == 0 && !make))
			return rc;
		if (rc == 1)
			id = rd_u32(&body);
		else if (add_name(txn, app, id, path, n, &id, err) < 0)
			return -1;
		path += n;
		path += *path == '/';
	}
	*ret = id;
	return 1;
}

/* Fills buf from its end; returns the start, NULL when the chain is broken. */
static char *path_text(struct store_txn *txn, const char *app, uint32_t id, char *buf, size_t size)
{
	char *p = buf + size - 1;
	struct err err = { 0 };

	*p = '\0';
	for (unsigned int depth = 0; id; depth++) {
		char name[NAME_BYTES + 1];
		struct key key;
		struct rd body;
		size_t n;

		id_key(&key, app, id);
		if (depth == DEPTH_LIMIT || db_get(txn, DB_PATHS, &key, &body, NULL, &err) != 1)
			return NULL;
		id = rd_u32(&body);
		rd_str(&body, name, sizeof(name));
		n = strlen(name);
		if ((size_t)(p - buf) < n + 1)
			return NULL;
		if (*p)
			*--p = '/';
		p -= n;
		memcpy(p, name, n);
	}
	return p;
}

int store_version_put(struct store_txn *txn, const char *app, const struct version_record *v, struct err *err)
{
	struct wr *w;
	struct key key;
	uint32_t id;
	int rc;

	if (path_id(txn, app, v->path, true, &id, err) < 0)
		return -1;
	key_init(&key);
	key_text(&key, app);
	key_u32(&key, id);
	key_u32(&key, v->generation);
	w = xcalloc(1, sizeof(*w));
	wr_u8(w, (uint8_t)v->kind);
	wr_str(w, v->target);
	wr_u64(w, v->size);
	wr_u64(w, v->mtime_ns);
	wr_u32(w, v->mode);
	wr_u32(w, v->uid);
	wr_u32(w, v->gid);
	wr_bytes(w, v->hash, sizeof(v->hash));
	rc = db_put(txn, DB_VERSIONS, &key, w, err);
	free(w);
	return rc;
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

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

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
	if (!rd_end(body) || kind > ENTRY_MOVED)
		return 0;
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
		rc = path_id(txn, app, path, false, &id, err);
		key_u32(&prefix, id);
	}
	if (rc == 1)
		rc = db_each(txn, DB_VERSIONS, &prefix, NULL, visit, walk, err);
	free(walk);
	return rc;
}
