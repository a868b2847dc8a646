/* SPDX-License-Identifier: MIT
 *
 * Desktop entries: the one group that says what a program is called and how it
 * starts. Stricter than the desktops are: what they would read in different ways
 * is not read at all.
 */
#include "inspect/inspect.h"

#include "policy/permission.h"

#include <string.h>

struct entry_line {
	const char *key, *value;
	size_t key_len, value_len;
};

static void trim(const char **p, size_t *n)
{
	while (*n && (**p == ' ' || **p == '\t')) {
		(*p)++;
		(*n)--;
	}
	while (*n && ((*p)[*n - 1] == ' ' || (*p)[*n - 1] == '\t' || (*p)[*n - 1] == '\r'))
		(*n)--;
}

static bool split(const char *p, size_t n, struct entry_line *ret)
{
	const char *equals = memchr(p, '=', n);

	if (!equals)
		return false;
	ret->key = p;
	ret->key_len = (size_t)(equals - p);
	ret->value = equals + 1;
	ret->value_len = n - ret->key_len - 1;
	trim(&ret->key, &ret->key_len);
	trim(&ret->value, &ret->value_len);
	return ret->key_len > 0;
}

static bool is(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(p, word, n) == 0;
}

/* The command without "%f" and its like; quotes are left as they are. */
static void take_exec(const struct entry_line *l, char *buf, size_t size)
{
	char plain[256];
	size_t n = 0;

	for (size_t i = 0; i < l->value_len && n < sizeof(plain); i++) {
		if (l->value[i] == '%' && i + 1 < l->value_len && l->value[i + 1] != '%') {
			i++;
			while (n && plain[n - 1] == ' ')
				n--;
		} else {
			i += l->value[i] == '%' && i + 1 < l->value_len;
			plain[n++] = l->value[i];
		}
	}
	text_escape(plain, n, buf, size);
}

enum { SEEN_TYPE = 1, SEEN_NAME = 2, SEEN_EXEC = 4, SEEN_ICON = 8, SEEN_TERMINAL = 16, SEEN_CATEGORIES = 32,
       SEEN_NO_DISPLAY = 64, SEEN_HIDDEN = 128 };

/* False when the key was there before, or a type that is not ours. */
static bool take(const struct entry_line *l, struct desktop *d, unsigned int *seen)
{
	static const struct {
		const char *key;
		unsigned int bit;
	} keys[] = { { "Type", SEEN_TYPE },         { "Name", SEEN_NAME },
		     { "Exec", SEEN_EXEC },         { "Icon", SEEN_ICON },
		     { "Terminal", SEEN_TERMINAL }, { "Categories", SEEN_CATEGORIES },
		     { "NoDisplay", SEEN_NO_DISPLAY }, { "Hidden", SEEN_HIDDEN } };
	bool yes = is(l->value, l->value_len, "true") || is(l->value, l->value_len, "1");
	unsigned int bit = 0;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (is(l->key, l->key_len, keys[i].key))
			bit = keys[i].bit;
	}
	if (*seen & bit)
		return false;
	*seen |= bit;
	if (bit == SEEN_TYPE)
		return is(l->value, l->value_len, "Application");
	if (bit == SEEN_NAME)
		text_escape(l->value, l->value_len, d->name, sizeof(d->name));
	else if (bit == SEEN_EXEC)
		take_exec(l, d->exec, sizeof(d->exec));
	else if (bit == SEEN_ICON)
		text_escape(l->value, l->value_len, d->icon, sizeof(d->icon));
	else if (bit == SEEN_CATEGORIES)
		text_escape(l->value, l->value_len, d->categories, sizeof(d->categories));
	else if (bit == SEEN_TERMINAL)
		d->terminal = yes;
	else if (bit)
		d->hidden |= yes;
	return true;
}

bool desktop_parse(const char *text, size_t len, struct desktop *ret)
{
	const char *end = text + len;
	bool inside = false, been_inside = false;
	unsigned int seen = 0;
	struct entry_line l;

	memset(ret, 0, sizeof(*ret));
	if (memchr(text, '\0', len))
		return false;
	for (const char *p = text; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *start = p;
		size_t n = (size_t)((nl ? nl : end) - p);

		p = nl ? nl + 1 : end;
		trim(&start, &n);
		if (n == 0 || *start == '#')
			continue;
		if (*start == '[') {
			inside = is(start, n, "[Desktop Entry]");
			if (inside && been_inside)
				return false;
			been_inside |= inside;
		} else if (inside && split(start, n, &l) && !take(&l, ret, &seen)) {
			return false;
		}
	}
	return (seen & (SEEN_TYPE | SEEN_NAME | SEEN_EXEC)) == (SEEN_TYPE | SEEN_NAME | SEEN_EXEC) && ret->exec[0];
}
