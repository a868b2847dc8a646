/* SPDX-License-Identifier: MIT
 *
 * One question, one process; and which of an app's programs is its main one.
 */
#include "broker/inspect.h"

#include "base/path.h"
#include "broker/job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct inspect {
	struct job *job;
	const struct inspect_ops *ops;
	void *data;
	unsigned int facts;
};

void inspect_cancel(struct inspect *inspect)
{
	if (!inspect)
		return;
	job_cancel(inspect->job);
	free(inspect);
}

static void end(struct inspect *i, int code, const char *why)
{
	const struct inspect_ops *ops = i->ops;
	void *data = i->data;
	char text[512];

	(void)snprintf(text, sizeof(text), "%.511s", why);
	inspect_cancel(i);
	ops->on_done(data, code, text);
}

static bool on_message(void *data, struct msg *m)
{
	struct inspect *i = data;
	char text[INSPECT_VALUE_SIZE], shown[INSPECT_VALUE_SIZE];
	uint32_t code;
	uint16_t key;

	if (!msg_allowed(m->op, 'X', 'B'))
		return false;
	if (m->op == MSG_INSPECT_FACT) {
		key = rd_u16(&m->body);
		rd_str(&m->body, text, sizeof(text));
		if (!rd_end(&m->body) || key >= INSPECT_KEY_COUNT || i->facts++ >= INSPECT_FACTS_MAX)
			return false;
		/* Whatever has become of the reader: what it says can be shown. */
		text_escape(text, strlen(text), shown, sizeof(shown));
		i->ops->on_fact(i->data, (enum inspect_key)key, shown);
		return true;
	}
	code = rd_u32(&m->body);
	rd_str(&m->body, text, 512);
	if (!rd_end(&m->body))
		return false;
	text_escape(text, strlen(text), shown, sizeof(shown));
	end(i, (int)code, shown);
	return true;
}

static void on_gone(void *data, const char *why)
{
	struct inspect *i = data;

	i->job = NULL;
	end(i, EIO, why);
}

static const struct job_talk talk = { .what = "reader", .on_message = on_message, .on_gone = on_gone };

struct inspect *inspect_ask(struct broker *broker, enum inspect_what what, int fd, int second, const struct inspect_ops *ops,
			    void *data)
{
	struct inspect *i = xcalloc(1, sizeof(*i));
	struct wr *w = xcalloc(1, sizeof(*w));

	i->ops = ops;
	i->data = data;
	chan_begin(w, MSG_INSPECT_ASK, 0);
	wr_u8(w, (uint8_t)what);
	i->job = job_start_talk(broker, MSG_INSPECT, w, fd, second, &talk, i);
	free(w);
	return i;
}

/* --- entries --- */

static void take_unit(struct inspect_entries *e, enum inspect_key key, const char *value)
{
	struct inspect_unit *unit;
	size_t n;

	if (key == INSPECT_UNIT_NAME) {
		e->unit_overflow = e->unit_count == UNITS_MAX;
		if (!e->unit_overflow)
			(void)snprintf(e->units[e->unit_count++].name, sizeof(unit->name), "%s", value);
		return;
	}
	if (!e->unit_count || e->unit_overflow)
		return;
	unit = &e->units[e->unit_count - 1];
	n = strlen(unit->args);
	if (key == INSPECT_UNIT_USER)
		(void)snprintf(unit->user, sizeof(unit->user), "%s", value);
	else if (key == INSPECT_UNIT_BAD)
		(void)snprintf(unit->bad, sizeof(unit->bad), "%s", value);
	else if (n + strlen(value) + 2 < sizeof(unit->args))
		(void)snprintf(unit->args + n, sizeof(unit->args) - n, "%s%s\n", key == INSPECT_UNIT_BEFORE ? "\t" : "", value);
	else
		(void)snprintf(unit->bad, sizeof(unit->bad), "its command is too long");
}

/* "PATH MODE USER GROUP"; what is beyond the room for it is left out. */
static void take_folder(struct inspect_entries *e, const char *value)
{
	size_t n = strlen(e->folders);

	if (n + strlen(value) + 4 >= sizeof(e->folders))
		return;
	n += (size_t)sprintf(e->folders + n, "\t%c\n", RUN_BEFORE_FOLDER);
	for (; *value; value++)
		e->folders[n++] = *value == ' ' ? '\n' : *value;
	e->folders[n++] = '\n';
	e->folders[n] = '\0';
}

void inspect_entries_take(struct inspect_entries *e, enum inspect_key key, const char *value)
{
	struct app_entry *entry = e->entry_count ? &e->entries[e->entry_count - 1] : NULL;

	if (key >= INSPECT_UNIT_NAME && key <= INSPECT_UNIT_BEFORE) {
		take_unit(e, key, value);
	} else if (key == INSPECT_FOLDER) {
		take_folder(e, value);
	} else if (key == INSPECT_PROGRAM) {
		if (e->command_count < APP_COMMANDS_MAX && value[0] == '/')
			e->commands[e->command_count++] = xstrdup(value);
	} else if (key == INSPECT_ENTRY_NAME) {
		if (e->entry_count < APP_ENTRIES_MAX)
			(void)snprintf(e->entries[e->entry_count++].name, sizeof(entry->name), "%s", value);
	} else if (!entry) {
		return;
	} else if (key == INSPECT_ENTRY_EXEC) {
		(void)snprintf(entry->exec, sizeof(entry->exec), "%s", value);
	} else if (key == INSPECT_ENTRY_ICON) {
		(void)snprintf(entry->icon, sizeof(entry->icon), "%s", value);
	} else if (key == INSPECT_ENTRY_CATEGORIES) {
		(void)snprintf(entry->categories, sizeof(entry->categories), "%s", value);
	} else if (key == INSPECT_ENTRY_TERMINAL) {
		entry->terminal = true;
	}
}

void inspect_entries_finish(struct inspect_entries *e)
{
	for (uint16_t i = 0; i < e->command_count; i++)
		free(e->commands[i]);
	e->command_count = e->entry_count = e->unit_count = 0;
	e->unit_overflow = false;
	e->folders[0] = '\0';
}

/* --- the main program --- */

static const char *named(char *const *commands, uint16_t count, const char *name)
{
	for (uint16_t i = 0; i < count; i++) {
		if (strcmp(commands[i], name) == 0 || strcmp(path_base(commands[i]), name) == 0)
			return commands[i];
	}
	return NULL;
}

static const char *of_entry(char *const *commands, uint16_t count, const struct app_entry *entry)
{
	char word[256];

	(void)snprintf(word, sizeof(word), "%s", entry->exec);
	word[strcspn(word, " ")] = '\0';
	return named(commands, count, word);
}

static char *last_part(char *name)
{
	char *dash = strrchr(name, '-'), *dot = strrchr(name, '.');

	return dash > dot ? dash : dot;
}

/* nginx-light: nginx; docker.io: docker. */
static const char *of_name(char *const *commands, uint16_t count, const char *package)
{
	char name[128], *p;
	const char *found = NULL;

	(void)snprintf(name, sizeof(name), "%s", package);
	for (p = name; *p; p++)
		*p = *p == '-' ? '.' : *p;
	found = named(commands, count, name);
	(void)snprintf(name, sizeof(name), "%s", package);
	while (!found && (p = last_part(name))) {
		*p = '\0';
		found = named(commands, count, name);
	}
	return found;
}

const char *entry_main(const char *id, const char *package, char *const *commands, uint16_t count, uint16_t own,
		       const struct app_entry *entries, uint16_t entry_count)
{
	const char *found = named(commands, count, id);

	if (!found && package[0])
		found = named(commands, count, package);
	if (!found && entry_count == 1)
		found = of_entry(commands, count, &entries[0]);
	/* Where it has programs of its own: mariadb-server is not what its client is called. */
	if (!found)
		found = of_name(commands, own ? own : count, package[0] ? package : id);
	if (!found && (own == 1 || count == 1))
		found = commands[0];
	return found ? found : "";
}
