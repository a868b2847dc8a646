/* SPDX-License-Identifier: MIT
 *
 * Of a package's unit the command that it starts, the user that it starts as, and
 * what goes before: its folders and the commands that prepare it (systemd.service(5),
 * systemd.exec(5), systemd.syntax(7)). All else is left to the sandbox. Where this
 * reader would guess at the start, the unit is refused: a service that starts half of
 * what was meant is worse than none.
 */
#include "inspect/inspect.h"

#include "policy/permission.h"
#include "proto/launch.h"

#include <stdio.h>
#include <string.h>

#define WHY_SIZE sizeof(((struct unit *)NULL)->why)
#define FOLDERS_SIZE 512u

/* The kinds of folders that systemd makes for a service. */
enum folder { FOLDER_RUNTIME, FOLDER_STATE, FOLDER_CACHE, FOLDER_LOGS, FOLDER_CONFIGURATION, FOLDER_COUNT };

static const struct {
	const char *key, *mode_key, *below;
} folders[FOLDER_COUNT] = {
	[FOLDER_RUNTIME] = { "RuntimeDirectory", "RuntimeDirectoryMode", "/run/" },
	[FOLDER_STATE] = { "StateDirectory", "StateDirectoryMode", "/var/lib/" },
	[FOLDER_CACHE] = { "CacheDirectory", "CacheDirectoryMode", "/var/cache/" },
	[FOLDER_LOGS] = { "LogsDirectory", "LogsDirectoryMode", "/var/log/" },
	[FOLDER_CONFIGURATION] = { "ConfigurationDirectory", "ConfigurationDirectoryMode", "/etc/" },
};

#define VARIABLES_MAX 16u

/* What Environment= sets, "NAME=VALUE" each. */
struct variables {
	char text[VARIABLES_MAX][256];
	size_t count;
};

/* What is known only when all lines are read. */
struct reader {
	struct unit *unit;
	bool inside;
	bool variables_only; /* the first time through: commands may stand before their variables */
	struct variables variables;
	bool start_only; /* the user is for the start alone (PermissionsStartOnly=) */
	char names[FOLDER_COUNT][FOLDERS_SIZE], modes[FOLDER_COUNT][8];
	struct unit_before commands[UNIT_BEFORE_MAX];
	size_t command_count;
};

struct words {
	char *why; /* WHY_SIZE */
	const struct variables *variables; /* NULL: a '$' is itself */
	const char *split; /* what is left of a variable that is several words */
	const char *p, *end;
	char word[UNIT_ARGS_SIZE];
	size_t n;
	bool any;      /* the word is there, though it may be empty */
	bool vanishes; /* it was $NAME alone: no word at all */
};

static bool refuse(char *why, const char *text)
{
	(void)snprintf(why, WHY_SIZE, "%s", text);
	return false;
}

static bool put(struct words *w, char c)
{
	if (w->n + 1 >= sizeof(w->word))
		return refuse(w->why, "its command is too long");
	w->word[w->n++] = c;
	w->any = true;
	return true;
}

static bool take_escape(struct words *w)
{
	static const char from[] = "\\\"'snt", to[] = "\\\"' \n\t";
	const char *found = w->p < w->end && *w->p ? strchr(from, *w->p) : NULL;

	if (!found)
		return refuse(w->why, "its command has an escape that is not known");
	w->p++;
	return put(w, to[found - from]);
}

static bool is_name(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* "" for one that is not set: what a unit reads from files is not. */
static const char *value_of(const struct variables *v, const char *name, size_t len)
{
	for (size_t i = v->count; i > 0; i--) { /* the last one counts */
		if (strncmp(v->text[i - 1], name, len) == 0 && v->text[i - 1][len] == '=')
			return v->text[i - 1] + len + 1;
	}
	return "";
}

static bool put_text(struct words *w, const char *text)
{
	while (*text) {
		if (!put(w, *text++))
			return false;
	}
	w->any = true;
	return true;
}

/* The next word of a variable that stands alone; without one it vanishes. */
static bool put_split(struct words *w)
{
	w->split += strspn(w->split, " \t\n");
	w->vanishes = !*w->split;
	while (*w->split && !strchr(" \t\n", *w->split)) {
		if (!put(w, *w->split++))
			return false;
	}
	w->split += strspn(w->split, " \t\n");
	return true;
}

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
			return refuse(w->why, "its command has a '${' without an end");
		if (!put_text(w, value_of(w->variables, w->p + 1, (size_t)(p - w->p - 1))))
			return false;
		w->p = p + 1;
		return true;
	}
	while (p < w->end && is_name(*p))
		p++;
	if (p == w->p || quoted || w->any || (p < w->end && *p != ' ' && *p != '\t'))
		return put(w, '$');
	w->split = value_of(w->variables, w->p, (size_t)(p - w->p));
	w->p = p;
	return put_split(w);
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
		return refuse(w->why, "its command uses a specifier of systemd's");
	}
	if (c == '$' && w->variables)
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
	if (w->split && *w->split) {
		if (!put_split(w))
			return -1;
		w->word[w->n] = '\0';
		return 1;
	}
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
		(void)refuse(w->why, "its command has a quote without an end");
		return -1;
	}
	return 1;
}

/* A word that does not look like itself on a screen is no word of a service. */
static bool keep_word(struct unit_command *to, const char *word, char *why)
{
	char shown[4 * UNIT_ARGS_SIZE];
	size_t n = strlen(word) + 1;

	text_escape(word, n - 1, shown, sizeof(shown));
	if (strcmp(shown, word) != 0)
		return refuse(why, "its command has characters that cannot be shown");
	if (to->used + n > sizeof(to->args) || to->count == UNIT_WORDS_MAX)
		return refuse(why, "its command is too long");
	memcpy(to->args + to->used, word, n);
	to->used += n;
	to->count++;
	return true;
}

/* *ret_privileged is set if its user is not for it; what else stands before the program
 * is of its end. */
static bool take_command(const struct reader *r, struct unit_command *to, const char *value, size_t len,
			 bool *ret_privileged, char *why)
{
	struct words w = { .why = why, .variables = &r->variables, .p = value, .end = value + len };
	bool skip_name = false;
	int n;

	while (w.p < w.end && *w.p && strchr("@-:+!", *w.p)) {
		skip_name |= *w.p == '@';
		*ret_privileged |= *w.p == '+' || *w.p == '!';
		w.p++;
	}
	while ((n = next_word(&w)) > 0) {
		if (w.vanishes && !w.any)
			continue;
		if (strcmp(w.word, ";") == 0)
			return refuse(why, "it starts several commands");
		if (to->count == 0 && w.word[0] != '/')
			return refuse(why, "its program has no absolute path");
		if (to->count == 1 && skip_name) {
			skip_name = false;
			continue;
		}
		if (!keep_word(to, w.word, why))
			return false;
	}
	return n == 0 && (to->count > 0 || refuse(why, "it starts no command"));
}

static void take_before(struct reader *r, const char *value, size_t len)
{
	struct unit_before *before;
	char why[WHY_SIZE] = "";
	bool privileged = false;

	if (len == 0) {
		r->command_count = 0;
		return;
	}
	if (r->command_count == UNIT_BEFORE_MAX)
		return;
	before = &r->commands[r->command_count++];
	memset(before, 0, sizeof(*before));
	if (take_command(r, &before->what, value, len, &privileged, why)) {
		before->how = privileged ? RUN_BEFORE_ROOT : RUN_BEFORE_USER;
		return;
	}
	before->how = RUN_BEFORE_LEFT;
	before->what.used = before->what.count = 0;
	(void)keep_word(&before->what, why, why);
}

static bool take_user(struct unit *unit, const char *value, size_t len)
{
	if (len == 0 || len >= sizeof(unit->user))
		return refuse(unit->why, "its user is no name");
	for (size_t i = 0; i < len; i++) {
		if (!is_name(value[i]) && (i == 0 || !strchr("-.", value[i]) || !value[i]))
			return refuse(unit->why, "its user is no name");
	}
	memcpy(unit->user, value, len);
	unit->user[len] = '\0';
	return true;
}

static bool is_key(const char *key, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(key, name, len) == 0;
}

static void keep(char *to, size_t size, const char *value, size_t len)
{
	(void)snprintf(to, size, "%.*s", (int)(len < size ? len : size - 1), value);
}

static bool take_start(struct reader *r, const char *value, size_t len)
{
	struct unit *unit = r->unit;
	bool privileged = false;

	if (len && unit->start.count)
		return refuse(unit->why, "it starts several commands");
	unit->start.count = unit->start.used = 0; /* an empty one takes back what stood before */
	return len == 0 || take_command(r, &unit->start, value, len, &privileged, unit->why);
}

/* Assignments that are not understood are left out: the commands find them unset. */
static void take_environment(struct variables *v, const char *value, size_t len)
{
	char why[WHY_SIZE] = "";
	struct words w = { .why = why, .p = value, .end = value + len };

	if (len == 0)
		v->count = 0;
	while (next_word(&w) > 0 && v->count < VARIABLES_MAX) {
		size_t name = strcspn(w.word, "="), i = 0;

		while (i < name && is_name(w.word[i]))
			i++;
		if (i == name && name && w.word[name] && w.n < sizeof(v->text[0]))
			memcpy(v->text[v->count++], w.word, w.n + 1);
	}
}

static bool take_value(struct reader *r, const char *key, size_t key_len, const char *value, size_t len)
{
	if (r->variables_only) {
		if (is_key(key, key_len, "Environment"))
			take_environment(&r->variables, value, len);
		return true;
	}
	if (is_key(key, key_len, "ExecStart"))
		return take_start(r, value, len);
	if (is_key(key, key_len, "User"))
		return take_user(r->unit, value, len);
	if (is_key(key, key_len, "Type"))
		r->unit->once = len == 7 && memcmp(value, "oneshot", 7) == 0;
	else if (is_key(key, key_len, "ExecStartPre"))
		take_before(r, value, len);
	else if (is_key(key, key_len, "PermissionsStartOnly"))
		r->start_only = len && strchr("1yYtT", value[0]);
	for (int i = 0; i < FOLDER_COUNT; i++) {
		if (is_key(key, key_len, folders[i].key))
			keep(r->names[i], sizeof(r->names[i]), value, len);
		else if (is_key(key, key_len, folders[i].mode_key))
			keep(r->modes[i], sizeof(r->modes[i]), value, len);
	}
	return true;
}

static bool take_line(struct reader *r, const char *line, size_t len)
{
	const char *equals = memchr(line, '=', len);
	size_t key;

	if (len == 0 || line[0] == '#' || line[0] == ';')
		return true;
	if (line[0] == '[') {
		r->inside = len == 9 && memcmp(line, "[Service]", 9) == 0;
		return true;
	}
	if (!r->inside || !equals)
		return true;
	key = (size_t)(equals - line);
	while (key && (line[key - 1] == ' ' || line[key - 1] == '\t'))
		key--;
	equals++;
	while (equals < line + len && (*equals == ' ' || *equals == '\t'))
		equals++;
	return take_value(r, line, key, equals, len - (size_t)(equals - line));
}

/* --- what goes before, when all is read --- */

static struct unit_before *add_before(struct unit *unit)
{
	return unit->before_count < UNIT_BEFORE_MAX ? &unit->before[unit->before_count++] : NULL;
}

static bool is_mode(const char *mode)
{
	return mode[0] && strspn(mode, "01234567") == strlen(mode) && strlen(mode) <= 5;
}

static void add_folder(struct unit *unit, const char *below, const char *name, const char *mode)
{
	struct unit_before *before = add_before(unit);
	char path[FOLDERS_SIZE + 16], why[WHY_SIZE];

	if (!before)
		return;
	(void)snprintf(path, sizeof(path), "%s%s", below, name);
	before->how = RUN_BEFORE_FOLDER;
	if (!tmpfiles_is_plain(path) || !keep_word(&before->what, path, why) ||
	    !keep_word(&before->what, is_mode(mode) ? mode : "-", why) || !keep_word(&before->what, "-", why) ||
	    !keep_word(&before->what, "-", why)) {
		memset(before, 0, sizeof(*before));
		before->how = RUN_BEFORE_LEFT;
		(void)keep_word(&before->what, "a folder has a name that is not plain", why);
	}
}

static void settle_before(struct reader *r)
{
	struct unit_before *before;
	char why[WHY_SIZE];

	for (size_t i = 0; i < r->variables.count && (before = add_before(r->unit)); i++) {
		before->how = RUN_BEFORE_SET;
		if (!keep_word(&before->what, r->variables.text[i], why))
			r->unit->before_count--;
	}

	for (int i = 0; i < FOLDER_COUNT; i++) {
		char *save = NULL;

		for (char *n = strtok_r(r->names[i], " \t", &save); n; n = strtok_r(NULL, " \t", &save)) {
			n[strcspn(n, ":")] = '\0'; /* the name of a symbolic link to it */
			add_folder(r->unit, folders[i].below, n, r->modes[i]);
		}
	}
	for (size_t i = 0; i < r->command_count && (before = add_before(r->unit)); i++) {
		*before = r->commands[i];
		if (r->start_only && before->how == RUN_BEFORE_USER)
			before->how = RUN_BEFORE_ROOT;
	}
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

static bool read_lines(struct reader *r, const char *text, size_t len)
{
	const char *end = text + len;
	char line[4096];

	r->inside = false;
	for (const char *p = text; p < end;) {
		size_t n, blanks = 0;

		p = join(p, end, line, sizeof(line), &n);
		if (n == sizeof(line))
			return refuse(r->unit->why, "it has a line that is too long");
		while (blanks < n && (line[blanks] == ' ' || line[blanks] == '\t'))
			blanks++;
		if (!take_line(r, line + blanks, n - blanks))
			return false;
	}
	return true;
}

bool unit_parse(const char *text, size_t len, struct unit *ret)
{
	static struct reader r;

	memset(ret, 0, sizeof(*ret));
	memset(&r, 0, sizeof(r));
	r.unit = ret;
	if (memchr(text, '\0', len))
		return refuse(ret->why, "it is no text");
	r.variables_only = true;
	if (!read_lines(&r, text, len))
		return false;
	r.variables_only = false;
	if (!read_lines(&r, text, len))
		return false;
	if (ret->start.count == 0)
		return refuse(ret->why, "it starts no command");
	settle_before(&r);
	return true;
}
