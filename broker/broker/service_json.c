/* SPDX-License-Identifier: MIT
 *
 * The interface's types from the broker's records. Texts of packages and apps
 * were escaped when they came in.
 */
#include "broker/access.h"
#include "broker/autostart.h"
#include "broker/generation.h"
#include "broker/install.h"
#include "broker/policy_files.h"
#include "broker/prompt.h"
#include "broker/service.h"
#include "broker/unit.h"
#include "broker/usage.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const app_state_names[] = {
	[APP_BROKEN] = "broken",
	[APP_INSTALLING] = "installing",
	[APP_READY] = "ready",
	[APP_REMOVING] = "removing",
};

const char *service_entry_name(enum entry_kind kind)
{
	static const char *const names[] = {
		[ENTRY_DELETED] = "deleted", [ENTRY_FILE] = "file",     [ENTRY_DIR] = "directory",
		[ENTRY_SYMLINK] = "symlink", [ENTRY_FIFO] = "fifo",     [ENTRY_SOCKET] = "socket",
		[ENTRY_REPLACED] = "directory", [ENTRY_MOVED] = "directory",
	};

	return names[kind];
}

json_t *service_json_path(const char *path)
{
	char shown[PATH_SIZE * 2];

	text_escape(path, strlen(path), shown, sizeof(shown));
	return json_string(shown);
}

struct disk_walk {
	uint32_t install;
	json_int_t install_bytes, bytes, count;
	struct kept_packages kept;
	bool old_base;
	const uint8_t *base;
	json_int_t changed_time, changed_files; /* by the last run that changed something */
};

static int add_disk(void *data, const struct generation_record *g)
{
	struct disk_walk *walk = data;

	if (g->number == walk->install)
		walk->old_base = memcmp(walk->base, g->base_hash, HASH_SIZE) != 0;
	generation_count_kept(&walk->kept, g);

	walk->count++;
	if (g->kind == GENERATION_RUN || g->kind == GENERATION_UNCLEAN) {
		walk->changed_time = (json_int_t)g->wall_ms;
		walk->changed_files = (json_int_t)g->entries;
	}
	if (g->kind == GENERATION_INSTALL)
		walk->install_bytes += (json_int_t)g->bytes;
	else
		walk->bytes += (json_int_t)g->bytes;
	return 0;
}

static json_int_t waiting_of(const struct broker *broker, const char *app)
{
	json_int_t n = 0;

	for (struct prompt *p = broker->prompts; p; p = p->next)
		n += p->state <= PROMPT_WAITING && strcmp(p->app, app) == 0;
	return n;
}

json_t *service_json_app(struct broker *broker, struct store_txn *txn, const struct app_record *app)
{
	uint8_t base[HASH_SIZE];
	struct disk_walk walk = { .install = app->install, .base = base };
	struct err err = { 0 };
	json_t *commands = json_array(), *entries = json_array();
	const char *state = app_state_names[app->state];
	struct unit_service service;

	broker_base_hash(base);
	(void)store_generation_each(txn, app->id, add_disk, &walk, &err);
	for (uint16_t i = 0; i < app->command_count; i++)
		json_array_append_new(commands, json_string(app->commands[i]));
	for (uint16_t i = 0; i < app->entry_count; i++) {
		const struct app_entry *e = &app->entries[i];

		json_array_append_new(entries, json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", e->name, "exec", e->exec,
							 "icon", e->icon, "categories", e->categories, "terminal",
							 e->terminal));
	}
	if (unit_get(broker, txn, app->id, &service, &err) == 1)
		unit_finish(&service);
	if (app->state == APP_READY && session_find(broker, app->id))
		state = "running";
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:{s:I, s:I, s:I}, s:I, s:s, s:s, s:b, "
			 "s:o, s:I, s:I, s:b, s:s, s:b}",
			 "id", app->id, "state", state, "title", app->title, "version", app->version, "source", app->source, "kind",
			 app->kind, "summary", app->summary, "installed", (json_int_t)app->installed_wall_ms,
			 "generation", (json_int_t)app->head, "install_generation", (json_int_t)app->install,
			 "generations", walk.count, "commands", commands, "disk", "install", walk.install_bytes,
			 "generations", walk.bytes, "packages", (json_int_t)walk.kept.bytes, "waiting", waiting_of(broker, app->id), "main",
			 app->main, "package", app->package, "from_base", app->from_base, "entries", entries,
			 "changed_time", walk.changed_time, "changed_files", walk.changed_files,
			 "autostart", autostart_is_on(broker, app->id), "service", service.name, "old_base",
			 walk.old_base && install_comes_again(app));
}

/* --- permissions --- */

/* Tries that were refused without asking, since nobody answered so often. */
static json_int_t quiet_of(struct broker *broker, const char *app, const struct permission_ref *ref)
{
	struct session *session = session_find(broker, app);
	json_int_t n = 0;

	for (size_t i = 0; session && i < broker->gate_count; i++) {
		if (broker->gates[i].permission == ref->permission &&
		    (!ref->item[0] || strcmp(ref->item, broker->gates[i].item) == 0))
			n += session->gates[i].unasked;
	}
	return n;
}

static bool in_use(struct broker *broker, const char *app, const struct permission_ref *ref)
{
	struct session *session = session_find(broker, app);

	for (size_t i = 0; session && i < broker->gate_count; i++) {
		if (broker->gates[i].permission == ref->permission && session->gates[i].given != GIVE_NO &&
		    (!ref->item[0] || strcmp(ref->item, broker->gates[i].item) == 0))
			return true;
	}
	return false;
}

static json_t *answers_of(const struct permission *permission)
{
	json_t *answers = json_array();

	for (int g = 0; g < GIVE_COUNT; g++) {
		if (permission->answers & GIVE_BIT(g))
			json_array_append_new(answers, json_string(give_name((enum give)g)));
	}
	return answers;
}

static void format_time(uint64_t wall_ms, char *buf, size_t size)
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	buf[0] = '\0';
	if (wall_ms && localtime_r(&t, &tm))
		(void)strftime(buf, size, "%Y-%m-%d %H:%M", &tm);
}

/* When by the clock on the wall it ends by itself; 0: not by a clock. */
static json_int_t ends_at(const struct access_decision *found)
{
	if (!found->until_boot_ms || found->decision.lasts.lasts != LASTS_TIME)
		return 0;
	return (json_int_t)(loop_wall_ms() + found->until_boot_ms - loop_boot_ms());
}

json_t *service_json_permission(struct broker *broker, const char *app, const struct permission_ref *ref,
				const struct usage *usage)
{
	struct access_decision found = access_decide(broker, session_find(broker, app), app, ref);
	uint64_t count, last;
	char name[PERMISSION_TEXT_SIZE], lasts[DURATION_TEXT_SIZE] = "", why[600], when[32];

	usage_of(usage, app, ref, &count, &last);
	permission_ref_format(ref, name);
	/* Only what somebody said lasts for some time. */
	if (found.decision.give != GIVE_ASK && found.decision.by <= DECIDED_VENDOR &&
	    found.decision.by != DECIDED_MANIFEST)
		duration_format(found.decision.lasts, lasts);
	format_time(found.granted_wall_ms, when, sizeof(when));
	if (found.by[0])
		(void)snprintf(why, sizeof(why), "%s%s%s", found.by, when[0] ? ", " : "", when);
	else if (found.decision.by == DECIDED_ENFORCE || found.decision.by == DECIDED_ADMIN ||
		 found.decision.by == DECIDED_VENDOR)
		(void)snprintf(why, sizeof(why), "%.250s/%s",
			       policy_files_folder(broker, found.decision.by == DECIDED_VENDOR), found.decision.why);
	else if (found.decision.by == DECIDED_BROKEN && policy_files_trouble(broker)[0])
		(void)snprintf(why, sizeof(why), "%.500s", policy_files_trouble(broker));
	else
		(void)snprintf(why, sizeof(why), "%s", found.lapsed[0] ? found.lapsed : found.decision.why);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:o, s:b, s:b, s:I, s:I, s:I, s:I}", "app", app, "permission",
			 name, "label", ref->permission->label, "answer", give_name(found.decision.give), "for", lasts, "until",
			 ends_at(&found), "by", decided_by_name(found.decision.by), "why", why, "answers", answers_of(ref->permission),
			 "locked", found.locked, "in_use", in_use(broker, app, ref), "last_used", (json_int_t)last, "count",
			 (json_int_t)count, "quiet", quiet_of(broker, app, ref), "lapses", (json_int_t)found.lapses_ms);
}

struct ref_list {
	struct permission_ref refs[128];
	size_t count;
};

static void add_ref(struct ref_list *list, const struct permission *permission, const char *item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->refs[i].permission == permission && strcmp(list->refs[i].item, item) == 0)
			return;
	}
	if (list->count == ARRAY_LEN(list->refs))
		return;
	list->refs[list->count].permission = permission;
	(void)snprintf(list->refs[list->count++].item, sizeof(list->refs[0].item), "%s", item);
}

static int add_granted_ref(void *data, const struct grant_record *grant)
{
	const struct permission *permission = permission_find(grant->permission);

	if (permission && grant->item[0])
		add_ref(data, permission, grant->item);
	return 0;
}

/* Every permission of the device, and of those with items the ones that an
 * answer speaks of by name. */
json_t *service_json_permissions(struct broker *broker, const char *app, const struct usage *usage)
{
	struct ref_list *list = xcalloc(1, sizeof(*list));
	struct session *session = session_any(broker, app);
	json_t *array = json_array();
	struct err err = { 0 };
	struct store_txn *txn;

	for (const struct permission *p = permissions; p->name; p++) {
		if (!p->is_device || access_has_gate(broker, p))
			add_ref(list, p, "");
	}
	txn = store_begin(broker->store, false, &err);
	if (txn)
		(void)store_grant_each(txn, app, add_granted_ref, list, &err);
	store_abort(txn);
	for (struct session_answer *a = session ? session->answers : NULL; a; a = a->next) {
		if (a->item[0])
			add_ref(list, a->permission, a->item);
	}
	for (const struct permission *p = permissions; p->name; p++) {
		for (size_t i = 0; i < list->count; i++) {
			if (list->refs[i].permission == p)
				json_array_append_new(array, service_json_permission(broker, app, &list->refs[i], usage));
		}
	}
	free(list);
	return array;
}

/* --- history and generations --- */

json_t *service_json_history(const struct history_record *e)
{
	static const char *const kinds[] = {
		[HISTORY_DECISION] = "decision", [HISTORY_ACCESS] = "access", [HISTORY_LIFE] = "life" };
	char permission[PERMISSION_TEXT_SIZE + 2], lasts[DURATION_TEXT_SIZE] = "";
	bool said = e->permission[0] != '\0';

	(void)snprintf(permission, sizeof(permission), "%.31s%s%s", e->permission, e->item[0] ? ":" : "", e->item);
	if (e->kind == HISTORY_DECISION && e->give != GIVE_ASK)
		duration_format(e->lasts, lasts);
	return json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "time",
			 (json_int_t)e->wall_ms, "last", (json_int_t)e->last_wall_ms, "kind",
			 e->kind <= HISTORY_LIFE ? kinds[e->kind] : "", "app", e->app, "permission", permission, "what",
			 e->what, "answer", said ? give_name(e->give) : "", "before",
			 said && e->kind == HISTORY_DECISION ? give_name(e->before) : "", "for", lasts, "why", e->why,
			 "program", e->program, "session", (json_int_t)e->session, "count", (json_int_t)e->count, "seq",
			 (json_int_t)e->seq);
}

json_t *service_json_generation(const struct generation_record *g, const struct app_record *app)
{
	char hash[2 * HASH_SIZE + 1];
	uint8_t base[HASH_SIZE];

	broker_base_hash(base);
	for (size_t i = 0; i < HASH_SIZE; i++)
		(void)snprintf(hash + 2 * i, 3, "%02x", g->root_hash[i]);
	return json_pack("{s:I, s:I, s:s, s:I, s:s, s:b, s:I, s:I, s:I, s:s, s:b, s:b, s:b, s:b}", "number",
			 (json_int_t)g->number, "parent", (json_int_t)g->parent, "kind", generation_kind_name(g->kind),
			 "time", (json_int_t)g->wall_ms, "label", g->label, "pinned", g->pinned, "of", (json_int_t)g->of,
			 "files", (json_int_t)g->entries, "bytes", (json_int_t)g->bytes, "hash", hash, "head",
			 g->number == app->head, "install", g->number == app->install, "doomed",
			 g->doomed_powered_ms != 0, "old_base",
			 memcmp(base, g->base_hash, sizeof(base)) != 0);
}
