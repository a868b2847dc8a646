/* SPDX-License-Identifier: MIT
 *
 * Changes of the system below all apps, on the public socket.
 */
#include "broker/base_change.h"
#include "broker/service.h"
#include "varlink/server.h"

#include <limits.h>

static void on_empty(void *data, unsigned int sessions)
{
	varlink_reply(data, json_pack("{s:I}", "sessions", (json_int_t)sessions));
}

SERVICE_METHOD(service_base_changes)
{
	uint64_t pid = service_int(params, "pid");
	struct err err = { 0 };

	if (pid < 1 || pid > INT_MAX)
		service_bad_input(call, "no process has such a number", "the one that changes packages");
	else if (base_change_begin(data, (pid_t)pid, on_empty, call, &err) < 0)
		service_fail(call, &err);
}

struct rebuild_call {
	struct varlink_call *call;
	json_t *results; /* NULL: each is told at once */
	bool gone;
};

static void on_each(void *data, const char *app, enum rebuilt outcome, const char *why)
{
	struct rebuild_call *c = data;
	json_t *one = json_pack("{s:s, s:s, s:s}", "app", app, "outcome", rebuilt_name(outcome), "why", why);

	if (c->results)
		json_array_append_new(c->results, one);
	else if (!c->gone)
		varlink_reply_continues(c->call, json_pack("{s:[o]}", "results", one));
	else
		json_decref(one);
}

static bool is_wanted(void *data)
{
	const struct rebuild_call *c = data;

	return !c->gone;
}

static void on_done(void *data, const struct err *err)
{
	struct rebuild_call *c = data;

	if (c->gone)
		json_decref(c->results);
	else if (err) {
		json_decref(c->results);
		service_fail(c->call, err);
	} else {
		varlink_reply(c->call, json_pack("{s:o}", "results", c->results ? c->results : json_array()));
	}
	free(c);
}

static void on_caller_gone(void *data)
{
	struct rebuild_call *c = data;

	c->gone = true;
}

static const struct rebuild_ops ops = { .each = on_each, .wanted = is_wanted, .done = on_done };

SERVICE_METHOD(service_rebuild)
{
	char **apps = service_words(params, "apps");
	struct rebuild_call *c;

	for (size_t i = 0; apps[i]; i++) {
		if (service_get_app(data, call, apps[i], NULL) != 1) {
			free(apps);
			return;
		}
	}
	c = xcalloc(1, sizeof(*c));
	c->call = call;
	if (varlink_call_more(call))
		varlink_call_on_gone(call, on_caller_gone, c);
	else
		c->results = json_array();
	base_change_end(data);
	base_change_rebuild(data, apps, &ops, c);
	free(apps);
}
