/* SPDX-License-Identifier: MIT
 *
 * From an ended session's upper to a generation. Versions are written while the
 * keeper scans, under a number that no generation record names yet: until the
 * last transaction commits, they are garbage that the next start removes.
 */
#include "broker/generation.h"

#include "base/log.h"
#include "broker/job.h"
#include "broker/retention.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ENTRY_PATH_MAX 4096u

struct settle {
	struct broker *broker;
	struct session *session; /* NULL for an unclean end found at start */
	struct job *job;
	char app[APP_ID_SIZE];
	uint64_t upper, next_upper;
	uint32_t number, parent, base;
	enum generation_kind kind;
	bool rebuild; /* a new install of an app that has one */
	uint64_t old_upper;
	uint16_t layer_count;
	uint64_t layers[LAYERS_MAX];
	bool journaled;
	struct err failed; /* a batch that could not be stored */
	char *commands[APP_COMMANDS_MAX];
	uint16_t command_count;
	void (*fn)(void *data, int code, const char *why);
	void *data;
};

static void settle_end(struct settle *s, int code, const char *why)
{
	void (*fn)(void *, int, const char *) = s->fn;
	void *data = s->data;
	char text[512];

	(void)snprintf(text, sizeof(text), "%s", why);
	for (uint16_t i = 0; i < s->command_count; i++)
		free(s->commands[i]);
	free(s);
	fn(data, code, text);
}

/* ~/.local/bin/x, ~/bin/x, ~/.cargo/bin/x: where installers put what is one person's. */
static bool is_command_of_home(const char *home, const char *path)
{
	size_t n = strlen(home + 1);
	const char *name = strrchr(path, '/');

	if (strncmp(path, home + 1, n) != 0 || path[n] != '/' || !name || name < path + n + 4)
		return false;
	return strncmp(name - 4, "/bin", 4) == 0;
}

/* A program that a person may want to start: executable, in a folder for
 * programs. */
static bool is_command_path(const char *path)
{
	static const char *const folders[] = {
		"usr/bin/", "usr/games/", "usr/local/bin/", "usr/local/games/", "bin/", "usr/sbin/",
	};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		size_t n = strlen(folders[i]);

		if (strncmp(path, folders[i], n) == 0 && !strchr(path + n, '/'))
			return true;
	}
	if (strncmp(path, "opt/", 4) != 0 || !(path = strchr(path + 4, '/')))
		return false;
	path++;
	if (strncmp(path, "bin/", 4) == 0)
		path += 4;
	return *path && !strchr(path, '/');
}

static void note_command(struct settle *s, const struct version_record *v)
{
	if (s->kind != GENERATION_INSTALL || s->command_count == APP_COMMANDS_MAX)
		return;
	if (!(v->kind == ENTRY_SYMLINK || (v->kind == ENTRY_FILE && (v->mode & 0111))))
		return;
	if (is_command_path(v->path) || is_command_of_home(s->broker->home, v->path))
		s->commands[s->command_count++] = xasprintf("/%s", v->path);
}

static bool read_entry(struct rd *body, struct version_record *v, char *path, char *target)
{
	uint8_t kind = rd_u8(body);

	v->kind = kind <= ENTRY_MOVED ? (enum entry_kind)kind : ENTRY_DELETED;
	rd_str(body, path, ENTRY_PATH_MAX);
	rd_str(body, target, ENTRY_PATH_MAX);
	v->path = path;
	v->target = target;
	v->size = rd_u64(body);
	v->mode = rd_u32(body);
	v->uid = rd_u32(body);
	v->gid = rd_u32(body);
	v->mtime_ns = rd_u64(body);
	rd_bytes(body, v->hash, sizeof(v->hash));
	return !body->bad && kind <= ENTRY_MOVED && path[0] && path[0] != '/';
}

static bool store_batch(struct settle *s, struct rd *body, struct store_txn *txn)
{
	char path[ENTRY_PATH_MAX], target[ENTRY_PATH_MAX];
	uint16_t n = rd_u16(body);

	for (uint16_t i = 0; i < n; i++) {
		struct version_record v = { .generation = s->number };

		if (!read_entry(body, &v, path, target))
			return false;
		if (txn && !s->failed.msg[0] && store_version_put(txn, s->app, &v, &s->failed) < 0 &&
		    !s->failed.msg[0])
			err_set(&s->failed, EIO, "versions of '%s' not stored", s->app);
		note_command(s, &v);
	}
	return rd_end(body);
}

/* From the first versions on until the commit that gives their number a meaning. */
static void begin_journal(struct settle *s, struct store_txn *txn)
{
	struct journal_record j = { .op = JOURNAL_SETTLE, .step = s->number };

	if (s->journaled)
		return;
	(void)snprintf(j.app, sizeof(j.app), "%s", s->app);
	s->journaled = true;
	if (store_journal_put(txn, &j, &s->failed) < 0 && !s->failed.msg[0])
		err_set(&s->failed, EIO, "journal of '%s' not written", s->app);
}

/* What an earlier attempt left under this number. Only then is every version of the
 * app looked at, which takes its time. */
static int sweep(const struct settle *s, struct store_txn *txn, struct err *err)
{
	int left = store_journal_has(txn, s->app, err);

	if (left <= 0)
		return left;
	if (store_generation_delete(txn, s->app, s->number, err) < 0)
		return -1;
	return store_journal_delete(txn, s->app, err);
}

static bool on_entries(void *data, struct rd *body)
{
	struct settle *s = data;
	struct store_txn *txn = s->failed.msg[0] ? NULL : store_begin(s->broker->store, true, &s->failed);
	bool good;

	if (txn)
		begin_journal(s, txn);
	good = store_batch(s, body, txn);
	if (txn && (s->failed.msg[0] || !good))
		store_abort(txn);
	else if (txn)
		(void)store_commit(txn, &s->failed);
	return good;
}

static void set_commands(struct settle *s, struct app_record *app)
{
	for (uint16_t i = 0; i < app->command_count; i++)
		free(app->commands[i]);
	memcpy(app->commands, s->commands, sizeof(s->commands));
	app->command_count = s->command_count;
	s->command_count = 0;
}

static void fill_generation(struct settle *s, const struct job_result *result, struct generation_record *g)
{
	memset(g, 0, sizeof(*g));
	(void)snprintf(g->app, sizeof(g->app), "%s", s->app);
	g->number = s->number;
	g->parent = s->parent;
	g->kind = s->kind;
	g->wall_ms = loop_wall_ms();
	g->entries = result->entries;
	g->bytes = result->bytes;
	memcpy(g->root_hash, result->root_hash, sizeof(g->root_hash));
	broker_base_hash(g->base_hash);
	/* An install's label is its version. */
	if (result->too_deep && s->kind != GENERATION_INSTALL)
		(void)snprintf(g->label, sizeof(g->label), "some of it too deep to be listed");
	g->own_layer = s->upper;
	g->layers[0] = s->upper;
	memcpy(g->layers + 1, s->layers, sizeof(s->layers[0]) * s->layer_count);
	g->layer_count = (uint16_t)(s->layer_count + 1);
	if (s->session && s->kind == GENERATION_INSTALL && s->session->kept_bytes) {
		g->kept_bytes = s->session->kept_bytes;
		g->kept_in = s->session->kept_in;
	}
}

/* The app's state, until now on its old install, goes on on the new one. */
static int take_up_state(struct settle *s, struct store_txn *txn, const struct generation_record *install,
			 struct app_record *app, struct err *err)
{
	struct generation_record g;
	uint32_t of = app->head;

	app->head = s->number;
	if (store_generation_get(txn, s->app, of, &g, err) != 1)
		return err_set(err, EIO, "generation %u of '%s' cannot be read", of, s->app);
	if (g.layer_count > 1) {
		g.number = app->next_generation++;
		g.parent = s->number;
		g.kind = GENERATION_REBUILT;
		g.of = of;
		g.own_layer = 0;
		g.pinned = false;
		g.doomed_powered_ms = 0;
		g.label[0] = '\0';
		g.wall_ms = loop_wall_ms();
		g.entries = g.bytes = 0;
		generation_restack(&g, install);
		app->head = g.number;
		if (store_generation_put(txn, &g, err) < 0 || store_grants_keep(txn, s->app, g.number, err) < 0)
			return -1;
	}
	return broker_note(s->broker, txn,
			   &(struct history_note){ .kind = HISTORY_LIFE,
						   .app = s->app,
						   .what = s->session->updated ? "updated" : "installed anew",
						   .why = s->session->updated ? s->session->why_rebuilt
									      : "the system below it has changed" },
			   err);
}

/* The switch: before this commit the upper is just an upper, after it a frozen
 * layer with a number. */
static int commit_generation(struct settle *s, const struct job_result *result, struct err *err)
{
	struct store_txn *txn = store_begin(s->broker->store, true, err);
	struct app_record app = { 0 };
	struct generation_record g;
	int rc = -1;

	if (!txn)
		return -1;
	if (store_app_get(txn, s->app, &app, err) != 1)
		goto out;
	if (!s->rebuild)
		app.in_session = false;
	if (result->changed) {
		fill_generation(s, result, &g);
		if (store_generation_put(txn, &g, err) < 0 || store_grants_keep(txn, s->app, g.number, err) < 0)
			goto out;
		if (store_journal_delete(txn, s->app, err) < 0)
			goto out;
		app.next_generation = s->number + 1;
		app.live = result->no_next ? 0 : s->next_upper;
		if (!s->rebuild)
			app.head = s->number;
		else if (take_up_state(s, txn, &g, &app, err) < 0)
			goto out;
		if (s->kind == GENERATION_INSTALL) {
			app.install = s->number;
			set_commands(s, &app);
			if (s->rebuild && s->session->on_switch &&
			    s->session->on_switch(s->session->over_data, txn, &app, err) < 0)
				goto out;
		}
	}
	rc = store_app_put(txn, &app, err);
out:
	app_record_finish(&app);
	if (rc < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

static void on_done(void *data, const struct job_result *result)
{
	struct settle *s = data;
	struct err err = { 0 };
	char app[APP_ID_SIZE];
	struct broker *broker = s->broker;

	s->job = NULL;
	if (result->code) {
		settle_end(s, result->code, result->why);
		return;
	}
	if (s->failed.msg[0]) {
		settle_end(s, s->failed.code ? s->failed.code : EIO, s->failed.msg);
		return;
	}
	if (commit_generation(s, result, &err) < 0) {
		settle_end(s, err.code ? err.code : EIO, err.msg);
		return;
	}
	(void)snprintf(app, sizeof(app), "%s", s->app);
	if (s->rebuild)
		generation_drop_layers(broker, &s->old_upper, 1);
	settle_end(s, 0, "");
	generation_merge_if_deep(broker, app);
	retention_apply(broker, app);
}

static const struct job_ops settle_ops = { .on_entries = on_entries, .on_done = on_done };

static int load_app(struct settle *s, struct err *err)
{
	struct store_txn *txn = store_begin(s->broker->store, true, err);
	struct generation_record head = { 0 };
	struct app_record app = { 0 };
	int rc = -1;

	if (!txn)
		return -1;
	if (store_app_get(txn, s->app, &app, err) != 1) {
		err_set(err, ENOENT, "no app '%s'", s->app);
		goto out;
	}
	if (app.head && store_generation_get(txn, s->app, app.head, &head, err) != 1) {
		err_set(err, EIO, "generation %u of '%s' cannot be read", app.head, s->app);
		goto out;
	}
	s->upper = app.live;
	s->base = app.base;
	s->parent = app.head;
	s->number = app.next_generation ? app.next_generation : 1;
	if (app.state == APP_INSTALLING || s->rebuild)
		s->kind = GENERATION_INSTALL;
	if (s->rebuild) {
		s->old_upper = app.live;
		s->upper = s->session->upper;
	} else {
		s->layer_count = head.layer_count;
		memcpy(s->layers, head.layers, sizeof(s->layers));
	}
	if (s->layer_count >= LAYERS_MAX) {
		err_set(err, E2BIG, "'%s' has %u layers, more than can be stacked", s->app, s->layer_count);
		goto out;
	}
	if (sweep(s, txn, err) < 0 ||
	    store_counter_add(txn, COUNTER_LAYER, 1, &s->next_upper, err) < 0)
		goto out;
	rc = 0;
out:
	app_record_finish(&app);
	if (rc < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

static void start_scan(struct settle *s)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_KEEPER_SETTLE, 0);
	wr_u64(w, s->upper);
	wr_u64(w, s->next_upper);
	wr_u32(w, s->base);
	wr_u16(w, s->layer_count);
	for (uint16_t i = 0; i < s->layer_count; i++)
		wr_u64(w, s->layers[i]);
	s->job = job_start(s->broker, w, -1, &settle_ops, s);
	free(w);
}

static void clear_in_session(struct settle *s)
{
	struct err err = { 0 };
	struct job_result nothing = { 0 };

	if (commit_generation(s, &nothing, &err) < 0)
		settle_end(s, err.code ? err.code : EIO, err.msg);
	else
		settle_end(s, 0, "");
}

static struct settle *settle_new(struct broker *broker, const char *app, enum generation_kind kind,
				 void (*fn)(void *data, int code, const char *why), void *data)
{
	struct settle *s = xcalloc(1, sizeof(*s));

	s->broker = broker;
	s->kind = kind;
	s->fn = fn;
	s->data = data;
	(void)snprintf(s->app, sizeof(s->app), "%s", app);
	return s;
}

void generation_settle(struct session *session, void (*fn)(void *data, int code, const char *why),
				 void *data)
{
	struct settle *s = settle_new(session->broker, session->app,
				      session->unclean ? GENERATION_UNCLEAN : GENERATION_RUN, fn, data);
	struct err err = { 0 };

	s->session = session;
	s->rebuild = session->rebuild;
	if (session->untouched && !session->unsettled && !s->rebuild) {
		clear_in_session(s);
		return;
	}
	if (load_app(s, &err) < 0) {
		settle_end(s, err.code ? err.code : EIO, err.msg);
		return;
	}
	start_scan(s);
}

void generation_settle_unclean(struct broker *broker, const char *app,
			       void (*fn)(void *data, int code, const char *why), void *data)
{
	struct settle *s = settle_new(broker, app, GENERATION_UNCLEAN, fn, data);
	struct err err = { 0 };

	if (load_app(s, &err) < 0)
		settle_end(s, err.code ? err.code : EIO, err.msg);
	else
		start_scan(s);
}
