/* SPDX-License-Identifier: MIT
 *
 * A profile names places that root will open for apps, so each value has one
 * narrow form: a line that could mean a place elsewhere is an error.
 */
#include "policy/board.h"

#include "policy/file_line.h"
#include "policy/permission.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	bool is_permission;
	const char *below; /* where its patterns lie; NULL: its own rule */
	const char *hint;
} kinds[BOARD_KIND_COUNT] = {
	[BOARD_TORCH] = { "torch", true, NULL, "an LED's name, such as white:flash" },
	[BOARD_CAMERA] = { "camera", true, "/dev/", "/dev/video*" },
	[BOARD_MICROPHONE] = { "microphone", true, "/dev/", "/dev/snd/pcmC0D0c" },
	[BOARD_PLAYBACK] = { "playback", true, "/dev/", "/dev/snd/pcmC0D0p" },
	[BOARD_GPS] = { "gps", true, "/dev/", "/dev/gnss0" },
	[BOARD_MODEM] = { "modem", true, "/dev/", "/dev/ttyUSB2" },
	[BOARD_SENSORS] = { "sensors", true, "/sys/", "/sys/bus/iio/devices/iio:device*" },
	[BOARD_REMOVABLE] = { "removable", false, "/", "/media, /run/media" },
	[BOARD_CONTACTS] = { "contacts", false, NULL, "a folder of the home, such as .contacts" },
};

const char *board_kind_name(enum board_kind kind)
{
	return kind < BOARD_KIND_COUNT ? kinds[kind].name : "";
}

bool board_kind_is_permission(enum board_kind kind)
{
	return kind < BOARD_KIND_COUNT && kinds[kind].is_permission;
}

static bool made_of(const char *text, const char *more)
{
	for (const char *p = text; *p; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');

		if (!plain && !strchr(more, *p))
			return false;
	}
	return *text != '\0';
}

bool board_name_is_good(const char *name)
{
	for (const char *p = name; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			return false;
	}
	return made_of(name, "._-") && name[0] != '.' && strlen(name) < BOARD_NAME_SIZE;
}

/* Names between single slashes, none of them "." or "..". */
static bool is_clean(const char *path)
{
	for (const char *p = path;; p++) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (*p == '\0')
			return true;
	}
}

static bool value_is_good(enum board_kind kind, const char *value)
{
	const char *below = kinds[kind].below;

	if (kind == BOARD_TORCH) /* one name: a slash would lead out of the class */
		return made_of(value, "._:-+*?") && is_clean(value);
	if (kind == BOARD_CONTACTS)
		return made_of(value, "._-/") && is_clean(value);
	if (kind == BOARD_REMOVABLE)
		return value[0] == '/' && made_of(value, "._-/") && is_clean(value + 1);
	return strncmp(value, below, strlen(below)) == 0 && made_of(value, "._:-+,@*?/") && is_clean(value + 1);
}

static int parse_thing(struct board *b, enum board_kind kind, const struct file_lines *at, struct file_line *line,
		       struct err *err)
{
	struct board_thing *thing = &b->things[b->thing_count];
	char shown[200];

	if (b->thing_count == BOARD_THINGS_MAX)
		return err_set(err, E2BIG, "%s: more than %u lines of what it has", at->where, BOARD_THINGS_MAX);
	text_escape(line->words[1], strlen(line->words[1]), shown, sizeof(shown));
	if (strlen(line->words[1]) >= sizeof(thing->value) || !value_is_good(kind, line->words[1])) {
		err_set(err, EINVAL, "%s: '%s' is no place for %s", at->where, shown, kinds[kind].name);
		return err_hint(err, "%s", kinds[kind].hint);
	}
	*thing = (struct board_thing){ .kind = kind, .line = at->number };
	(void)snprintf(thing->value, sizeof(thing->value), "%s", line->words[1]);
	for (size_t i = 2; i < line->count; i++) {
		const char *w = line->words[i];

		if (strcmp(w, "unverified") == 0 && !thing->unverified) {
			thing->unverified = true;
		} else if (strncmp(w, "dt=", 3) == 0 && !thing->dt[0] && made_of(w + 3, ",._-+") &&
			   strlen(w + 3) < sizeof(thing->dt)) {
			(void)snprintf(thing->dt, sizeof(thing->dt), "%s", w + 3);
		} else {
			text_escape(w, strlen(w), shown, sizeof(shown));
			err_set(err, EINVAL, "%s: '%s' means nothing here", at->where, shown);
			return err_hint(err, "dt=COMPATIBLE, unverified");
		}
	}
	b->thing_count++;
	return 0;
}

/* --- lines that stand once, with their own forms; false: not of this form --- */

static bool parse_number(const char *text, unsigned long most, unsigned long *ret)
{
	unsigned long n = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || (n = n * 10 + (unsigned long)(*p - '0')) > most)
			return false;
	}
	*ret = n;
	return *text != '\0' && n > 0;
}

static bool set_text(char *to, size_t size, const char *value, const char *more)
{
	if (*to || strlen(value) >= size || !made_of(value, more))
		return false;
	(void)snprintf(to, size, "%s", value);
	return true;
}

static bool set_model(struct board *b, const struct file_line *line)
{
	size_t n = 0;
	char shown[sizeof(b->model) * 8];

	if (b->model[0])
		return false;
	for (size_t i = 1; i < line->count && n < sizeof(b->model); i++)
		n += (size_t)snprintf(b->model + n, sizeof(b->model) - n, "%s%s", i > 1 ? " " : "", line->words[i]);
	text_escape(b->model, strlen(b->model), shown, sizeof(shown));
	return n < sizeof(b->model) && strcmp(shown, b->model) == 0;
}

static bool set_compatible(struct board *b, const struct file_line *line)
{
	if (b->compatible_count == BOARD_COMPATIBLES_MAX)
		return false;
	return set_text(b->compatible[b->compatible_count++], sizeof(b->compatible[0]), line->words[1], ",._-+");
}

static bool set_machine(struct board *b, const struct file_line *line)
{
	return set_text(b->machine, sizeof(b->machine), line->words[1], "_");
}

static bool set_page(struct board *b, const struct file_line *line)
{
	unsigned long n;

	if (b->page || !parse_number(line->words[1], 65536, &n) || n < 4096 || (n & (n - 1)))
		return false;
	b->page = (uint32_t)n;
	return true;
}

static bool set_owner(struct board *b, const struct file_line *line)
{
	return strcmp(line->words[1], "0") != 0 && strcmp(line->words[1], "root") != 0 &&
	       set_text(b->owner, sizeof(b->owner), line->words[1], "._-");
}

static bool set_home(struct board *b, const struct file_line *line)
{
	return line->words[1][0] == '/' && is_clean(line->words[1] + 1) &&
	       set_text(b->home, sizeof(b->home), line->words[1], "._-/");
}

static bool set_console(struct board *b, const struct file_line *line)
{
	char *x = strchr(line->words[1], 'x');
	unsigned long columns, rows;

	if (b->columns || !x)
		return false;
	*x = '\0';
	if (!parse_number(line->words[1], 1000, &columns) || !parse_number(x + 1, 1000, &rows)) {
		*x = 'x';
		return false;
	}
	b->columns = (uint16_t)columns;
	b->rows = (uint16_t)rows;
	return true;
}

static bool set_memory(struct board *b, const struct file_line *line)
{
	size_t n = strlen(line->words[1]);
	char *unit = line->words[1] + (n ? n - 1 : 0);
	unsigned long number;
	bool good;

	if (b->memory_mib || *unit != 'M')
		return false;
	*unit = '\0';
	good = parse_number(line->words[1], 1u << 20, &number);
	*unit = 'M';
	if (good)
		b->memory_mib = (uint32_t)number;
	return good;
}

static bool set_offer(struct board *b, const struct file_line *line)
{
	if (b->found_only || strcmp(line->words[1], "found") != 0)
		return false;
	b->found_only = true;
	return true;
}

static const struct {
	const char *key;
	bool (*set)(struct board *b, const struct file_line *line);
	bool marks; /* "unverified" may follow */
	const char *hint;
} singles[] = {
	{ "model", set_model, false, "the device's name, at most 95 characters" },
	{ "compatible", set_compatible, true, "vendor,model as in the device tree, at most 16 lines" },
	{ "machine", set_machine, false, "once: aarch64, armv7l, x86_64" },
	{ "page", set_page, false, "once: 4096, 16384 or 65536" },
	{ "owner", set_owner, false, "once: a name or a uid, not root's" },
	{ "home", set_home, false, "once: an absolute path" },
	{ "console", set_console, true, "once: COLUMNSxROWS, such as 40x20" },
	{ "memory", set_memory, true, "once: MiB, such as 2048M" },
	{ "offer", set_offer, false, "once: found" },
};

static int unknown_key(const char *key, const char *where, struct err *err)
{
	char shown[64], words[256] = "";
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(singles); i++)
		n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", i ? ", " : "", singles[i].key);
	for (size_t i = 0; i < BOARD_KIND_COUNT; i++)
		n += (size_t)snprintf(words + n, sizeof(words) - n, ", %s", kinds[i].name);
	text_escape(key, strlen(key), shown, sizeof(shown));
	err_set(err, EINVAL, "%s: '%s' is no key of a profile", where, shown);
	return err_hint(err, "%s", words);
}

static int parse_line(struct board *b, const struct file_lines *at, struct file_line *line, struct err *err)
{
	size_t most;
	char shown[128];

	if (line->count < 2) {
		err_set(err, EINVAL, "%s: a line has a key and a value", at->where);
		return err_hint(err, "torch white:flash");
	}
	for (int k = 0; k < BOARD_KIND_COUNT; k++) {
		if (strcmp(line->words[0], kinds[k].name) == 0)
			return parse_thing(b, (enum board_kind)k, at, line, err);
	}
	for (size_t i = 0; i < ARRAY_LEN(singles); i++) {
		if (strcmp(line->words[0], singles[i].key) != 0)
			continue;
		most = singles[i].set == set_model ? FILE_LINE_WORDS_MAX : 2;
		if (singles[i].marks && line->count == 3 && strcmp(line->words[2], "unverified") == 0)
			most = 3;
		if (line->count <= most && singles[i].set(b, line))
			return 0;
		text_escape(line->words[1], strlen(line->words[1]), shown, sizeof(shown));
		err_set(err, EINVAL, "%s: '%s %s' cannot be taken", at->where, singles[i].key, shown);
		return err_hint(err, "%s", singles[i].hint);
	}
	return unknown_key(line->words[0], at->where, err);
}

int board_parse(struct board *ret, const char *name, const char *file, const char *text, size_t size, struct err *err)
{
	struct file_lines lines;
	struct file_line line;
	int n;

	memset(ret, 0, sizeof(*ret));
	if (!board_name_is_good(name))
		return err_set(err, EINVAL, "%s: a board's name is 1 to 63 of a-z 0-9 . _ -", file);
	if (size > BOARD_FILE_MAX)
		return err_set(err, EFBIG, "%s: larger than %u bytes", file, BOARD_FILE_MAX);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	file_lines_begin(&lines, file, text, size);
	while ((n = file_lines_next(&lines, &line, err)) > 0) {
		if (line.count && parse_line(ret, &lines, &line, err) < 0)
			break;
	}
	if (n == 0 && !ret->model[0]) {
		err_set(err, EINVAL, "%s: the profile names no model", file);
		err_hint(err, "model PINE64 PinePhone");
		n = -1;
	}
	if (n == 0)
		return 0;
	memset(ret, 0, sizeof(*ret));
	return -1;
}

int board_match(const struct board *b, const struct board_machine *m)
{
	int place = 0;

	if ((b->machine[0] && strcmp(b->machine, m->machine) != 0) || (b->page && b->page != m->page))
		return -1;
	for (size_t at = 0; at < m->compatible_size; place++) {
		size_t n = strnlen(m->compatible + at, m->compatible_size - at);

		for (size_t i = 0; i < b->compatible_count; i++) {
			if (strlen(b->compatible[i]) == n && memcmp(b->compatible[i], m->compatible + at, n) == 0)
				return place;
		}
		at += n + 1;
	}
	return -1;
}
