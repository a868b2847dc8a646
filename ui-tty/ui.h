/* SPDX-License-Identifier: MIT
 *
 * What stands on the screen, and what keys do to it. No terminal and no socket
 * in here: keys, the clock and the broker's replies come in, a canvas comes out.
 */
#ifndef UI_UI_H
#define UI_UI_H

#include "ui-tty/bells.h"
#include "ui-tty/canvas.h"
#include "ui-tty/keys.h"
#include "ui-tty/show.h"

#include <stdint.h>

/* How a screen reaches the broker and other programs. */
struct ui_port {
	void *data;
	/* Takes params; the reply is the caller's; NULL with err. */
	json_t *(*call)(void *data, const char *method, json_t *params, struct err *err);
	/* Runs "cowbell ARGS" on the person's own terminal and waits; its status. */
	int (*command)(void *data, char *const args[]);
	/* What "cowbell ARGS" prints, both streams, escaped where it is shown; the
	 * caller frees. NULL with err. */
	char *(*capture)(void *data, char *const args[], struct err *err);
};

struct ui;
struct page;

/* One page on the way from home to where the person is. */
struct place {
	const struct page *page;
	char app[64], permission[160], text[600];
	long long number; /* a generation */
	int mode;         /* the page's own */
	size_t lit, top;  /* lines */
	json_t *data, *more; /* what the page loaded */
};

struct hint {
	int key;
	const char *name, *label; /* "Enter", "open" */
};

struct page {
	void (*title)(const struct ui *ui, char *left, char *right, size_t size);
	bool (*load)(struct ui *ui, struct place *place); /* false: leave the page, a message was set */
	void (*fill)(const struct ui *ui, const struct place *place, struct lines *lines);
	/* key on the lit line's target (-1: none). False: the key means nothing here. */
	bool (*key)(struct ui *ui, struct place *place, int key, int target);
	const struct hint *hints; /* ended by a NULL name */
	const char *help;         /* what the page shows; keys are told from hints */
};

#define PLACES_MAX 8u

/* A question of the UI itself: before something goes, or for a text. */
struct ask {
	bool open, input;
	char title[160], text[600], value[512];
	void (*yes)(struct ui *ui, struct place *place, const char *value);
};

struct ui {
	const struct ui_port *port;
	bool quit, help, plain;
	int rows, columns;
	struct place places[PLACES_MAX];
	size_t depth; /* the last one is shown */
	size_t help_top;
	struct ask ask;
	char message[600]; /* until the next key */
	char mark[64];

	struct bells bells;
	bool ringing;
	struct prompt_text bell;
	struct prompt_choice choice;
	struct keys keys;
	uint64_t left_until_ms; /* a bell went by itself: what is typed for it is no key of the page */
	uint64_t now_ms;
	long long wall_ms;
	bool broker_gone;
};

/* port is borrowed. now_ms: CLOCK_BOOTTIME; wall_ms for display. */
void ui_start(struct ui *ui, const struct ui_port *port, uint64_t now_ms, long long wall_ms);
void ui_finish(struct ui *ui);

/* What stands on a screen of this size now. */
void ui_view(struct ui *ui, int rows, int columns, struct canvas *canvas);

/* Whether a bell has just gone by itself, and keys may still be meant for it. */
bool ui_bell_just_left(const struct ui *ui, uint64_t now_ms);

/* One key. */
void ui_key(struct ui *ui, int key, uint64_t now_ms);

/* A click on a screen position (from 0) of the last view; wheel: -1 up, 1 down. */
void ui_click(struct ui *ui, const struct canvas *canvas, int row, int column, uint64_t now_ms);
void ui_wheel(struct ui *ui, int by, uint64_t now_ms);

/* Loads the shown page again; the clock for display. */
void ui_refresh(struct ui *ui, long long wall_ms);

/* A reply of the agent's stream; NULL: the broker went away. */
void ui_prompts(struct ui *ui, json_t *reply, uint64_t now_ms);

/* --- for pages --- */

void ui_enter(struct ui *ui, const struct page *page, const char *app, const char *permission);
void ui_back(struct ui *ui);
struct place *ui_place(struct ui *ui);
void ui_say(struct ui *ui, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Calls; NULL after the reason was said. */
json_t *ui_call(struct ui *ui, const char *method, json_t *params);

/* Calls a method whose reply is of no interest; false after the reason was said. */
bool ui_do(struct ui *ui, const char *method, json_t *params);

void ui_confirm(struct ui *ui, const char *title, const char *text,
		void (*yes)(struct ui *ui, struct place *place, const char *value));
void ui_input(struct ui *ui, const char *title, const char *text, const char *value,
	      void (*yes)(struct ui *ui, struct place *place, const char *value));

/* The page's lines as they are now; the caller frees. */
void ui_lines(const struct ui *ui, const struct place *place, struct lines *lines);

/* ui_bell.c */
void ui_bell_show(struct ui *ui, const struct prompt_text *prompt, uint64_t now_ms);
void ui_bell_next(struct ui *ui, uint64_t now_ms);
void ui_bell_key(struct ui *ui, int key, uint64_t now_ms);
void ui_bell_view(const struct ui *ui, struct canvas *canvas);
/* The answer whose row this is, -1: none, -2: the row that takes it. */
int ui_bell_row(const struct ui *ui, const struct canvas *canvas, int row);

extern const struct page page_home, page_bells, page_app, page_answer, page_who, page_history, page_settings,
	page_changes, page_file, page_summary;

#endif
