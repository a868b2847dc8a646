/* SPDX-License-Identifier: MIT
 *
 * What keys do to a bell: no single key says yes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <locale.h>
#include <string.h>

#include "bell_made.h"
#include "ui-tty/key_reader.h"
#include "ui-tty/keys.h"

/* A person at a terminal: bytes in, what Enter took out. */
static struct {
	struct prompt_text p;
	struct prompt_choice c;
	struct keys keys;
	struct key_reader reader;
	uint64_t now;
	enum key_action last;
	int takes;
} person;

static void rings(void)
{
	memset(&person, 0, sizeof(person));
	person.p = a_prompt();
	person.now = 5000;
	keys_start(&person.keys, person.now);
	keys_choose_safe(&person.p, &person.c);
	person.now += KEYS_DEAF_MS;
}

static void send(const char *bytes, size_t n)
{
	person.last = KEY_NOTHING;
	for (size_t i = 0; i < n; i++) {
		int key = key_reader_byte(&person.reader, (unsigned char)bytes[i], person.now);

		if (!key)
			continue;
		person.last = keys_take(&person.keys, &person.p, &person.c, key, person.now);
		person.takes += person.last == KEY_TAKE;
	}
}

static enum key_action press(const char *keys, uint64_t after_ms)
{
	person.now += after_ms;
	send(keys, strlen(keys));
	return person.last;
}

static void test_keys(void **state)
{
	(void)state;
	rings();
	assert_int_equal(press("w", 0), KEY_REDRAW); /* a letter lights, it does not take */
	assert_int_equal(person.c.answer, 3);
	assert_int_equal(press("\r", KEYS_TYPING_MS), KEY_TAKE);
	assert_int_equal(person.c.answer, 3);
	assert_int_equal(press("y", 2000), KEY_NOTHING);
	assert_int_equal(person.c.answer, 3);
	press("\033[B", 10);
	assert_int_equal(person.c.answer, 4);
	press("\033[B\033[B", 10); /* the end is the end */
	assert_int_equal(person.c.answer, 4);
	press("\033[A\033[A\033OA\033[A\033[A\033[A", 10);
	assert_int_equal(person.c.answer, 0);
	press("\033[D", 10);
	assert_int_equal(person.c.duration, 0);
	press("\033[C\033[C\033OD", 10);
	assert_int_equal(person.c.duration, 1);
	press("\033[C\033[C\033[C\033[C", 10);
	assert_int_equal(person.c.duration, 3);
	assert_int_equal(press("\003", 10), KEY_LATER);
	assert_int_equal(press("\r", 2000), KEY_TAKE);
	for (const char *c = "hjklHJKL \t\b"; *c; c++) { /* letters move nothing */
		struct prompt_choice was = person.c;

		press((char[]){ *c, '\0' }, 2000);
		assert_memory_equal(&was, &person.c, sizeof(was));
	}
	press("n\r", 2000);
	assert_int_equal(person.c.answer, 4); /* no gives nothing: letter and Enter */
	assert_int_equal(person.last, KEY_TAKE);
}

/* No single letter takes everything: it is lit, shown, and taken by Enter. */
static void test_all_of_them(void **state)
{
	struct prompt_rows rows;
	bool found = false;

	(void)state;
	rings();
	assert_int_equal(press("s", 0), KEY_NOTHING);
	assert_false(person.c.all);
	person.p.more = 2;
	assert_int_equal(press("s", 2000), KEY_REDRAW);
	assert_true(person.c.all);
	prompt_view(&person.p, &person.c, 24, 80, true, &rows);
	for (size_t i = 0; i < rows.count; i++)
		found |= strstr(rows.rows[i], "Enter: empty, this run, all") != NULL;
	assert_true(found);
	assert_int_equal(press("\r", 100), KEY_REDRAW);
	assert_false(person.c.all);
	press("s", 2000);
	assert_int_equal(press("\r", KEYS_TYPING_MS), KEY_TAKE);
	assert_true(person.c.all);
}

static void test_typing_says_nothing(void **state)
{
	static const char *const lines[] = { "dear ada, see you tomorrow\r", "write\r", "rw\r", "w\r", "s\r", "cd w; make\r",
					     "w\rw\rw\r", "\xc3\xbcw\r", "ls r\t\tw\r" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		for (unsigned int gap = 0; gap < KEYS_TYPING_MS; gap += 120) {
			rings();
			person.p.more = 3;
			for (const char *c = lines[i]; *c; c++)
				press((char[]){ *c, '\0' }, gap);
			assert_int_equal(person.takes, 0);
			assert_int_equal(person.c.answer, person.p.safe);
			assert_int_equal(person.c.duration, 0);
			assert_false(person.c.all);
		}
	}
}

static void test_deaf_until_it_is_quiet(void **state)
{
	(void)state;
	rings();
	person.now -= KEYS_DEAF_MS;
	for (int i = 0; i < 30; i++)
		assert_int_equal(press("\r", 900), KEY_NOTHING);
	assert_int_equal(press("\033[B", 999), KEY_NOTHING);
	assert_int_equal(person.c.answer, 0);
	assert_int_equal(press("\r", 1000), KEY_TAKE);
}

/* Mouse reports, pastes, answers and function keys carry letters. */
static void test_sequences_are_not_keys(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} sequences[] = {
#define S(s) { s, sizeof(s) - 1 }
		S("\033[MCW*"), S("\033[M \x61\x73"), S("\033[MCs\xc3\xb3"), S("\033[<35;87;10M"), S("\033[<0;1;1m"),
		S("\033[I"), S("\033[O"), S("\033OP"), S("\033OQ"), S("\033OR"), S("\033OS"), S("\033[[A"), S("\033[[E"),
		S("\033[15~"), S("\033[1;5C"), S("\033[119;1u"), S("\033[27;5;119~"), S("\033[?62;c"), S("\033[12;40R"),
		S("\033]11;rgb:ww/ss/nn\a"), S("\033]11;rgb:ww/ss/nn\033\\"), S("\033P1$r0 q\033\\"), S("\033_Gw\033\\"),
		S("\x9b?62;22c"), S("\xc2\x9b?62;22c"), S("\x9b" "12;40R"), S("\x8fw"), S("\x9d" "11;rgb:ww/ss/nn\x9c"),
		S("\xc2\x90" "1$r0 q\xc2\x9c"), S("\xc2\x9d" "11;w\xc3\x9cs\xc2\x9c"), S("\x9b[A"), S("\x9bMCW*"),
		S("\033[200~w\rs\r\033[201w\033[B\r\033[201~"), S("\033w"), S("\033[1\rw"), S("\033[999999999999999999;1w"),
#undef S
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sequences); i++) {
		for (size_t cut = 0; cut < sequences[i].n; cut++) { /* wherever a read ends */
			rings();
			person.p.more = 2;
			send(sequences[i].bytes, cut);
			assert_int_equal(person.takes, 0);
			person.now += 50;
			send(sequences[i].bytes + cut, sequences[i].n - cut);
			if (strcmp(sequences[i].bytes, "\033[1\rw") == 0)
				continue; /* not one: broken off, then a letter */
			assert_int_equal(person.takes, 0);
			assert_int_equal(person.c.answer, 0);
			assert_int_equal(person.c.duration, 0);
			assert_false(person.c.all);
			assert_int_equal(press("\033[B", 10), KEY_REDRAW); /* and it is over */
			assert_int_equal(person.c.answer, 1);
		}
	}
}

static void test_a_lone_esc(void **state)
{
	bool broken;

	(void)state;
	rings();
	assert_int_equal(key_reader_timeout_ms(&person.reader, person.now), -1);
	assert_int_equal(press("\033", 0), KEY_NOTHING); /* as yet it may be the beginning of a report */
	assert_in_range(key_reader_timeout_ms(&person.reader, person.now), 1, 100);
	assert_int_equal(key_reader_timeout_ms(&person.reader, person.now + 100), 0);
	assert_int_equal(key_reader_silence(&person.reader, &broken), UI_KEY_ESC);
	assert_false(broken);
	assert_int_equal(keys_take(&person.keys, &person.p, &person.c, UI_KEY_ESC, person.now), KEY_LATER);
	press("\033[Mw", 0);
	assert_int_equal(key_reader_timeout_ms(&person.reader, person.now + 500), 0);
	assert_int_equal(key_reader_silence(&person.reader, &broken), 0);
	assert_true(broken); /* the agent is deaf again for a second */
	assert_int_equal(key_reader_timeout_ms(&person.reader, person.now), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_all_of_them),
		cmocka_unit_test(test_typing_says_nothing),
		cmocka_unit_test(test_deaf_until_it_is_quiet),
		cmocka_unit_test(test_sequences_are_not_keys),
		cmocka_unit_test(test_a_lone_esc),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
