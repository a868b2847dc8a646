/* SPDX-License-Identifier: MIT
 *
 * Alphabets by Unicode's blocks; the letters that cannot be told from Latin ones
 * in common fonts are named one by one.
 */
#include "policy/alphabet.h"

#include <stdint.h>
#include <string.h>

enum alphabet { NO_LETTER = 0, LATIN, GREEK, CYRILLIC, DISGUISED, OTHER };

static uint32_t next_code(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	int more = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : *p >= 0xc0 ? 1 : 0;
	uint32_t c = more ? *p & (0x3fu >> more) : *p;

	for (p++; more > 0 && (*p & 0xc0) == 0x80; more--, p++)
		c = c << 6 | (*p & 0x3f);
	*text = (const char *)p;
	return c;
}

static enum alphabet alphabet_of(uint32_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0x24f && c != 0xd7 && c != 0xf7) ||
	    (c >= 0x1e00 && c <= 0x1eff))
		return LATIN;
	if ((c >= 0x370 && c <= 0x3ff) || (c >= 0x1f00 && c <= 0x1fff))
		return GREEK;
	if (c >= 0x400 && c <= 0x52f)
		return CYRILLIC;
	if ((c >= 0xff21 && c <= 0xff5a) || (c >= 0x1d400 && c <= 0x1d7ff) || (c >= 0x2100 && c <= 0x214f) ||
	    (c >= 0x250 && c <= 0x2af) || (c >= 0x13a0 && c <= 0x13ff))
		return DISGUISED;
	return c >= 0x80 ? OTHER : NO_LETTER;
}

/* Greek and Cyrillic letters that look like Latin ones. */
static bool looks_latin(uint32_t c)
{
	static const uint16_t letters[] = {
		0x391, 0x392, 0x395, 0x396, 0x397, 0x399, 0x39a, 0x39c, 0x39d, 0x39f, 0x3a1, 0x3a4, 0x3a5, 0x3a7, 0x3b9,
		0x3bd, 0x3bf, 0x3c1, 0x3c5, 0x405, 0x406, 0x408, 0x410, 0x412, 0x415, 0x41a, 0x41c, 0x41d, 0x41e, 0x420,
		0x421, 0x422, 0x423, 0x425, 0x430, 0x435, 0x43e, 0x43f, 0x440, 0x441, 0x443, 0x445, 0x455, 0x456, 0x458,
		0x4ae, 0x4af, 0x4bb, 0x4c0, 0x4cf, 0x501, 0x51b, 0x51d,
	};

	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		if (letters[i] == c)
			return true;
	}
	return false;
}

struct word {
	unsigned int seen; /* bits of enum alphabet */
	bool all_look_latin;
};

static bool is_odd(const struct word *w)
{
	unsigned int foreign = w->seen & (1u << GREEK | 1u << CYRILLIC);

	if (w->seen & 1u << DISGUISED)
		return true;
	if (foreign && (w->seen & 1u << LATIN))
		return true;
	return foreign == (1u << GREEK | 1u << CYRILLIC) || (foreign && w->all_look_latin);
}

bool text_looks_alike(const char *text)
{
	struct word word = { .all_look_latin = true };

	while (*text) {
		uint32_t c = next_code(&text);
		enum alphabet alphabet = alphabet_of(c);

		if (alphabet == NO_LETTER) {
			if (is_odd(&word))
				return true;
			word = (struct word){ .all_look_latin = true };
			continue;
		}
		word.seen |= 1u << alphabet;
		if (alphabet == GREEK || alphabet == CYRILLIC)
			word.all_look_latin &= looks_latin(c);
	}
	return is_odd(&word);
}
