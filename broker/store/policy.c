/* SPDX-License-Identifier: MIT
 *
 * The last good text of each policy file. Key: vendor or not, file name, number of
 * the part: a record holds less than a file may have. Every part says how many
 * bytes there are in all, so that a text of which a part is lost is none.
 */
#include "store/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PART_MAX 32768u

static void policy_key(struct key *key, bool vendor, const char *file)
{
	const uint8_t of = vendor;

	key_init(key);
	key_bytes(key, &of, 1);
	if (file)
		key_text(key, file);
}

int store_policy_delete(struct store_txn *txn, bool vendor, const char *file, struct err *err)
{
	struct key prefix;

	policy_key(&prefix, vendor, file);
	return db_delete_some(txn, DB_POLICY, &prefix, NULL, NULL, err) < 0 ? -1 : 0;
}

int store_policy_put(struct store_txn *txn, bool vendor, const char *file, const char *text, size_t size,
		     struct err *err)
{
	size_t done = 0;
	uint32_t part = 0;

	if (size > RULES_TEXT_MAX || strlen(file) >= RULES_FILE_SIZE)
		return err_set(err, E2BIG, "store policy file '%.150s': too large", file);
	if (store_policy_delete(txn, vendor, file, err) < 0) /* a longer one leaves no part behind */
		return -1;
	do {
		size_t n = size - done < PART_MAX ? size - done : PART_MAX;
		struct wr *w = db_record(txn);
		struct key key;

		policy_key(&key, vendor, file);
		key_u32(&key, part++);
		wr_u32(w, (uint32_t)size);
		wr_bytes(w, text + done, n);
		if (db_put(txn, DB_POLICY, &key, w, err) < 0)
			return -1;
		done += n;
	} while (done < size);
	return 0;
}

struct policy_walk {
	struct store_txn *txn;
	int (*fn)(void *data, const char *file, const char *text, size_t size);
	void *data;
	char file[RULES_FILE_SIZE];
	char *text;
	size_t size, done;
	uint32_t next; /* part */
	bool lost;     /* one of the parts of this file */
};

/* What is collected goes to the caller, if all of it is there. */
static int hand_over(struct policy_walk *walk)
{
	int rc = 0;

	if (walk->file[0] && !walk->lost && walk->done == walk->size)
		rc = walk->fn(walk->data, walk->file, walk->text, walk->size);
	else if (walk->file[0] && !walk->lost)
		db_count_broken(walk->txn);
	walk->file[0] = '\0';
	return rc;
}

static void begin_file(struct policy_walk *walk, const char *file)
{
	(void)snprintf(walk->file, sizeof(walk->file), "%s", file);
	walk->size = walk->done = 0;
	walk->next = 0;
	walk->lost = false;
}

static bool take_part(struct policy_walk *walk, uint32_t part, struct rd *body)
{
	size_t size = rd_u32(body), n;

	if (body->bad || part != walk->next || size > RULES_TEXT_MAX || (part > 0 && size != walk->size))
		return false;
	n = (size_t)(body->end - body->p);
	if (n > size - walk->done)
		return false;
	walk->size = size;
	rd_bytes(body, walk->text + walk->done, n);
	walk->done += n;
	walk->next++;
	return rd_end(body);
}

static int visit(void *data, const uint8_t *key, size_t key_len, struct rd *body)
{
	struct policy_walk *walk = data;
	const char *file = (const char *)key + 1;
	size_t n = key_len > 5 ? strnlen(file, key_len - 5) : 0;
	int rc = 0;

	if (n == 0 || n >= RULES_FILE_SIZE || key_len != 1 + n + 1 + 4) {
		db_count_broken(walk->txn);
		return 0;
	}
	if (strcmp(walk->file, file) != 0) {
		rc = hand_over(walk);
		begin_file(walk, file);
	}
	if (rc == 0 && !walk->lost && (!body || !take_part(walk, be32(key + key_len - 4), body))) {
		walk->lost = true;
		if (body)
			db_count_broken(walk->txn);
	}
	return rc;
}

int store_policy_each(struct store_txn *txn, bool vendor,
		      int (*fn)(void *data, const char *file, const char *text, size_t size), void *data,
		      struct err *err)
{
	struct policy_walk walk = { .txn = txn, .fn = fn, .data = data, .text = xcalloc(1, RULES_TEXT_MAX) };
	struct key prefix;
	int rc;

	policy_key(&prefix, vendor, NULL);
	rc = db_each(txn, DB_POLICY, &prefix, visit, &walk, err);
	if (rc == 0)
		rc = hand_over(&walk);
	free(walk.text);
	return rc;
}
