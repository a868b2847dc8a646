/* SPDX-License-Identifier: MIT
 *
 * What a bell looks like and what keys do to it: no single key says yes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <locale.h>
#include <string.h>

#include "ui-tty/keys.h"
#include "ui-tty/screen.h"

static struct prompt_text a_prompt(void)
{
	struct prompt_text p = { .id = 1,
				 .app = "flashlight",
				 .title = "flashlight 1.2",
				 .source = "file flashlight.deb",
				 .about = "your contacts (42 people)",
				 .program = "flashlight",
				 .answers = { "empty", "copy", "read", "write", "no" },
				 .answer_count = 5 };

	return p;
}

static enum key_action press(const struct prompt_text *p, struct prompt_choice *c, const char *keys)
{
	enum key_action last = KEY_NOTHING;
	size_t n = strlen(keys), used;

	while (n) {
		last = keys_read(p, c, keys, n, &used);
		assert_true(used > 0 && used <= n);
		keys += used;
		n -= used;
	}
	return last;
}

static void test_keys(void **state)
{
	struct prompt_text p = a_prompt();
	struct prompt_choice c = { .answer = p.safe };

	(void)state;
	assert_int_equal(press(&p, &c, "w"), KEY_REDRAW); /* a letter lights, it does not take */
	assert_int_equal(c.answer, 3);
	assert_int_equal(press(&p, &c, "y"), KEY_NOTHING);
	assert_int_equal(c.answer, 3);
	press(&p, &c, "\033[B\033[B");
	assert_int_equal(c.answer, 0);
	press(&p, &c, "\033[A");
	assert_int_equal(c.answer, 4);
	press(&p, &c, "\033[C\033[C\033OD");
	assert_int_equal(c.duration, 1);
	assert_int_equal(press(&p, &c, "\033[1;5C"), KEY_NOTHING); /* a sequence that we do not know is not keys */
	assert_int_equal(c.duration, 1);
	assert_int_equal(press(&p, &c, "\033"), KEY_LATER);
	assert_int_equal(press(&p, &c, "\003"), KEY_LATER);
	assert_int_equal(press(&p, &c, "\r"), KEY_TAKE);
	assert_int_equal(press(&p, &c, "a"), KEY_NOTHING);
	p.more = 2;
	assert_int_equal(press(&p, &c, "s"), KEY_TAKE_ALL);
}

static void test_rows_fit(void **state)
{
	struct prompt_text p = a_prompt();
	struct prompt_choice c = { 0 };
	struct prompt_rows rows;
	bool found = false;

	(void)state;
	memset(p.about, 'W', sizeof(p.about) - 1);
	for (int columns = 24; columns < 140; columns += 7) {
		for (int plain = 0; plain < 2; plain++) {
			prompt_view(&p, &c, columns, plain, &rows);
			for (size_t i = 0; i < rows.count; i++) {
				assert_int_equal(text_columns(rows.rows[i]), rows.width);
				for (const unsigned char *s = (const unsigned char *)rows.rows[i]; *s; s++)
					assert_true(*s >= 0x20 && !(plain && *s >= 0x80));
			}
			assert_true(rows.width <= columns);
		}
	}
	p = a_prompt();
	prompt_view(&p, &c, 80, true, &rows);
	for (size_t i = 0; i < rows.count; i++)
		found |= strstr(rows.rows[i], "* flashlight wants your contacts (42 people)") != NULL;
	assert_true(found);
}

static void test_a_screen_is_drawn_again(void **state)
{
	static const char app[] = "\033[2J\033[1;1Hone \033[1;31mred\033[0m\r\n\xc3\xbc\033[5;10H\033[7mrev\033[0m\033[3;4H";
	struct screen *a = screen_create(10, 40), *b = screen_create(10, 40);
	char *first, *second;
	size_t n, m;

	(void)state;
	screen_feed(a, app, sizeof(app) - 1);
	first = screen_redraw(a, &n);
	screen_feed(b, first, n); /* what a terminal would make of it */
	second = screen_redraw(b, &m);
	assert_int_equal(n, m);
	assert_memory_equal(first, second, n);
	assert_non_null(strstr(first, "red"));
	free(first);
	free(second);
	screen_destroy(a);
	screen_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_rows_fit),
		cmocka_unit_test(test_a_screen_is_drawn_again),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
