/* SPDX-License-Identifier: MIT
 *
 * What is launched is what the store says at this moment; a run that could not
 * be recorded is ended before it is let in.
 */
#include "broker/session_launch.h"

#include "broker/base_change.h"
#include "broker/install.h"
#include "broker/job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PIDS_MAX 4096u
#define INSTALLER_PIDS_MAX 1024u

/* Parts of four of what the device has, and 256 MB where that is little. */
static uint64_t memory_part(unsigned int quarters)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t part = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 4 * quarters : 0;

	return part < ((uint64_t)256 << 20) ? (uint64_t)256 << 20 : part;
}

/* Marks the app as in session and notes the run: one synced transaction, while
 * the supervisor already builds the root. */
static int record_launch(struct session *session, struct err *err)
{
	struct broker *broker = session->broker;
	struct store_txn *txn = store_begin(broker->store, true, err);
	struct app_record app = { 0 };
	struct history_note note = {
		.kind = HISTORY_LIFE,
		.app = session->app,
		.what = "run",
		.session = session->id,
	};
	int rc = -1;

	if (!txn)
		return -1;
	if (store_app_get(txn, session->app, &app, err) == 1) {
		app.in_session = true;
		app.live = session->upper;
		rc = store_app_put(txn, &app, err);
		if (rc == 0 && session->kind == SESSION_RUN)
			rc = broker_note(broker, txn, &note, err);
	}
	app_record_finish(&app);
	if (rc < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}

int session_load_launch(struct session *session, struct err *err)
{
	struct store_txn *txn = store_begin(session->broker->store, false, err);
	struct generation_record head = { 0 };
	struct app_record app = { 0 };
	int rc = -1;

	if (!txn)
		return -1;
	if (store_app_get(txn, session->app, &app, err) != 1) {
		rc = err_set(err, ENOENT, "no app '%s'", session->app);
		goto out;
	}
	if (app.state != (session->kind == SESSION_INSTALL && !session->rebuild ? APP_INSTALLING : APP_READY) &&
	    !(session->trial && app.state == APP_INSTALLING)) {
		rc = err_set(err, EBUSY, "app '%s' is not ready to run", session->app);
		goto out;
	}
	(void)snprintf(session->launch.app, sizeof(session->launch.app), "%s", session->app);
	session->launch.base = app.base;
	session->launch.kind = session->kind;
	session->launch.pids_max = session->kind == SESSION_INSTALL ? INSTALLER_PIDS_MAX : PIDS_MAX;
	if (session->kind == SESSION_INSTALL)
		session->launch.memory_max = memory_part(2);
	else
		session->launch.memory_max = app.memory_max ? app.memory_max : memory_part(3);
	if (session->kind == SESSION_RUN && app.pids_max && app.pids_max < PIDS_MAX)
		session->launch.pids_max = app.pids_max;
	if (session->rebuild) {
		session->launch.upper = session->upper;
		rc = 0;
		goto out;
	}
	session->launch.upper = session->upper = session->trial ? 0 : app.live;
	if (app.head && store_generation_get(txn, session->app, app.head, &head, err) != 1) {
		rc = err_set(err, EIO, "generation %u of '%s' cannot be read", app.head, session->app);
		err_hint(err, "cowbell generations %s; cowbell rollback %s N", session->app, session->app);
		goto out;
	}
	session->launch.layer_count = head.layer_count;
	memcpy(session->launch.layers, head.layers, sizeof(head.layers));
	session->unsettled = app.in_session && app.live && session->kind == SESSION_RUN && !session->trial;
	rc = 0;
out:
	app_record_finish(&app);
	store_abort(txn);
	return rc;
}

static void send_launch(struct session *session)
{
	struct wr *w = xcalloc(1, sizeof(*w));
	struct err err = { 0 };

	chan_begin(w, MSG_LAUNCH, session->id);
	launch_encode(w, &session->launch);
	chan_send(session->broker->parent, w, NULL, 0);
	free(w);
	/* Until it is settled no record names a layer that is being built anew. */
	if (!session->rebuild && !session->trial && record_launch(session, &err) < 0) {
		(void)snprintf(session->why, sizeof(session->why), "%s", err.msg);
		session->untouched = true; /* no command was let in */
		session_end(session);
	}
}

/* --- an upper of its own making --- */

static void on_upper_made(void *data, const struct job_result *result)
{
	struct session *session = data;

	session->preparing = NULL;
	if (result->code) {
		session_abort(session, result->why);
		return;
	}
	session->launch.upper = session->upper;
	send_launch(session);
}

static const struct job_ops upper_ops = { .on_done = on_upper_made };

/* Usually an upper stands ready; after a disk was full there is none. */
static void make_upper(struct session *session)
{
	struct err err = { 0 };
	struct store_txn *txn = store_begin(session->broker->store, true, &err);
	struct wr *w;

	if (!txn || store_counter_add(txn, COUNTER_LAYER, 1, &session->upper, &err) < 0) {
		store_abort(txn);
		session_abort(session, err.msg);
		return;
	}
	if (store_commit(txn, &err) < 0) {
		session_abort(session, err.msg);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_PREPARE, 0);
	wr_u64(w, session->upper);
	wr_u64(w, session->launch.layer_count ? session->launch.layers[0] : 0);
	wr_u32(w, session->launch.base);
	session->preparing = job_start(session->broker, w, -1, &upper_ops, session);
	free(w);
}

/* --- an install made on another base --- */

static void on_rebuilt(void *data, int code, const char *why)
{
	struct session *session = data;

	session->rebuilding = NULL;
	if (session->state != SESSION_WAITING) {
		session_abort(session, "ended before it began");
		return;
	}
	if (code) {
		(void)snprintf(session->why, sizeof(session->why),
			       "'%s' was installed on another state of this system, and installing it anew failed: %.240s "
			       "(cowbell run --old-base %s runs it as it is)",
			       session->app, why, session->app);
		session_abort(session, session->why);
		return;
	}
	session_launch(session);
}

static bool rebuild_first(struct session *session)
{
	if (session->kind != SESSION_RUN || session->old_base || session->trial || !install_is_stale(session->broker, session->app))
		return false;
	session_notice(session, "the system below this app has changed: it is installed anew first");
	session->rebuilding = install_rebuild(session->broker, session->app, on_rebuilt, session);
	return true;
}

void session_launch(void *data)
{
	struct session *session = data;
	struct err err = { 0 };

	if (session->state == SESSION_WAITING && base_change_under_way(session->broker)) {
		err_set(&err, EBUSY, "%s (again when that is done)", base_change_why);
		session_abort(session, err.msg);
		return;
	}
	if (session->state == SESSION_WAITING && rebuild_first(session))
		return;
	if (session->state != SESSION_WAITING || session_load_launch(session, &err) < 0) {
		session_abort(session, err.msg[0] ? err.msg : "ended before it began");
		return;
	}
	session->state = SESSION_LAUNCHING;
	if (session->unsettled)
		session_notice(session, "what its last run changed is not a generation yet; this run goes on from there");
	if (session->upper)
		send_launch(session);
	else
		make_upper(session);
}
