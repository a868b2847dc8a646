/* SPDX-License-Identifier: MIT */
#include "store_dir.h"

struct seen {
	char names[256];
	char *text;
	size_t size;
};

static int collect(void *data, const char *file, const char *text, size_t size)
{
	struct seen *seen = data;

	strcat(seen->names, file);
	strcat(seen->names, ";");
	free(seen->text);
	seen->text = xcalloc(1, size + 1);
	memcpy(seen->text, text, size);
	seen->size = size;
	return 0;
}

static struct seen look(struct store_dir *d, bool vendor)
{
	struct seen seen = { 0 };

	dir_begin(d, false);
	GOOD(store_policy_each(d->txn, vendor, collect, &seen, &d->err));
	dir_abort(d);
	return seen;
}

static char *long_text(char first)
{
	char *text = xcalloc(1, RULES_TEXT_MAX);

	for (size_t i = 0; i < RULES_TEXT_MAX; i++)
		text[i] = (char)(i * 31 + i / 4096);
	text[0] = first;
	return text;
}

static void test_texts_come_back_whole(void **state)
{
	struct store_dir *d = *state;
	char *text = long_text('a');
	struct seen seen;

	dir_begin(d, true);
	GOOD(store_policy_put(d->txn, false, "20-b.rules", text, RULES_TEXT_MAX, &d->err));
	GOOD(store_policy_put(d->txn, false, "10-a.rules", "", 0, &d->err));
	GOOD(store_policy_put(d->txn, true, "10-a.rules", "vendor", 6, &d->err));
	assert_int_equal(store_policy_put(d->txn, true, "x.rules", text, RULES_TEXT_MAX + 1, &d->err), -1);
	dir_commit(d);
	dir_reopen(d);
	seen = look(d, false);
	assert_string_equal(seen.names, "10-a.rules;20-b.rules;");
	assert_int_equal(seen.size, RULES_TEXT_MAX);
	assert_memory_equal(seen.text, text, RULES_TEXT_MAX);
	free(seen.text);
	seen = look(d, true);
	assert_string_equal(seen.names, "10-a.rules;");
	assert_string_equal(seen.text, "vendor");
	free(seen.text);
	free(text);
}

static void test_a_shorter_one_leaves_nothing_of_a_longer_one(void **state)
{
	struct store_dir *d = *state;
	char *text = long_text('a');
	struct seen seen;
	size_t n = 9;

	dir_begin(d, true);
	GOOD(store_policy_put(d->txn, false, "a.rules", text, RULES_TEXT_MAX, &d->err));
	GOOD(store_policy_put(d->txn, false, "a.rules", "short", 5, &d->err));
	assert_int_equal(db_count(d->txn, DB_POLICY, &n, &d->err), 0);
	assert_int_equal(n, 1);
	dir_commit(d);
	seen = look(d, false);
	assert_string_equal(seen.text, "short");
	free(seen.text);
	dir_begin(d, true);
	GOOD(store_policy_delete(d->txn, false, "a.rules", &d->err));
	GOOD(store_policy_delete(d->txn, false, "a.rules", &d->err));
	dir_commit(d);
	seen = look(d, false);
	assert_string_equal(seen.names, "");
	free(text);
}

static void part_key(struct key *key, const char *file, uint32_t part)
{
	key_init(key);
	key_bytes(key, "", 1);
	key_text(key, file);
	key_u32(key, part);
}

/* Half a policy is another one. */
static void test_a_lost_part_costs_its_file_alone(void **state)
{
	struct store_dir *d = *state;

	for (uint32_t part = 0; part < 8; part++) {
		char *text = long_text('b');
		struct key key;
		struct seen seen;

		dir_begin(d, true);
		GOOD(store_policy_put(d->txn, false, "10-a.rules", "one", 3, &d->err));
		GOOD(store_policy_put(d->txn, false, "20-b.rules", text, RULES_TEXT_MAX, &d->err));
		GOOD(store_policy_put(d->txn, false, "30-c.rules", "three", 5, &d->err));
		part_key(&key, "20-b.rules", part);
		assert_int_equal(db_delete(d->txn, DB_POLICY, &key, &d->err), 1);
		dir_commit(d);
		seen = look(d, false);
		assert_string_equal(seen.names, "10-a.rules;30-c.rules;");
		free(seen.text);
		free(text);
	}
	assert_true(store_broken_records(d->store) >= 8);
}

static void test_a_broken_part_is_lost(void **state)
{
	struct store_dir *d = *state;
	struct key key;
	struct seen seen;

	dir_begin(d, true);
	GOOD(store_policy_put(d->txn, false, "10-a.rules", "* * no enforce", 14, &d->err));
	GOOD(store_policy_put(d->txn, false, "20-b.rules", "two", 3, &d->err));
	dir_commit(d);
	part_key(&key, "10-a.rules", 0);
	dir_break(d, DB_POLICY, &key);
	seen = look(d, false);
	assert_string_equal(seen.names, "20-b.rules;");
	free(seen.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_texts_come_back_whole, dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(test_a_shorter_one_leaves_nothing_of_a_longer_one, dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(test_a_lost_part_costs_its_file_alone, dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(test_a_broken_part_is_lost, dir_setup, dir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
