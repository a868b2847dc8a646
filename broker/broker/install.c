/* SPDX-License-Identifier: MIT
 *
 * The life of an install: an app that nobody sees yet, a session in which its
 * commands run, and at the end either an app or nothing of it.
 */
#include "broker/install_impl.h"

#include "base/log.h"
#include "broker/runner.h"
#include "broker/turn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct install *installs;

void install_free(struct install *in)
{
	struct install **p;

	for (p = &installs; *p != in; p = &(*p)->next)
		continue;
	*p = in->next;
	for (size_t i = 0; i < ARRAY_LEN(in->fds); i++) {
		if (in->fds[i] >= 0)
			(void)close(in->fds[i]);
	}
	for (size_t i = 0; i < in->file_count; i++)
		(void)close(in->files[i]);
	free(in->files);
	loop_remove(in->fields_source);
	if (in->fields_fd >= 0)
		(void)close(in->fields_fd);
	install_output_close(in);
	install_limits_end(in);
	install_plan_finish(&in->plan);
	job_cancel(in->feeding);
	turn_end(in->purge_turn);
	install_compare_cancel(in);
	packages_cancel(in->asking);
	inspect_cancel(in->reading);
	inspect_entries_finish(&in->entries);
	strv_free(in->names);
	for (size_t i = 0; i < ARRAY_LEN(in->came_names); i++)
		free(in->came_names[i]);
	for (size_t i = 0; i < in->depend_count; i++)
		free(in->depends[i]);
	free(in->depends);
	client_destroy(in->client);
	free(in);
}

static void install_say(struct install *in, uint32_t status, const char *why)
{
	if (status == 0)
		client_exit(in->client, 0);
	else
		client_fail(in->client, status, why);
	install_free(in);
}

static void on_purged(void *data, uint32_t generations, uint64_t bytes, const struct err *err)
{
	struct install *in = data;

	(void)generations;
	(void)bytes;
	if (err)
		log_warn("what was left of '%s' is not deleted yet: %s", in->id, err->msg);
	install_say(in, in->status ? in->status : 1, in->why);
}

/* Not installed: says why once everything of it is gone again. */
void install_purge(struct install *in, const char *why)
{
	if (!in->why[0])
		(void)snprintf(in->why, sizeof(in->why), "%s", why);
	if (in->update && in->newest)
		client_exit(in->client, 0);
	else if (in->update)
		client_fail(in->client, in->status ? in->status : 1, in->why);
	if (in->rebuilt) {
		install_rebuild_over(in, in->why);
		return;
	}
	if (!in->base) {
		install_say(in, 1, in->why);
		return;
	}
	install_remove(in->broker, in->id, on_purged, in);
}

void install_fail(struct install *in, const char *why)
{
	if (!in->why[0])
		(void)snprintf(in->why, sizeof(in->why), "%s", why);
	in->failed = true;
	packages_cancel(steal_ptr(&in->asking));
	inspect_cancel(steal_ptr(&in->reading));
	install_compare_cancel(in);
	if (in->session) {
		in->session->discard = in->rebuilt != NULL;
		session_end(in->session); /* on_over goes on */
	}
	else if (in->update && in->purge_turn && !in->prepared)
		return; /* its turn, or the keeper that makes its layer, goes on */
	else if (!in->base || in->prepared)
		install_purge(in, why);
	/* else a keeper still makes its layer: on_prepared goes on */
}

/* --- an app that is held for a trial --- */

static void on_let_go_turn(void *data)
{
	struct install *in = data;

	install_purge(in, "the trial is over");
}

/* Its person has seen enough, or is gone: nothing of it stays. */
static void install_let_go(struct install *in)
{
	struct session *session = session_any(in->broker, in->id);

	if (in->purge_turn)
		return;
	in->purge_turn = turn_request(in->broker, in->id, on_let_go_turn, in);
	if (session)
		session_end(session);
}

/* --- becoming an app --- */

int install_switch(void *data, struct store_txn *txn, struct app_record *app, struct err *err)
{
	struct install *in = data;

	in->about.entries = &in->entries;
	in->switched = true;
	return install_name_apply(txn, app, &in->about, err);
}

void install_over(void *data, int code, const char *why)
{
	struct install *in = data;
	struct err err = { 0 };
	char text[128];

	in->session = NULL;
	in->command = NULL;
	install_limits_end(in);
	if (in->failed || code || !in->done) {
		install_purge(in, in->why[0] ? in->why : why[0] ? why : "the install was cut off");
		return;
	}
	in->about.entries = &in->entries;
	if (in->rebuilt) {
		if (!in->switched && install_name_entries(in->broker, in->id, &in->about, &err) < 0)
			log_warn("'%s': its programs are not noted: %s", in->id, err.msg);
		if (in->update)
			client_exit(in->client, 0);
		install_rebuild_over(in, "");
		return;
	}
	if (install_name_finish(in->broker, in->id, &in->about, &err) < 0) {
		install_purge(in, err.msg);
		return;
	}
	if (in->trial) {
		in->held = true;
		in->permille = 0;
		(void)snprintf(text, sizeof(text), "%s %.40s", in->id, in->about.title);
		client_text(in->client, STREAM_TEXT, text);
		if (!in->client)
			install_let_go(in);
		return;
	}
	if (strcmp(in->about.kind, "command") == 0)
		install_tell_changes(in);
	install_progress(in, 1000, in->name);
	install_tell_done(in);
	install_say(in, 0, "");
}

void install_begin_if_ready(struct install *in)
{
	if (in->prepared && in->have_fds && !in->session && !in->failed && !in->feeding)
		install_fetch(in);
}

/* --- the provisional app --- */

static void on_prepared(void *data, const struct job_result *result)
{
	struct install *in = data;

	in->prepared = true;
	in->disk_bytes = result->bytes;
	in->disk_inodes = result->entries;
	if (result->code) {
		install_fail(in, result->why);
		return;
	}
	if (in->failed)
		install_purge(in, in->why);
	else
		install_begin_if_ready(in);
}

static const struct job_ops prepare_ops = { .on_done = on_prepared };

static void provision(struct install *in, bool may_ask)
{
	struct app_record app;
	struct err err = { 0 };
	struct wr *w;

	if (install_name_provision(in->broker, in->name, &app, &err) < 0) {
		if (err.code != ENOSPC || !may_ask || in->wants_range) {
			install_fail(in, err.msg);
			return;
		}
		in->wants_range = true;
		w = xcalloc(1, sizeof(*w));
		chan_begin(w, MSG_RANGES_WANTED, 0);
		chan_send(in->broker->parent, w, NULL, 0);
		free(w);
		return;
	}
	(void)snprintf(in->id, sizeof(in->id), "%s", app.id);
	in->base = app.base;
	in->layer = app.live;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_PREPARE, 0);
	wr_u64(w, in->layer);
	wr_u64(w, 0);
	wr_u32(w, in->base);
	(void)job_start(in->broker, w, -1, &prepare_ops, in);
	free(w);
}

void install_ranges_came(struct broker *broker)
{
	struct install *next;

	(void)broker;
	for (struct install *in = installs; in; in = next) {
		next = in->next;
		if (in->wants_range && !in->base && !in->failed)
			provision(in, false);
	}
}

/* --- the client --- */

static void on_client_fds(void *data, int *fds, size_t count)
{
	struct install *in = data;

	if (count != 3 + in->want_files) {
		install_fail(in, "the client did not pass the package");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (!(i < 3 && (in->tty & (1u << i))) && !runner_fd_passes(fds[i])) {
			install_fail(in, "descriptors must be files, pipes or stream sockets");
			return;
		}
	}
	memcpy(in->fds, fds, sizeof(in->fds));
	in->files = xcalloc(in->want_files + 1, sizeof(*in->files));
	memcpy(in->files, fds + 3, in->want_files * sizeof(*fds));
	in->file_count = in->want_files;
	for (size_t i = 0; i < count; i++)
		fds[i] = -1;
	in->have_fds = true;
	install_begin_if_ready(in);
}

static void on_client_signal(void *data, uint32_t signo)
{
	struct install *in = data;

	/* A command is the person's: what it makes of a signal is its business. */
	if (in->command && in->plan.steps[in->step].with_person) {
		command_signal(in->command, signo);
		return;
	}
	if (in->held)
		install_let_go(in);
	if (in->failed || in->done)
		return;
	in->status = 128 + (signo & 127);
	install_fail(in, "interrupted; nothing was installed");
}

static void on_client_gone(void *data)
{
	struct install *in = data;

	in->client = NULL;
	if (in->held)
		install_let_go(in);
	else if (!in->failed && !in->done)
		install_fail(in, "the person left");
}

static const struct client_ops client_ops = {
	.on_fds = on_client_fds,
	.on_signal = on_client_signal,
	.on_gone = on_client_gone,
};

struct install *install_new(struct broker *broker)
{
	struct install *in = xcalloc(1, sizeof(*in));

	in->broker = broker;
	in->fields_fd = in->output_fd = in->fds[0] = in->fds[1] = in->fds[2] = -1;
	in->next = installs;
	installs = in;
	return in;
}

static int take_names(struct install *in, const struct install_request *r, struct err *err)
{
	size_t n = 0;

	if (r->file_count)
		return err_set(err, EINVAL, "files came with the name of a package");
	while (r->argv && r->argv[n]) {
		if (!package_name_good(r->argv[n]))
			return packages_refuse_name(r->argv[n], err);
		if (++n > INSTALL_FILES_MAX)
			return err_set(err, E2BIG, "more than %u packages at once", INSTALL_FILES_MAX);
	}
	if (!n)
		return err_set(err, EINVAL, "no package was named");
	if (!r->name[0] && !r->trial && install_name_check(in->broker, r->argv[0], err) < 0)
		return -1;
	in->names = xcalloc(n + 1, sizeof(*in->names));
	for (size_t i = 0; i < n; i++)
		in->names[i] = xstrdup(r->argv[i]);
	(void)snprintf(in->about.package, sizeof(in->about.package), "%s", in->names[0]);
	return 0;
}

struct install *install_create(struct broker *broker, const struct install_request *r, uint64_t *ret_session,
			       struct err *err)
{
	struct install *in;

	if (r->name[0] && !r->trial && install_name_check(broker, r->name, err) < 0)
		return NULL;
	if (!r->name[0] && strcmp(r->kind, "deb") != 0 && strcmp(r->kind, "name") != 0 &&
	    strcmp(r->kind, "bundle") != 0) {
		err_set(err, EINVAL, "a %s has no name of its own", r->kind);
		err_hint(err, "--name APP");
		return NULL;
	}
	if (r->file_count > INSTALL_FILES_MAX) {
		err_set(err, E2BIG, "more than %u packages at once", INSTALL_FILES_MAX);
		return NULL;
	}
	in = install_new(broker);
	if (strcmp(r->kind, "name") == 0 ? take_names(in, r, err) < 0 : install_plan_make(&in->plan, r, err) < 0) {
		install_free(in);
		return NULL;
	}

	in->want_files = r->file_count;
	in->bundle = strcmp(r->kind, "bundle") == 0;
	in->packages = strcmp(r->kind, "deb") == 0 || in->names || in->bundle;
	(void)snprintf(in->accepted_key, sizeof(in->accepted_key), "%.60s", r->key ? r->key : "");
	in->tty = (uint8_t)(r->tty & RUN_TTY_ANY);
	in->rows = r->rows;
	in->columns = r->columns;
	in->timeout_ms = (r->timeout_s < 31 * 86400u ? r->timeout_s : 31 * 86400u) * 1000;
	in->trial = in->about.trial = r->trial;
	if (!in->trial)
		(void)snprintf(in->name, sizeof(in->name), "%s", r->name[0] || !in->names ? r->name : in->names[0]);
	(void)snprintf(in->about.kind, sizeof(in->about.kind), "%s", in->names ? "deb" : r->kind);
	text_escape(r->source, strlen(r->source), in->about.source, sizeof(in->about.source));
	*ret_session = 0;
	return in;
}

void install_attach(struct install *in, int fd)
{
	in->client = client_create(in->broker, fd, &client_ops, in);
	if (!in->client)
		install_free(in);
	else if (in->update)
		install_update_begin(in);
	else
		provision(in, true);
}

void install_abandon(struct install *in)
{
	install_free(in);
}
