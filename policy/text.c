/* SPDX-License-Identifier: MIT
 *
 * Making foreign bytes safe to show. What comes out contains no control, moves
 * no cursor, reverses no text and hides nothing.
 */
#include "policy/permission.h"

#include <stdio.h>
#include <string.h>

/* Decodes one well-formed UTF-8 character; returns its length, 0 if it is not
 * one (overlong forms, surrogates and values above U+10FFFF are not). */
static size_t decode(const unsigned char *p, size_t n, uint32_t *ret)
{
	size_t len = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c;

	if (len == 0 || len > n)
		return 0;
	c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return len;
}

/* Controls, marks that turn or hide text, private use and non-characters. */
static bool is_unsafe(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {
		{ 0x00, 0x1f },       { 0x7f, 0x9f },       { 0xad, 0xad },       { 0x34f, 0x34f },     { 0x61c, 0x61c },
		{ 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },   { 0x180b, 0x180f },   { 0x200b, 0x200f },   { 0x2028, 0x202e },
		{ 0x2060, 0x206f },   { 0x3164, 0x3164 },   { 0xe000, 0xf8ff },   { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },   { 0xfffe, 0xffff },   { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0x10ffff },
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	}
	return false;
}

void text_escape(const char *in, size_t in_len, char *out, size_t size)
{
	const unsigned char *p = (const unsigned char *)in;
	size_t used = 0;

	while (in_len) {
		char piece[16];
		uint32_t c = 0;
		size_t len = decode(p, in_len, &c), piece_len;

		if (len && !is_unsafe(c)) {
			memcpy(piece, p, len);
			piece_len = len;
		} else if (len && c >= 0x80) {
			piece_len = (size_t)snprintf(piece, sizeof(piece), "<U+%04X>", (unsigned int)c);
		} else {
			piece_len = (size_t)snprintf(piece, sizeof(piece), "\\x%02x", p[0]);
		}
		len = len ? len : 1;
		/* Room for this piece, and for the dots if more follows. */
		if (used + piece_len + (in_len > len ? 3u : 0u) >= size) {
			if (size > used + 3)
				memcpy(out + used, "...", 3), used += 3;
			break;
		}
		memcpy(out + used, piece, piece_len);
		used += piece_len;
		p += len;
		in_len -= len;
	}
	if (size)
		out[used < size ? used : size - 1] = '\0';
}
