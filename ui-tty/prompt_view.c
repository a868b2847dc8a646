/* SPDX-License-Identifier: MIT
 *
 * Who, what, why, in this order; what the app says stands in quotes.
 */
#include "ui-tty/prompt_view.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *const prompt_duration_words[PROMPT_DURATIONS] = { "run", "1h", "boot", "always" };
static const char *const duration_labels[PROMPT_DURATIONS] = { "this run", "1 h", "reboot", "always" };

static bool is_network(const char *permission)
{
	return strncmp(permission, "network", 7) == 0;
}

static bool is_listen(const char *permission)
{
	return strncmp(permission, "listen", 6) == 0;
}

const char *prompt_answer_word(const char *permission, const char *answer)
{
	static const struct {
		const char *answer, *word;
	} words[] = {
		{ "empty", "Empty" }, { "copy", "Copy" },   { "read", "Read" },	  { "write", "Write" },
		{ "no", "No" },	      { "allow", "Allow" }, { "chosen", "This" },
	};

	if (is_network(permission) && strcmp(answer, "allow") == 0)
		return "All";
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].answer, answer) == 0)
			return words[i].word;
	}
	return answer;
}

const char *prompt_answer_gloss(const char *permission, const char *answer)
{
	static const struct {
		const char *answer, *gloss;
	} glosses[] = {
		{ "empty", "it sees an empty one" },      { "copy", "a private copy, yours stays" },
		{ "read", "the real ones, no changes" },  { "write", "the real ones" },
		{ "no", "an error" },                     { "allow", "use it" },
		{ "chosen", "this one, and nothing else" },
	};

	if (is_network(permission) && strcmp(answer, "allow") == 0)
		return strcmp(permission, "network:local") == 0 ? "all devices on your network" : "all of the internet";
	if (strcmp(permission, "background") == 0)
		return strcmp(answer, "allow") == 0 ? "until it ends, or you stop it" : "it is ended";
	if (is_listen(permission))
		return strcmp(answer, "allow") == 0 ? "anybody on the network can connect" : "nobody can, and it goes on";
	for (size_t i = 0; i < ARRAY_LEN(glosses); i++) {
		if (strcmp(glosses[i].answer, answer) == 0)
			return glosses[i].gloss;
	}
	return "";
}

/* The row that says what Enter takes is whole from here on. */
#define BOX_COLUMNS 28

struct frame {
	struct prompt_rows *out;
	bool plain;
	int inner;
	bool airy;    /* empty rows between the parts */
	size_t about; /* rows for what it wants, at most */
	size_t rest;  /* and for each other text */
};

static void add_row(struct frame *f, const char *text)
{
	const char *side = f->plain ? "|" : "│";
	char cut[PROMPT_ROW_BYTES / 2];
	int pad;

	if (f->out->count == PROMPT_ROWS_MAX)
		return;
	text_fit(text, f->inner - 2, cut, sizeof(cut));
	pad = f->inner - 2 - text_columns(cut);
	(void)snprintf(f->out->rows[f->out->count++], PROMPT_ROW_BYTES, "%s %s%*s %s", side, cut, pad > 0 ? pad : 0, "",
		       side);
}

static void add_gap(struct frame *f)
{
	if (f->airy)
		add_row(f, "");
}

/* "app    text", broken at blanks over as many rows as it takes, at most most: then
 * its middle goes, and that is seen. */
static void add_labelled(struct frame *f, const char *label, const char *text, size_t most)
{
	struct lines lines = { 0 };
	int width = text_columns(label), room = f->inner - 2 - width;
	char row[PROMPT_ROW_BYTES], cut[LINE_BYTES * 3];

	lines_add_wrapped(&lines, STYLE_PLAIN, room, text);
	for (int columns = room * (int)most; lines.count > most && columns > 8; columns -= 3) {
		lines_free(&lines);
		text_fit_ends(text, columns, cut, sizeof(cut));
		lines_add_wrapped(&lines, STYLE_PLAIN, room, cut);
	}
	for (size_t i = 0; i < lines.count && i < most; i++) {
		(void)snprintf(row, sizeof(row), "%s%*s%s", i ? "" : label, i ? width : 0, "", lines.line[i].text);
		add_row(f, row);
	}
	lines_free(&lines);
}

static void add_edge(struct frame *f, bool top)
{
	char *row;
	size_t n;

	if (f->out->count == PROMPT_ROWS_MAX)
		return;
	row = f->out->rows[f->out->count++];
	n = (size_t)snprintf(row, PROMPT_ROW_BYTES, "%s", f->plain ? "+" : top ? "┌" : "└");
	for (int i = 0; i < f->inner; i++)
		n += (size_t)snprintf(row + n, PROMPT_ROW_BYTES - n, "%s", f->plain ? "-" : "─");
	(void)snprintf(row + n, PROMPT_ROW_BYTES - n, "%s", f->plain ? "+" : top ? "┐" : "┘");
}

static void add_answers(struct frame *f, const struct prompt_text *p, const struct prompt_choice *c)
{
	for (size_t i = 0; i < p->answer_count; i++) {
		char row[128];

		(void)snprintf(row, sizeof(row), "%s %-6s %s", c->answer == i ? (f->plain ? ">" : "›") : " ",
			       prompt_answer_word(p->permission, p->answers[i]), prompt_answer_gloss(p->permission, p->answers[i]));
		add_row(f, row);
	}
}

static void add_durations(struct frame *f, const struct prompt_text *p, const struct prompt_choice *c)
{
	char row[256];
	size_t n = (size_t)snprintf(row, sizeof(row), "for  ");

	for (size_t i = p->next_time ? 1 : 0; i < PROMPT_DURATIONS; i++) {
		const char *open = c->duration != i ? "" : f->plain ? "<" : "‹";
		const char *close = c->duration != i ? "" : f->plain ? ">" : "›";

		n += (size_t)snprintf(row + n, sizeof(row) - n, "%s%s%s  ", open, duration_labels[i], close);
	}
	add_row(f, row);
}

static const char *what_it_does(const char *permission)
{
	if (is_network(permission))
		return "connects";
	if (is_listen(permission))
		return "waits for others to connect";
	return strcmp(permission, "background") == 0 ? "is left running with nobody there" : "opens it";
}

static void add_facts(struct frame *f, const struct prompt_text *p)
{
	char row[1024];

	(void)snprintf(row, sizeof(row), "%s wants %s", p->app, p->about);
	add_labelled(f, f->plain ? "* " : "♪ ", row, f->about);
	add_gap(f);
	(void)snprintf(row, sizeof(row), "%s, from %s", p->title, p->source);
	add_labelled(f, "app    ", row, f->rest);
	(void)snprintf(row, sizeof(row), "%s %s", p->program[0] ? p->program : "a program that is not known",
		       what_it_does(p->permission));
	add_labelled(f, "now    ", row, f->rest);
	if (p->looks_alike)
		add_row(f, "note   a name looks like another");
	if (p->note[0])
		add_labelled(f, "note   ", p->note, f->rest);
	if (p->says[0]) {
		(void)snprintf(row, sizeof(row), "\"%s\"", p->says);
		/* What it says cannot seem to have ended. */
		for (char *q = row + 1; *q && q[1]; q++)
			*q = *q == '"' ? '\'' : *q;
		add_labelled(f, "says   ", row, f->rest);
	}
}

static void add_choice(struct frame *f, const struct prompt_text *p, const struct prompt_choice *c)
{
	char row[1024], word[32];

	f->out->first_answer = (int)f->out->count;
	add_answers(f, p, c);
	add_gap(f);
	add_durations(f, p, c);
	add_gap(f);
	(void)snprintf(word, sizeof(word), "%s", prompt_answer_word(p->permission, p->answers[c->answer]));
	word[0] = (char)tolower((unsigned char)word[0]);
	(void)snprintf(row, sizeof(row), "Enter: %s, %s%s    Esc: later", word, duration_labels[c->duration],
		       c->all ? ", all" : "");
	add_row(f, row);
	if (p->more) {
		(void)snprintf(row, sizeof(row), "%s%u more from %s; s: %s", c->all ? "and the same for " : "", p->more, p->app,
			       c->all ? "not" : "the same for all");
		add_row(f, row);
	}
}

void prompt_view(const struct prompt_text *p, const struct prompt_choice *c, int rows, int columns, bool plain,
		 struct prompt_rows *ret)
{
	static const struct {
		bool airy;
		size_t about, rest;
	} tries[] = { { true, 6, 3 }, { false, 4, 2 }, { false, 3, 1 }, { false, 2, 1 } };
	struct frame f = { .out = ret, .plain = plain, .inner = columns - 2 };

	if (f.inner > 62)
		f.inner = 62;
	for (size_t i = 0; i < ARRAY_LEN(tries) && (i == 0 || !prompt_fits(ret, rows, columns)); i++) {
		memset(ret, 0, sizeof(*ret));
		ret->width = f.inner + 2;
		f.airy = tries[i].airy;
		f.about = tries[i].about;
		f.rest = tries[i].rest;
		add_edge(&f, true);
		add_facts(&f, p);
		add_row(&f, "");
		add_choice(&f, p, c);
		add_edge(&f, false);
	}
}

bool prompt_fits(const struct prompt_rows *r, int rows, int columns)
{
	return columns >= BOX_COLUMNS && (int)r->count < rows;
}

bool prompt_view_line(const struct prompt_text *p, const struct prompt_choice *c, int columns, char *buf, size_t size)
{
	char line[1024], rest[512];
	int n;

	n = snprintf(line, sizeof(line), "[%s, %s%s]", prompt_answer_word(p->permission, p->answers[c->answer]), duration_labels[c->duration],
		     c->all ? ", all" : "");
	if (text_columns(line) > columns - 1) {
		n = snprintf(line, sizeof(line), "Esc");
		text_fit(line, columns - 1, buf, size);
		return false;
	}
	(void)snprintf(rest, sizeof(rest), " %s wants %s: up/down, Enter, Esc later", p->app, p->about);
	if (is_network(p->permission) && text_columns(line) + text_columns(rest) > columns - 1) {
		/* Rather no help than half a host. */
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %s wants ", p->app);
		text_fit_ends(p->about, columns - 1 - text_columns(line), rest, sizeof(rest));
	}
	(void)snprintf(line + n, sizeof(line) - (size_t)n, "%s", rest);
	text_fit(line, columns - 1, buf, size);
	return true;
}
