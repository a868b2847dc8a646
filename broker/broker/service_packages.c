/* SPDX-License-Identifier: MIT
 *
 * The host's own lists of packages on the public socket.
 */
#include "broker/look.h"
#include "broker/packages.h"
#include "broker/service.h"
#include "varlink/server.h"

#include <string.h>

/* Not more than fits into one reply. */
#define SHOWN_MAX 150u

struct lookup {
	struct varlink_call *call;
	json_t *packages;
};

static void on_item(void *data, const struct package_item *item)
{
	struct lookup *l = data;

	if (json_array_size(l->packages) == SHOWN_MAX)
		return;
	json_array_append_new(l->packages,
			      json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b}", "name", item->name, "version",
					item->version, "arch", item->arch, "section", item->section, "summary",
					item->summary, "download", (json_int_t)item->download, "installed",
					(json_int_t)item->installed, "asked", (item->flags & PACKAGE_ASKED) != 0, "in_base",
					(item->flags & PACKAGE_IN_BASE) != 0));
}

static void on_done(void *data, int code, const char *why)
{
	struct lookup *l = data;
	struct err err = { 0 };

	if (code) {
		err_set(&err, code, "%s", why);
		service_fail(l->call, &err);
		json_decref(l->packages);
	} else {
		varlink_reply(l->call, json_pack("{s:o}", "packages", l->packages));
	}
	free(l);
}

static const struct packages_ops ops = { .on_item = on_item, .on_done = on_done };

static void look_up(struct broker *broker, struct varlink_call *call, json_t *params, const char *key,
		    enum package_want want)
{
	char **words = service_words(params, key);
	struct lookup *l = xcalloc(1, sizeof(*l));
	struct err err = { 0 };

	l->call = call;
	l->packages = json_array();
	if (!packages_ask(broker, want, words, &ops, l, &err)) {
		service_fail(call, &err);
		json_decref(l->packages);
		free(l);
	}
	free(words);
}

SERVICE_METHOD(service_resolve)
{
	look_up(data, call, params, "names", PACKAGE_LIST);
}

SERVICE_METHOD(service_search)
{
	look_up(data, call, params, "words", PACKAGE_SEARCH);
}

static void on_upgraded(void *data, int fd)
{
	look_attach(data, fd);
}

SERVICE_METHOD(service_inspect)
{
	char **kinds = service_words(params, "kinds"), **things = service_words(params, "things");
	struct err err = { 0 };
	struct look *look = look_create(data, kinds, things, &err);

	if (look)
		varlink_upgrade(call, NULL, on_upgraded, look);
	else
		service_fail(call, &err);
	free(kinds);
	free(things);
}
