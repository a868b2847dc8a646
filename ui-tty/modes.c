/* SPDX-License-Identifier: MIT
 *
 * Control sequences: ECMA-48 and xterm's ctlseqs; CSI u: kitty's keyboard
 * protocol.
 */
#include "ui-tty/modes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Private modes that are watched; on: as at power on. */
static const struct {
	unsigned int mode;
	bool on, alternate, ours; /* ours: put back in a place of its own */
} table[] = {
	{ 1, false, false, false },    { 5, false, false, false },    { 6, false, false, true },
	{ 7, true, false, false },     { 9, false, false, false },    { 25, true, false, true },
	{ 47, false, true, true },     { 1047, false, true, true },   { 1049, false, true, true },
	{ 1000, false, false, false }, { 1001, false, false, false }, { 1002, false, false, false },
	{ 1003, false, false, false }, { 1004, false, false, false }, { 1005, false, false, false },
	{ 1006, false, false, false }, { 1015, false, false, false }, { 1016, false, false, false },
	{ 2004, false, false, false }, { 2026, false, false, true },
};

static bool is_changed(const struct modes *m, unsigned int mode)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (table[i].mode == mode)
			return m->changed & (1u << i);
	}
	return false;
}

static void forget(struct modes *m)
{
	m->changed = 0;
	m->insert = m->shift_out = m->kitty_set = false;
	m->top = m->bottom = 0;
	m->charset = 'B';
	m->kitty = m->other_keys = 0;
	m->color[0][0] = m->color[1][0] = '\0';
}

void modes_init(struct modes *m)
{
	memset(m, 0, sizeof(*m));
	forget(m);
}

/* --- sequences --- */

static void set_private(struct modes *m, bool on)
{
	for (size_t k = 0; k < m->params; k++) {
		for (size_t i = 0; i < ARRAY_LEN(table); i++) {
			uint32_t bit = 1u << i;

			if (table[i].alternate && !on && (m->param[k] == 47 || m->param[k] == 1047 || m->param[k] == 1049))
				m->changed &= ~bit; /* any of the three leaves it */
			if (table[i].mode == m->param[k])
				m->changed = table[i].on == on ? m->changed & ~bit : m->changed | bit;
		}
	}
}

static unsigned int param(const struct modes *m, size_t i, unsigned int otherwise)
{
	return i < m->params && m->param[i] ? m->param[i] : otherwise;
}

static void kitty_pop(struct modes *m, unsigned int n)
{
	m->kitty -= n < m->kitty ? n : m->kitty;
}

static void end_csi_private(struct modes *m, char final)
{
	if (m->leader == '?' && (final == 'h' || final == 'l'))
		set_private(m, final == 'h');
	else if (m->leader == '>' && final == 'u')
		m->kitty += m->kitty < 32;
	else if (m->leader == '<' && final == 'u')
		kitty_pop(m, param(m, 0, 1));
	else if (m->leader == '=' && final == 'u')
		m->kitty_set = param(m, 0, 0) != 0;
	else if (m->leader == '>' && (final == 'm' || final == 'n') && param(m, 0, 0) == 4)
		m->other_keys = final == 'm' ? param(m, 1, 0) : 0;
}

static void end_csi(struct modes *m, char final)
{
	if (m->leader) {
		end_csi_private(m, final);
	} else if (m->intermediate == '!' && final == 'p') { /* soft reset */
		m->insert = m->shift_out = false;
		m->top = m->bottom = 0;
		m->charset = 'B';
		for (size_t i = 0; i < ARRAY_LEN(table); i++) {
			if (table[i].mode == 1 || table[i].mode == 6 || table[i].mode == 25)
				m->changed &= ~(1u << i);
		}
	} else if (m->intermediate) {
		return;
	} else if (final == 'r') {
		m->top = param(m, 0, 1);
		m->bottom = param(m, 1, 0);
		if (m->top > 1 && m->bottom == 0)
			m->bottom = 9999; /* terminals take their last row */
	} else if (final == 'h' || final == 'l') {
		for (size_t i = 0; i < m->params; i++) {
			if (m->param[i] == 4)
				m->insert = final == 'h';
		}
	}
}

static void end_string(struct modes *m)
{
	int which = strncmp(m->text, "10;", 3) == 0 ? 0 : strncmp(m->text, "11;", 3) == 0 ? 1 : -1;

	m->state = MODES_GROUND;
	if (m->kind != ']' || m->text_len == sizeof(m->text))
		return;
	if (which >= 0 && !strchr(m->text, '?'))
		memcpy(m->color[which], m->text, sizeof(m->text));
	else if (strcmp(m->text, "110") == 0 || strcmp(m->text, "111") == 0)
		m->color[m->text[2] - '0'][0] = '\0';
}

static void read_escape(struct modes *m, char c)
{
	m->state = MODES_GROUND;
	if (c == '[') {
		m->state = MODES_CSI;
		m->leader = m->intermediate = '\0';
		m->params = 0;
		memset(m->param, 0, sizeof(m->param));
	} else if (c != '\0' && strchr("]PX^_", c)) {
		m->state = MODES_STRING;
		m->kind = c;
		m->text_len = 0;
		memset(m->text, 0, sizeof(m->text));
	} else if (c >= 0x20 && c < 0x30) {
		m->state = MODES_ESC_MORE;
		m->intermediate = c;
	} else if (c == 'c') {
		forget(m);
	}
}

static void read_csi(struct modes *m, char c)
{
	if (c >= '0' && c <= '9') {
		unsigned int *p;

		if (m->params == 0)
			m->params = 1;
		p = &m->param[m->params - 1];
		*p = *p < 100000 ? *p * 10 + (unsigned int)(c - '0') : *p;
	} else if (c == ';' || c == ':') {
		if (m->params == 0)
			m->params = 1;
		if (m->params < MODES_PARAMS_MAX)
			m->params++;
	} else if (c >= '<' && c <= '?') {
		m->leader = c;
	} else if (c >= 0x20 && c < 0x30) {
		m->intermediate = c;
	} else if (c >= 0x40 && c < 0x7f) {
		m->state = MODES_GROUND;
		end_csi(m, c);
	}
}

static void read_string(struct modes *m, char c)
{
	if (c == '\a' || (m->state == MODES_STRING_ESC && c == '\\')) {
		end_string(m);
	} else if (m->state == MODES_STRING_ESC) {
		read_escape(m, c); /* it was cut off by another sequence */
	} else if (c == '\033') {
		m->state = MODES_STRING_ESC;
	} else if (m->text_len < sizeof(m->text) - 1 && (unsigned char)c >= 0x20 && (unsigned char)c < 0x7f) {
		m->text[m->text_len++] = c;
	} else {
		m->text_len = sizeof(m->text); /* not one that is kept */
	}
}

static void read_ground(struct modes *m, unsigned char c)
{
	if (c == 016 || c == 017)
		m->shift_out = c == 016;
	if ((c & 0xc0) == 0x80) {
		m->utf8_left -= m->utf8_left > 0;
		return;
	}
	m->utf8_left = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
}

static void read_byte(struct modes *m, char c)
{
	if (c == 030 || c == 032) { /* CAN, SUB end every sequence */
		m->state = MODES_GROUND;
	} else if (m->state == MODES_STRING || m->state == MODES_STRING_ESC) {
		read_string(m, c);
	} else if (c == '\033') {
		m->utf8_left = 0;
		m->state = MODES_ESC;
	} else if (m->state == MODES_GROUND) {
		read_ground(m, (unsigned char)c);
	} else if ((unsigned char)c < 0x20) {
		if (c == 016 || c == 017)
			m->shift_out = c == 016;
	} else if (m->state == MODES_ESC) {
		read_escape(m, c);
	} else if (m->state == MODES_CSI) {
		read_csi(m, c);
	} else if (c >= 0x30) {
		if (m->intermediate == '(')
			m->charset = c;
		m->state = MODES_GROUND;
	}
}

static bool is_whole(const struct modes *m)
{
	return m->state == MODES_GROUND && m->utf8_left == 0;
}

void modes_pass(struct modes *m, const char *buf, size_t n, void (*emit)(void *data, const char *buf, size_t n),
		void *data)
{
	size_t start = 0, whole = 0; /* of buf: written from, up to */

	for (size_t i = 0; i < n; i++) {
		read_byte(m, buf[i]);
		if (!is_whole(m))
			continue;
		whole = i + 1;
		if (m->tail_len && emit)
			emit(data, m->tail, m->tail_len);
		if (m->skip)
			start = whole;
		m->tail_len = 0;
		m->tail_written = m->skip = false;
	}
	if (whole > start && emit)
		emit(data, buf + start, whole - start);
	buf += whole;
	n -= whole;
	if (m->skip || n == 0)
		return;
	if (!m->tail_written && m->tail_len + n <= sizeof(m->tail)) {
		memcpy(m->tail + m->tail_len, buf, n);
		m->tail_len += n;
		return;
	}
	if (emit && m->tail_len)
		emit(data, m->tail, m->tail_len);
	if (emit)
		emit(data, buf, n);
	m->tail_len = 0;
	m->tail_written = true;
}

bool modes_alternate(const struct modes *m)
{
	return is_changed(m, 47) || is_changed(m, 1047) || is_changed(m, 1049);
}

bool modes_cursor_hidden(const struct modes *m)
{
	return is_changed(m, 25);
}

/* --- to the terminal --- */

struct text {
	char *buf;
	size_t len;
};

static void put(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	t->buf = xrealloc(t->buf, t->len + 256);
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, 256, fmt, ap);
	va_end(ap);
	t->len += n > 0 ? (size_t)n : 0;
}

const char *modes_break(struct modes *m)
{
	if (m->tail_written)
		m->skip = true; /* what it was the rest of is cut off here */
	/* CAN, out of a VT52, out of a string, off the printer, shown at once. */
	return "\030\033<\033\\\033[4i\033[?2026l";
}

char *modes_take_back(bool rich, bool utf8)
{
	struct text t = { 0 };

	put(&t, "\033[?69l\033[?6l\033[r\033[?7h\033[?5l\033[4l\033[2l\033(B\017\033[0;10m\033[?25l");
	put(&t, "\033[?9l\033[?1000l\033[?1001l\033[?1002l\033[?1003l\033[?1004l\033[?1005l\033[?1006l\033[?1015l"
		"\033[?1016l\033[?2004l");
	if (utf8)
		put(&t, "\033%%G");
	if (rich)
		put(&t, "\033[>0u\033[>4;0m\033]8;;\033\\\033]110\033\\\033]111\033\\");
	return t.buf;
}

const char *modes_keyboard_back(bool rich)
{
	return rich ? "\033[<1u" : "";
}

static void put_cursor(struct text *t, const struct modes *m, int row, int column)
{
	if (is_changed(m, 6) && m->bottom)
		row -= (int)m->top - 1;
	put(t, "\033[%d;%dH", row < 0 ? 1 : row + 1, column + 1);
}

char *modes_put_back(const struct modes *m, bool rich, int row, int column, bool at_home)
{
	struct text t = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (!table[i].ours && (m->changed & (1u << i)))
			put(&t, "\033[?%u%c", table[i].mode, table[i].on ? 'l' : 'h');
	}
	if (m->insert)
		put(&t, "\033[4h");
	for (size_t i = 0; i < 2 && rich; i++) {
		if (m->color[i][0])
			put(&t, "\033]%s\033\\", m->color[i]);
	}
	if (rich && m->other_keys)
		put(&t, "\033[>4;%um", m->other_keys);
	if (m->bottom) /* moves the cursor, as the next one does */
		put(&t, "\033[%u;%ur", m->top, m->bottom);
	if (is_changed(m, 6))
		put(&t, "\033[?6h");
	if (at_home || m->bottom || is_changed(m, 6))
		put_cursor(&t, m, row, column);
	if (m->charset != 'B')
		put(&t, "\033(%c", m->charset);
	put(&t, "%s%s", m->shift_out ? "\016" : "", modes_cursor_hidden(m) ? "\033[?25l" : "\033[?25h");
	return t.buf;
}

char *modes_end(struct modes *m, bool rich, int row, int column)
{
	struct text t = { 0 };

	put(&t, "%s", is_whole(m) ? "" : modes_break(m));
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if ((m->changed & (1u << i)) && !table[i].alternate)
			put(&t, "\033[?%u%c", table[i].mode, table[i].on ? 'h' : 'l');
	}
	for (size_t i = 0; i < 2; i++) {
		if (m->color[i][0])
			put(&t, "\033]11%zu\033\\", i);
	}
	if (rich && m->kitty)
		put(&t, "\033[<%uu", m->kitty);
	if (rich && m->kitty_set)
		put(&t, "\033[=0u");
	if (rich && m->other_keys)
		put(&t, "\033[>4;0m");
	put(&t, "%s%s%s", m->insert ? "\033[4l" : "", m->shift_out ? "\017" : "", m->charset != 'B' ? "\033(B" : "");
	put(&t, "%s", m->bottom ? "\033[r" : "");
	if (m->bottom || is_changed(m, 6))
		put(&t, "\033[%d;%dH", row + 1, column + 1);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if ((m->changed & (1u << i)) && table[i].alternate)
			put(&t, "\033[?%ul", table[i].mode);
	}
	forget(m);
	return t.buf;
}
