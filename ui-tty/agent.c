/* SPDX-License-Identifier: MIT
 *
 * While a bell stands on the screen, what the app writes is kept back and
 * written afterwards byte for byte, so that the terminal ends in the very state
 * that it would have had. What cannot be kept (too much) goes into the model
 * and is drawn from there.
 */
#include "ui-tty/agent.h"

#include "base/fd.h"
#include "base/loop.h"
#include "policy/permission.h"
#include "ui-tty/bells.h"
#include "ui-tty/keys.h"
#include "ui-tty/screen.h"
#include "ui-tty/show.h"
#include "varlink/client.h"

#include <locale.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#define DEAD_TIME_MS 1000u /* keys on their way when the bell came are not for it */
#define SAYS_MS 1500u
#define HELD_MAX ((size_t)1 << 20)

enum agent_state { AGENT_IDLE = 0, AGENT_ASKING, AGENT_SAYING };

struct agent {
	const char *root, *app;
	struct varlink_client *stream;
	bool stream_gone;
	void (*to_app)(void *data, const char *buf, size_t n);
	void *data;
	int out, rows, columns;
	struct screen *screen;
	enum agent_state state;
	struct bells bells;
	struct prompt_text shown;
	struct prompt_choice choice;
	uint64_t deaf_until_ms, says_until_ms;
	bool plain, own_screen, alternate;
	char *held;
	size_t held_len;
	bool held_lost;
	char mark[64];
};

/* --- output --- */

static void emit(struct agent *a, const char *buf, size_t n)
{
	(void)fd_write_full(a->out, buf, n);
}

static void emit_text(struct agent *a, const char *text)
{
	emit(a, text, strlen(text));
}

/* Whether the app has switched to the alternate screen. */
static void watch_alternate(struct agent *a, const char *buf, size_t n)
{
	static const char on[] = "\033[?1049h", off[] = "\033[?1049l";

	for (size_t i = 0; i + sizeof(on) - 1 <= n; i++) {
		if (memcmp(buf + i, on, sizeof(on) - 1) == 0)
			a->alternate = true;
		else if (memcmp(buf + i, off, sizeof(off) - 1) == 0)
			a->alternate = false;
	}
}

static void pass_output(struct agent *a, const char *buf, size_t n)
{
	if (a->screen)
		screen_feed(a->screen, buf, n);
	watch_alternate(a, buf, n);
	emit(a, buf, n);
}

static void hold_output(struct agent *a, const char *buf, size_t n)
{
	if (!a->held_lost && a->held_len + n <= HELD_MAX) {
		a->held = xrealloc(a->held, a->held_len + n);
		memcpy(a->held + a->held_len, buf, n);
		a->held_len += n;
		return;
	}
	if (!a->held_lost)
		screen_feed(a->screen, a->held, a->held_len);
	a->held_lost = true;
	a->held_len = 0;
	screen_feed(a->screen, buf, n);
}

void agent_output(struct agent *a, const char *buf, size_t n)
{
	if (a->state == AGENT_IDLE)
		pass_output(a, buf, n);
	else
		hold_output(a, buf, n);
}

/* --- the bell's place on the screen --- */

static bool terminal_has_second_screen(void)
{
	const char *term = getenv("TERM");

	return term && strncmp(term, "linux", 5) != 0 && strncmp(term, "vt", 2) != 0 && strcmp(term, "dumb") != 0;
}

static void take_screen(struct agent *a)
{
	a->own_screen = !a->alternate && terminal_has_second_screen();
	emit_text(a, a->own_screen ? "\033[?1049h\033[?25l\033[0m\033[2J" : "\033[?25l");
}

static void give_screen_back(struct agent *a)
{
	char *held = a->held, *drawn;
	size_t n = a->held_len;

	if (a->own_screen)
		emit_text(a, "\033[0m\033[?25h\033[?1049l");
	if (!a->own_screen || a->held_lost) {
		drawn = screen_redraw(a->screen, &n);
		emit(a, drawn, n);
		free(drawn);
		n = a->held_len;
	}
	a->held = NULL;
	a->held_len = 0;
	a->held_lost = false;
	a->state = AGENT_IDLE;
	if (n)
		pass_output(a, held, n);
	free(held);
}

static void draw_mark_row(struct agent *a, const char *text)
{
	char row[1024], shown[600];

	text_escape(text, strlen(text), shown, sizeof(shown));
	if (text_columns(shown) > a->columns - 8)
		shown[a->columns > 8 ? a->columns - 8 : 0] = '\0';
	(void)snprintf(row, sizeof(row), "\033[%d;1H\033[0;7m\033[K %s  %s\033[0m", a->rows, a->mark, shown);
	emit_text(a, row);
}

static void draw_prompt(struct agent *a)
{
	struct prompt_rows *rows = xcalloc(1, sizeof(*rows));
	char line[PROMPT_ROW_BYTES + 64];
	int top, left;

	prompt_view(&a->shown, &a->choice, a->columns, a->plain, rows);
	if (a->columns < 24 || (int)rows->count + 1 > a->rows) {
		char text[PROMPT_ROW_BYTES];

		prompt_view_line(&a->shown, &a->choice, a->columns, text, sizeof(text));
		draw_mark_row(a, text);
		free(rows);
		return;
	}
	top = (a->rows - 1 - (int)rows->count) / 2;
	left = (a->columns - rows->width) / 2;
	for (size_t i = 0; i < rows->count; i++) {
		(void)snprintf(line, sizeof(line), "\033[%d;%dH\033[0m%s", top + (int)i + 1, left + 1, rows->rows[i]);
		emit_text(a, line);
	}
	draw_mark_row(a, a->plain ? "Cowbell asks: this row is Cowbell's, no app can write here"
				  : "♪ Cowbell asks: this row is Cowbell's, no app can write here");
	free(rows);
}

/* --- the queue --- */

static void show_next(struct agent *a)
{
	if (a->state == AGENT_ASKING || !a->screen || !bells_next(&a->bells, a->app, &a->shown))
		return;
	a->choice.answer = a->shown.safe;
	a->choice.duration = 0;
	if (a->state == AGENT_IDLE)
		take_screen(a);
	else if (a->own_screen)
		emit_text(a, "\033[0m\033[2J");
	a->state = AGENT_ASKING;
	a->deaf_until_ms = loop_boot_ms() + DEAD_TIME_MS;
	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	emit_text(a, "\a");
	draw_prompt(a);
}

static void end_prompt(struct agent *a, const char *says)
{
	if (says && *says) {
		a->state = AGENT_SAYING;
		a->says_until_ms = loop_boot_ms() + SAYS_MS;
		draw_mark_row(a, says);
		return;
	}
	give_screen_back(a);
	show_next(a);
}

static void take_prompt(struct agent *a, json_t *p)
{
	uint64_t id;

	switch (bells_take(&a->bells, p, &id)) {
	case BELLS_NOTHING:
		return;
	case BELLS_CAME:
		if (a->state == AGENT_ASKING && a->shown.id == id)
			(void)bells_pick(&a->bells, id, &a->shown); /* it stands on the screen already */
		show_next(a);
		return;
	case BELLS_OVER:
		if (a->state == AGENT_ASKING && a->shown.id == id)
			end_prompt(a, "answered elsewhere"); /* another agent, or the app is gone */
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

static void answer(struct agent *a, bool all)
{
	char says[600];

	call_broker(a, "io.cowbell.Answer",
		    json_pack("{s:I, s:s, s:s, s:b}", "id", (json_int_t)a->shown.id, "answer",
			      a->shown.answers[a->choice.answer], "for", prompt_duration_words[a->choice.duration],
			      "all_of_app", all),
		    says, sizeof(says));
	end_prompt(a, says);
}

static void later(struct agent *a)
{
	char says[600];

	call_broker(a, "io.cowbell.Later", json_pack("{s:I}", "id", (json_int_t)a->shown.id), says, sizeof(says));
	end_prompt(a, says[0] ? says : "refused for now; cowbell prompts shows the question again");
}

void agent_keys(struct agent *a, const char *buf, size_t n)
{
	if (a->state == AGENT_SAYING) {
		give_screen_back(a);
		show_next(a);
		return; /* the key said "go on" */
	}
	if (a->state == AGENT_IDLE) {
		a->to_app(a->data, buf, n);
		return;
	}
	if (loop_boot_ms() < a->deaf_until_ms)
		return;
	while (n && a->state == AGENT_ASKING) {
		size_t used;
		enum key_action action = keys_read(&a->shown, &a->choice, buf, n, &used);

		buf += used;
		n -= used;
		if (action == KEY_REDRAW)
			draw_prompt(a);
		else if (action == KEY_TAKE || action == KEY_TAKE_ALL)
			answer(a, action == KEY_TAKE_ALL);
		else if (action == KEY_LATER)
			later(a);
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

	if (a->state != AGENT_SAYING)
		return -1;
	return a->says_until_ms > now ? (int)(a->says_until_ms - now) : 0;
}

void agent_tick(struct agent *a)
{
	if (a->state != AGENT_SAYING || loop_boot_ms() < a->says_until_ms)
		return;
	give_screen_back(a);
	show_next(a);
}

bool agent_waits(const struct agent *a)
{
	return a->bells.count && !a->screen;
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
	pass_output(a, line, strlen(line));
}

void agent_resize(struct agent *a, int rows, int columns)
{
	a->rows = rows;
	a->columns = columns;
	if (!a->screen)
		a->screen = screen_create(rows, columns);
	else
		screen_resize(a->screen, rows, columns);
	if (a->state == AGENT_ASKING) {
		emit_text(a, "\033[0m\033[2J");
		draw_prompt(a);
	}
	show_next(a);
}

/* --- beginning and end --- */

static void read_mark(struct agent *a)
{
	struct err err = { 0 };
	struct varlink_client *client = varlink_client_open(a->root, &err);
	json_t *reply = NULL;

	(void)snprintf(a->mark, sizeof(a->mark), "~");
	if (client && varlink_client_call(client, "io.cowbell.Mark", NULL, &reply, &err) == 0)
		text_escape(str_of(reply, "mark"), strlen(str_of(reply, "mark")), a->mark, sizeof(a->mark));
	json_decref(reply);
	varlink_client_close(client);
}

struct agent *agent_create(const char *root, const char *app, void (*to_app)(void *data, const char *buf, size_t n),
			   void *data)
{
	struct agent *a = xcalloc(1, sizeof(*a));
	struct err err = { 0 };

	(void)setlocale(LC_CTYPE, "");
	a->plain = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	a->root = root;
	a->app = app;
	a->to_app = to_app;
	a->data = data;
	a->out = isatty(STDOUT_FILENO) ? STDOUT_FILENO : STDERR_FILENO;
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
	if (a->state != AGENT_IDLE)
		give_screen_back(a);
	varlink_client_close(a->stream);
	screen_destroy(a->screen);
	bells_free(&a->bells);
	free(a->held);
	free(a);
}
