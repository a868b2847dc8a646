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
#include <stdio.h>
#include <string.h>

#include "ui-tty/key_reader.h"
#include "ui-tty/keys.h"
#include "ui-tty/modes.h"
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

static void test_the_line_shows_the_choice(void **state)
{
	struct prompt_text p = a_prompt();
	struct prompt_choice c = { .answer = 3, .duration = 2 };
	char line[PROMPT_ROW_BYTES];

	(void)state;
	memset(p.app, 'a', sizeof(p.app) - 1);
	assert_true(prompt_view_line(&p, &c, 36, line, sizeof(line)));
	assert_ptr_equal(strstr(line, "[Write, reboot]"), line);
	assert_true(text_columns(line) < 36);
	assert_true(prompt_view_line(&p, &c, 16, line, sizeof(line)));
	assert_string_equal(line, "[Write, reboot]");
	assert_false(prompt_view_line(&p, &c, 15, line, sizeof(line)));
	assert_string_equal(line, "Esc");
	c.all = true;
	assert_true(prompt_view_line(&p, &c, 40, line, sizeof(line)));
	assert_ptr_equal(strstr(line, "[Write, reboot, all]"), line);
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
			prompt_view(&p, &c, 24, columns, plain, &rows);
			for (size_t i = 0; i < rows.count; i++) {
				assert_int_equal(text_columns(rows.rows[i]), rows.width);
				for (const unsigned char *s = (const unsigned char *)rows.rows[i]; *s; s++)
					assert_true(*s >= 0x20 && !(plain && *s >= 0x80));
			}
			assert_true(rows.width <= columns);
		}
	}
	p = a_prompt();
	prompt_view(&p, &c, 24, 80, true, &rows);
	for (size_t i = 0; i < rows.count; i++)
		found |= strstr(rows.rows[i], "* flashlight wants your contacts (42 people)") != NULL;
	assert_true(found);
}

static bool shows(const struct prompt_rows *rows, const char *text)
{
	for (size_t i = 0; i < rows->count; i++) {
		if (strstr(rows->rows[i], text))
			return true;
	}
	return false;
}

static void test_a_claim_stands_in_quotes(void **state)
{
	struct prompt_text p = a_prompt();
	struct prompt_choice c = { 0 };
	struct prompt_rows rows;

	(void)state;
	prompt_view(&p, &c, 24, 80, true, &rows);
	assert_false(shows(&rows, "says"));
	(void)snprintf(p.says, sizeof(p.says), "find friends with a torch");
	prompt_view(&p, &c, 24, 80, true, &rows);
	assert_true(shows(&rows, "| says   \"find friends with a torch\""));
	(void)snprintf(p.says, sizeof(p.says), "light\" (checked by Cowbell) \"");
	prompt_view(&p, &c, 24, 80, true, &rows);
	assert_true(shows(&rows, "| says   \"light' (checked by Cowbell) '\""));
}

/* What an app says cannot stand where Cowbell's own word does. */
static void test_a_note_is_cowbells(void **state)
{
	struct prompt_text p = a_prompt();
	struct prompt_choice c = { 0 };
	struct prompt_rows rows;

	(void)state;
	prompt_view(&p, &c, 24, 80, true, &rows);
	assert_false(shows(&rows, "note"));
	(void)snprintf(p.note, sizeof(p.note), "you said read; unused for long, it lapsed on 2026-11-26");
	prompt_view(&p, &c, 24, 80, true, &rows);
	assert_true(shows(&rows, "| note   you said read; unused for long, it lapsed on"));
}

/* On a phone's console all of it is there, however much there is to say. */
static void test_a_small_screen_has_the_whole_bell(void **state)
{
	struct prompt_text p = a_prompt();
	struct prompt_choice c = { 0 };
	struct prompt_rows rows;

	(void)state;
	p.more = 2;
	p.looks_alike = true;
	memset(p.says, 's', sizeof(p.says) - 1);
	memset(p.source, 'o', sizeof(p.source) - 1);
	memset(p.title, 't', sizeof(p.title) - 1);
	memset(p.about, 'a', sizeof(p.about) - 1);
	memset(p.program, 'p', sizeof(p.program) - 1);
	prompt_view(&p, &c, 20, 40, true, &rows);
	assert_true(prompt_fits(&rows, 20, 40));
	for (size_t i = 0; i < p.answer_count; i++)
		assert_true(shows(&rows, prompt_answer_word("", p.answers[i])));
	assert_true(strstr(rows.rows[rows.first_answer], "Empty") != NULL);
	assert_true(shows(&rows, "Enter: empty, this run"));
	assert_true(shows(&rows, "2 more from flashlight"));
	assert_true(shows(&rows, "says   \"sss"));
	assert_true(shows(&rows, "looks like another"));
}

/* The text of the box, over the ends of its rows. */
static void joined(const struct prompt_rows *rows, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 1; i < rows->count && n < size; i++) {
		const char *text = rows->rows[i] + 2;
		size_t len = strlen(text) - 2;

		text += strspn(text, " ");
		while (len > 0 && rows->rows[i][2 + len - 1] == ' ')
			len--;
		if (rows->rows[i] + 2 + len > text)
			n += (size_t)snprintf(buf + n, size - n, "%.*s", (int)(rows->rows[i] + 2 + len - text), text);
	}
}

/* What is cut is seen to be cut, and a host name ends in who it belongs to. */
static void test_the_end_of_a_name_is_never_cut(void **state)
{
	struct prompt_text p = a_prompt();
	struct prompt_choice c = { .answer = 1 };
	struct prompt_rows rows;
	char line[8 * PROMPT_ROW_BYTES];

	(void)state;
	p = (struct prompt_text){ .app = "web", .title = "web", .source = "file web.deb", .permission = "network:x",
				  .answers = { "no", "chosen", "allow" }, .answer_count = 3 };
	(void)snprintf(p.about, sizeof(p.about), "to reach www.bank.example.%0100d.evil.example (port 443)", 0);
	for (int rows_of = 16; rows_of <= 24; rows_of += 8) {
		prompt_view(&p, &c, rows_of, 40, true, &rows);
		assert_true(prompt_fits(&rows, rows_of, 40));
		joined(&rows, line, sizeof(line));
		assert_non_null(strstr(line, ".evil.example"));
		assert_int_equal(strstr(line, "...") != NULL, rows_of == 16);
	}
	assert_true(prompt_view_line(&p, &c, 70, line, sizeof(line)));
	assert_non_null(strstr(line, "[This, this run] web"));
	assert_non_null(strstr(line, "..."));
	assert_non_null(strstr(line, "evil.example (port 443)"));
	assert_true(text_columns(line) < 70);
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
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_all_of_them),
		cmocka_unit_test(test_typing_says_nothing),
		cmocka_unit_test(test_deaf_until_it_is_quiet),
		cmocka_unit_test(test_sequences_are_not_keys),
		cmocka_unit_test(test_a_lone_esc),
		cmocka_unit_test(test_the_line_shows_the_choice),
		cmocka_unit_test(test_modes_are_put_back),
		cmocka_unit_test(test_what_the_bell_takes_back),
		cmocka_unit_test(test_alternate_screens),
		cmocka_unit_test(test_long_strings),
		cmocka_unit_test(test_rows_fit),
		cmocka_unit_test(test_a_claim_stands_in_quotes),
		cmocka_unit_test(test_a_note_is_cowbells),
		cmocka_unit_test(test_a_small_screen_has_the_whole_bell),
		cmocka_unit_test(test_the_end_of_a_name_is_never_cut),
		cmocka_unit_test(test_a_screen_is_drawn_again),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
