/* SPDX-License-Identifier: MIT
 *
 * The method table, and the errors that methods share. Every sentence that
 * leaves here says what can be done about it.
 */
#include "broker/service.h"

#include "broker/session.h"
#include "broker/turn.h"
#include "varlink/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct varlink_method methods[] = {
	{ "io.cowbell.List", METHOD_ANY_READER, service_list },
	{ "io.cowbell.Info", METHOD_ANY_READER, service_info },
	{ "io.cowbell.Ps", METHOD_ANY_READER, service_ps },
	{ "io.cowbell.Run", METHOD_UPGRADE, service_run },
	{ "io.cowbell.Install", METHOD_UPGRADE, service_install },
	{ "io.cowbell.Resolve", 0, service_resolve },
	{ "io.cowbell.Search", 0, service_search },
	{ "io.cowbell.Inspect", METHOD_UPGRADE, service_inspect },
	{ "io.cowbell.Update", METHOD_UPGRADE, service_update },
	{ "io.cowbell.BaseChanges", 0, service_base_changes },
	{ "io.cowbell.Rebuild", METHOD_MORE, service_rebuild },
	{ "io.cowbell.Uninstall", 0, service_uninstall },
	{ "io.cowbell.Stop", 0, service_stop_app },
	{ "io.cowbell.Autostart", 0, service_autostart },
	{ "io.cowbell.Logs", METHOD_ANY_READER, service_logs },
	{ "io.cowbell.Permissions", METHOD_ANY_READER, service_permissions },
	{ "io.cowbell.Grant", 0, service_grant },
	{ "io.cowbell.Revoke", 0, service_revoke },
	{ "io.cowbell.Lock", 0, service_lock },
	{ "io.cowbell.Cap", 0, service_cap },
	{ "io.cowbell.Explain", METHOD_ANY_READER, service_explain },
	{ "io.cowbell.Plan", METHOD_ANY_READER, service_plan },
	{ "io.cowbell.Prompts", METHOD_ANY_READER | METHOD_MORE, service_prompts },
	{ "io.cowbell.Agent", METHOD_MORE, service_agent },
	{ "io.cowbell.AgentLocked", 0, service_agent_locked },
	{ "io.cowbell.Answer", 0, service_answer },
	{ "io.cowbell.Later", 0, service_later },
	{ "io.cowbell.History", METHOD_ANY_READER, service_history },
	{ "io.cowbell.Generations", METHOD_ANY_READER, service_generations },
	{ "io.cowbell.Versions", METHOD_ANY_READER, service_versions },
	{ "io.cowbell.Cat", METHOD_UPGRADE, service_cat },
	{ "io.cowbell.Diff", METHOD_ANY_READER, service_diff },
	{ "io.cowbell.Rollback", 0, service_rollback },
	{ "io.cowbell.RollbackPlan", 0, service_rollback_plan },
	{ "io.cowbell.Reset", 0, service_reset },
	{ "io.cowbell.Pin", 0, service_pin },
	{ "io.cowbell.Doctor", METHOD_ANY_READER, service_doctor },
	{ "io.cowbell.Lapse", 0, service_lapse },
	{ "io.cowbell.Mark", 0, service_mark },
	{ NULL, 0, NULL },
};

int service_start(struct broker *broker, struct err *err)
{
	struct varlink_server_config config = {
		.methods = methods,
		.data = broker,
		.owner_uid = broker->owner_uid,
	};

	broker->server = varlink_server_create(broker->loop, steal_fd(&broker->listen_fd), &config, err);
	return broker->server ? 0 : -1;
}

void service_stop(struct broker *broker)
{
	varlink_server_destroy(broker->server);
	broker->server = NULL;
}

const char *service_str(json_t *params, const char *key)
{
	return json_string_value(json_object_get(params, key));
}

uint64_t service_int(json_t *params, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(params, key));

	return v < 0 ? 0 : (uint64_t)v;
}

uint32_t service_number(json_t *params, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(params, key));

	return v < 0 || v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

bool service_bool(json_t *params, const char *key)
{
	return json_is_true(json_object_get(params, key));
}

char **service_words(json_t *params, const char *key)
{
	json_t *array = json_object_get(params, key);
	size_t n = json_array_size(array);
	char **words = xcalloc(n + 1, sizeof(*words));

	for (size_t i = 0; i < n; i++)
		words[i] = (char *)(uintptr_t)json_string_value(json_array_get(array, i));
	return words;
}

struct deferred {
	struct broker *broker;
	struct varlink_call *call;
	json_t *params;
	void (*method)(void *data, struct varlink_call *call, json_t *params);
	struct turn *turn; /* NULL: waits for a session */
};

static void on_settled(void *data)
{
	struct deferred *d = data;

	turn_end(d->turn);
	d->method(d->broker, d->call, d->params);
	json_decref(d->params);
	free(d);
}

/* What an earlier broker's session left is being made a generation. */
static bool is_recovering(struct broker *broker, const char *app)
{
	struct app_record record = { 0 };
	struct err err = { 0 };
	struct store_txn *txn;
	bool is = false;

	if (!app || session_any(broker, app) || !turn_taken(broker, app))
		return false;
	txn = store_begin(broker->store, false, &err);
	if (txn && store_app_get(txn, app, &record, &err) == 1)
		is = record.in_session;
	store_abort(txn);
	app_record_finish(&record);
	return is;
}

bool service_wait_settled(struct broker *broker, struct varlink_call *call, json_t *params,
			  void (*method)(void *data, struct varlink_call *call, json_t *params))
{
	const char *app = service_str(params, "app");
	struct session *session = app ? session_any(broker, app) : NULL;
	bool recovering = is_recovering(broker, app);
	struct deferred *d;

	if (!recovering && (!session || session->state < SESSION_ENDING))
		return false;
	d = xcalloc(1, sizeof(*d));
	d->broker = broker;
	d->call = call;
	d->params = json_incref(params);
	d->method = method;
	if (recovering)
		d->turn = turn_request(broker, app, on_settled, d);
	else
		session_wait_over(session, on_settled, d);
	return true;
}

void service_bad_input(struct varlink_call *call, const char *reason, const char *hint)
{
	varlink_error(call, "io.cowbell.BadInput", json_pack("{s:s, s:s}", "reason", reason, "hint", hint));
}

void service_fail(struct varlink_call *call, const struct err *err)
{
	char reason[sizeof(err->msg)], *open;
	const char *hint = "";
	size_t n;

	(void)snprintf(reason, sizeof(reason), "%s", err->msg[0] ? err->msg : "an error without a text");
	n = strlen(reason);
	open = strrchr(reason, '(');
	if (open && open > reason + 1 && open[-1] == ' ' && reason[n - 1] == ')') {
		reason[n - 1] = '\0';
		open[-1] = '\0';
		hint = open + 1;
	}
	varlink_error(call, err->code == EINVAL || err->code == 0 ? "io.cowbell.BadInput" : "io.cowbell.Failed",
		      json_pack("{s:s, s:s}", "reason", reason, "hint", hint));
}

void service_no_app(struct varlink_call *call, const char *app)
{
	char shown[256];

	text_escape(app, strlen(app), shown, sizeof(shown));
	varlink_error(call, "io.cowbell.NoSuchApp", json_pack("{s:s}", "app", shown));
}

void service_running(struct varlink_call *call, const struct session *session)
{
	varlink_error(call, "io.cowbell.AppRunning",
		      json_pack("{s:s, s:I}", "app", session->app, "session", (json_int_t)session->id));
}

void service_caller(struct varlink_call *call, char *buf, size_t size)
{
	(void)snprintf(buf, size, "uid %u", varlink_call_uid(call));
}

int service_get_app(struct broker *broker, struct varlink_call *call, const char *app, struct app_record *ret)
{
	struct app_record record = { 0 };
	struct err err = { 0 };
	struct store_txn *txn = store_begin(broker->store, false, &err);
	int found = txn ? store_app_get(txn, app, &record, &err) : -1;

	store_abort(txn);
	if (found < 0) {
		service_fail(call, &err);
	} else if (found == 0 || record.state == APP_INSTALLING) {
		service_no_app(call, app);
		found = 0;
	} else if (record.state != APP_READY) {
		err_set(&err, EBUSY, "app '%s' %s", app,
			record.state == APP_REMOVING ? "is being removed" : "has a broken record");
		err_hint(&err, "cowbell uninstall %s", app);
		service_fail(call, &err);
		found = 0;
	}
	if (found == 1 && ret)
		*ret = record;
	else
		app_record_finish(&record);
	return found;
}
