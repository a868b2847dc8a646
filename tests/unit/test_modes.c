/* SPDX-License-Identifier: MIT
 *
 * An app's terminal, before a bell and behind it: what it set is put back, and drawn again.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "ui-tty/modes.h"
#include "ui-tty/screen.h"

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

/* What reached the terminal. */
static char wire[8192];
static size_t wire_len;

static void on_wire(void *data, const char *buf, size_t n)
{
	(void)data;
	assert_true(wire_len + n < sizeof(wire));
	memcpy(wire + wire_len, buf, n);
	wire_len += n;
	wire[wire_len] = '\0';
}

static void app_writes(struct modes *m, const char *text)
{
	modes_pass(m, text, strlen(text), on_wire, NULL);
}

static void assert_gives_back(const struct modes *m, const char *text)
{
	char *back = modes_put_back(m, true, 6, 2, false);

	if (!strstr(back, text))
		fail_msg("%s is not in %s", text + 1, back);
	free(back);
}

static void test_modes_are_put_back(void **state)
{
	static const char *const modes[] = { "\033[?1000h", "\033[?1002h", "\033[?1003h", "\033[?1004h", "\033[?1005h",
					     "\033[?1006h", "\033[?1015h", "\033[?2004h", "\033[?7l",	 "\033[4h",
					     "\033(0",	    "\016",	   "\033[5;8r",	 "\033[?6h",	 "\033[>4;2m",
					     "\033[?25l",   "\033]10;#f00\033\\" };
	struct modes m;
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		for (size_t cut = 0; cut < strlen(modes[i]); cut++) { /* wherever a write ends */
			modes_init(&m);
			wire_len = 0;
			modes_pass(&m, modes[i], cut, on_wire, NULL);
			assert_int_equal(wire_len, 0); /* never inside of a sequence */
			app_writes(&m, modes[i] + cut);
			assert_string_equal(wire, modes[i]);
			assert_gives_back(&m, modes[i]);
			text = modes_end(&m, true, 0, 0);
			assert_string_not_equal(text, "");
			free(text);
			text = modes_end(&m, true, 0, 0);
			assert_string_equal(text, "");
			free(text);
			modes_init(&m);
			app_writes(&m, modes[i]);
			app_writes(&m, "\033c");
			text = modes_put_back(&m, true, 0, 0, false);
			assert_string_equal(text, "\033[?25h");
			free(text);
		}
	}
	modes_init(&m);
	app_writes(&m, "\033[5;8r\033[?6h");
	assert_gives_back(&m, "\033[5;8r\033[?6h\033[3;3H"); /* a place in the region */
}

static void test_what_the_bell_takes_back(void **state)
{
	static const char *const off[] = { "\033[?9l",	  "\033[?1000l", "\033[?1002l", "\033[?1003l", "\033[?1004l", "\033[?1005l",
					   "\033[?1006l", "\033[?1015l", "\033[?2004l", "\033[>0u",    "\033[>4;0m",  "\033(B\017",
					   "\033[r",	  "\033[?6l",	 "\033[?7h",	"\033[4l",     "\033[0",      "\033]110",
					   "\033]111" };
	char *text = modes_take_back(true, true);
	struct modes m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(off); i++)
		assert_non_null(strstr(text, off[i]));
	free(text);
	modes_init(&m);
	assert_non_null(strstr(modes_break(&m), "\033[?2026l"));
}

static void test_alternate_screens(void **state)
{
	static const char *const on[] = { "\033[?47h", "\033[?1047h", "\033[?1049h", "\033[?25;1049;7h" };
	struct modes m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(on); i++) {
		for (size_t cut = 0; cut < strlen(on[i]); cut++) {
			modes_init(&m);
			modes_pass(&m, on[i], cut, on_wire, NULL);
			assert_false(modes_alternate(&m));
			wire_len = 0;
			app_writes(&m, on[i] + cut);
			assert_true(modes_alternate(&m));
			app_writes(&m, "\033[?1049l");
			assert_false(modes_alternate(&m));
			wire_len = 0;
		}
	}
}

/* A string so long that it is not kept is cut off by the bell; its rest is no text. */
static void test_long_strings(void **state)
{
	char body[1024];
	struct modes m;

	(void)state;
	memset(body, 'x', sizeof(body));
	modes_init(&m);
	wire_len = 0;
	app_writes(&m, "text\xc3");
	assert_string_equal(wire, "text");
	app_writes(&m, "\xbc\033]52;c;");
	assert_string_equal(wire, "text\xc3\xbc");
	modes_pass(&m, body, sizeof(body), on_wire, NULL);
	assert_int_equal(wire_len, 6 + 7 + sizeof(body));
	(void)modes_break(&m);
	wire_len = 0;
	modes_pass(&m, body, sizeof(body), on_wire, NULL);
	app_writes(&m, "more\aafter");
	assert_string_equal(wire, "after");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_screen_is_drawn_again),
		cmocka_unit_test(test_modes_are_put_back),
		cmocka_unit_test(test_what_the_bell_takes_back),
		cmocka_unit_test(test_alternate_screens),
		cmocka_unit_test(test_long_strings),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
