/* SPDX-License-Identifier: MIT
 *
 * The shape of sequences is ECMA-48's; the X10 mouse report (CSI M and three
 * characters), the console's function keys (CSI [ and one) and the paste (CSI
 * 200 ~ to CSI 201 ~) are not, and are known by name.
 */
#include "ui-tty/key_reader.h"

#include "ui-tty/keys.h"

#include <string.h>

/* Terminals send a sequence in one piece; lines on the way may cut it. */
#define ESC_SILENCE_MS 100u
#define SEQUENCE_SILENCE_MS 500u

static const char paste_end[] = "\033[201~";

static void begin(struct key_reader *r, enum key_reader_state state)
{
	r->state = state;
	r->left = state == READER_MOUSE ? 3 : 0;
	r->count = r->match = 0;
	memset(r->params, 0, sizeof(r->params));
}

static int arrow(unsigned char final)
{
	switch (final) {
	case 'A':
		return UI_KEY_UP;
	case 'B':
		return UI_KEY_DOWN;
	case 'C':
		return UI_KEY_RIGHT;
	case 'D':
		return UI_KEY_LEFT;
	}
	return 0;
}

static int escape(struct key_reader *r, unsigned char c)
{
	switch (c) {
	case '[':
		begin(r, READER_CSI);
		return 0;
	case 'O':
		begin(r, READER_SS3);
		return 0;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
		begin(r, READER_STRING);
		return 0;
	}
	begin(r, READER_GROUND); /* a letter with Alt */
	return 0;
}

static int csi(struct key_reader *r, unsigned char c)
{
	if (c == '[' && r->count == 0) {
		begin(r, READER_CONSOLE);
		return 0;
	}
	if (c >= 0x20 && c < 0x40) { /* parameters and intermediates */
		if (r->count < sizeof(r->params))
			r->params[r->count] = (char)c;
		if (r->count <= sizeof(r->params))
			r->count++;
		return 0;
	}
	if (c == 'M' && r->count == 0) {
		begin(r, READER_MOUSE);
		return 0;
	}
	if (c == '~' && r->count == 3 && memcmp(r->params, "200", 3) == 0) {
		begin(r, READER_PASTE);
		return 0;
	}
	r->state = READER_GROUND;
	return r->count == 0 ? arrow(c) : 0;
}

static int paste(struct key_reader *r, unsigned char c)
{
	if (c == (unsigned char)paste_end[r->match])
		r->match++;
	else
		r->match = c == (unsigned char)paste_end[0];
	if (r->match == sizeof(paste_end) - 1)
		begin(r, READER_GROUND);
	return 0;
}

static int string(struct key_reader *r, unsigned char c)
{
	if (c == '\a' || (r->state == READER_STRING_ESC && c == '\\'))
		begin(r, READER_GROUND);
	else
		r->state = c == '\033' ? READER_STRING_ESC : READER_STRING;
	return 0;
}

static int mouse(struct key_reader *r, unsigned char c)
{
	if ((c & 0xc0) != 0x80 || r->left == 3) /* in mode 1005 a position is UTF-8 */
		r->left--;
	if (r->left == 0)
		r->state = READER_GROUND;
	return 0;
}

int key_reader_byte(struct key_reader *r, unsigned char c, uint64_t now_ms)
{
	r->byte_ms = now_ms;
	if (r->state == READER_PASTE)
		return paste(r, c);
	if (r->state == READER_STRING || r->state == READER_STRING_ESC)
		return string(r, c);
	if (c == '\033') { /* never inside of the others: one begins anew */
		begin(r, READER_ESC);
		return 0;
	}
	if (c < 0x20 && r->state != READER_GROUND) {
		begin(r, READER_GROUND);
		return 0;
	}
	switch (r->state) {
	case READER_ESC:
		return escape(r, c);
	case READER_CSI:
		return csi(r, c);
	case READER_SS3:
		r->state = c >= '0' && c <= '9' ? READER_SS3 : READER_GROUND; /* with modifiers, on some terminals */
		return r->state == READER_GROUND ? arrow(c) : 0;
	case READER_CONSOLE:
		begin(r, READER_GROUND);
		return 0;
	case READER_MOUSE:
		return mouse(r, c);
	case READER_GROUND:
	case READER_STRING:
	case READER_STRING_ESC:
	case READER_PASTE:
		break;
	}
	return c;
}

int key_reader_timeout_ms(const struct key_reader *r, uint64_t now_ms)
{
	uint64_t end = r->byte_ms + (r->state == READER_ESC ? ESC_SILENCE_MS : SEQUENCE_SILENCE_MS);

	if (r->state == READER_GROUND)
		return -1;
	return end > now_ms ? (int)(end - now_ms) : 0;
}

int key_reader_silence(struct key_reader *r, bool *ret_broken)
{
	bool alone = r->state == READER_ESC;

	*ret_broken = r->state != READER_GROUND && !alone;
	begin(r, READER_GROUND);
	return alone ? UI_KEY_ESC : 0;
}
