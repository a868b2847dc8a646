/* SPDX-License-Identifier: MIT
 *
 * What apps sent and received. Key: app, item.
 */
#include "store/db.h"

#include <errno.h>
#include <string.h>

static void traffic_key(struct key *key, const char *app, const char *item)
{
	key_init(key);
	key_text(key, app);
	if (item)
		key_text(key, item);
}

static void encode_bytes(struct wr *w, const struct traffic_bytes *b)
{
	wr_u64(w, b->up);
	wr_u64(w, b->down);
	wr_u64(w, b->flows);
	wr_u64(w, b->refused);
}

static struct traffic_bytes decode_bytes(struct rd *r)
{
	struct traffic_bytes b = { .up = rd_u64(r) };

	b.down = rd_u64(r);
	b.flows = rd_u64(r);
	b.refused = rd_u64(r);
	return b;
}

static bool decode(struct rd *r, struct traffic_record *t)
{
	t->local = rd_u8(r) != 0;
	t->ever = decode_bytes(r);
	t->month = rd_u32(r);
	t->this_month = decode_bytes(r);
	t->session = rd_u64(r);
	t->seen = decode_bytes(r);
	t->cap = rd_u64(r);
	t->spent = rd_u32(r);
	return rd_end(r);
}

int store_traffic_put(struct store_txn *txn, const struct traffic_record *t, struct err *err)
{
	struct wr *w = db_record(txn);
	struct key key;

	traffic_key(&key, t->app, t->item);
	wr_u8(w, t->local);
	encode_bytes(w, &t->ever);
	wr_u32(w, t->month);
	encode_bytes(w, &t->this_month);
	wr_u64(w, t->session);
	encode_bytes(w, &t->seen);
	wr_u64(w, t->cap);
	wr_u32(w, t->spent);
	return db_put(txn, DB_TRAFFIC, &key, w, err);
}

static bool split(const uint8_t *key, size_t len, struct traffic_record *t)
{
	size_t n = strnlen((const char *)key, len), left = len - n - 1;

	if (n == len || n >= sizeof(t->app) || left == 0 || left > sizeof(t->item) || key[len - 1] != '\0')
		return false;
	memcpy(t->app, key, n + 1);
	memcpy(t->item, key + n + 1, left);
	return true;
}

int store_traffic_get(struct store_txn *txn, const char *app, const char *item, struct traffic_record *ret,
		      struct err *err)
{
	struct key key;
	struct rd body;
	bool broken = false;
	int rc;

	memset(ret, 0, sizeof(*ret));
	traffic_key(&key, app, item);
	rc = db_get(txn, DB_TRAFFIC, &key, &body, &broken, err);
	if (rc == 1) {
		if (decode(&body, ret) && split(key.buf, key.len, ret))
			return 1;
		db_count_broken(txn);
		memset(ret, 0, sizeof(*ret));
		broken = true;
	}
	return broken ? err_set(err, EBADMSG, "the record of what '%s' sent and received is damaged", app) : rc;
}

struct traffic_walk {
	struct store_txn *txn;
	int (*fn)(void *data, const struct traffic_record *record);
	void *data;
};

static int visit(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct traffic_walk *walk = data;
	struct traffic_record t = { 0 };

	if (!body)
		return 0;
	if (!split(key, key_len, &t) || !decode(body, &t)) {
		db_count_broken(walk->txn);
		return 0;
	}
	return walk->fn(walk->data, &t);
}

int store_traffic_each(struct store_txn *txn, const char *app, int (*fn)(void *data, const struct traffic_record *record),
		       void *data, struct err *err)
{
	struct traffic_walk walk = { txn, fn, data };
	struct key prefix;

	traffic_key(&prefix, app, NULL);
	return db_each(txn, DB_TRAFFIC, &prefix, visit, &walk, err);
}
