/* SPDX-License-Identifier: MIT
 *
 * The screens with a broker that answers from a table and writes down what it was
 * asked.
 */
#ifndef TESTS_UI_MADE_H
#define TESTS_UI_MADE_H

#include "ui-tty/ui.h"

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
	"\"nobody\"},"
	"{\"app\": \"flashlight\", \"permission\": \"torch\", \"label\": \"the torch\", \"answer\": \"allow\", \"for\": "
	"\"always\", \"by\": \"grant\", \"lapses\": 777600000}], \"app\": {\"id\": \"flashlight\", \"state\": \"running\", \"version\": \"1.2\", \"source\": \"file x\"}}";
static const char generations[] =
	"{\"generations\": [{\"number\": 1, \"kind\": \"install\", \"files\": 4, \"bytes\": 9000},"
	" {\"number\": 2, \"parent\": 1, \"kind\": \"run\", \"files\": 300, \"bytes\": 4000000, \"head\": true, \"time\": 1764099000000},"
	" {\"number\": 3, \"kind\": \"run\", \"files\": 12, \"bytes\": 100000, \"time\": 1764099000000}]}";
static const char *generations_now = generations;
static const char history[] =
	"{\"history\": [{\"time\": 1764099000000, \"last\": 1764099000000, \"kind\": \"access\", \"app\": \"flashlight\", "
	"\"permission\": \"storage:Templates\", \"what\": \"used\", \"answer\": \"empty\", \"count\": 31, \"seq\": 1}]}";
static inline const char *canned(const char *method)
{
	static const struct {
		const char *method, *reply;
	} table[] = {
		{ "Mark", "{\"mark\": \"moo\"}" },
		{ "Lapse", "{\"days\": 90}" },
		{ "List", apps },
		{ "Ps", sessions },
		{ "Prompts", prompts },
		{ "Info", permission_list },
		{ "Permissions", permission_list },
		{ "History", history },
		{ "Answer", "{\"says\": \"khard sees an empty one\"}" },
		{ "Revoke", "{\"held\": 2, \"was\": \"read\"}" },
		{ "Explain", "{\"permission\": {\"label\": \"your contacts\", \"answer\": \"ask\", \"by\": \"nobody\", \"why\": \"x\", "
			     "\"answers\": [\"no\", \"ask\", \"empty\", \"copy\", \"read\", \"write\"]}}" },
	};

	if (strcmp(method, "Generations") == 0)
		return generations_now;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strcmp(table[i].method, method) == 0)
			return table[i].reply;
	}
	return "{}";
}

static inline json_t *call(void *data, const char *method, json_t *params, struct err *err)
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

static inline int command(void *data, char *const args[])
{
	size_t n = strlen(asked);

	(void)data;
	n += (size_t)snprintf(asked + n, sizeof(asked) - n, "command");
	for (char *const *p = args; *p && n < sizeof(asked); p++)
		n += (size_t)snprintf(asked + n, sizeof(asked) - n, " %s", *p);
	if (n < sizeof(asked))
		(void)snprintf(asked + n, sizeof(asked) - n, "\n");
	return 0;
}

static inline char *capture(void *data, char *const args[], struct err *err)
{
	(void)data;
	(void)args;
	(void)err;
	return xstrdup("evil \033[2J name\n");
}

static const struct ui_port port = { .call = call, .command = command, .capture = capture };

static struct ui ui;
static struct canvas canvas;

static inline void setup_ui(void)
{
	asked[0] = '\0';
	broken = false;
	ui_start(&ui, &port, 5000, NOW_MS);
}

static inline void teardown_ui(void)
{
	ui_finish(&ui);
	canvas_free(&canvas);
}

static inline const char *look(int rows, int columns)
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

static inline void assert_sees(const char *text)
{
	const char *screen = look(24, 80);

	if (!strstr(screen, text))
		fail_msg("'%s' is not on the screen:\n%s", text, screen);
}

static inline void assert_sees_not(const char *text)
{
	assert_null(strstr(look(24, 80), text));
}

static inline void press(int key)
{
	ui_key(&ui, key, 9000);
}

static inline void ring(const char *json, uint64_t now)
{
	json_t *reply = json_loads(json, 0, NULL);

	assert_non_null(reply);
	ui_prompts(&ui, reply, now);
	json_decref(reply);
}

static const char bell[] __attribute__((unused)) = "{\"prompts\": [{\"id\": 9, \"app\": \"flashlight\", \"title\": \"Flash\", \"source\": \"file x\","
			   " \"about\": \"your contacts (2 people)\", \"program\": \"fl\", \"state\": \"waiting\", \"safe\": "
			   "\"empty\", \"answers\": [\"no\", \"empty\", \"read\"]}]}";

#endif
