/* SPDX-License-Identifier: MIT
 *
 * Every step is one transaction; whatever dies between two of them, the state
 * APP_INSTALLING tells the next start to take the app away.
 */
#include "broker/install_name.h"

#include "broker/inspect.h"
#include "broker/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int look(struct broker *broker, const char *name, enum app_state *ret_state, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, false, err);
	struct app_record app = { 0 };
	int found = txn ? store_app_get(txn, name, &app, err) : -1;

	*ret_state = app.state;
	app_record_finish(&app);
	store_abort(txn);
	return found;
}

int install_name_check(struct broker *broker, const char *name, struct err *err)
{
	enum app_state state;
	int found;

	if (app_id_check(name, err) < 0)
		return err_hint(err, "--name APP chooses another");
	if (strncmp(name, "new-", 4) == 0)
		return err_set(err, EINVAL, "app name '%s': names that begin with new- are taken", name);
	found = look(broker, name, &state, err);
	if (found <= 0)
		return found;
	if (state == APP_INSTALLING) {
		err_set(err, EEXIST, "app '%s' is being installed right now", name);
		return err_hint(err, "wait for it, or --name another");
	}
	err_set(err, EEXIST, "app '%s' is installed already", name);
	return err_hint(err, "cowbell uninstall %s, or --name another", name);
}

static int provision(struct store_txn *txn, const char *name, struct app_record *ret, struct err *err)
{
	uint64_t serial;

	if (store_counter_add(txn, COUNTER_SESSION, 1, &serial, err) < 0 ||
	    store_counter_add(txn, COUNTER_LAYER, 1, &ret->live, err) < 0)
		return -1;
	if (name[0])
		(void)snprintf(ret->id, sizeof(ret->id), "%s", name);
	else
		(void)snprintf(ret->id, sizeof(ret->id), "new-%llu", (unsigned long long)serial);
	if (store_range_take(txn, ret->id, &ret->base, err) < 0)
		return -1;
	return store_app_put(txn, ret, err);
}

int install_name_provision(struct broker *broker, const char *name, struct app_record *ret, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, true, err);

	memset(ret, 0, sizeof(*ret));
	ret->state = APP_INSTALLING;
	ret->next_generation = 1;
	if (!txn)
		return -1;
	if (provision(txn, name, ret, err) < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

int install_name_give(struct broker *broker, const char *from, const char *to, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, true, err);

	if (!txn)
		return -1;
	if (store_app_rename(txn, from, to, err) < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

static bool has_command(const struct app_record *app, uint16_t count, const char *command)
{
	for (uint16_t i = 0; i < count; i++) {
		if (strcmp(app->commands[i], command) == 0)
			return true;
	}
	return false;
}

/* The package's own programs first, then what else its layer brought. */
static void set_entries(struct app_record *app, const struct inspect_entries *e, const char *main_program)
{
	char *scanned[APP_COMMANDS_MAX];
	uint16_t n = app->command_count, own;

	memcpy(scanned, app->commands, sizeof(scanned));
	app->command_count = 0;
	for (uint16_t i = 0; e && i < e->command_count; i++)
		app->commands[app->command_count++] = xstrdup(e->commands[i]);
	own = app->command_count;
	for (uint16_t i = 0; i < n; i++) {
		if (app->command_count < APP_COMMANDS_MAX && !has_command(app, own, scanned[i]))
			app->commands[app->command_count++] = scanned[i];
		else
			free(scanned[i]);
	}
	free(app->entries);
	app->entries = NULL;
	app->entry_count = e ? e->entry_count : 0;
	if (app->entry_count) {
		app->entries = xcalloc(app->entry_count, sizeof(*app->entries));
		memcpy(app->entries, e->entries, app->entry_count * sizeof(*app->entries));
	}
	if (main_program && has_command(app, app->command_count, main_program)) {
		(void)snprintf(app->main, sizeof(app->main), "%s", main_program);
		return;
	}
	(void)snprintf(app->main, sizeof(app->main), "%s",
		       entry_main(app->id, app->package, app->commands, app->command_count, own, app->entries,
				  app->entry_count));
}

/* The generation of the install says which version it is: going back to it finds
 * out by that. */
static int label_install(struct store_txn *txn, const struct app_record *app, struct err *err)
{
	struct generation_record g;

	if (!app->install || store_generation_get(txn, app->id, app->install, &g, err) != 1)
		return 0;
	if (!g.label[0])
		(void)snprintf(g.label, sizeof(g.label), "%s", app->version);
	return store_generation_put(txn, &g, err);
}

int install_name_apply(struct store_txn *txn, struct app_record *app, const struct install_about *about, struct err *err)
{
	app->from_base = about->from_base;
	if (about->version[0])
		(void)snprintf(app->version, sizeof(app->version), "%s", about->version);
	if (about->signer[0]) {
		(void)snprintf(app->declared, sizeof(app->declared), "%s", about->declared);
		(void)snprintf(app->signer, sizeof(app->signer), "%s", about->signer);
		app->memory_max = about->memory_max;
		app->pids_max = about->pids_max;
	}
	if (about->has_said)
		(void)snprintf(app->says, sizeof(app->says), "%s", about->says);
	set_entries(app, about->entries, about->main[0] ? about->main : NULL);
	if (unit_put(txn, app->id, app->package, about->entries, err) < 0)
		return -1;
	return label_install(txn, app, err);
}

int install_name_entries(struct broker *broker, const char *name, const struct install_about *about, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, true, err);
	struct app_record app = { 0 };
	int rc = -1;

	if (!txn)
		return -1;
	if (store_app_get(txn, name, &app, err) == 1)
		rc = install_name_apply(txn, &app, about, err) < 0 || store_app_put(txn, &app, err) < 0 ? -1 : 0;
	app_record_finish(&app);
	if (rc < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

static int finish(struct broker *broker, struct store_txn *txn, const char *name, const struct install_about *about,
		  struct app_record *app, struct err *err)
{
	if (store_app_get(txn, name, app, err) != 1)
		return err_set(err, EIO, "the record of the install cannot be read");
	if (!app->install) {
		err_set(err, 0, "the installer changed nothing, so there is no app");
		return err_hint(err, INSTALLER_HAS);
	}
	app->state = about->trial ? APP_INSTALLING : APP_READY;
	app->installed_wall_ms = loop_wall_ms();
	(void)snprintf(app->kind, sizeof(app->kind), "%s", about->kind);
	(void)snprintf(app->source, sizeof(app->source), "%s", about->source);
	(void)snprintf(app->version, sizeof(app->version), "%s", about->version);
	(void)snprintf(app->title, sizeof(app->title), "%s", about->title[0] ? about->title : name);
	(void)snprintf(app->summary, sizeof(app->summary), "%s", about->summary);
	(void)snprintf(app->package, sizeof(app->package), "%s", about->package);
	app->from_base = about->from_base;
	(void)snprintf(app->signer, sizeof(app->signer), "%s", about->signer);
	(void)snprintf(app->declared, sizeof(app->declared), "%s", about->declared);
	(void)snprintf(app->says, sizeof(app->says), "%s", about->says);
	app->memory_max = about->memory_max;
	app->pids_max = about->pids_max;
	set_entries(app, about->entries, about->main[0] ? about->main : NULL);
	if (store_app_put(txn, app, err) < 0 || unit_put(txn, app->id, app->package, about->entries, err) < 0 ||
	    label_install(txn, app, err) < 0)
		return -1;
	if (about->trial)
		return 0;
	return broker_note(broker, txn,
			   &(struct history_note){
				   .kind = HISTORY_LIFE, .app = name, .what = "installed", .why = about->source },
			   err);
}

int install_name_finish(struct broker *broker, const char *name, const struct install_about *about, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, true, err);
	struct app_record app = { 0 };
	int rc;

	if (!txn)
		return -1;
	rc = finish(broker, txn, name, about, &app, err);
	app_record_finish(&app);
	if (rc < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}
