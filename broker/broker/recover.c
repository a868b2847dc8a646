/* SPDX-License-Identifier: MIT
 *
 * A start after any death. Order: collect garbage first (nothing else works on
 * layers yet), then, per app and while others may already run: what was being
 * installed goes, what was being removed goes on going, and what a session left
 * becomes a generation marked unclean.
 */
#include "broker/recover.h"

#include "base/log.h"
#include "broker/generation.h"
#include "broker/install.h"
#include "broker/job.h"
#include "broker/turn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct task {
	struct task *next;
	struct broker *broker;
	struct turn *turn;
	char app[APP_ID_SIZE];
	bool remove; /* else its last session is settled */
};

struct recovery {
	struct broker *broker;
	char *const *live;
	struct task *tasks;
	void (*fn)(struct broker *broker);
};

static void task_end(struct task *task)
{
	turn_end(task->turn);
	free(task);
}

static void on_removed(void *data, uint32_t generations, uint64_t bytes, const struct err *err)
{
	struct task *task = data;

	(void)generations;
	(void)bytes;
	if (err)
		log_warn("'%s' is not wholly removed yet: %s", task->app, err->msg);
	task_end(task);
}

static void on_settled(void *data, int code, const char *why)
{
	struct task *task = data;

	if (code)
		log_warn("what the last run of '%s' left is not settled: %s", task->app, why);
	else
		log_info("the last run of '%s' did not end by itself; what it left was kept", task->app);
	task_end(task);
}

static void on_turn(void *data)
{
	struct task *task = data;

	if (task->remove)
		install_remove(task->broker, task->app, on_removed, task);
	else
		generation_settle_unclean(task->broker, task->app, on_settled, task);
}

static bool is_live(char *const *live, const char *app)
{
	for (; live && *live; live++) {
		if (strcmp(*live, app) == 0)
			return true;
	}
	return false;
}

static int look_at_app(void *data, const struct app_record *app)
{
	struct recovery *r = data;
	struct task *task;

	if (app->state == APP_BROKEN) {
		log_warn("the record of '%s' is broken; it cannot run (cowbell uninstall %s)", app->id, app->id);
		return 0;
	}
	if (is_live(r->live, app->id) || (app->state == APP_READY && !app->in_session))
		return 0;
	task = xcalloc(1, sizeof(*task));
	task->broker = r->broker;
	task->remove = app->state != APP_READY;
	(void)snprintf(task->app, sizeof(task->app), "%s", app->id);
	task->next = r->tasks;
	r->tasks = task;
	return 0;
}

static void on_collected(void *data, const struct job_result *result)
{
	struct recovery *r = data;
	struct broker *broker = r->broker;
	void (*fn)(struct broker *) = r->fn;

	if (result->code)
		log_warn("unused layers not deleted: %s", result->why);
	while (r->tasks) {
		struct task *task = r->tasks;

		r->tasks = task->next;
		task->turn = turn_request(broker, task->app, on_turn, task);
	}
	free(r);
	generation_cleanup(broker);
	fn(broker);
}

static const struct job_ops collect_ops = { .on_done = on_collected };

void recover_start(struct broker *broker, char *const *live, void (*fn)(struct broker *broker))
{
	struct recovery *r = xcalloc(1, sizeof(*r));
	struct store_txn *txn;
	struct err err = { 0 };
	uint64_t *keep = NULL, newest = 0;
	size_t count = 0;

	r->broker = broker;
	r->live = live;
	r->fn = fn;
	txn = store_begin(broker->store, true, &err);
	if (!txn || store_app_each(txn, look_at_app, r, &err) < 0 ||
	    store_counter_add(txn, COUNTER_LAYER, 0, &newest, &err) < 0)
		fatal("the store cannot be read: %s", err.msg);
	store_abort(txn);
	if (generation_referenced(broker, &keep, &count, &err) < 0)
		fatal("the store cannot be read: %s", err.msg);
	r->live = NULL;
	if (store_broken_records(broker->store)) {
		/* A record that cannot be read may name layers: none may go. */
		struct job_result nothing = { 0 };

		log_warn("%llu broken records: unused layers are left in place",
			 (unsigned long long)store_broken_records(broker->store));
		on_collected(r, &nothing);
	} else {
		(void)job_start_gc(broker, keep, count, newest, &collect_ops, r);
	}
	free(keep);
}
