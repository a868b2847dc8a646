/* SPDX-License-Identifier: MIT
 *
 * Reading "Key: value" text.
 */
#include "base/fields.h"

#include <string.h>
#include <strings.h>

static const char *line_end(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	return nl ? nl : end;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool split(const char *p, const char *end, struct field *ret)
{
	const char *colon = memchr(p, ':', (size_t)(end - p));

	if (!colon || colon == p || is_blank(*p))
		return false;
	ret->key = p;
	ret->key_len = (size_t)(colon - p);
	for (colon++; colon < end && is_blank(*colon); colon++)
		continue;
	while (end > colon && is_blank(end[-1]))
		end--;
	ret->value = colon;
	ret->value_len = (size_t)(end - colon);
	return true;
}

bool field_next(const char **p, const char *end, struct field *ret)
{
	while (*p < end && **p != '\n') {
		const char *stop = line_end(*p, end);
		bool found = split(*p, stop, ret);

		*p = stop < end ? stop + 1 : end;
		ret->more = *p;
		while (*p < end && (**p == ' ' || **p == '\t')) {
			stop = line_end(*p, end);
			*p = stop < end ? stop + 1 : end;
		}
		ret->more_len = (size_t)(*p - ret->more);
		if (found)
			return true;
	}
	return false;
}

bool field_is(const struct field *field, const char *key)
{
	return strlen(key) == field->key_len && strncasecmp(field->key, key, field->key_len) == 0;
}
