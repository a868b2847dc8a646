/* SPDX-License-Identifier: MIT
 *
 * Id ranges: free, taken by an app, or waiting to be wiped. Never taken twice,
 * and never those of the host itself.
 */
#include "store/db.h"

#include "proto/launch.h"

#include <errno.h>
#include <string.h>

enum range_state { RANGE_FREE = 0, RANGE_TAKEN = 1, RANGE_DIRTY = 2 };

static void range_key(struct key *key, uint32_t base)
{
	key_init(key);
	key_u32(key, base);
}

static int put_range(struct store_txn *txn, uint32_t base, enum range_state state, const char *app, struct err *err)
{
	struct wr *w = db_record(txn);
	struct key key;

	range_key(&key, base);
	wr_u8(w, (uint8_t)state);
	wr_str(w, app);
	return db_put(txn, DB_RANGES, &key, w, err);
}

int store_range_add(struct store_txn *txn, uint32_t base, struct err *err)
{
	struct key key;
	struct rd body;
	bool broken;
	int rc;

	/* The first range is the host's own ids, root's among them: never an app's. */
	if (base < ID_RANGE)
		return err_set(err, EINVAL, "add host ids %u and up: they are the system's", base);
	range_key(&key, base);
	rc = db_get(txn, DB_RANGES, &key, &body, &broken, err);
	/* A broken record may be of a range in use: it stays out of use. */
	if (rc != 0 || broken)
		return rc < 0 ? -1 : 0;
	return put_range(txn, base, RANGE_FREE, "", err);
}

static int find_free(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	uint32_t *ret = data;

	if (!body || key_len != 4 || rd_u8(body) != RANGE_FREE || be32(key) < ID_RANGE)
		return 0;
	*ret = be32(key);
	return 1;
}

int store_range_take(struct store_txn *txn, const char *app, uint32_t *ret, struct err *err)
{
	struct key all;
	uint32_t base = 0;
	int rc;

	key_init(&all);
	rc = db_each(txn, DB_RANGES, &all, find_free, &base, err);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		err_set(err, ENOSPC, "no range of host ids is free");
		return err_hint(err, "uninstall an app");
	}
	if (put_range(txn, base, RANGE_TAKEN, app, err) < 0)
		return -1;
	*ret = base;
	return 0;
}

/* A range may only take the step that its state allows: one that was never
 * known, or is an app's, must not become free. */
static int step_range(struct store_txn *txn, uint32_t base, enum range_state from, enum range_state to,
		      const char *what, struct err *err)
{
	struct key key;
	struct rd body;
	bool broken;
	int rc;

	/* An app whose record is broken may not know its range: it keeps it. */
	if (base == 0)
		return 0;
	range_key(&key, base);
	rc = db_get(txn, DB_RANGES, &key, &body, &broken, err);
	if (rc < 0)
		return -1;
	if (base < ID_RANGE || (rc == 0 && !broken))
		return err_set(err, EINVAL, "%s host ids %u and up: no such range", what, base);
	/* Whose it was cannot be told from a broken record: it goes the long way. */
	if (broken ? from != RANGE_TAKEN : rd_u8(&body) != (uint8_t)from)
		return err_set(err, EINVAL, "%s host ids %u and up: not in that state", what, base);
	return put_range(txn, base, to, "", err);
}

int store_range_release(struct store_txn *txn, uint32_t base, struct err *err)
{
	return step_range(txn, base, RANGE_TAKEN, RANGE_DIRTY, "give back", err);
}

int store_range_wiped(struct store_txn *txn, uint32_t base, struct err *err)
{
	return step_range(txn, base, RANGE_DIRTY, RANGE_FREE, "free", err);
}

struct owner_walk {
	const char *app;
	uint32_t base;
};

static int find_owned(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct owner_walk *walk = data;
	char app[APP_ID_SIZE];

	if (!body || key_len != 4 || rd_u8(body) != RANGE_TAKEN)
		return 0;
	rd_str(body, app, sizeof(app));
	if (!rd_end(body) || strcmp(app, walk->app) != 0)
		return 0;
	walk->base = be32(key);
	return 1;
}

int range_of_app(struct store_txn *txn, const char *app, uint32_t *ret, struct err *err)
{
	struct owner_walk walk = { .app = app };
	struct key all;
	int rc;

	key_init(&all);
	rc = db_each(txn, DB_RANGES, &all, find_owned, &walk, err);
	*ret = walk.base;
	return rc < 0 ? -1 : 0;
}

int range_rename(struct store_txn *txn, const char *from, const char *to, struct err *err)
{
	uint32_t base;

	if (range_of_app(txn, from, &base, err) < 0)
		return -1;
	return base ? put_range(txn, base, RANGE_TAKEN, to, err) : 0;
}
