/* SPDX-License-Identifier: MIT
 *
 * Line by line; a line that begins with a blank continues the one before.
 */
#include "contacts/vcard.h"

#include "policy/permission.h"

#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES 1024u

/* The next unfolded line, cut at the buffer's size; NULL at the end. */
static const char *next_line(const char *p, const char *end, char *line, size_t *ret_len)
{
	size_t n = 0;

	if (p >= end)
		return NULL;
	for (;;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t len = eol ? (size_t)(eol - p) : (size_t)(end - p);

		if (len && p[len - 1] == '\r')
			len--;
		if (len > LINE_MAX_BYTES - n)
			len = LINE_MAX_BYTES - n;
		memcpy(line + n, p, len);
		n += len;
		p = eol ? eol + 1 : end;
		if (p >= end || (*p != ' ' && *p != '\t'))
			break;
		p++;
	}
	*ret_len = n;
	return p;
}

static bool is_line(const char *line, size_t len, const char *text)
{
	return len == strlen(text) && strncasecmp(line, text, len) == 0;
}

/* The value of FN, FN;LANGUAGE=..., group.FN. */
static const char *name_value(const char *line, size_t len, size_t *ret_len)
{
	const char *colon = memchr(line, ':', len), *dot, *p = line;
	size_t head;

	if (!colon)
		return NULL;
	head = (size_t)(colon - line);
	dot = memchr(line, '.', head);
	if (dot)
		p = dot + 1;
	head = (size_t)(colon - p);
	if (head < 2 || strncasecmp(p, "FN", 2) != 0 || (head > 2 && p[2] != ';'))
		return NULL;
	*ret_len = len - (size_t)(colon + 1 - line);
	return colon + 1;
}

void vcard_scan(const char *text, size_t size, struct vcard_count *count)
{
	const char *p = text, *end = text + size;
	char line[LINE_MAX_BYTES];
	bool inside = false;
	size_t len;

	while ((p = next_line(p, end, line, &len))) {
		const char *value;
		size_t value_len;

		if (is_line(line, len, "BEGIN:VCARD")) {
			inside = true;
			count->cards += count->cards < UINT32_MAX;
			continue;
		}
		if (is_line(line, len, "END:VCARD"))
			inside = false;
		value = inside ? name_value(line, len, &value_len) : NULL;
		if (value && count->name_count < VCARD_NAMES_MAX)
			text_escape(value, value_len, count->names[count->name_count++], VCARD_NAME_SIZE);
	}
}
