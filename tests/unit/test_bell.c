/* SPDX-License-Identifier: MIT
 *
 * What a bell looks like: who, what and why, in the room that there is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "bell_made.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_line_shows_the_choice),
		cmocka_unit_test(test_rows_fit),
		cmocka_unit_test(test_a_claim_stands_in_quotes),
		cmocka_unit_test(test_a_note_is_cowbells),
		cmocka_unit_test(test_a_small_screen_has_the_whole_bell),
		cmocka_unit_test(test_the_end_of_a_name_is_never_cut),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
