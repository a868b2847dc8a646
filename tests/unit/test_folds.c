/* SPDX-License-Identifier: MIT
 *
 * History as people read it: folded, and in sentences.
 */
#include "ui-tty/folds.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static json_t *some_history(void)
{
	return json_loads(
		"[{\"time\": 1000, \"last\": 1000, \"kind\": \"life\", \"app\": \"a\", \"what\": \"run\", \"count\": 1},"
		" {\"time\": 1001, \"last\": 1001, \"kind\": \"life\", \"app\": \"a\", \"what\": \"run\", \"count\": 1},"
		" {\"time\": 1002, \"last\": 1500, \"kind\": \"access\", \"app\": \"a\", \"permission\": \"network\", \"what\": "
		"\"refused\", \"answer\": \"no\", \"count\": 13},"
		" {\"time\": 1600, \"last\": 1600, \"kind\": \"access\", \"app\": \"a\", \"permission\": \"network\", \"what\": "
		"\"refused\", \"answer\": \"no\", \"count\": 1},"
		" {\"time\": 1700, \"last\": 1700, \"kind\": \"access\", \"app\": \"a\", \"permission\": \"contacts\", \"what\": "
		"\"used\", \"answer\": \"empty\", \"count\": 1},"
		" {\"time\": 1800, \"last\": 1800, \"kind\": \"decision\", \"app\": \"a\", \"permission\": \"contacts\", \"what\": "
		"\"answered\", \"answer\": \"empty\", \"for\": \"always\", \"count\": 1},"
		" {\"time\": 1900, \"last\": 1900, \"kind\": \"decision\", \"app\": \"a\", \"permission\": \"contacts\", \"what\": "
		"\"answered\", \"answer\": \"empty\", \"for\": \"always\", \"count\": 1}]",
		0, NULL);
}

static void test_folds(void **state)
{
	json_t *history = some_history();
	struct folds folds;
	char says[300];

	(void)state;
	folds_make(history, 0, &folds);
	assert_int_equal(folds.count, 5); /* two decisions stay two */
	assert_string_equal(folds.fold[0].what, "answered");
	fold_says(&folds.fold[0], says, sizeof(says));
	assert_string_equal(says, "contacts: answered empty, always");
	fold_says(&folds.fold[2], says, sizeof(says));
	assert_string_equal(says, "contacts: an empty one, in 1 run");
	fold_says(&folds.fold[3], says, sizeof(says));
	assert_string_equal(says, "network: refused, 14 tries");
	fold_says(&folds.fold[4], says, sizeof(says));
	assert_string_equal(says, "was run, 2 times");
	folds_free(&folds);
	folds_make(history, 1600, &folds);
	assert_int_equal(folds.count, 4);
	assert_int_equal(folds.fold[3].count, 1); /* only what fell into the time */
	folds_free(&folds);
	json_decref(history);
}

/* A flood of refused names is one line; what was given is told of each. */
static void test_folds_items(void **state)
{
	json_t *history = json_array();
	static const char *const items[] = { "storage:Music", "storage:Videos", "storage:Music", "storage:Desktop" };
	struct folds folds;
	char says[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		json_array_append_new(history, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i}", "kind", "access", "app", "a",
							 "permission", items[i], "what", "refused", "answer", "no", "count", 2,
							 "last", 5));
		json_array_append_new(history, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i}", "kind", "access", "app", "a",
							 "permission", items[i], "what", "used", "answer", "read", "count", 1,
							 "last", 4));
	}
	folds_make(history, 0, &folds);
	assert_int_equal(folds.count, 4);
	fold_says(&folds.fold[0], says, sizeof(says));
	assert_string_equal(says, "storage:Music, Videos, and more: refused, 8 tries");
	folds_free(&folds);
	json_decref(history);
}

static void test_summary(void **state)
{
	json_t *history = some_history();
	struct folds folds;
	char *text;

	(void)state;
	folds_make(history, 0, &folds);
	text = folds_summary(&folds, "a month", NULL);
	assert_string_equal(text, "Your apps, a month\n\na was run 2 times.\n"
				  "  It looked into contacts in 1 run and saw an empty one.\n"
				  "  It reached for network 14 times and was refused.\n"
				  "  You decided 2 times about it.\n");
	free(text);
	folds_free(&folds);
	folds_make(NULL, 0, &folds);
	text = folds_summary(&folds, "a month", NULL);
	assert_string_equal(text, "Your apps, a month\n\nNothing happened.\n");
	free(text);
	folds_free(&folds);
	json_decref(history);
}

static void test_lapsing(void **state)
{
	json_t *history = json_loads("[{\"time\": 1, \"last\": 1, \"kind\": \"decision\", \"app\": \"a\", \"permission\": \"contacts\", "
				     "\"what\": \"lapsed\", \"answer\": \"ask\", \"before\": \"read\"}]",
				     0, NULL);
	json_t *given = json_loads("[{\"app\": \"a\", \"permission\": \"contacts\", \"answer\": \"read\", \"lapses\": 777600000},"
				   " {\"app\": \"a\", \"permission\": \"network\", \"answer\": \"allow\", \"lapses\": 0},"
				   " {\"app\": \"b\", \"permission\": \"camera\", \"answer\": \"allow\", \"lapses\": 1}]",
				   0, NULL);
	struct folds folds;
	char *text, says[300];

	(void)state;
	folds_make(history, 0, &folds);
	fold_says(&folds.fold[0], says, sizeof(says));
	assert_string_equal(says, "contacts: lapsed");
	text = folds_summary(&folds, "a month", given);
	assert_string_equal(text, "Your apps, a month\n\na was run never.\n"
				  "  It did not use contacts for long: your answer lapsed, and it will ask again.\n"
				  "  It reached for nothing of yours.\n"
				  "\nNot used for long, and soon asked again:\n"
				  "  a: contacts (read), in 9 days\n"
				  "  b: camera (allow), in 1 hour\n");
	free(text);
	folds_free(&folds);
	json_decref(history);
	json_decref(given);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folds),
		cmocka_unit_test(test_folds_items),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_lapsing),
	};

	(void)setlocale(LC_ALL, "C.UTF-8");
	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
