/* SPDX-License-Identifier: MIT
 *
 * What is asked of the kernel before it is told: what runs, and what went through
 * its network.
 */
#include "broker/notes.h"
#include "broker/service.h"
#include "broker/traffic.h"
#include "broker/usage.h"
#include "varlink/server.h"

#include <stdio.h>
#include <string.h>

/* A call that waits for what supervisors say. */
struct asked {
	struct broker *broker;
	struct varlink_call *call;
	char app[APP_ID_SIZE];
	void (*reply)(struct asked *asked);
};

static void on_looked(void *data)
{
	struct asked *asked = data;

	asked->reply(asked);
	free(asked);
}

/* app NULL: every session. */
static void ask(struct broker *broker, struct varlink_call *call, const char *app, void (*reply)(struct asked *asked))
{
	struct asked *asked = xcalloc(1, sizeof(*asked));

	asked->broker = broker;
	asked->call = call;
	asked->reply = reply;
	(void)snprintf(asked->app, sizeof(asked->app), "%s", app ? app : "");
	traffic_look(broker, app, on_looked, asked);
}

enum lines { LINES_ALL, LINES_RUN, LINES_SCOPES };

static bool is_empty(const struct traffic_bytes *b)
{
	return !b->up && !b->down && !b->flows && !b->refused;
}

static json_t *line_json(const struct traffic_line *l, const struct traffic_bytes *b)
{
	return json_pack("{s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "where",
			 l->item[0] ? l->item : "internet", "scope", l->scope, "local", l->local, "up", (json_int_t)b->up, "down",
			 (json_int_t)b->down, "flows", (json_int_t)b->flows, "refused", (json_int_t)b->refused, "month_up",
			 (json_int_t)l->this_month.up, "month_down", (json_int_t)l->this_month.down, "cap", (json_int_t)l->cap,
			 "spent", l->spent);
}

static json_t *traffic_json(struct broker *broker, const char *app, enum lines which)
{
	json_t *array = json_array();
	size_t count;
	struct traffic_line *lines = traffic_lines(broker, app, &count);

	for (size_t i = 0; i < count; i++) {
		const struct traffic_bytes *b = which == LINES_RUN ? &lines[i].run : &lines[i].ever;

		if (lines[i].scope || (which != LINES_SCOPES && !is_empty(b)))
			json_array_append_new(array, line_json(&lines[i], b));
	}
	free(lines);
	return array;
}

struct recent_walk {
	json_t *last[20];
	size_t count;
};

static int add_recent(void *data, const struct history_record *entry)
{
	struct recent_walk *walk = data;
	size_t slot = walk->count++ % ARRAY_LEN(walk->last);

	json_decref(walk->last[slot]);
	walk->last[slot] = service_json_history(entry);
	return 0;
}

/* --- info --- */

static void reply_info(struct asked *asked)
{
	struct varlink_call *call = asked->call;
	struct broker *broker = asked->broker;
	const char *name = asked->app;
	struct recent_walk walk = { 0 };
	struct app_record app = { 0 };
	json_t *recent = json_array();
	struct usage *usage;
	struct err err = { 0 };
	struct store_txn *txn;
	size_t from;

	if (service_get_app(broker, call, name, &app) != 1) {
		json_decref(recent);
		return;
	}
	notes_flush(broker);
	txn = store_begin(broker->store, false, &err);
	if (!txn || store_history_each(txn, name, NULL, 0, add_recent, &walk, &err) < 0) {
		service_fail(call, &err);
		json_decref(recent);
		goto out;
	}
	from = walk.count > ARRAY_LEN(walk.last) ? walk.count - ARRAY_LEN(walk.last) : 0;
	for (size_t i = from; i < walk.count; i++)
		json_array_append(recent, walk.last[i % ARRAY_LEN(walk.last)]);
	usage = usage_read(broker, name);
	varlink_reply(call, json_pack("{s:o, s:o, s:o, s:o}", "app", service_json_app(broker, txn, &app), "permissions",
				      service_json_permissions(broker, name, usage), "recent", recent, "traffic",
				      traffic_json(broker, name, LINES_ALL)));
	usage_free(usage);
out:
	for (size_t i = 0; i < ARRAY_LEN(walk.last); i++)
		json_decref(walk.last[i]);
	store_abort(txn);
	app_record_finish(&app);
}

/* --- ps --- */

static const char *kind_word(enum session_kind kind)
{
	return kind == SESSION_INSTALL ? "install" : kind == SESSION_SERVICE ? "service" : "run";
}

static json_t *session_json(struct broker *broker, const struct session *s)
{
	json_t *commands = json_array(), *given = json_array();
	json_int_t waiting = 0;

	for (struct command *c = s->commands; c; c = c->next) {
		json_t *argv = json_array();
		char word[512];

		for (char **p = c->run.argv; p && *p; p++) {
			text_escape(*p, strlen(*p), word, sizeof(word));
			json_array_append_new(argv, json_string(word));
		}
		json_array_append_new(commands, json_pack("{s:I, s:o, s:b}", "id", (json_int_t)c->id, "argv", argv,
							  "tty", (c->run.flags & RUN_TTY_ANY) != 0));
	}
	for (size_t i = 0; i < broker->gate_count; i++) {
		struct permission_ref ref = { .permission = broker->gates[i].permission };
		char name[PERMISSION_TEXT_SIZE];

		waiting += s->gates[i].waiting;
		if (s->gates[i].given == GIVE_NO)
			continue;
		(void)snprintf(ref.item, sizeof(ref.item), "%s", broker->gates[i].item);
		permission_ref_format(&ref, name);
		json_array_append_new(given, json_pack("{s:s, s:s}", "permission", name, "answer",
						       give_name(s->gates[i].given)));
	}
	return json_pack("{s:I, s:s, s:s, s:I, s:o, s:o, s:I, s:i, s:b, s:o}", "id", (json_int_t)s->id, "app", s->app,
			 "kind", kind_word(s->kind), "since", (json_int_t)s->since_wall_ms,
			 "commands", commands, "given", given, "waiting", waiting, "pid", 0, "held", s->held, "traffic",
			 traffic_json(broker, s->app, LINES_RUN));
}

SERVICE_METHOD(service_info)
{
	if (service_wait_settled(data, call, params, service_info) ||
	    service_get_app(data, call, service_str(params, "app"), NULL) != 1)
		return;
	ask(data, call, service_str(params, "app"), reply_info);
}

static void reply_ps(struct asked *asked)
{
	struct broker *broker = asked->broker;
	json_t *sessions = json_array();

	for (struct session *s = broker->sessions; s; s = s->next) {
		if (s->state < SESSION_SETTLING)
			json_array_append_new(sessions, session_json(broker, s));
	}
	varlink_reply(asked->call, json_pack("{s:o}", "sessions", sessions));
}

SERVICE_METHOD(service_ps)
{
	(void)params;
	ask(data, call, NULL, reply_ps);
}

/* --- caps --- */

static void reply_cap(struct asked *asked)
{
	varlink_reply(asked->call,
		      json_pack("{s:o}", "traffic", traffic_json(asked->broker, asked->app, LINES_SCOPES)));
}

/* The sums are asked for first: what is left of the month depends on them. */
struct capping {
	struct broker *broker;
	struct varlink_call *call;
	char app[APP_ID_SIZE], by[64], item[16];
	uint64_t bytes;
};

static void on_cap_looked(void *data)
{
	struct capping *c = data;
	struct err err = { 0 };

	/* It may have been uninstalled meanwhile; the next of its name has no cap. */
	if (service_get_app(c->broker, c->call, c->app, NULL) == 1) {
		if (traffic_cap(c->broker, c->app, c->item, c->bytes, c->by, &err) < 0)
			service_fail(c->call, &err);
		else
			ask(c->broker, c->call, c->app, reply_cap);
	}
	free(c);
}

SERVICE_METHOD(service_cap)
{
	const char *app = service_str(params, "app"), *permission = service_str(params, "permission");
	struct capping *c;
	bool local;

	if (service_get_app(data, call, app, NULL) != 1)
		return;
	if (!permission) {
		ask(data, call, app, reply_cap);
		return;
	}
	local = strcmp(permission, "network:local") == 0;
	if (!local && strcmp(permission, "network") != 0) {
		service_bad_input(call, "a cap is on the internet or the local network", "network, network:local");
		return;
	}
	if (json_integer_value(json_object_get(params, "bytes")) < 0) {
		service_bad_input(call, "a cap is a number of bytes", "0 takes it away");
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->broker = data;
	c->call = call;
	c->bytes = service_int(params, "bytes");
	(void)snprintf(c->app, sizeof(c->app), "%s", app);
	(void)snprintf(c->item, sizeof(c->item), "%s", local ? "local" : "");
	service_caller(call, c->by, sizeof(c->by));
	traffic_look(data, app, on_cap_looked, c);
}
