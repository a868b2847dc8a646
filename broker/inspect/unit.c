/* SPDX-License-Identifier: MIT
 *
 * Of a package's unit the command that it starts and the user that it starts as,
 * and nothing else (systemd.service(5), systemd.syntax(7)). Where this reader
 * would guess, the unit is refused: a service that starts half of what was meant
 * is worse than none.
 */
#include "inspect/inspect.h"

#include "policy/permission.h"

#include <stdio.h>
#include <string.h>

struct words {
	struct unit *unit;
	const char *p, *end;
	char word[UNIT_ARGS_SIZE];
	size_t n;
	bool any;      /* the word is there, though it may be empty */
	bool vanishes; /* it was $NAME alone: no word at all */
};

static bool refuse(struct unit *unit, const char *why)
{
	(void)snprintf(unit->why, sizeof(unit->why), "%s", why);
	return false;
}

static bool put(struct words *w, char c)
{
	if (w->n + 1 >= sizeof(w->word))
		return refuse(w->unit, "its command is too long");
	w->word[w->n++] = c;
	w->any = true;
	return true;
}

static bool take_escape(struct words *w)
{
	static const char from[] = "\\\"'snt", to[] = "\\\"' \n\t";
	const char *found = w->p < w->end && *w->p ? strchr(from, *w->p) : NULL;

	if (!found)
		return refuse(w->unit, "its command has an escape that is not known");
	w->p++;
	return put(w, to[found - from]);
}

static bool is_name(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* No variable is set: its files are the package's to shape, its environment ours. */
static bool take_variable(struct words *w, bool quoted)
{
	const char *p = w->p;

	if (p < w->end && *p == '$') {
		w->p++;
		return put(w, '$');
	}
	if (p < w->end && *p == '{') {
		while (p < w->end && *p != '}')
			p++;
		if (p == w->end)
			return refuse(w->unit, "its command has a '${' without an end");
		w->p = p + 1;
		w->any = true;
		return true;
	}
	while (p < w->end && is_name(*p))
		p++;
	if (p == w->p || quoted || w->any || (p < w->end && *p != ' ' && *p != '\t'))
		return put(w, '$');
	w->p = p;
	w->vanishes = true;
	return true;
}

static bool take_char(struct words *w, char *quote)
{
	char c = *w->p++;

	if (c == '\\')
		return take_escape(w);
	if (c == '%') {
		if (w->p < w->end && *w->p == '%') {
			w->p++;
			return put(w, '%');
		}
		return refuse(w->unit, "its command uses a specifier of systemd's");
	}
	if (c == '$')
		return take_variable(w, *quote != '\0');
	if (*quote ? c == *quote : c == '"' || c == '\'') {
		*quote = *quote ? '\0' : c;
		w->any = true;
		return true;
	}
	return put(w, c);
}

/* 1 a word, 0 none is left, -1 refused. */
static int next_word(struct words *w)
{
	char quote = '\0';

	w->n = 0;
	w->any = w->vanishes = false;
	while (w->p < w->end && (*w->p == ' ' || *w->p == '\t'))
		w->p++;
	if (w->p == w->end)
		return 0;
	while (w->p < w->end && (quote || (*w->p != ' ' && *w->p != '\t'))) {
		if (!take_char(w, &quote))
			return -1;
	}
	w->word[w->n] = '\0';
	if (quote) {
		(void)refuse(w->unit, "its command has a quote without an end");
		return -1;
	}
	return 1;
}

/* A word that does not look like itself on a screen is no word of a service. */
static bool keep_word(struct unit *unit, const char *word)
{
	char shown[4 * UNIT_ARGS_SIZE];
	size_t n = strlen(word) + 1;

	text_escape(word, n - 1, shown, sizeof(shown));
	if (strcmp(shown, word) != 0)
		return refuse(unit, "its command has characters that cannot be shown");
	if (unit->used + n > sizeof(unit->args) || unit->count == UNIT_WORDS_MAX)
		return refuse(unit, "its command is too long");
	memcpy(unit->args + unit->used, word, n);
	unit->used += n;
	unit->count++;
	return true;
}

static bool take_command(struct unit *unit, const char *value, size_t len)
{
	struct words w = { .unit = unit, .p = value, .end = value + len };
	bool skip_name = false;
	int n;

	while (w.p < w.end && strchr("@-:+!", *w.p)) /* what systemd makes of its rights and its end */
		skip_name |= *w.p++ == '@';
	while ((n = next_word(&w)) > 0) {
		if (w.vanishes && !w.any)
			continue;
		if (strcmp(w.word, ";") == 0)
			return refuse(unit, "it starts several commands");
		if (unit->count == 0 && w.word[0] != '/')
			return refuse(unit, "its program has no absolute path");
		if (unit->count == 1 && skip_name) {
			skip_name = false;
			continue;
		}
		if (!keep_word(unit, w.word))
			return false;
	}
	return n == 0 && unit->count > 0;
}

static bool take_user(struct unit *unit, const char *value, size_t len)
{
	if (len == 0 || len >= sizeof(unit->user))
		return refuse(unit, "its user is no name");
	for (size_t i = 0; i < len; i++) {
		if (!is_name(value[i]) && (i == 0 || !strchr("-.", value[i]) || !value[i]))
			return refuse(unit, "its user is no name");
	}
	memcpy(unit->user, value, len);
	unit->user[len] = '\0';
	return true;
}

static bool take_line(struct unit *unit, const char *line, size_t len, bool *inside)
{
	const char *equals = memchr(line, '=', len);
	size_t key;

	if (len == 0 || line[0] == '#' || line[0] == ';')
		return true;
	if (line[0] == '[') {
		*inside = len == 9 && memcmp(line, "[Service]", 9) == 0;
		return true;
	}
	if (!*inside || !equals)
		return true;
	key = (size_t)(equals - line);
	while (key && (line[key - 1] == ' ' || line[key - 1] == '\t'))
		key--;
	equals++;
	while (equals < line + len && (*equals == ' ' || *equals == '\t'))
		equals++;
	len -= (size_t)(equals - line);
	if (key == 9 && memcmp(line, "ExecStart", 9) == 0) {
		if (len && unit->count)
			return refuse(unit, "it starts several commands");
		unit->count = unit->used = 0; /* an empty one takes back what stood before */
		return len == 0 || take_command(unit, equals, len);
	}
	if (key == 4 && memcmp(line, "Type", 4) == 0)
		unit->once = len == 7 && memcmp(equals, "oneshot", 7) == 0;
	if (key == 4 && memcmp(line, "User", 4) == 0)
		return take_user(unit, equals, len);
	return true;
}

/* One logical line, its "\" at the end of lines made blanks. Returns what follows. */
static const char *join(const char *p, const char *end, char *line, size_t size, size_t *ret_len)
{
	size_t n = 0;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);
		bool more = len && p[len - 1] == '\\' && p[0] != '#' && p[0] != ';';

		len -= more;
		if (n + len + 1 >= size) {
			*ret_len = size; /* too long to be a line of ours */
			return nl ? nl + 1 : end;
		}
		memcpy(line + n, p, len);
		n += len;
		p = nl ? nl + 1 : end;
		if (!more)
			break;
		line[n++] = ' ';
	}
	while (n && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
		n--;
	*ret_len = n;
	return p;
}

bool unit_parse(const char *text, size_t len, struct unit *ret)
{
	const char *end = text + len;
	char line[4096];
	bool inside = false;

	memset(ret, 0, sizeof(*ret));
	if (memchr(text, '\0', len))
		return refuse(ret, "it is no text");
	for (const char *p = text; p < end;) {
		size_t n, blanks = 0;

		p = join(p, end, line, sizeof(line), &n);
		if (n == sizeof(line))
			return refuse(ret, "it has a line that is too long");
		while (blanks < n && (line[blanks] == ' ' || line[blanks] == '\t'))
			blanks++;
		if (!take_line(ret, line + blanks, n - blanks, &inside))
			return false;
	}
	return ret->count > 0 || refuse(ret, "it starts no command");
}
