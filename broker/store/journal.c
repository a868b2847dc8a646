/* SPDX-License-Identifier: MIT
 *
 * Multi-step work under way: one entry an app.
 */
#include "store/db.h"

#include <errno.h>
#include <string.h>

static void encode(struct wr *w, const struct journal_record *j)
{
	wr_u8(w, (uint8_t)j->op);
	wr_u32(w, j->step);
	wr_u32(w, j->base);
	wr_u16(w, j->layer_count);
	for (uint16_t i = 0; i < j->layer_count; i++)
		wr_u64(w, j->layers[i]);
	wr_str(w, j->text);
}

static bool decode(struct rd *r, struct journal_record *j)
{
	uint8_t op = rd_u8(r);

	j->op = (enum journal_op)op;
	j->step = rd_u32(r);
	j->base = rd_u32(r);
	j->layer_count = rd_u16(r);
	if (op < JOURNAL_INSTALL || op > JOURNAL_FORGET || j->layer_count > ARRAY_LEN(j->layers))
		return false;
	for (uint16_t i = 0; i < j->layer_count; i++)
		j->layers[i] = rd_u64(r);
	rd_str(r, j->text, sizeof(j->text));
	return rd_end(r);
}

int store_journal_put(struct store_txn *txn, const struct journal_record *j, struct err *err)
{
	struct wr *w = db_record(txn);
	struct key key;

	if (j->layer_count > ARRAY_LEN(j->layers))
		return err_set(err, EINVAL, "journal of '%s': %u layers are too many", j->app, j->layer_count);
	key_init(&key);
	key_text(&key, j->app);
	encode(w, j);
	return db_put(txn, DB_JOURNAL, &key, w, err);
}

int store_journal_has(struct store_txn *txn, const char *app, struct err *err)
{
	struct key key;

	key_init(&key);
	key_text(&key, app);
	return db_any(txn, DB_JOURNAL, &key, err);
}

int store_journal_delete(struct store_txn *txn, const char *app, struct err *err)
{
	struct key key;

	key_init(&key);
	key_text(&key, app);
	return db_delete(txn, DB_JOURNAL, &key, err) < 0 ? -1 : 0;
}

struct journal_walk {
	struct store_txn *txn;
	int (*fn)(void *data, const struct journal_record *j);
	void *data;
};

static int visit(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct journal_walk *walk = data;
	struct journal_record j = { 0 };

	if (!body || key_len < 2 || key_len > sizeof(j.app) || key[key_len - 1] != '\0')
		return 0;
	if (!decode(body, &j)) {
		db_count_broken(walk->txn);
		return 0;
	}
	memcpy(j.app, key, key_len);
	return walk->fn(walk->data, &j);
}

int store_journal_each(struct store_txn *txn, int (*fn)(void *data, const struct journal_record *j), void *data,
		       struct err *err)
{
	struct journal_walk walk = { txn, fn, data };
	struct key all;

	key_init(&all);
	return db_each(txn, DB_JOURNAL, &all, visit, &walk, err);
}
