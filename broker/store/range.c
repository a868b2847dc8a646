/* SPDX-License-Identifier: MIT
 *
 * Id ranges: free, taken by an app, or waiting to be wiped. Never taken twice.
 */
#include "store/db.h"

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
	struct wr *w = xcalloc(1, sizeof(*w));
	struct key key;
	int rc;

	range_key(&key, base);
	wr_u8(w, (uint8_t)state);
	wr_str(w, app);
	rc = db_put(txn, DB_RANGES, &key, w, err);
	free(w);
	return rc;
}

int store_range_add(struct store_txn *txn, uint32_t base, struct err *err)
{
	struct key key;
	struct rd body;
	bool broken;
	int rc;

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

	if (!body || key_len != 4 || rd_u8(body) != RANGE_FREE)
		return 0;
	*ret = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
	return 1;
}

int store_range_take(struct store_txn *txn, const char *app, uint32_t *ret, struct err *err)
{
	struct key all;
	uint32_t base = 0;
	int rc;

	key_init(&all);
	rc = db_each(txn, DB_RANGES, &all, NULL, find_free, &base, err);
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

int store_range_release(struct store_txn *txn, uint32_t base, struct err *err)
{
	return put_range(txn, base, RANGE_DIRTY, "", err);
}

int store_range_wiped(struct store_txn *txn, uint32_t base, struct err *err)
{
	return put_range(txn, base, RANGE_FREE, "", err);
}
