/* SPDX-License-Identifier: MIT
 *
 * One client's question about several packages.
 */
#include "broker/look.h"

#include "broker/inspect.h"
#include "broker/packages.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SHOWN_MAX 100u /* of a kind of facts; the count is told all the same */

struct look {
	struct broker *broker;
	struct client *client;
	char **kinds, **things;
	size_t count, at, want_fds, next_fd;
	int fds[LOOK_THINGS_MAX];
	json_t *found; /* of the thing at hand */
	int fetched;
	struct packages *asking;
	struct inspect *reading;
};

static void look_free(struct look *l)
{
	packages_cancel(l->asking);
	inspect_cancel(l->reading);
	json_decref(l->found);
	client_destroy(l->client);
	for (size_t i = 0; i < LOOK_THINGS_MAX; i++) {
		if (l->fds[i] >= 0)
			(void)close(l->fds[i]);
	}
	if (l->fetched >= 0)
		(void)close(l->fetched);
	for (size_t i = 0; i < l->count; i++) {
		free(l->kinds[i]);
		free(l->things[i]);
	}
	free(l->kinds);
	free(l->things);
	free(l);
}

static void fail(struct look *l, const char *why)
{
	char text[900], shown[256];

	text_escape(l->things[l->at], strlen(l->things[l->at]), shown, sizeof(shown));
	(void)snprintf(text, sizeof(text), "%s%s%s", l->count > 1 ? shown : "", l->count > 1 ? ": " : "", why);
	client_fail(l->client, 1, text);
	look_free(l);
}

static void next_thing(struct look *l);

static void send_found(struct look *l)
{
	char *text = json_dumps(l->found, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0;

	for (size_t done = 0; done < len;) {
		size_t n = len - done < STREAM_BODY_MAX ? len - done : STREAM_BODY_MAX;

		client_send(l->client, STREAM_TEXT, text + done, n, -1);
		done += n;
	}
	client_send(l->client, STREAM_TEXT, "\n", 1, -1);
	free(text);
}

/* --- facts --- */

static void add_to(struct look *l, const char *key, json_t *value)
{
	json_t *array = json_object_get(l->found, key);
	char count_key[32];
	json_int_t n;

	(void)snprintf(count_key, sizeof(count_key), "%s_count", key);
	n = json_integer_value(json_object_get(l->found, count_key));
	json_object_set_new(l->found, count_key, json_integer(n + 1));
	if (json_array_size(array) < SHOWN_MAX)
		json_array_append_new(array, value);
	else
		json_decref(value);
}

static void add_want(struct look *l, const char *value, bool guess)
{
	size_t n = strcspn(value, " ");
	char permission[32];

	(void)snprintf(permission, sizeof(permission), "%.*s", (int)(n < 31 ? n : 31), value);
	add_to(l, "wants", json_pack("{s:s, s:s, s:b}", "permission", permission, "why", value[n] ? value + n + 1 : "",
				     "guess", guess));
}

static void set_text(struct look *l, const char *key, const char *value)
{
	if (!*json_string_value(json_object_get(l->found, key)))
		json_object_set_new(l->found, key, json_string(value));
}

/* How the facts of a reader stand in the reply. */
static const struct {
	enum { PLACE_NONE = 0, PLACE_TEXT, PLACE_NUMBER, PLACE_LIST } place;
	const char *key;
} places[INSPECT_KEY_COUNT] = {
	[INSPECT_NAME] = { PLACE_TEXT, "name" },
	[INSPECT_VERSION] = { PLACE_TEXT, "version" },
	[INSPECT_ARCH] = { PLACE_TEXT, "arch" },
	[INSPECT_SECTION] = { PLACE_TEXT, "section" },
	[INSPECT_SUMMARY] = { PLACE_TEXT, "summary" },
	[INSPECT_MAINTAINER] = { PLACE_TEXT, "maintainer" },
	[INSPECT_HOMEPAGE] = { PLACE_TEXT, "homepage" },
	[INSPECT_INSTALLED_SIZE] = { PLACE_NUMBER, "installed" },
	[INSPECT_FILES] = { PLACE_NUMBER, "files" },
	[INSPECT_BYTES] = { PLACE_NUMBER, "bytes" },
	[INSPECT_DEPENDS] = { PLACE_LIST, "depends" },
	[INSPECT_PROGRAM] = { PLACE_LIST, "programs" },
	[INSPECT_SETID] = { PLACE_LIST, "setid" },
	[INSPECT_SCRIPT] = { PLACE_LIST, "scripts" },
	[INSPECT_SERVICE] = { PLACE_LIST, "services" },
	[INSPECT_ODD] = { PLACE_LIST, "odd" },
	[INSPECT_HOST] = { PLACE_LIST, "hosts" },
	[INSPECT_ENTRY_NAME] = { PLACE_LIST, "entries" },
};

static void on_fact(void *data, enum inspect_key key, const char *value)
{
	struct look *l = data;

	if (key == INSPECT_SIGNER) {
		json_object_set_new(l->found, "signed", json_string(value));
	} else if (key == INSPECT_NEEDS) {
		json_object_set_new(l->found, "kind_known", json_true());
		if (strcmp(value, "-") != 0)
			add_to(l, "needs", json_string(value));
	} else if (key == INSPECT_SAYS || key == INSPECT_WANTS) {
		add_want(l, value, key == INSPECT_WANTS);
	} else if (places[key].place == PLACE_TEXT) {
		set_text(l, places[key].key, value);
	} else if (places[key].place == PLACE_NUMBER) {
		json_object_set_new(l->found, places[key].key, json_integer(strtoll(value, NULL, 10)));
	} else if (places[key].place == PLACE_LIST) {
		add_to(l, places[key].key, json_string(value));
	}
}

static bool has_text(json_t *array, const char *text)
{
	json_t *value;
	size_t i;

	json_array_foreach(array, i, value)
	{
		if (strcmp(json_string_value(value), text) == 0)
			return true;
	}
	return false;
}

/* What it wants beyond what its kind needs: each permission once, the author's word
 * before our guess. */
static void sum_up(struct look *l)
{
	json_t *wants = json_object_get(l->found, "wants"), *extra = json_array(), *want;
	size_t i;

	json_array_foreach(wants, i, want)
	{
		const char *permission = json_string_value(json_object_get(want, "permission"));

		if (!has_text(json_object_get(l->found, "needs"), permission) && !has_text(extra, permission))
			json_array_append_new(extra, json_string(permission));
	}
	json_object_set_new(l->found, "extra", extra);
}

static void on_read(void *data, int code, const char *why)
{
	struct look *l = data;

	l->reading = NULL;
	if (code) {
		fail(l, why);
		return;
	}
	sum_up(l);
	send_found(l);
	l->at++;
	next_thing(l);
}

static const struct inspect_ops read_ops = { .on_fact = on_fact, .on_done = on_read };

static void read_file(struct look *l, int fd, enum inspect_what what)
{
	struct stat st;

	if (fstat(fd, &st) == 0)
		json_object_set_new(l->found, "size", json_integer(st.st_size));
	l->reading = inspect_ask(l->broker, what, fd, -1, &read_ops, l);
}

/* --- names --- */

static void on_item(void *data, const struct package_item *item)
{
	struct look *l = data;

	set_text(l, "name", item->name);
	set_text(l, "version", item->version);
}

static void on_file(void *data, const char *name, int fd)
{
	struct look *l = data;

	(void)name;
	if (l->fetched >= 0)
		(void)close(l->fetched);
	l->fetched = fd;
}

static void on_fetched(void *data, int code, const char *why)
{
	struct look *l = data;

	l->asking = NULL;
	if (code || l->fetched < 0)
		fail(l, code ? why : "the package did not come");
	else
		read_file(l, l->fetched, INSPECT_PACKAGE);
}

static const struct packages_ops fetch_ops = { .on_item = on_item, .on_file = on_file, .on_done = on_fetched };

/* --- one after the other --- */

static json_t *empty_find(const char *kind, const char *thing)
{
	static const char *const lists[] = { "depends", "programs", "setid",   "scripts", "services", "odd",
					     "hosts",   "entries",  "needs",   "wants" };
	static const char *const texts[] = { "name", "version", "arch", "section", "summary", "maintainer", "homepage" };
	bool listed = strcmp(kind, "name") == 0;
	char shown[256];
	json_t *found;

	text_escape(thing, strlen(thing), shown, sizeof(shown));
	found = json_pack("{s:s, s:s, s:s, s:s, s:b, s:i, s:i, s:i, s:i}", "asked", shown, "kind", listed ? "deb" : kind,
			  "from", listed ? "this system's lists" : "a file", "signed",
			  listed ? "its keys" : "", "kind_known", 0, "size", 0, "installed", 0, "files", 0,
			  "bytes", 0);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		json_object_set_new(found, lists[i], json_array());
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		json_object_set_new(found, texts[i], json_string(""));
	if (strcmp(kind, "program") == 0)
		json_object_set_new(found, "name", json_string(shown));
	return found;
}

static void next_thing(struct look *l)
{
	const char *kind = l->kinds[l->at];
	struct err err = { 0 };

	json_decref(l->found);
	l->found = NULL;
	if (l->fetched >= 0)
		(void)close(steal_fd(&l->fetched));
	if (l->at == l->count) {
		client_exit(l->client, 0);
		look_free(l);
		return;
	}
	l->found = empty_find(kind, l->things[l->at]);
	if (strcmp(kind, "name") != 0) {
		read_file(l, l->fds[l->next_fd++], strcmp(kind, "deb") == 0	  ? INSPECT_PACKAGE
						   : strcmp(kind, "bundle") == 0 ? INSPECT_BUNDLE
										 : INSPECT_PROGRAM_FILE);
		return;
	}
	l->asking = packages_ask(l->broker, PACKAGE_GET, (char *const[]){ l->things[l->at], NULL }, &fetch_ops, l, &err);
	if (!l->asking)
		fail(l, err.msg);
}

static void on_fds(void *data, int *fds, size_t count)
{
	struct look *l = data;

	if (count != 3 + l->want_fds) {
		client_fail(l->client, 1, "the client did not pass the packages");
		look_free(l);
		return;
	}
	for (size_t i = 0; i < l->want_fds; i++) {
		struct stat st;

		if (fstat(fds[3 + i], &st) < 0 || !S_ISREG(st.st_mode)) {
			client_fail(l->client, 1, "what was passed is no file");
			look_free(l);
			return;
		}
		l->fds[i] = steal_fd(&fds[3 + i]);
	}
	next_thing(l);
}

static void on_signal(void *data, uint32_t signo)
{
	struct look *l = data;

	client_fail(l->client, 128 + (signo & 127), "interrupted");
	look_free(l);
}

static void on_gone(void *data)
{
	struct look *l = data;

	l->client = NULL; /* destroys itself */
	look_free(l);
}

static const struct client_ops client_ops = { .on_fds = on_fds, .on_signal = on_signal, .on_gone = on_gone };

struct look *look_create(struct broker *broker, char *const *kinds, char *const *things, struct err *err)
{
	struct look *l;
	size_t n = 0, files = 0;

	while (kinds[n] && things[n]) {
		if (strcmp(kinds[n], "name") != 0 && strcmp(kinds[n], "deb") != 0 && strcmp(kinds[n], "bundle") != 0 &&
		    strcmp(kinds[n], "program") != 0) {
			err_set(err, EINVAL, "kind '%.32s' is not known (name, deb, bundle, program)", kinds[n]);
			return NULL;
		}
		files += strcmp(kinds[n], "name") != 0;
		if (++n > LOOK_THINGS_MAX) {
			err_set(err, E2BIG, "more than %u packages to look into at once", LOOK_THINGS_MAX);
			return NULL;
		}
	}
	if (!n || kinds[n] || things[n]) {
		err_set(err, EINVAL, "each thing to look into needs a kind");
		return NULL;
	}
	l = xcalloc(1, sizeof(*l));
	l->broker = broker;
	l->count = n;
	l->want_fds = files;
	l->fetched = -1;
	memset(l->fds, 0xff, sizeof(l->fds));
	l->kinds = xcalloc(n + 1, sizeof(*l->kinds));
	l->things = xcalloc(n + 1, sizeof(*l->things));
	for (size_t i = 0; i < n; i++) {
		l->kinds[i] = xstrdup(kinds[i]);
		l->things[i] = xstrdup(things[i]);
	}
	return l;
}

void look_attach(struct look *look, int fd)
{
	look->client = fd >= 0 ? client_create(look->broker, fd, &client_ops, look) : NULL;
	if (!look->client)
		look_free(look);
}
