/* SPDX-License-Identifier: MIT
 *
 * The table of permissions, and the words for answers and durations. A word is
 * accepted in exactly one spelling.
 */
#include "policy/permission.h"

#include "policy/reach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DATA_ANSWERS                                                                                                   \
	(GIVE_BIT(GIVE_NO) | GIVE_BIT(GIVE_ASK) | GIVE_BIT(GIVE_EMPTY) | GIVE_BIT(GIVE_COPY) | GIVE_BIT(GIVE_READ) |   \
	 GIVE_BIT(GIVE_WRITE))

#define DEVICE(word, words, what)                                                                                      \
	{ .name = word, .label = words, .answers = GIVE_BIT(GIVE_NO) | GIVE_BIT(GIVE_ASK) | GIVE_BIT(GIVE_ALLOW),     \
	  .safe = GIVE_NO, .is_device = true, .risk = what }

const struct permission permissions[] = {
	{ .name = "contacts",
	  .label = "your contacts",
	  .answers = DATA_ANSWERS,
	  .safe = GIVE_EMPTY,
	  .risk = "It learns whom you know, and could change or delete them." },
	{ .name = "storage",
	  .label = "your files",
	  .answers = DATA_ANSWERS,
	  .safe = GIVE_EMPTY,
	  .has_items = true,
	  .risk = "It sees your documents and pictures, and could change or delete them." },
	{ .name = "removable",
	  .label = "your cards and sticks",
	  .answers = DATA_ANSWERS & ~GIVE_BIT(GIVE_COPY),
	  .safe = GIVE_EMPTY,
	  .has_items = true,
	  .risk = "It sees what is on them, and could change or delete it." },
	{ .name = "network",
	  .label = "the network",
	  .answers = GIVE_BIT(GIVE_NO) | GIVE_BIT(GIVE_ASK) | GIVE_BIT(GIVE_ALLOW) | GIVE_BIT(GIVE_CHOSEN),
	  .safe = GIVE_NO,
	  .has_items = true,
	  .risk = "It can send what it knows to anybody." },
	{ .name = "listen",
	  .label = "being reached from the network",
	  .answers = GIVE_BIT(GIVE_NO) | GIVE_BIT(GIVE_ASK) | GIVE_BIT(GIVE_ALLOW),
	  .safe = GIVE_NO,
	  .has_items = true,
	  .risk = "Others can connect to it, and use what it offers or does wrong." },
	DEVICE("torch", "the torch", "It can light and blink, and use up the battery."),
	DEVICE("camera", "the camera", "It sees what the camera sees."),
	DEVICE("microphone", "the microphone", "It hears what is said near the device."),
	DEVICE("playback", "the loudspeaker", "It can make sounds, and set the volume of all."),
	DEVICE("gps", "your position (GPS)", "It learns where you are."),
	DEVICE("modem", "the modem", "It can call, send messages at your cost, and read those that come."),
	DEVICE("sensors", "the motion and light sensors", "It learns how the device is moved, and where it is kept."),
	{ .name = "background",
	  .label = "running in the background",
	  .answers = GIVE_BIT(GIVE_NO) | GIVE_BIT(GIVE_ASK) | GIVE_BIT(GIVE_ALLOW),
	  .safe = GIVE_NO,
	  .risk = "It goes on when you are not looking, and uses up the battery." },
	{ .name = NULL },
};

const struct permission *permission_find(const char *name)
{
	for (const struct permission *p = permissions; p->name; p++) {
		if (strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

static const char *const give_names[GIVE_COUNT] = {
	[GIVE_NO] = "no",     [GIVE_ASK] = "ask",     [GIVE_EMPTY] = "empty", [GIVE_COPY] = "copy",
	[GIVE_READ] = "read", [GIVE_WRITE] = "write", [GIVE_ALLOW] = "allow", [GIVE_CHOSEN] = "chosen",
};

const char *give_name(enum give give)
{
	return give < GIVE_COUNT ? give_names[give] : "no";
}

int give_parse(const char *word, enum give *ret, struct err *err)
{
	char shown[64];

	for (int g = 0; g < GIVE_COUNT; g++) {
		if (strcmp(word, give_names[g]) == 0) {
			*ret = (enum give)g;
			return 0;
		}
	}
	text_escape(word, strlen(word), shown, sizeof(shown));
	err_set(err, EINVAL, "'%s' is not an answer", shown);
	return err_hint(err, "no, ask, empty, copy, read, write, allow, chosen");
}

/* --- durations --- */

static const char *const lasts_names[LASTS_COUNT] = {
	[LASTS_ONCE] = "once",
	[LASTS_RUN] = "run",
	[LASTS_BOOT] = "boot",
	[LASTS_ALWAYS] = "always",
};

#define MINUTE_MS 60000ull
#define LONGEST_MS (31ull * 24 * 60 * MINUTE_MS)

void duration_format(struct duration d, char buf[DURATION_TEXT_SIZE])
{
	if (d.lasts == LASTS_TIME && d.ms % (60 * MINUTE_MS) == 0)
		(void)snprintf(buf, DURATION_TEXT_SIZE, "%lluh", (unsigned long long)(d.ms / (60 * MINUTE_MS)));
	else if (d.lasts == LASTS_TIME && d.ms % MINUTE_MS == 0)
		(void)snprintf(buf, DURATION_TEXT_SIZE, "%llum", (unsigned long long)(d.ms / MINUTE_MS));
	else if (d.lasts == LASTS_TIME)
		(void)snprintf(buf, DURATION_TEXT_SIZE, "%llus", (unsigned long long)(d.ms / 1000));
	else
		(void)snprintf(buf, DURATION_TEXT_SIZE, "%s", d.lasts < LASTS_COUNT ? lasts_names[d.lasts] : "run");
}

static int parse_time(const char *word, struct duration *ret)
{
	uint64_t n = 0, unit;
	const char *p = word;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (p - word > 7)
			return -1;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	if (p == word || p[0] == '\0' || p[1] != '\0')
		return -1;
	unit = *p == 's' ? 1000 : *p == 'm' ? MINUTE_MS : *p == 'h' ? 60 * MINUTE_MS : *p == 'd' ? 24 * 60 * MINUTE_MS : 0;
	if (!unit || n == 0 || n * unit > LONGEST_MS)
		return -1;
	ret->lasts = LASTS_TIME;
	ret->ms = n * unit;
	return 0;
}

int duration_parse(const char *word, struct duration *ret, struct err *err)
{
	char shown[64];

	for (int l = 0; l < LASTS_COUNT; l++) {
		if (lasts_names[l] && strcmp(word, lasts_names[l]) == 0) {
			*ret = (struct duration){ .lasts = (enum lasts)l };
			return 0;
		}
	}
	if (parse_time(word, ret) == 0)
		return 0;
	text_escape(word, strlen(word), shown, sizeof(shown));
	err_set(err, EINVAL, "'%s' is not a duration", shown);
	return err_hint(err, "once, run, 90m, 4h, 2d (at most 31d), boot, always");
}

/* --- references --- */

static bool item_is_good(const char *item)
{
	size_t n = strlen(item);
	char shown[512];

	if (n == 0 || n > 127 || strchr(item, '/') || strcmp(item, ".") == 0 || strcmp(item, "..") == 0)
		return false;
	text_escape(item, n, shown, sizeof(shown));
	return strcmp(shown, item) == 0;
}

/* A port in its one spelling. */
static bool port_is_good(const char *item)
{
	unsigned long port = 0;
	size_t n = strspn(item, "0123456789");

	if (n == 0 || n > 5 || item[n] || item[0] == '0')
		return false;
	for (size_t i = 0; i < n; i++)
		port = port * 10 + (unsigned long)(item[i] - '0');
	return port <= 65535;
}

int permission_ref_parse(const char *text, struct permission_ref *ret, struct err *err)
{
	const char *colon = strchr(text, ':');
	char name[32], shown[200];
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	struct permission_ref ref = { 0 };

	text_escape(text, strlen(text), shown, sizeof(shown));
	if (n < sizeof(name)) {
		memcpy(name, text, n);
		name[n] = '\0';
		ref.permission = permission_find(name);
	}
	if (!ref.permission) {
		err_set(err, EINVAL, "'%s' is not a permission of this device", shown);
		return err_hint(err, "contacts, storage, storage:Documents, network, and the devices that cowbell doctor names");
	}
	if (colon && !ref.permission->has_items)
		return err_set(err, EINVAL, "'%s': %s has no parts to name", shown, ref.permission->name);
	if (colon && strcmp(name, "network") == 0) {
		if (reach_item_parse(colon + 1, ref.item, err) < 0)
			return -1;
		*ret = ref;
		return 0;
	}
	if (colon && strcmp(name, "listen") == 0 && !port_is_good(colon + 1)) {
		err_set(err, EINVAL, "'%s' names no port", shown);
		return err_hint(err, "listen:8080: a number from 1 to 65535");
	}
	if (colon && !item_is_good(colon + 1)) {
		err_set(err, EINVAL, "'%s' names no part of %s", shown, ref.permission->name);
		return err_hint(err, "one folder's name, such as %s:Documents", ref.permission->name);
	}
	if (colon)
		(void)snprintf(ref.item, sizeof(ref.item), "%s", colon + 1);
	*ret = ref;
	return 0;
}

void permission_ref_format(const struct permission_ref *ref, char buf[PERMISSION_TEXT_SIZE])
{
	(void)snprintf(buf, PERMISSION_TEXT_SIZE, "%.30s%s%.126s", ref->permission->name, ref->item[0] ? ":" : "",
		       ref->item);
}

unsigned int permission_covers(const struct permission_ref *ref, const char *item, enum give give)
{
	if (ref->to)
		return item[0] == '\0' && give == GIVE_NO ? 1 : reach_covers(item, ref->to);
	if (strcmp(item, ref->item) == 0)
		return 2;
	if (strcmp(ref->permission->name, "network") == 0 && strcmp(ref->item, REACH_LOCAL) == 0 && give != GIVE_NO)
		return 0;
	return item[0] == '\0' ? 1 : 0;
}

/* --- app ids --- */

static bool id_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

int app_id_check(const char *id, struct err *err)
{
	size_t n = strlen(id);
	bool good = n >= 1 && n <= 63 && id_char(id[0]) && !strstr(id, "..");
	char shown[128];

	for (size_t i = 0; i < n && good; i++)
		good = id_char(id[i]) || strchr(".+-_", id[i]);
	if (good)
		return 0;
	text_escape(id, n, shown, sizeof(shown));
	err_set(err, EINVAL, "app name '%s' is not allowed", shown);
	return err_hint(err, "1 to 63 of a-z 0-9 . + - _, beginning with a letter or digit");
}
