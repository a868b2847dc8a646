/* SPDX-License-Identifier: MIT
 *
 * Which names may be meant to be taken for others.
 */
#include "policy/alphabet.h"

#include "ui-tty/bells.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_honest(void **state)
{
	static const char *const names[] = {
		"", "flashlight", "Taschenlampe für Öfen", "Фонарик 1.2", "Φακός", "懐中電灯", "مصباح", "GIMP Φ", "a-b_c.d+e",
		"café", "Фонарик flashlight",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (text_looks_alike(names[i]))
			fail_msg("'%s' is an honest name", names[i]);
	}
}

static void test_odd(void **state)
{
	static const char *const names[] = {
		"fl\u0430shlight", /* one Cyrillic letter among Latin ones */
		"m\u03bfzilla", "\u0441\u043e\u0441\u043e", /* all Cyrillic, reads as "coco" */
		"\uff46\uff49\uff52\uff45fox", "\U0001d41fox", "good \u0440\u0430\u0443", "\u03b1\u0430",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!text_looks_alike(names[i]))
			fail_msg("'%s' (%zu) is taken for honest", names[i], i);
	}
}

static void test_broken_text(void **state)
{
	(void)state;
	assert_false(text_looks_alike("\xff\xfe"));
	assert_false(text_looks_alike("abc\xf0"));
	assert_false(text_looks_alike("\xc3"));
}

/* A bell says so, on a row of its own. */
static void test_marked_in_a_bell(void **state)
{
	static const char *const titles[] = { "Bank", "B\u0430nk" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		json_t *p = json_pack("{s:i, s:s, s:s, s:s, s:s, s:[s, s], s:s}", "id", 1, "app", "bank", "title", titles[i],
				      "state", "waiting", "about", "your contacts", "answers", "no", "empty", "safe", "empty");
		struct prompt_choice choice = { 0 };
		struct prompt_text text;
		struct prompt_rows *rows = xcalloc(1, sizeof(*rows));
		bool marked = false;

		assert_true(bells_read(p, &text));
		prompt_view(&text, &choice, 24, 40, false, rows);
		for (size_t r = 0; r < rows->count; r++)
			marked |= strstr(rows->rows[r], "looks like another") != NULL;
		assert_int_equal(marked, i == 1);
		free(rows);
		json_decref(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_broken_text),
		cmocka_unit_test(test_marked_in_a_bell),
	};

	(void)setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
