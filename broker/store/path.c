/* SPDX-License-Identifier: MIT
 *
 * Paths of versions, as chains of numbered names, so that a deep tree does not
 * repeat its prefixes a million times. An id is used again only when nothing
 * names it any more. In the paths database:
 *   app, parent (u32), name        -> id
 *   app, 0xffffffff, id            -> parent, name
 */
#include "store/db.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define BY_ID 0xffffffffu
#define LAST_ID 0xfffffffdu
#define DEPTH_LIMIT 2048u

static void name_key(struct key *key, const char *app, uint32_t parent, const char *name, size_t n)
{
	key_init(key);
	key_text(key, app);
	key_u32(key, parent);
	key_bytes(key, name, n);
	key_bytes(key, "", 1);
}

static void id_key(struct key *key, const char *app, uint32_t id)
{
	key_init(key);
	key_text(key, app);
	key_u32(key, BY_ID);
	key_u32(key, id);
}

/* The next id is read off the keys: a counter of its own could break, and then
 * the states of two files would run together. */
static int give_id(struct store_txn *txn, const char *app, uint32_t *ret, struct err *err)
{
	struct key key;
	uint64_t last = 0;

	key_init(&key);
	key_text(&key, app);
	key_u32(&key, BY_ID);
	if (db_last(txn, DB_PATHS, &key, 4, &last, err) < 0)
		return -1;
	if (last >= LAST_ID)
		return err_set(err, EOVERFLOW, "store a version of '%s': it has too many paths", app);
	*ret = (uint32_t)last + 1;
	return 0;
}

static int add_name(struct store_txn *txn, const char *app, uint32_t parent, const char *name, size_t n,
		    uint32_t *ret, struct err *err)
{
	char text[NAME_MAX + 1];
	struct key key;
	struct wr *w;

	if (give_id(txn, app, ret, err) < 0 || space_for_version(txn, 2 * n + 256, err) < 0)
		return -1;
	w = db_record(txn);
	wr_u32(w, *ret);
	name_key(&key, app, parent, name, n);
	if (db_put(txn, DB_PATHS, &key, w, err) < 0)
		return -1;
	memcpy(text, name, n);
	text[n] = '\0';
	w = db_record(txn);
	wr_u32(w, parent);
	wr_str(w, text);
	id_key(&key, app, *ret);
	return db_put(txn, DB_PATHS, &key, w, err);
}

static int check_name(const char *name, size_t n, struct err *err)
{
	if (n > 0 && n <= NAME_MAX && !(n == 1 && name[0] == '.') && !(n == 2 && memcmp(name, "..", 2) == 0))
		return 0;
	if (n > NAME_MAX)
		return err_set(err, ENAMETOOLONG, "path with a name of %zu bytes: more than %d", n, NAME_MAX);
	return err_set(err, EINVAL, "path with a name '%.*s': not one that a file can have", (int)n, name);
}

int path_find(struct store_txn *txn, const char *app, const char *path, bool make, uint32_t *ret, struct err *err)
{
	uint32_t id = 0;

	if (strlen(path) >= PATH_SIZE)
		return err_set(err, ENAMETOOLONG, "path of %zu bytes: more than %u", strlen(path), PATH_SIZE - 1);
	while (*path) {
		size_t n = strcspn(path, "/");
		struct key key;
		struct rd body;
		int rc;

		if (check_name(path, n, err) < 0)
			return -1;
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

/* 1 with parent and name, 0 when there is no good record, -1. */
static int get_name(struct store_txn *txn, const char *app, uint32_t id, uint32_t *ret_parent, char *name,
		    struct err *err)
{
	struct key key;
	struct rd body;
	int rc;

	id_key(&key, app, id);
	rc = db_get(txn, DB_PATHS, &key, &body, NULL, err);
	if (rc != 1)
		return rc;
	*ret_parent = rd_u32(&body);
	rd_str(&body, name, NAME_MAX + 1);
	if (rd_end(&body))
		return 1;
	db_count_broken(txn);
	return 0;
}

char *path_text(struct store_txn *txn, const char *app, uint32_t id, char *buf, size_t size)
{
	char name[NAME_MAX + 1], *p = buf + size - 1;

	*p = '\0';
	for (unsigned int depth = 0; id; depth++) {
		size_t n;

		if (depth == DEPTH_LIMIT || get_name(txn, app, id, &id, name, NULL) != 1)
			return NULL;
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

/* 1 when a version or a child stands on the path, 0, -1. */
static int is_used(struct store_txn *txn, const char *app, uint32_t id, struct err *err)
{
	struct key key;
	int rc;

	key_init(&key);
	key_text(&key, app);
	key_u32(&key, id);
	rc = db_any(txn, DB_VERSIONS, &key, err);
	return rc ? rc : db_any(txn, DB_PATHS, &key, err);
}

int path_drop_unused(struct store_txn *txn, const char *app, uint32_t id, struct err *err)
{
	char name[NAME_MAX + 1];

	while (id) {
		uint32_t parent;
		struct key key;
		int rc = is_used(txn, app, id, err);

		if (rc)
			return rc < 0 ? -1 : 0;
		rc = get_name(txn, app, id, &parent, name, err);
		/* A broken one stays: its id must not be given to another path. */
		if (rc != 1)
			return rc;
		name_key(&key, app, parent, name, strlen(name));
		if (db_delete(txn, DB_PATHS, &key, err) < 0)
			return -1;
		id_key(&key, app, id);
		if (db_delete(txn, DB_PATHS, &key, err) < 0)
			return -1;
		id = parent;
	}
	return 0;
}
