/* SPDX-License-Identifier: MIT
 *
 * What a bell looks like. Pure: a prompt and a choice in, rows of text out.
 * Every row is safe to write to a terminal as it stands.
 */
#ifndef UI_PROMPT_VIEW_H
#define UI_PROMPT_VIEW_H

#include "ui-tty/canvas.h"

#define PROMPT_ANSWERS_MAX 8u
#define PROMPT_ROWS_MAX 40u /* every part at its longest */
#define PROMPT_ROW_BYTES 512u

struct prompt_text {
	uint64_t id;
	char app[64], permission[160], title[160], source[256], about[256], program[128], says[256];
	char note[128]; /* what became of an earlier answer, in Cowbell's words; "" nothing */
	char answers[PROMPT_ANSWERS_MAX][16];
	size_t answer_count;
	size_t safe; /* index of the safe answer */
	bool looks_alike; /* a name in it may be meant to be taken for another */
	bool next_time; /* the run that asked is over: answered for the next, so never for "this run" */
	unsigned int more;
};

/* Durations in the order in which they are offered: run, 1h, boot, always. */
#define PROMPT_DURATIONS 4u
extern const char *const prompt_duration_words[PROMPT_DURATIONS];

struct prompt_choice {
	size_t answer, duration;
	bool all; /* the same for all that the app waits for */
};

struct prompt_rows {
	char rows[PROMPT_ROWS_MAX][PROMPT_ROW_BYTES];
	size_t count;
	int width; /* in columns */
	int first_answer; /* the row of answers[0] */
};

/* rows, columns: of the terminal; where not all fits, what is said at length is said
 * shorter. plain: ASCII alone. */
void prompt_view(const struct prompt_text *prompt, const struct prompt_choice *choice, int rows, int columns, bool plain,
		 struct prompt_rows *ret);

/* Whether all of it can stand on a screen of this size, with a row to spare. */
bool prompt_fits(const struct prompt_rows *prompt, int rows, int columns);

/* The line for terminals that are too small for a box, the choice first. False:
 * the choice does not fit, and must not be taken unless it is the safe one. */
bool prompt_view_line(const struct prompt_text *prompt, const struct prompt_choice *choice, int columns, char *buf,
		      size_t size);

/* What an answer means, for people: "an empty one, its own". permission may be "". */
const char *prompt_answer_gloss(const char *permission, const char *answer);

/* The word that stands for an answer in a list: "Empty", "This" for what was asked
 * alone. Its first letter lights it. */
const char *prompt_answer_word(const char *permission, const char *answer);

#endif
