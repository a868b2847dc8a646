/* SPDX-License-Identifier: MIT
 *
 * The text was made of escaped words by a reader without rights; it is a command
 * inside the app's own sandbox and nothing else.
 */
#include "broker/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SUFFIX ".service"
#define UNIT_TEXT_SIZE (STORE_TEXT_MAX + 1)

static const struct inspect_unit *named(const struct inspect_entries *e, const char *name)
{
	size_t n = strlen(name);

	for (uint16_t i = 0; n && i < e->unit_count; i++) {
		if (strncmp(e->units[i].name, name, n) == 0 && strcmp(e->units[i].name + n, SUFFIX) == 0)
			return &e->units[i];
	}
	return NULL;
}

const struct inspect_unit *unit_choose(const struct inspect_entries *e, const char *app, const char *package)
{
	const struct inspect_unit *found = named(e, app);
	char name[128], *dash;

	if (!found)
		found = named(e, package);
	(void)snprintf(name, sizeof(name), "%s", package[0] ? package : app);
	while (!found && (dash = strrchr(name, '-'))) {
		*dash = '\0';
		found = named(e, name);
	}
	return found ? found : e->unit_count == 1 ? &e->units[0] : NULL;
}

static void text_name(const char *app, char buf[APP_ID_SIZE + 16])
{
	(void)snprintf(buf, APP_ID_SIZE + 16, "service/%s", app);
}

int unit_put(struct store_txn *txn, const char *app, const char *package, const struct inspect_entries *entries,
	     struct err *err)
{
	const struct inspect_unit *unit = entries ? unit_choose(entries, app, package) : NULL;
	char name[APP_ID_SIZE + 16], text[UNIT_TEXT_SIZE];

	text_name(app, name);
	if (!unit)
		return store_text_delete(txn, name, err);
	/* Words are escaped, so that no newline is part of one. */
	if (unit->bad[0])
		(void)snprintf(text, sizeof(text), "%s\n?\n%s\n", unit->name, unit->bad);
	else
		(void)snprintf(text, sizeof(text), "%s\n%s\n%s%s", unit->name, unit->user, unit->args, entries->folders);
	return store_text_put(txn, name, text, err);
}

/* Takes the first line of *p; NULL at the end. */
static char *take_line(char **p)
{
	char *line = *p, *nl = line ? strchr(line, '\n') : NULL;

	if (!nl)
		return NULL;
	*nl = '\0';
	*p = nl + 1;
	return line;
}

/* Cuts off what goes before the start, from the first line with a tab on. */
static char **take_before(char *text)
{
	char **before = xcalloc(ARGS_MAX + 1, sizeof(*before));
	char *p = strstr(text, "\n\t");
	size_t n = 0;

	if (p)
		p[1] = '\0';
	for (p = p ? p + 2 : NULL; p && n < ARGS_MAX;) {
		char *next = strstr(p, "\n\t");
		char *end = next ? next : p + strlen(p) - (*p != '\0'); /* at its last newline */

		*end = '\0';
		before[n++] = xstrdup(p);
		p = next ? next + 2 : NULL;
	}
	return before;
}

int unit_get(struct broker *broker, struct store_txn *txn, const char *app, struct unit_service *ret, struct err *err)
{
	char name[APP_ID_SIZE + 16], text[UNIT_TEXT_SIZE] = "", *p = text, *line, *user, *word, **before;
	struct store_txn *own = txn ? NULL : store_begin(broker->store, false, err);
	size_t n = 0;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (!txn && !own)
		return -1;
	text_name(app, name);
	rc = store_text_get(txn ? txn : own, name, text, sizeof(text), err);
	store_abort(own);
	if (rc < 0)
		return -1;
	before = take_before(text);
	line = take_line(&p);
	user = take_line(&p);
	if (!line || !user) {
		strv_free(before);
		return 0;
	}
	(void)snprintf(ret->name, sizeof(ret->name), "%s", line);
	if (strcmp(user, "?") == 0) {
		strv_free(before);
		word = take_line(&p);
		return err_set(err, ENOTSUP, "the service '%s' of '%s' cannot be started: %s", ret->name, app,
			       word ? word : "");
	}
	(void)snprintf(ret->user, sizeof(ret->user), "%s", user);
	ret->before = before;
	ret->argv = xcalloc(ARGS_MAX + 1, sizeof(*ret->argv));
	while ((word = take_line(&p)) && n < ARGS_MAX)
		ret->argv[n++] = xstrdup(word);
	if (n)
		return 1;
	unit_finish(ret);
	return 0;
}

void unit_finish(struct unit_service *service)
{
	strv_free(service->argv);
	strv_free(service->before);
	service->argv = service->before = NULL;
}
