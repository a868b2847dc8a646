/* SPDX-License-Identifier: MIT
 *
 * Counters and small texts. A number is kept under two keys: one broken record
 * must not make an id come twice or time stand still.
 */
#include "store/db.h"

#include <errno.h>
#include <string.h>

/* Far beyond what can have been counted. */
#define BEYOND ((uint64_t)1 << 40)

static void number_key(struct key *key, const char *name, int copy)
{
	key_init(key);
	key_text(key, name);
	if (copy)
		key_text(key, "copy");
}

int meta_get_number(struct store_txn *txn, const char *name, uint64_t *ret, struct err *err)
{
	bool any_broken = false, any_good = false;

	*ret = 0;
	for (int copy = 0; copy < 2; copy++) {
		struct key key;
		struct rd body;
		bool broken;
		int rc;

		number_key(&key, name, copy);
		rc = db_get(txn, DB_META, &key, &body, &broken, err);
		if (rc < 0)
			return -1;
		any_broken |= broken;
		if (rc == 1) {
			/* The schema's number was of 4 bytes at first. */
			uint64_t v = body.end - body.p == 4 ? rd_u32(&body) : rd_u64(&body);

			if (!rd_end(&body)) {
				db_count_broken(txn);
				any_broken = true;
				continue;
			}
			any_good = true;
			*ret = v > *ret ? v : *ret;
		}
	}
	if (any_good)
		return 1;
	return any_broken ? 2 : 0;
}

int meta_put_number(struct store_txn *txn, const char *name, uint64_t value, struct err *err)
{
	struct wr *w = db_record(txn);

	wr_u64(w, value);
	for (int copy = 0; copy < 2; copy++) {
		struct key key;

		number_key(&key, name, copy);
		if (db_put(txn, DB_META, &key, w, err) < 0)
			return -1;
	}
	return 0;
}

int store_counter_add(struct store_txn *txn, enum counter counter, uint64_t by, uint64_t *ret, struct err *err)
{
	static const char *const names[COUNTER_COUNT] = {
		[COUNTER_LAYER] = "counter-layer",
		[COUNTER_SESSION] = "counter-session",
		[COUNTER_COPY] = "counter-copy",
		[COUNTER_POWERED] = "counter-powered",
	};
	uint64_t value;
	int found = meta_get_number(txn, names[counter], &value, err);

	if (found < 0)
		return -1;
	/* Ids must never come twice. Time that is lost begins again: what waits
	 * for it is kept longer, never dropped at once. */
	if (found == 2 && counter != COUNTER_POWERED)
		value = BEYOND;
	value += by;
	if (meta_put_number(txn, names[counter], value, err) < 0)
		return -1;
	*ret = value;
	return 0;
}

static void text_key(struct key *key, const char *name)
{
	key_init(key);
	key_text(key, "text");
	key_text(key, name);
}

int store_text_put(struct store_txn *txn, const char *name, const char *text, struct err *err)
{
	struct wr *w = db_record(txn);
	struct key key;

	if (strlen(text) > STORE_TEXT_MAX)
		return err_set(err, E2BIG, "store '%s': longer than %u bytes", name, STORE_TEXT_MAX);
	text_key(&key, name);
	wr_str(w, text);
	return db_put(txn, DB_META, &key, w, err);
}

int store_text_delete(struct store_txn *txn, const char *name, struct err *err)
{
	struct key key;

	text_key(&key, name);
	return db_delete(txn, DB_META, &key, err) < 0 ? -1 : 0;
}

int store_text_get(struct store_txn *txn, const char *name, char *buf, size_t size, struct err *err)
{
	struct key key;
	struct rd body;
	int rc;

	text_key(&key, name);
	buf[0] = '\0';
	rc = db_get(txn, DB_META, &key, &body, NULL, err);
	if (rc == 1)
		rd_str(&body, buf, size);
	return rc < 0 ? -1 : 0;
}
