/* SPDX-License-Identifier: MIT
 *
 * The same screens as plain lines: for screen readers, serial lines and logs.
 * What can be taken has a number; a page's keys are words at its end.
 */
#include "ui-tty/tty/tty.h"

#include "base/loop.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum glyphs glyphs;

static void say(const char *text)
{
	char row[ROW_BYTES];

	text_fit(text, ROW_BYTES - 1, row, sizeof(row));
	glyphs_lower(glyphs, row);
	(void)puts(row);
}

static void show_bell(const struct ui *ui)
{
	const struct prompt_text *p = &ui->bell;
	char row[ROW_BYTES];

	(void)snprintf(row, sizeof(row), "\n[%.60s] ♪ %s wants %s", ui->mark, p->app, p->about);
	say(row);
	(void)snprintf(row, sizeof(row), "  app  %s, from %s", p->title, p->source);
	say(row);
	(void)snprintf(row, sizeof(row), "  now  %s", p->program);
	say(row);
	if (p->note[0]) {
		(void)snprintf(row, sizeof(row), "  note %s", p->note);
		say(row);
	}
	if (p->says[0]) {
		(void)snprintf(row, sizeof(row), "  says \"%s\"", p->says);
		say(row);
	}
	for (size_t i = 0; i < p->answer_count; i++) {
		(void)snprintf(row, sizeof(row), "  %zu %s: %s", i + 1, prompt_answer_word(p->permission, p->answers[i]),
			       prompt_answer_gloss(p->permission, p->answers[i]));
		say(row);
	}
	(void)snprintf(row, sizeof(row), "for: %s run, h an hour, b until restart, a always. Type a number and one of these "
					 "(2a), or l for later.",
		       p->next_time ? "(not r)" : "r this");
	say(row);
}

static void show_page(struct ui *ui)
{
	struct place *place = ui_place(ui);
	char left[200] = "", right[200] = "", row[ROW_BYTES];
	struct lines lines;
	int number = 0;

	place->page->title(ui, left, right, sizeof(left));
	(void)snprintf(row, sizeof(row), "\n%s  %s", left, right);
	say(row);
	ui_lines(ui, place, &lines);
	for (size_t i = 0; i < lines.count; i++) {
		if (lines.line[i].rule)
			(void)snprintf(row, sizeof(row), "%s:", lines.line[i].text);
		else if (lines.line[i].target >= 0)
			(void)snprintf(row, sizeof(row), " %d  %s", ++number, lines.line[i].text);
		else
			(void)snprintf(row, sizeof(row), "    %s", lines.line[i].text);
		say(row);
	}
	lines_free(&lines);
}

static void show_keys(const struct page *page)
{
	char row[ROW_BYTES];
	size_t n = (size_t)snprintf(row, sizeof(row), "number: take it; number and letter: do it to that one;");

	for (const struct hint *h = page->hints; h->name && n < sizeof(row); h++) {
		if (h->key > ' ' && h->key < 0x7f)
			n += (size_t)snprintf(row + n, sizeof(row) - n, " %s %s;", h->name, h->label);
	}
	(void)snprintf(row + (n < sizeof(row) ? n : sizeof(row) - 1), n < sizeof(row) ? sizeof(row) - n : 1,
		       " <, > how long; . back; ? help; quit");
	say(row);
}

static void show(struct ui *ui)
{
	if (ui->message[0])
		say(ui->message);
	ui->message[0] = '\0';
	if (ui->ringing) {
		show_bell(ui);
	} else if (ui->ask.open) {
		say(ui->ask.title);
		say(ui->ask.text);
		say(ui->ask.input ? "Type it, or an empty line for no." : "yes or no?");
	} else {
		show_page(ui);
		show_keys(ui_place(ui)->page);
	}
	(void)printf("> ");
	(void)fflush(stdout);
}

/* --- what was typed --- */

static void light_number(struct ui *ui, int number)
{
	struct place *place = ui_place(ui);
	struct lines lines;

	ui_lines(ui, place, &lines);
	for (size_t i = 0; i < lines.count && number > 0; i++) {
		if (lines.line[i].target >= 0 && --number == 0)
			place->lit = i;
	}
	if (number > 0)
		ui_say(ui, "There is no such number.");
	lines_free(&lines);
}

static void take_bell(struct ui *ui, const char *text, uint64_t now)
{
	static const char letters[PROMPT_DURATIONS + 1] = "rhba";
	char *end;
	unsigned long number = strtoul(text, &end, 10);
	const char *letter = *end ? strchr(letters, *end) : NULL;

	if (strcmp(text, "l") == 0) {
		ui_bell_key(ui, UI_KEY_ESC, now);
		return;
	}
	/* Only a whole answer is one: half of one would give what nobody said. */
	if (number < 1 || number > ui->bell.answer_count || (*end && (!letter || end[1])) ||
	    (letter == letters && ui->bell.next_time)) {
		ui_say(ui, "That is no answer; nothing was given.");
		return;
	}
	ui->choice.answer = number - 1;
	if (letter)
		ui->choice.duration = (size_t)(letter - letters);
	ui_bell_key(ui, UI_KEY_ENTER, now);
}

static void take_ask(struct ui *ui, const char *text, uint64_t now)
{
	if (!ui->ask.input) {
		ui_key(ui, strcmp(text, "yes") == 0 || strcmp(text, "y") == 0 ? 'y' : 'n', now);
		return;
	}
	if (strlen(text) >= sizeof(ui->ask.value)) {
		ui_say(ui, "That is too long.");
		return;
	}
	memcpy(ui->ask.value, text, strlen(text) + 1);
	ui_key(ui, *text ? UI_KEY_ENTER : UI_KEY_ESC, now);
}

static void take_page(struct ui *ui, const char *text, uint64_t now)
{
	char *end;
	long number = strtol(text, &end, 10);
	bool numbered = end != text;

	if (numbered) {
		light_number(ui, number > 0 && number < 100000 ? (int)number : 100000);
		if (ui->message[0])
			return;
		text = end;
	}
	if (strcmp(text, "quit") == 0)
		ui->quit = true;
	else if (strcmp(text, "?") == 0)
		say(ui_place(ui)->page->help);
	else if (strcmp(text, ".") == 0)
		ui_key(ui, UI_KEY_ESC, now);
	else if (strcmp(text, "<") == 0 || strcmp(text, ">") == 0)
		ui_key(ui, *text == '<' ? UI_KEY_LEFT : UI_KEY_RIGHT, now);
	else if (*text == '\0' && numbered)
		ui_key(ui, UI_KEY_ENTER, now);
	else if (*text && !text[1])
		ui_key(ui, *text, now);
	else if (*text)
		ui_say(ui, "'%s' means nothing here; ? helps.", text);
	else
		ui_refresh(ui, ui->wall_ms);
}

static void take_line(struct ui *ui, char *text)
{
	uint64_t now = loop_boot_ms();
	size_t n = strlen(text);

	while (n && (text[n - 1] == ' ' || text[n - 1] == '\r'))
		text[--n] = '\0';
	if (ui->ringing && now < ui->keys.deaf_until_ms)
		ui_say(ui, "Typed before the bell was there; it does not count.");
	else if (ui_bell_just_left(ui, now))
		ui_say(ui, "The bell went before that; it does not count.");
	else if (ui->ringing)
		take_bell(ui, text, now);
	else if (ui->ask.open)
		take_ask(ui, text, now);
	else
		take_page(ui, text, now);
}

/* False at the end of input. */
static bool read_lines(struct ui *ui)
{
	static char held[4096];
	static size_t used;
	ssize_t n = read(STDIN_FILENO, held + used, sizeof(held) - 1 - used);
	char *eol;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	used += (size_t)n;
	held[used] = '\0';
	while ((eol = memchr(held, '\n', used)) != NULL) {
		size_t line = (size_t)(eol - held) + 1;

		*eol = '\0';
		take_line(ui, held);
		used -= line;
		memmove(held, held + line, used + 1);
		if (!ui->quit)
			show(ui);
	}
	if (used == sizeof(held) - 1)
		used = 0; /* no answer is as long as that */
	return true;
}

int tty_lines(struct tty *tty)
{
	struct ui *ui = &tty->ui;

	glyphs = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? GLYPHS_CONSOLE : GLYPHS_ASCII;
	ui->columns = 76;
	ui->plain = true;
	show(ui);
	while (!ui->quit) {
		struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
				       { .fd = tty_stream_fd(tty), .events = POLLIN } };
		bool rang = ui->ringing;

		if (poll(p, ARRAY_LEN(p), tty_stream_fd(tty) < 0 ? 2000 : -1) < 0 && errno != EINTR)
			break;
		if (tty_stream_fd(tty) < 0)
			(void)tty_attach(tty);
		if (p[1].revents) {
			tty_read_stream(tty);
			if (rang != ui->ringing || ui->message[0])
				show(ui);
		}
		if (p[0].revents && !read_lines(ui))
			break;
	}
	(void)puts("");
	return 0;
}
