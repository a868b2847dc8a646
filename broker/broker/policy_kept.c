/* SPDX-License-Identifier: MIT
 *
 * One transaction for all files of a folder: what is kept was in force together.
 */
#include "broker/policy_kept.h"

#include "base/log.h"

#include <string.h>

static int add_kept(void *data, const char *file, const char *text, size_t size)
{
	struct err err = { 0 };

	if (ruleset_add(data, file, text, size, &err) < 0)
		log_warn("policy: the kept version of %s", err.msg);
	return 0;
}

void policy_kept_read(struct broker *broker, bool vendor, struct ruleset *set)
{
	struct err err = { 0 };
	struct store_txn *txn = store_begin(broker->store, false, &err);

	if (!txn || store_policy_each(txn, vendor, add_kept, set, &err) < 0)
		log_warn("policy: no earlier versions are known: %s", err.msg);
	store_abort(txn);
}

struct compare {
	const struct ruleset *set;
	size_t equal;
	bool differs;
};

static int compare_one(void *data, const char *file, const char *text, size_t size)
{
	struct compare *c = data;

	/* Both are in order of names. */
	if (c->equal < c->set->text_count) {
		const struct rules_text *t = &c->set->texts[c->equal];

		if (strcmp(t->file, file) == 0 && t->size == size && memcmp(t->text, text, size) == 0) {
			c->equal++;
			return 0;
		}
	}
	c->differs = true;
	return 1;
}

static int is_kept(struct broker *broker, bool vendor, const struct ruleset *set, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, false, err);
	struct compare c = { .set = set };
	int rc = txn ? store_policy_each(txn, vendor, compare_one, &c, err) : -1;

	store_abort(txn);
	return rc < 0 ? -1 : !c.differs && c.equal == set->text_count;
}

int policy_kept_write(struct broker *broker, bool vendor, const struct ruleset *set, struct err *err)
{
	struct store_txn *txn;
	int rc = is_kept(broker, vendor, set, err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	txn = store_begin(broker->store, true, err);
	if (!txn)
		return -1;
	rc = store_policy_delete(txn, vendor, NULL, err);
	for (size_t i = 0; i < set->text_count && rc == 0; i++)
		rc = store_policy_put(txn, vendor, set->texts[i].file, set->texts[i].text, set->texts[i].size, err);
	if (rc == 0)
		return store_commit(txn, err);
	store_abort(txn);
	return -1;
}
