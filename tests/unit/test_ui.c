/* SPDX-License-Identifier: MIT
 *
 * What stands on the screen for a state, and what keys and clicks do.
 */
#include "ui_made.h"

static void test_home(void **state)
{
	(void)state;
	setup_ui();
	assert_sees("› flashlight              running  torch");
	assert_sees("khard                   3 files changed");
	assert_sees("(unanswered: 1)");
	press(UI_KEY_DOWN);
	assert_sees("› khard");
	press(UI_KEY_DOWN);
	press(UI_KEY_DOWN);
	press(UI_KEY_DOWN);
	assert_sees("› (unanswered: 1)");
	press('r');
	assert_sees("Light an app first");
	press('%');
	assert_sees("'%' means nothing here");
	press(UI_KEY_UP);
	press('r');
	assert_non_null(strstr(asked, "command run khard"));
	teardown_ui();
}

static void test_every_size_holds(void **state)
{
	static const struct page *const pages[] = { &page_home, &page_bells, &page_app, &page_answer, &page_who,
						    &page_history, &page_settings, &page_changes, &page_file, &page_summary };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		setup_ui();
		ui_enter(&ui, pages[i], "flashlight", "contacts");
		for (int rows = 1; rows < 50; rows += 3) {
			for (int columns = 1; columns < 300; columns += 13) {
				(void)look(rows, columns);
				ui.help = true;
				(void)look(rows, columns);
				ui.help = false;
				ring(bell, 6000);
				(void)look(rows, columns);
				ui.ringing = false;
			}
		}
		teardown_ui();
	}
}

/* How long an answer may lie unused is its owner's to say. */
static void test_unused_answers(void **state)
{
	(void)state;
	setup_ui();
	ui_enter(&ui, &page_settings, "", "");
	assert_sees("unused answers end after 90 days");
	press('l');
	for (const char *p = "\b\b" "10x"; *p; p++)
		press(*p == '\b' ? UI_KEY_BACKSPACE : *p);
	press(UI_KEY_ENTER);
	assert_sees("'10x' is no number of days");
	assert_null(strstr(asked, "\"days\""));
	press('l');
	for (const char *p = "\b\b" "30"; *p; p++)
		press(*p == '\b' ? UI_KEY_BACKSPACE : *p);
	press(UI_KEY_ENTER);
	assert_non_null(strstr(asked, "Lapse {\"days\":30}"));
	teardown_ui();
}

static void test_app_page(void **state)
{
	(void)state;
	setup_ui();
	press(UI_KEY_ENTER);
	assert_sees("contacts                empty  always         31 tries");
	assert_sees("torch                   allow  always         lapses in 9 days");
	assert_sees("── was ──");
	asked[0] = '\0';
	press('x');
	assert_sees("312 files (4.1 MB) in 2 generations go; the install and your answers stay.");
	assert_sees("stopped");
	press(UI_KEY_ENTER);
	assert_null(strstr(asked, "Reset"));
	assert_sees("Nothing was changed.");
	press('x');
	press('y');
	assert_non_null(strstr(asked, "Reset {\"app\":\"flashlight\",\"stop\":true}"));
	press('d');
	press('n');
	assert_null(strstr(asked, "Uninstall"));
	teardown_ui();
}

/* On a phone's console: what is said is all there, and so is the way on. */
static void test_small_screens_say_all(void **state)
{
	(void)state;
	setup_ui();
	press('h');
	assert_non_null(strstr(look(20, 40), "flashlight"));
	assert_non_null(strstr(look(20, 40), "an empty one, in 31 runs"));
	press(UI_KEY_ESC);
	press(UI_KEY_ENTER);
	assert_non_null(strstr(look(20, 40), "Esc back"));
	assert_non_null(strstr(look(20, 40), "? help\n"));
	press(UI_KEY_ESC);
	press('s');
	assert_non_null(strstr(look(20, 40), "unused answers end after 90 days"));
	teardown_ui();
}

/* What was never changed is not reset in so many words. */
static void test_nothing_to_reset(void **state)
{
	(void)state;
	setup_ui();
	press(UI_KEY_DOWN);
	generations_now = "{\"generations\": [{\"number\": 1, \"kind\": \"install\", \"files\": 4, \"bytes\": 9000}]}";
	press(UI_KEY_ENTER);
	json_object_set_new(json_object_get(ui_place(&ui)->data, "app"), "state", json_string("ready"));
	press('x');
	assert_sees("It has changed nothing since it was installed");
	assert_false(ui.ask.open);
	generations_now = generations;
	teardown_ui();
}

/* Programs that do nothing without words are run from the screens, too. */
static void test_run_with_words(void **state)
{
	(void)state;
	setup_ui();
	press(UI_KEY_ENTER);
	press('R');
	for (const char *p = "on --for 5"; *p; p++)
		press(*p);
	press(UI_KEY_ENTER);
	assert_non_null(strstr(asked, "command run flashlight -- on --for 5\n"));
	teardown_ui();
}

static void test_who_cuts(void **state)
{
	(void)state;
	setup_ui();
	press('w');
	assert_sees("── your contacts ──");
	assert_sees("› flashlight                empty  always");
	assert_sees("nobody; every app has to ask"); /* storage */
	asked[0] = '\0';
	press('c');
	assert_non_null(strstr(asked, "Revoke {\"app\":\"flashlight\",\"permission\":\"contacts\"}"));
	assert_sees("still holds 2 open files");
	press(UI_KEY_ENTER);
	assert_sees("Ask    take it back and ask me again");
	press(UI_KEY_ENTER);
	assert_non_null(strstr(asked, "Grant {\"answer\":\"empty\",\"app\":\"flashlight\",\"for\":\"always\",\"permission\":\"contacts\"}"));
	teardown_ui();
}

static void test_errors_are_said(void **state)
{
	(void)state;
	setup_ui();
	broken = true;
	ui_refresh(&ui, NOW_MS);
	assert_sees("the disk is full (make room)");
	assert_sees("flashlight"); /* what was known stays on the screen */
	press(UI_KEY_ENTER);
	assert_int_equal(ui.depth, 1); /* a page that cannot be shown is not entered */
	teardown_ui();
}

static void test_input(void **state)
{
	static const char text[] = "/tmp/a b.deb";

	(void)state;
	setup_ui();
	press('i');
	press(UI_KEY_ENTER);
	for (const char *p = text; *p; p++)
		press(*p);
	press(0x20ac); /* the euro sign */
	press(UI_KEY_BACKSPACE);
	assert_string_equal(ui.ask.value, text);
	for (int i = 0; i < 2000; i++)
		press('x');
	assert_true(strlen(ui.ask.value) < sizeof(ui.ask.value));
	press(21);
	assert_string_equal(ui.ask.value, "");
	press(UI_KEY_ENTER);
	assert_true(ui.ask.open); /* nothing is no file */
	press('z');
	press(UI_KEY_ENTER);
	assert_sees("evil \\x1b[2J name"); /* what comes from a package cannot draw */
	teardown_ui();
}

static void test_mouse(void **state)
{
	(void)state;
	setup_ui();
	(void)look(24, 80);
	ui_click(&ui, &canvas, 3, 5, 9000);
	assert_sees("› khard");
	ui_click(&ui, &canvas, 3, 5, 9000);
	assert_int_equal(ui.depth, 2);
	(void)look(24, 80);
	ui_click(&ui, &canvas, 0, 0, 9000);
	assert_int_equal(ui.depth, 1);
	(void)look(24, 80);
	ui_click(&ui, &canvas, 22, 22, 9000); /* "b bells" */
	assert_ptr_equal(ui_place(&ui)->page, &page_bells);
	press(UI_KEY_ESC);
	ring(bell, 10000);
	(void)look(24, 80);
	for (int row = 0; row < 24; row++) { /* no place on the screen answers in the first second */
		asked[0] = '\0';
		ui_click(&ui, &canvas, row, 20, 10500);
		assert_string_equal(asked, "");
	}
	for (int row = 0; row < 24; row++) {
		if (strstr(canvas.row[row].text, "Read "))
			ui_click(&ui, &canvas, row, 20, 12000);
	}
	assert_string_equal(asked, "");
	assert_sees("› Read");
	teardown_ui();
}

static void test_glyphs(void **state)
{
	char text[] = "› ♪ ─│ ‹é› 漢";

	(void)state;
	glyphs_lower(GLYPHS_CONSOLE, text);
	assert_string_equal(text, "> ♪ ─│ <é> 漢");
	glyphs_lower(GLYPHS_ASCII, text);
	assert_string_equal(text, "> * -| <?> ?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_every_size_holds),
		cmocka_unit_test(test_unused_answers),
		cmocka_unit_test(test_app_page),
		cmocka_unit_test(test_who_cuts),
		cmocka_unit_test(test_small_screens_say_all),
		cmocka_unit_test(test_nothing_to_reset),
		cmocka_unit_test(test_run_with_words),
		cmocka_unit_test(test_errors_are_said),
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_mouse),
		cmocka_unit_test(test_glyphs),
	};

	(void)setlocale(LC_ALL, "C.UTF-8");
	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
