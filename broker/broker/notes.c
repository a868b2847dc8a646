/* SPDX-License-Identifier: MIT */
#include "broker/notes.h"

#include "base/log.h"
#include "broker/lapse.h"

#define NOTES_MAX 64u /* then they are written at once */

struct notes {
	struct loop_source *timer;
	size_t count;
	struct history_record of[NOTES_MAX];
};

static int write_all(struct broker *broker, struct notes *notes, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, true, err);

	if (!txn)
		return -1;
	for (size_t i = 0; i < notes->count; i++) {
		if (lapse_used(broker, txn, &notes->of[i], err) < 0 ||
		    store_history_append(txn, &notes->of[i], err) < 0) {
			store_abort(txn);
			return -1;
		}
	}
	return store_commit(txn, err);
}

void notes_flush(struct broker *broker)
{
	struct notes *notes = broker->notes;
	struct err err = { 0 };

	if (!notes || !notes->count)
		return;
	loop_remove(notes->timer);
	notes->timer = NULL;
	if (write_all(broker, notes, &err) < 0)
		log_warn("history of '%s' not written: %s", notes->of[0].app, err.msg);
	notes->count = 0;
}

static void on_due(void *data)
{
	notes_flush(data);
}

void notes_later(struct broker *broker, const struct history_note *note)
{
	struct notes *notes = broker->notes;

	if (!notes)
		notes = broker->notes = xcalloc(1, sizeof(*notes));
	broker_note_fill(note, &notes->of[notes->count++]);
	if (!notes->timer)
		notes->timer = loop_add_timer(broker->loop, NOTES_DELAY_MS, on_due, broker);
	/* Without a timer nobody would come back for it. */
	if (notes->count == NOTES_MAX || !notes->timer)
		notes_flush(broker);
}

void notes_finish(struct broker *broker)
{
	if (broker->store)
		notes_flush(broker);
	free(broker->notes);
	broker->notes = NULL;
}
