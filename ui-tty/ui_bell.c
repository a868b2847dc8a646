/* SPDX-License-Identifier: MIT
 *
 * The bell over whatever is on the screen. The last row is Cowbell's while it
 * rings, with the owner's mark.
 */
#include "ui-tty/ui.h"

#include "policy/permission.h"

#include <stdio.h>
#include <string.h>

void ui_bell_show(struct ui *ui, const struct prompt_text *prompt, uint64_t now_ms)
{
	ui->bell = *prompt;
	keys_choose_safe(prompt, &ui->choice);
	ui->ringing = true;
	keys_start(&ui->keys, now_ms);
}

void ui_bell_next(struct ui *ui, uint64_t now_ms)
{
	struct prompt_text next;

	if (!ui->ringing && bells_next(&ui->bells, NULL, &next))
		ui_bell_show(ui, &next, now_ms);
}

/* Others of the same app, as this agent knows them. */
static unsigned int more_of(const struct ui *ui)
{
	unsigned int n = 0;

	for (size_t i = 0; i < ui->bells.count; i++)
		n += strcmp(ui->bells.waiting[i].app, ui->bell.app) == 0;
	return n;
}

static void bell_over(struct ui *ui, uint64_t now_ms)
{
	ui->ringing = false;
	ui_refresh(ui, ui->wall_ms);
	ui_bell_next(ui, now_ms);
}

void ui_prompts(struct ui *ui, json_t *reply, uint64_t now_ms)
{
	json_t *p;
	size_t i;

	if (!reply) {
		ui->broker_gone = true;
		if (ui->ringing)
			ui->left_until_ms = now_ms + KEYS_DEAF_MS;
		ui->ringing = false;
		ui_say(ui, "Cowbell's broker went away; nothing was answered.");
		return;
	}
	ui->broker_gone = false;
	json_array_foreach(json_object_get(reply, "prompts"), i, p)
	{
		uint64_t id = 0;
		enum bells_news news = bells_take(&ui->bells, p, &id);

		if (ui->ringing && ui->bell.id == id && news == BELLS_CAME) {
			(void)bells_pick(&ui->bells, id, &ui->bell);
		} else if (ui->ringing && ui->bell.id == id && news == BELLS_OVER && !ui->bell.next_time) {
			ui_say(ui, "The question of %s is over: answered elsewhere, or the app is gone.", ui->bell.app);
			ui->left_until_ms = now_ms + KEYS_DEAF_MS;
			bell_over(ui, now_ms);
		}
	}
	ui_bell_next(ui, now_ms);
}

bool ui_bell_just_left(const struct ui *ui, uint64_t now_ms)
{
	return !ui->ringing && now_ms < ui->left_until_ms;
}

/* What waits now: after one answer for several the stream still has to say which
 * of them are over, and a bell for one of those must not come up meanwhile. */
static void read_waiting(struct ui *ui)
{
	json_t *reply = ui_call(ui, "io.cowbell.Prompts", NULL), *p;
	uint64_t id;
	size_t i;

	if (!reply)
		return;
	bells_free(&ui->bells);
	json_array_foreach(json_object_get(reply, "prompts"), i, p)
		(void)bells_take(&ui->bells, p, &id);
	json_decref(reply);
}

/* How a command would change it is not said here, where the app's page does. */
static void say_answered(struct ui *ui, const char *says)
{
	const char *more = strstr(says, " Change it: ");

	ui_say(ui, "%.*s%s", (int)(more ? (size_t)(more - says) : strlen(says)), says, more ? " Its page changes that." : "");
}

static void answer(struct ui *ui, bool all, uint64_t now_ms)
{
	json_t *reply = ui_call(ui, "io.cowbell.Answer",
				json_pack("{s:I, s:s, s:s, s:b}", "id", (json_int_t)ui->bell.id, "answer",
					  ui->bell.answers[ui->choice.answer], "for",
					  prompt_duration_words[ui->choice.duration], "all_of_app", all));

	if (reply)
		say_answered(ui, str_of(reply, "says"));
	json_decref(reply);
	if (all)
		read_waiting(ui);
	bell_over(ui, now_ms);
}

static void later(struct ui *ui, uint64_t now_ms)
{
	if (ui->bell.next_time) /* it was refused long ago; looking at it changes nothing */
		ui_say(ui, "Left as it was.");
	else if (ui_do(ui, "io.cowbell.Later", json_pack("{s:I}", "id", (json_int_t)ui->bell.id)))
		ui_say(ui, "Refused for now. It stands under bells, where it can be answered for next time.");
	bell_over(ui, now_ms);
}

/* On a screen so small that the choice cannot be seen, only the safe one is taken. */
static bool choice_is_shown(const struct ui *ui)
{
	struct prompt_rows *rows = xcalloc(1, sizeof(*rows));
	char line[PROMPT_ROW_BYTES];
	bool shown;

	prompt_view(&ui->bell, &ui->choice, ui->rows, ui->columns, false, rows);
	shown = prompt_fits(rows, ui->rows, ui->columns) ||
		prompt_view_line(&ui->bell, &ui->choice, ui->columns, line, sizeof(line));
	free(rows);
	return shown;
}

void ui_bell_key(struct ui *ui, int key, uint64_t now_ms)
{
	unsigned int more = more_of(ui);

	if (more != ui->bell.more)
		ui->choice.all = false; /* not those that the person saw */
	ui->bell.more = more;
	switch (keys_take(&ui->keys, &ui->bell, &ui->choice, key, now_ms)) {
	case KEY_TAKE:
		if (!ui->plain && !choice_is_shown(ui))
			keys_choose_safe(&ui->bell, &ui->choice);
		answer(ui, ui->choice.all, now_ms);
		return;
	case KEY_LATER:
		later(ui, now_ms);
		return;
	case KEY_REDRAW:
	case KEY_NOTHING:
		return;
	}
}

/* --- how it looks --- */

static int box_top(const struct canvas *canvas, size_t rows)
{
	return (canvas->rows - 1 - (int)rows) / 2;
}

static struct prompt_rows *draw_box(const struct ui *ui, const struct canvas *canvas)
{
	struct prompt_rows *rows = xcalloc(1, sizeof(*rows));
	struct prompt_text text = ui->bell;

	text.more = more_of(ui);
	prompt_view(&text, &ui->choice, canvas->rows, canvas->columns, false, rows);
	return rows;
}

void ui_bell_view(const struct ui *ui, struct canvas *canvas)
{
	struct prompt_rows *rows = draw_box(ui, canvas);
	char row[ROW_BYTES];
	int top = box_top(canvas, rows->count), left = (canvas->columns - rows->width) / 2;

	if (!prompt_fits(rows, canvas->rows, canvas->columns)) {
		if (!prompt_view_line(&ui->bell, &ui->choice, canvas->columns, row, sizeof(row) / 2))
			(void)snprintf(row, sizeof(row), "Esc");
		canvas_put(canvas, canvas->rows - 1, STYLE_BAR, row);
		free(rows);
		return;
	}
	for (size_t i = 0; i < rows->count; i++) {
		(void)snprintf(row, sizeof(row), "%*s%s", left > 0 ? left : 0, "", rows->rows[i]);
		canvas_put(canvas, top + (int)i, STYLE_PLAIN, row);
		canvas->row[top + (int)i].line = -1;
	}
	(void)snprintf(row, sizeof(row), " %.60s  %s", ui->mark,
		       ui->bell.next_time      ? "Cowbell: for next time"
		       : canvas->columns < 60 ? "♪ Cowbell asks"
					      : "♪ Cowbell asks: this row is Cowbell's, no app can write here");
	canvas_put(canvas, canvas->rows - 1, STYLE_BAR, row);
	free(rows);
}

int ui_bell_row(const struct ui *ui, const struct canvas *canvas, int row)
{
	struct prompt_rows *rows = draw_box(ui, canvas);
	int found = -1, top = box_top(canvas, rows->count);

	if (prompt_fits(rows, canvas->rows, canvas->columns) && row >= top && row < top + (int)rows->count) {
		const char *text = rows->rows[row - top];

		if (strstr(text, "Enter: "))
			found = -2;
		for (size_t i = 0; i < ui->bell.answer_count && found == -1; i++) {
			if (row - top == rows->first_answer + (int)i)
				found = (int)i;
		}
	}
	free(rows);
	return found;
}
