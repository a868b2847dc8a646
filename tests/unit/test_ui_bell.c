/* SPDX-License-Identifier: MIT
 *
 * Bells over the screens: what comes first, what keys do to it, and what the broker
 * is then asked.
 */
#include "ui_made.h"

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
	ui_key(&ui, 'q', 9150); /* meant for the bell, not for what lay below it */
	ui_key(&ui, UI_KEY_DOWN, 9900);
	assert_false(ui.quit);
	assert_sees("answered elsewhere");
	ring(bell, 9950);
	assert_true(ui.ringing);
	ring("{\"prompts\": [{\"id\": 9, \"app\": \"flashlight\", \"state\": \"answered\", \"answers\": []}]}", 9960);
	ui_key(&ui, 'z', 9960 + KEYS_DEAF_MS);
	assert_sees("'z' means nothing here");
	ring(bell, 12000);
	ui_prompts(&ui, NULL, 12100); /* the broker died */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bell_goes_before_everything),
		cmocka_unit_test(test_bell_later_and_elsewhere),
		cmocka_unit_test(test_no_app_starves_others),
		cmocka_unit_test(test_network_bell),
		cmocka_unit_test(test_same_for_all),
		cmocka_unit_test(test_unanswered_for_next_time),
	};

	(void)setlocale(LC_ALL, "C.UTF-8");
	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
