/* SPDX-License-Identifier: MIT
 *
 * One bell at a time; what the person types goes to it or to the app, never to
 * both, and what the app writes meanwhile waits.
 */
#include "ui-tty/agent.h"

#include "base/loop.h"
#include "policy/permission.h"
#include "ui-tty/bells.h"
#include "ui-tty/key_reader.h"
#include "ui-tty/keys.h"
#include "ui-tty/show.h"
#include "ui-tty/stage.h"
#include "varlink/client.h"

#include <locale.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#define SAYS_MS 1500u

enum agent_state { AGENT_IDLE = 0, AGENT_ASKING, AGENT_SAYING };

struct agent {
	const char *root, *app;
	struct varlink_client *stream;
	bool stream_gone;
	void (*to_app)(void *data, const char *buf, size_t n);
	void *data;
	struct stage stage;
	enum agent_state state;
	struct bells bells;
	struct prompt_text shown;
	struct prompt_choice choice;
	struct key_reader reader;
	struct keys keys;
	uint64_t says_until_ms;
	char says[600];
	bool choice_shown;
};

void agent_output(struct agent *a, const char *buf, size_t n)
{
	stage_output(&a->stage, buf, n);
}

static void give_screen_back(struct agent *a)
{
	stage_give_back(&a->stage);
	a->state = AGENT_IDLE;
}

static void draw_prompt(struct agent *a)
{
	a->choice_shown = stage_draw(&a->stage, &a->shown, &a->choice);
	if (!a->choice_shown)
		keys_choose_safe(&a->shown, &a->choice);
}

/* A box that stood there may have been taller, or elsewhere. */
static void draw_anew(struct agent *a)
{
	stage_clear(&a->stage);
	if (a->state == AGENT_SAYING)
		stage_say(&a->stage, a->says);
	else
		draw_prompt(a);
}

/* --- the queue --- */

/* Others of the same app, as this agent knows them; whether that is news. */
static bool count_more(struct agent *a)
{
	unsigned int n = 0;

	for (size_t i = 0; i < a->bells.count; i++)
		n += strcmp(a->bells.waiting[i].app, a->shown.app) == 0;
	if (n == a->shown.more)
		return false;
	a->shown.more = n;
	return true;
}

static void show_next(struct agent *a)
{
	enum agent_state was = a->state;

	if (was == AGENT_ASKING || !a->stage.screen || !bells_next(&a->bells, a->app, &a->shown))
		return;
	(void)count_more(a);
	keys_choose_safe(&a->shown, &a->choice);
	a->state = AGENT_ASKING;
	if (was == AGENT_IDLE)
		stage_take(&a->stage);
	memset(&a->reader, 0, sizeof(a->reader));
	keys_start(&a->keys, loop_boot_ms());
	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	stage_beep(&a->stage);
	if (was == AGENT_IDLE)
		draw_prompt(a);
	else
		draw_anew(a);
}

static void end_prompt(struct agent *a, const char *says)
{
	if (says && *says) {
		a->state = AGENT_SAYING;
		a->says_until_ms = loop_boot_ms() + SAYS_MS;
		text_escape(says, strlen(says), a->says, sizeof(a->says));
		stage_say(&a->stage, a->says);
		return;
	}
	give_screen_back(a);
	show_next(a);
}

/* The question that is on the screen came again. */
static void take_again(struct agent *a)
{
	struct prompt_text was = a->shown;

	(void)bells_pick(&a->bells, was.id, &a->shown);
	if (memcmp(was.answers, a->shown.answers, sizeof(was.answers)) == 0 && was.safe == a->shown.safe)
		return;
	keys_choose_safe(&a->shown, &a->choice); /* the lines are others now */
	keys_start(&a->keys, loop_boot_ms());
	draw_anew(a);
}

static void take_prompt(struct agent *a, json_t *p)
{
	uint64_t id;

	switch (bells_take(&a->bells, p, &id)) {
	case BELLS_NOTHING:
		return;
	case BELLS_CAME:
		if (a->state == AGENT_ASKING && a->shown.id == id)
			take_again(a);
		show_next(a);
		break;
	case BELLS_OVER:
		if (a->state == AGENT_ASKING && a->shown.id == id)
			end_prompt(a, "answered elsewhere"); /* another agent, or the app is gone */
	}
	if (a->state == AGENT_ASKING && count_more(a)) {
		a->choice.all = false; /* not those that the person saw */
		draw_anew(a);
	}
}

/* --- answers --- */

static void call_broker(struct agent *a, const char *method, json_t *params, char *says, size_t size)
{
	struct err err = { 0 };
	struct varlink_client *client = varlink_client_open(a->root, &err);
	json_t *reply = NULL;

	says[0] = '\0';
	if (!client)
		json_decref(params);
	else if (varlink_client_call(client, method, params, &reply, &err) == 0)
		text_escape(str_of(reply, "says"), strlen(str_of(reply, "says")), says, size);
	if (!reply)
		(void)snprintf(says, size, "not answered: %s", err.msg);
	json_decref(reply);
	varlink_client_close(client);
}

static void answer(struct agent *a)
{
	char says[600];

	call_broker(a, "io.cowbell.Answer",
		    json_pack("{s:I, s:s, s:s, s:b}", "id", (json_int_t)a->shown.id, "answer",
			      a->shown.answers[a->choice.answer], "for", prompt_duration_words[a->choice.duration],
			      "all_of_app", a->choice.all),
		    says, sizeof(says));
	end_prompt(a, says);
}

static void later(struct agent *a)
{
	char says[600];

	call_broker(a, "io.cowbell.Later", json_pack("{s:I}", "id", (json_int_t)a->shown.id), says, sizeof(says));
	end_prompt(a, says[0] ? says : "refused for now; cowbell prompts shows the question again");
}

static void take_key(struct agent *a, int key)
{
	switch (keys_take(&a->keys, &a->shown, &a->choice, key, loop_boot_ms())) {
	case KEY_REDRAW:
		draw_prompt(a);
		return;
	case KEY_TAKE:
		if (!a->choice_shown)
			keys_choose_safe(&a->shown, &a->choice);
		answer(a);
		return;
	case KEY_LATER:
		later(a);
		return;
	case KEY_NOTHING:
		return;
	}
}

/* A sequence that stopped in the middle; its rest would look like letters. */
static void end_sequence(struct agent *a)
{
	bool broken;
	int key = key_reader_silence(&a->reader, &broken);

	if (broken)
		keys_start(&a->keys, loop_boot_ms());
	else if (key && a->state == AGENT_ASKING)
		take_key(a, key);
}

void agent_keys(struct agent *a, const char *buf, size_t n)
{
	uint64_t now = loop_boot_ms();

	if (a->state == AGENT_ASKING && key_reader_timeout_ms(&a->reader, now) == 0)
		end_sequence(a);
	if (a->state == AGENT_SAYING)
		give_screen_back(a); /* the key said "go on", and is the app's */
	if (a->state == AGENT_IDLE) {
		a->to_app(a->data, buf, n);
		show_next(a);
		return;
	}
	for (size_t i = 0; i < n && a->state == AGENT_ASKING; i++) {
		int key = key_reader_byte(&a->reader, (unsigned char)buf[i], now);

		if (key)
			take_key(a, key);
	}
}

/* --- events --- */

int agent_fd(const struct agent *a)
{
	return a->stream_gone ? -1 : varlink_client_fd(a->stream);
}

void agent_ready(struct agent *a)
{
	struct err err = { 0 };
	json_t *reply, *p;
	size_t i;

	if (varlink_client_recv(a->stream, &reply, &err) <= 0) {
		a->stream_gone = true;
		if (a->state == AGENT_ASKING)
			end_prompt(a, "the broker went away; nothing was answered");
		return;
	}
	json_array_foreach(json_object_get(reply, "prompts"), i, p)
		take_prompt(a, p);
	json_decref(reply);
}

int agent_timeout_ms(const struct agent *a)
{
	uint64_t now = loop_boot_ms();

	if (a->state == AGENT_ASKING)
		return key_reader_timeout_ms(&a->reader, now);
	if (a->state != AGENT_SAYING)
		return -1;
	return a->says_until_ms > now ? (int)(a->says_until_ms - now) : 0;
}

void agent_tick(struct agent *a)
{
	if (agent_timeout_ms(a) != 0)
		return;
	if (a->state == AGENT_ASKING) {
		end_sequence(a);
		return;
	}
	give_screen_back(a);
	show_next(a);
}

bool agent_waits(const struct agent *a)
{
	return a->bells.count && !a->stage.screen;
}

bool agent_wants_keys(const struct agent *a)
{
	return a->state != AGENT_IDLE;
}

void agent_notice(struct agent *a, const char *text)
{
	char line[1024], shown[900];

	if (a->state != AGENT_IDLE)
		return; /* the bell itself says it */
	text_escape(text, strlen(text), shown, sizeof(shown));
	(void)snprintf(line, sizeof(line), "\r\n%s\r\n", shown);
	stage_output(&a->stage, line, strlen(line));
}

void agent_resize(struct agent *a, int rows, int columns)
{
	stage_resize(&a->stage, rows, columns);
	if (a->state != AGENT_IDLE)
		draw_anew(a);
	if (a->state == AGENT_IDLE)
		show_next(a);
}

/* --- beginning and end --- */

static void read_mark(struct agent *a)
{
	struct err err = { 0 };
	struct varlink_client *client = varlink_client_open(a->root, &err);
	json_t *reply = NULL;

	(void)snprintf(a->stage.mark, sizeof(a->stage.mark), "~");
	if (client && varlink_client_call(client, "io.cowbell.Mark", NULL, &reply, &err) == 0)
		text_escape(str_of(reply, "mark"), strlen(str_of(reply, "mark")), a->stage.mark, sizeof(a->stage.mark));
	json_decref(reply);
	varlink_client_close(client);
}

struct agent *agent_create(const char *root, const char *app, void (*to_app)(void *data, const char *buf, size_t n),
			   void *data)
{
	struct agent *a = xcalloc(1, sizeof(*a));
	struct err err = { 0 };

	(void)setlocale(LC_CTYPE, "");
	stage_init(&a->stage, isatty(STDOUT_FILENO) ? STDOUT_FILENO : STDERR_FILENO,
		   strcmp(nl_langinfo(CODESET), "UTF-8") != 0);
	a->root = root;
	a->app = app;
	a->to_app = to_app;
	a->data = data;
	a->stream = varlink_client_open(root, &err);
	if (!a->stream || varlink_client_more(a->stream, "io.cowbell.Agent", json_pack("{s:s}", "name", "run"), &err) < 0) {
		varlink_client_close(a->stream);
		free(a);
		return NULL;
	}
	read_mark(a);
	agent_ready(a); /* the first reply: what waits already, and that we are attached */
	return a;
}

void agent_finish(struct agent *a)
{
	if (!a)
		return;
	stage_end(&a->stage);
	varlink_client_close(a->stream);
	bells_free(&a->bells);
	free(a);
}
