/* SPDX-License-Identifier: MIT
 *
 * What a session of a trial reaches for and changes.
 */
#include "broker/trial.h"

#include "broker/access.h"
#include "broker/generation.h"
#include "broker/job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define USES_MAX 128u
#define PATHS_MAX 40u
#define SHUT_AGAIN_MS 200u

struct use {
	const struct permission *permission;
	char item[128], program[128];
	enum give give;
	uint64_t count, first_ms, last_ms;
};

struct shutting {
	struct shutting *next;
	struct session *session;
	size_t gate;
	struct loop_source *timer;
};

struct trial {
	uint64_t began_ms, ended_ms;
	struct use uses[USES_MAX];
	size_t use_count;
	uint64_t more; /* uses beyond the table */
	bool network_seen; /* this system has a gate for it */
	struct shutting *shutting;
	uint64_t files, outside, deleted, bytes;
	char home[PATH_SIZE];
	char *paths[PATHS_MAX];
	size_t path_count;
	/* while it is settled */
	struct broker *broker;
	uint64_t layers[2];
	void (*fn)(void *data, int code, const char *why);
	void *data;
};

struct trial *trial_create(void)
{
	return xcalloc(1, sizeof(struct trial));
}

static void forget_shutting(struct trial *trial)
{
	while (trial->shutting) {
		struct shutting *s = trial->shutting;

		trial->shutting = s->next;
		loop_remove(s->timer);
		free(s);
	}
}

void trial_free(struct trial *trial)
{
	if (!trial)
		return;
	forget_shutting(trial);
	for (size_t i = 0; i < trial->path_count; i++)
		free(trial->paths[i]);
	free(trial);
}

/* --- uses --- */

enum give trial_use(struct trial *trial, const struct permission *permission, const char *item, const char *program)
{
	uint64_t now = loop_boot_ms();
	struct use *use = NULL;

	for (size_t i = 0; i < trial->use_count && !use; i++) {
		if (trial->uses[i].permission == permission && strcmp(trial->uses[i].item, item) == 0)
			use = &trial->uses[i];
	}
	if (!use && trial->use_count == USES_MAX) {
		trial->more++;
		return permission->safe;
	}
	if (!use) {
		use = &trial->uses[trial->use_count++];
		use->permission = permission;
		use->first_ms = now;
		use->give = permission->safe;
		(void)snprintf(use->item, sizeof(use->item), "%s", item);
		(void)snprintf(use->program, sizeof(use->program), "%s", program);
	}
	use->count++;
	use->last_ms = now;
	return use->give;
}

static void on_shut(void *data)
{
	struct shutting *s = data, **p;
	struct session *session = s->session;
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_REVOKE, session->id);
	wr_u16(w, session->broker->gates[s->gate].id);
	session_send(session, w);
	free(w);
	for (p = &session->trial->shutting; *p != s; p = &(*p)->next)
		continue;
	*p = s->next;
	loop_remove(s->timer);
	free(s);
}

void trial_opened(struct session *session, size_t gate_index)
{
	struct shutting *s = xcalloc(1, sizeof(*s));

	s->session = session;
	s->gate = gate_index;
	s->next = session->trial->shutting;
	session->trial->shutting = s;
	s->timer = loop_add_timer(session->broker->loop, SHUT_AGAIN_MS, on_shut, s);
}

/* --- changes --- */

static void take_change(struct trial *trial, uint8_t kind, const char *path, uint64_t size)
{
	size_t n = strlen(trial->home);
	char shown[256];

	if (kind == ENTRY_DIR || kind == ENTRY_REPLACED || strncmp(path, ".cowbell", 8) == 0)
		return;
	if (kind == ENTRY_DELETED)
		trial->deleted++;
	else
		trial->files++;
	trial->bytes += size;
	if (n > 1 && strncmp(path, trial->home + 1, n - 1) == 0 && path[n - 1] == '/')
		return;
	trial->outside++;
	if (trial->path_count == PATHS_MAX)
		return;
	text_escape(path, strlen(path), shown, sizeof(shown));
	trial->paths[trial->path_count++] = xasprintf("/%s", shown);
}

static bool on_entries(void *data, struct rd *body)
{
	static char path[4096], target[4096];
	struct trial *trial = data;
	uint16_t n = rd_u16(body);
	uint8_t hash[32];

	for (uint16_t i = 0; i < n && !body->bad; i++) {
		uint8_t kind = rd_u8(body);
		uint64_t size;

		rd_str(body, path, sizeof(path));
		rd_str(body, target, sizeof(target));
		size = rd_u64(body);
		(void)rd_u32(body);
		(void)rd_u32(body);
		(void)rd_u32(body);
		(void)rd_u64(body);
		rd_bytes(body, hash, sizeof(hash));
		if (!body->bad)
			take_change(trial, kind, path, size);
	}
	return rd_end(body);
}

static void on_scanned(void *data, const struct job_result *result)
{
	struct trial *trial = data;
	void (*fn)(void *, int, const char *) = trial->fn;

	generation_drop_layers(trial->broker, trial->layers, ARRAY_LEN(trial->layers));
	fn(trial->data, result->code, result->why);
}

static const struct job_ops scan_ops = { .on_entries = on_entries, .on_done = on_scanned };

static int new_layer(struct broker *broker, uint64_t *ret, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, true, err);

	if (!txn)
		return -1;
	if (store_counter_add(txn, COUNTER_LAYER, 1, ret, err) < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

void trial_settle(struct session *session, void (*fn)(void *data, int code, const char *why), void *data)
{
	struct trial *trial = session->trial;
	struct job_result nothing = { 0 };
	struct err err = { 0 };
	struct wr *w;

	forget_shutting(trial);
	trial->ended_ms = loop_boot_ms();
	trial->began_ms = session->began_ms;
	trial->network_seen = access_has_gate(session->broker, permission_find("network"));
	trial->broker = session->broker;
	trial->fn = fn;
	trial->data = data;
	trial->layers[0] = session->upper;
	(void)snprintf(trial->home, sizeof(trial->home), "%s", session->broker->home);
	if (session->untouched || new_layer(session->broker, &trial->layers[1], &err) < 0) {
		on_scanned(trial, &nothing);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_SETTLE, 0);
	wr_u64(w, session->upper);
	wr_u64(w, trial->layers[1]);
	wr_u32(w, session->launch.base);
	wr_u16(w, session->launch.layer_count);
	for (uint16_t i = 0; i < session->launch.layer_count; i++)
		wr_u64(w, session->launch.layers[i]);
	(void)job_start(session->broker, w, -1, &scan_ops, trial);
	free(w);
}

/* --- the report --- */

json_t *trial_report(const struct trial *trial, const char *app, uint32_t status)
{
	json_t *uses = json_array(), *paths = json_array();

	for (size_t i = 0; i < trial->use_count; i++) {
		const struct use *u = &trial->uses[i];

		json_array_append_new(uses, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "permission", u->permission->name,
						      "item", u->item, "label", u->permission->label, "program", u->program,
						      "answer", give_name(u->give), "count", (json_int_t)u->count, "first_ms",
						      (json_int_t)(u->first_ms - trial->began_ms)));
	}
	for (size_t i = 0; i < trial->path_count; i++)
		json_array_append_new(paths, json_string(trial->paths[i]));
	return json_pack("{s:s, s:b, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:o}", "app", app, "network_seen",
			 trial->network_seen, "status", (json_int_t)status,
			 "ran_ms", (json_int_t)(trial->ended_ms - trial->began_ms), "uses", uses, "more",
			 (json_int_t)trial->more, "files", (json_int_t)trial->files, "deleted", (json_int_t)trial->deleted,
			 "outside", (json_int_t)trial->outside, "bytes", (json_int_t)trial->bytes, "paths", paths);
}
