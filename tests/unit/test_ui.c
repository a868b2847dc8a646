/* SPDX-License-Identifier: MIT
 *
 * What stands on the screen for a state, and what keys do: with a broker that
 * answers from a table and writes down what it was asked.
 */
#include "ui-tty/ui.h"

#include "ui-tty/folds.h"

#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS 1764100000000LL /* a wall clock */

static char asked[8192]; /* every call, "Method {params}\n" */
static bool broken;

static const char apps[] =
	"{\"apps\": [{\"id\": \"flashlight\", \"state\": \"running\", \"version\": \"1.2\", \"waiting\": 0, \"disk\": {}},"
	" {\"id\": \"khard\", \"state\": \"ready\", \"changed_files\": 3, \"changed_time\": 1764099000000}]}";
static const char sessions[] = "{\"sessions\": [{\"app\": \"flashlight\", \"given\": [{\"permission\": \"torch\"}]}]}";
static const char prompts[] =
	"{\"prompts\": [{\"id\": 7, \"app\": \"khard\", \"about\": \"your contacts\", \"state\": \"unanswered\","
	" \"safe\": \"empty\", \"answers\": [\"no\", \"empty\", \"read\"]}]}";
static const char permission_list[] =
	"{\"permissions\": ["
	"{\"app\": \"flashlight\", \"permission\": \"contacts\", \"label\": \"your contacts\", \"answer\": \"empty\", \"for\": "
	"\"always\", \"by\": \"grant\", \"count\": 31, \"last_used\": 1764099000000, \"answers\": [\"no\", \"ask\", \"empty\", "
	"\"read\"]},"
	"{\"app\": \"flashlight\", \"permission\": \"storage\", \"label\": \"your files\", \"answer\": \"ask\", \"by\": "
	"\"nobody\"}], \"app\": {\"id\": \"flashlight\", \"state\": \"running\", \"version\": \"1.2\", \"source\": \"file x\"}}";
static const char generations[] =
	"{\"generations\": [{\"number\": 1, \"kind\": \"install\", \"files\": 4, \"bytes\": 9000},"
	" {\"number\": 2, \"parent\": 1, \"kind\": \"run\", \"files\": 300, \"bytes\": 4000000, \"head\": true, \"time\": 1764099000000},"
	" {\"number\": 3, \"kind\": \"run\", \"files\": 12, \"bytes\": 100000, \"time\": 1764099000000}]}";
static const char *canned(const char *method)
{
	static const struct {
		const char *method, *reply;
	} table[] = {
		{ "Mark", "{\"mark\": \"moo\"}" },
		{ "List", apps },
		{ "Ps", sessions },
		{ "Prompts", prompts },
		{ "Info", permission_list },
		{ "Permissions", permission_list },
		{ "Generations", generations },
		{ "Answer", "{\"says\": \"khard sees an empty one\"}" },
		{ "Revoke", "{\"held\": 2, \"was\": \"read\"}" },
		{ "Explain", "{\"permission\": {\"label\": \"your contacts\", \"answer\": \"ask\", \"by\": \"nobody\", \"why\": \"x\", "
			     "\"answers\": [\"no\", \"ask\", \"empty\", \"copy\", \"read\", \"write\"]}}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strcmp(table[i].method, method) == 0)
			return table[i].reply;
	}
	return "{}";
}

static json_t *call(void *data, const char *method, json_t *params, struct err *err)
{
	char *text = params ? json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	size_t n = strlen(asked);

	(void)data;
	method += strlen("io.cowbell.");
	(void)snprintf(asked + n, sizeof(asked) - n, "%s %s\n", method, text ? text : "");
	free(text);
	json_decref(params);
	if (broken) {
		(void)err_set(err, EIO, "the disk is full (make room)");
		return NULL;
	}
	return json_loads(canned(method), 0, NULL);
}

static int command(void *data, char *const args[])
{
	size_t n = strlen(asked);

	(void)data;
	(void)snprintf(asked + n, sizeof(asked) - n, "command %s %s\n", args[0], args[1]);
	return 0;
}

static char *capture(void *data, char *const args[], struct err *err)
{
	(void)data;
	(void)args;
	(void)err;
	return xstrdup("evil \033[2J name\n");
}

static const struct ui_port port = { .call = call, .command = command, .capture = capture };

static struct ui ui;
static struct canvas canvas;

static void setup_ui(void)
{
	asked[0] = '\0';
	broken = false;
	ui_start(&ui, &port, 5000, NOW_MS);
}

static void teardown_ui(void)
{
	ui_finish(&ui);
	canvas_free(&canvas);
}

static const char *look(int rows, int columns)
{
	static char screen[65536];
	size_t n = 0;

	ui_view(&ui, rows, columns, &canvas);
	assert_int_equal(canvas.rows, rows);
	for (int i = 0; i < rows; i++) {
		assert_true(text_columns(canvas.row[i].text) <= columns);
		n += (size_t)snprintf(screen + n, sizeof(screen) - n, "%s\n", canvas.row[i].text);
	}
	return screen;
}

static void assert_sees(const char *text)
{
	const char *screen = look(24, 80);

	if (!strstr(screen, text))
		fail_msg("'%s' is not on the screen:\n%s", text, screen);
}

static void assert_sees_not(const char *text)
{
	assert_null(strstr(look(24, 80), text));
}

static void press(int key)
{
	ui_key(&ui, key, 9000);
}

static void ring(const char *json, uint64_t now)
{
	json_t *reply = json_loads(json, 0, NULL);

	assert_non_null(reply);
	ui_prompts(&ui, reply, now);
	json_decref(reply);
}

static const char bell[] = "{\"prompts\": [{\"id\": 9, \"app\": \"flashlight\", \"title\": \"Flash\", \"source\": \"file x\","
			   " \"about\": \"your contacts (2 people)\", \"program\": \"fl\", \"state\": \"waiting\", \"safe\": "
			   "\"empty\", \"answers\": [\"no\", \"empty\", \"read\"]}]}";

/* --- */

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

static void test_bell_goes_before_everything(void **state)
{
	(void)state;
	setup_ui();
	ring(bell, 6000);
	assert_sees("flashlight wants your contacts (2 people)");
	assert_sees("moo  ♪ Cowbell asks");
	assert_sees("♪ 1 waiting");
	asked[0] = '\0';
	ui_key(&ui, UI_KEY_ENTER, 6999); /* on its way when the bell came */
	ui_key(&ui, 'q', 6999);
	assert_string_equal(asked, "");
	assert_false(ui.quit);
	ui_key(&ui, UI_KEY_ENTER, 7998);
	assert_string_equal(asked, "");
	ui_key(&ui, UI_KEY_ENTER, 8999);
	assert_non_null(strstr(asked, "Answer {\"all_of_app\":false,\"answer\":\"empty\",\"for\":\"run\",\"id\":9}"));
	assert_sees("khard sees an empty one");
	assert_false(ui.ringing);
	teardown_ui();
}

static void test_bell_later_and_elsewhere(void **state)
{
	(void)state;
	setup_ui();
	ring(bell, 6000);
	asked[0] = '\0';
	ui_key(&ui, UI_KEY_ESC, 8000);
	assert_non_null(strstr(asked, "Later {\"id\":9}"));
	assert_null(strstr(asked, "Answer"));
	ring(bell, 9000);
	assert_true(ui.ringing);
	asked[0] = '\0';
	ring("{\"prompts\": [{\"id\": 9, \"app\": \"flashlight\", \"state\": \"answered\", \"answers\": []}]}", 9100);
	assert_false(ui.ringing);
	assert_null(strstr(asked, "Answer"));
	assert_sees("answered elsewhere");
	ring(bell, 9200);
	ui_prompts(&ui, NULL, 9300); /* the broker died */
	assert_false(ui.ringing);
	assert_sees("nothing was answered");
	teardown_ui();
}

/* One app that asks for much does not keep another's question from being seen. */
static void test_no_app_starves_others(void **state)
{
	static const char *const order[] = { "a", "b", "a", "a" };
	struct bells bells = { 0 };
	struct prompt_text text;
	uint64_t id;

	(void)state;
	for (int i = 1; i <= 4; i++) {
		json_t *p = json_pack("{s:i, s:s, s:s, s:[s], s:s}", "id", i, "app", i == 4 ? "b" : "a", "state", "waiting",
				      "answers", "no", "safe", "no");

		assert_int_equal(bells_take(&bells, p, &id), BELLS_CAME);
		json_decref(p);
	}
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		assert_true(bells_next(&bells, NULL, &text));
		assert_string_equal(text.app, order[i]);
	}
	assert_false(bells_next(&bells, NULL, &text));
	bells_free(&bells);
}

/* After one answer for all, none of those comes up again. */
static void test_same_for_all(void **state)
{
	(void)state;
	setup_ui();
	ring(bell, 6000);
	ring("{\"prompts\": [{\"id\": 10, \"app\": \"flashlight\", \"about\": \"your files: Music\", \"state\": \"waiting\", "
	     "\"safe\": \"empty\", \"answers\": [\"no\", \"empty\"]}]}",
	     6100);
	assert_sees("1 more from flashlight; s: the same for all");
	ui_key(&ui, 's', 8000);
	assert_true(ui.ringing); /* lit and shown, not taken */
	assert_sees("Enter: empty, this run, all");
	ui_key(&ui, UI_KEY_ENTER, 9000);
	assert_non_null(strstr(asked, "Answer {\"all_of_app\":true"));
	assert_false(ui.ringing);
	assert_int_equal(ui.bells.count, 0);
	teardown_ui();
}

/* The network: no, this one, all; the cursor on no, and no letter says yes. */
static void test_network_bell(void **state)
{
	(void)state;
	setup_ui();
	ring("{\"prompts\": [{\"id\": 9, \"app\": \"web\", \"permission\": \"network:ads.example.com\", \"about\": \"to reach "
	     "ads.example.com (port 443)\", \"program\": \"curl\", \"state\": \"waiting\", \"safe\": \"no\", \"answers\": "
	     "[\"no\", \"allow\", \"chosen\"]}]}",
	     6000);
	assert_sees("web wants to reach ads.example.com (port 443)");
	assert_sees("This   this one, and nothing else");
	assert_sees("All    all of the internet");
	assert_sees("› No");
	asked[0] = '\0';
	ui_key(&ui, 'a', 8000);
	assert_sees("› All");
	ui_key(&ui, 't', 8100); /* somebody types */
	assert_sees("› No");
	ui_key(&ui, 't', 9000);
	assert_sees("› This");
	ui_key(&ui, UI_KEY_ENTER, 9100); /* still */
	assert_string_equal(asked, "");
	assert_sees("› No");
	ui_key(&ui, 't', 10000);
	ui_key(&ui, UI_KEY_ENTER, 11000);
	assert_non_null(strstr(asked, "\"answer\":\"chosen\",\"for\":\"run\",\"id\":9"));
	teardown_ui();
}

static void test_unanswered_for_next_time(void **state)
{
	(void)state;
	setup_ui();
	press('b');
	press(UI_KEY_ENTER);
	assert_sees("khard wants your contacts");
	assert_sees("‹always›");
	assert_sees_not("this run");
	ui_key(&ui, UI_KEY_RIGHT, 11000);
	assert_sees("‹always›");
	for (int i = 0; i < 5; i++)
		ui_key(&ui, UI_KEY_LEFT, 11000);
	assert_sees("‹1 h›"); /* no further: never "this run" */
	asked[0] = '\0';
	ui_key(&ui, UI_KEY_ENTER, 11000);
	assert_non_null(strstr(asked, "\"for\":\"1h\",\"id\":7"));
	teardown_ui();
}

static void test_app_page(void **state)
{
	(void)state;
	setup_ui();
	press(UI_KEY_ENTER);
	assert_sees("contacts                empty  always         31 tries");
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

/* --- history --- */

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
	text = folds_summary(&folds, "a month");
	assert_string_equal(text, "Your apps, a month\n\na was run 2 times.\n"
				  "  It looked into contacts in 1 run and saw an empty one.\n"
				  "  It reached for network 14 times and was refused.\n"
				  "  You decided 2 times about it.\n");
	free(text);
	folds_free(&folds);
	folds_make(NULL, 0, &folds);
	text = folds_summary(&folds, "a month");
	assert_string_equal(text, "Your apps, a month\n\nNothing happened.\n");
	free(text);
	folds_free(&folds);
	json_decref(history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_every_size_holds),
		cmocka_unit_test(test_bell_goes_before_everything),
		cmocka_unit_test(test_bell_later_and_elsewhere),
		cmocka_unit_test(test_no_app_starves_others),
		cmocka_unit_test(test_network_bell),
		cmocka_unit_test(test_same_for_all),
		cmocka_unit_test(test_unanswered_for_next_time),
		cmocka_unit_test(test_app_page),
		cmocka_unit_test(test_who_cuts),
		cmocka_unit_test(test_errors_are_said),
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_mouse),
		cmocka_unit_test(test_glyphs),
		cmocka_unit_test(test_folds),
		cmocka_unit_test(test_folds_items),
		cmocka_unit_test(test_summary),
	};

	(void)setlocale(LC_ALL, "C.UTF-8");
	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
