/* SPDX-License-Identifier: MIT
 *
 * Keys out of a terminal's bytes. Whole sequences are read, across reads of the
 * terminal: mouse reports, pastes and answers to queries carry letters that are
 * nobody's keys. Bounded: a sequence costs no memory, and one that never ends is
 * over after a silence.
 */
#ifndef UI_KEY_READER_H
#define UI_KEY_READER_H

#include "base/err.h"

enum key_reader_state {
	READER_GROUND = 0,
	READER_ESC,
	READER_CSI,
	READER_SS3,
	READER_CONSOLE, /* the Linux console's function keys: CSI [ A */
	READER_MOUSE,   /* the three characters of an X10 report */
	READER_STRING,  /* OSC, DCS and their like */
	READER_STRING_ESC,
	READER_PASTE,
};

struct key_reader {
	enum key_reader_state state;
	unsigned int left;   /* characters to come of a mouse report */
	char params[8];      /* the beginning of a CSI sequence's parameters */
	unsigned int count;  /* of all their bytes, at most sizeof(params) + 1 */
	unsigned int match;  /* bytes of a paste's end that stand already */
	uint64_t byte_ms;    /* when the last byte came */
};

/* One byte: the key that it completes (keys.h), 0: none. A byte of a character
 * beyond ASCII counts as a key. */
int key_reader_byte(struct key_reader *reader, unsigned char byte, uint64_t now_ms);

/* How long a sequence that has begun may be silent, ms from now; -1: none has. */
int key_reader_timeout_ms(const struct key_reader *reader, uint64_t now_ms);

/* The silence was too long: UI_KEY_ESC for an Esc that stood alone, else 0, and
 * *ret_broken: what comes yet may be the rest of it. */
int key_reader_silence(struct key_reader *reader, bool *ret_broken);

#endif
