/* SPDX-License-Identifier: MIT
 *
 * A grant and its history entry are one transaction: there is no answer that
 * history does not know, and no history of an answer that does not stand.
 */
#include "broker/answer.h"

#include "base/log.h"
#include "broker/access.h"
#include "broker/background.h"
#include "broker/listen.h"
#include "broker/network.h"
#include "broker/notes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int check(struct broker *broker, struct session *session, const struct answer *a, struct err *err)
{
	if (a->give > GIVE_ASK && !access_has_gate(broker, a->ref.permission)) {
		err_set(err, EINVAL, "%s cannot be given on this system: every use is refused", a->ref.permission->name);
		return err_hint(err, "cowbell doctor says what is missing");
	}
	if (!(a->ref.permission->answers & GIVE_BIT(a->give))) {
		char words[96] = "";
		size_t n = 0;

		for (int g = 0; g < GIVE_COUNT && n < sizeof(words); g++) {
			if (a->ref.permission->answers & GIVE_BIT(g))
				n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n ? ", " : "",
						      give_name((enum give)g));
		}
		err_set(err, EINVAL, "'%s' is no answer for %s", give_name(a->give), a->ref.permission->name);
		return err_hint(err, "%s", words);
	}
	if (a->lasts.lasts == LASTS_ONCE && !(network_is(a->ref.permission) && session)) {
		err_set(err, EINVAL, network_is(a->ref.permission)  ? "'once' answers a question; it cannot be granted for %s"
				     : listen_is(a->ref.permission) ? "'once' does not fit %s: a port that is open takes all who come"
								    : "'once' does not fit %s, which is given as a folder",
			a->ref.permission->name);
		return err_hint(err, "run, 90m, 4h, boot, always");
	}
	if (a->lasts.lasts == LASTS_RUN && !session && a->give != GIVE_ASK) {
		err_set(err, EINVAL, "'%s' does not run now, so an answer for this run has no use", a->app);
		return err_hint(err, "90m, 4h, boot, always");
	}
	return 0;
}

static void forget_session_answer(struct session *session, const struct permission *permission, const char *item,
				  bool all_items)
{
	for (struct session_answer **p = &session->answers; *p;) {
		struct session_answer *a = *p;

		if (a->permission != permission || (!all_items && strcmp(a->item, item) != 0)) {
			p = &a->next;
			continue;
		}
		*p = a->next;
		free(a);
	}
}

static void remember_session_answer(struct session *session, const struct answer *answer, uint64_t copy_serial)
{
	struct session_answer *a = xcalloc(1, sizeof(*a));

	a->permission = answer->ref.permission;
	(void)snprintf(a->item, sizeof(a->item), "%s", answer->ref.item);
	a->give = answer->give;
	a->copy_serial = copy_serial;
	a->next = session->answers;
	session->answers = a;
}

static int put_grant(struct broker *broker, struct store_txn *txn, const struct answer *answer,
		     struct answer_result *ret, struct err *err)
{
	struct grant_record grant = {
		.give = answer->give,
		.lasts = answer->lasts,
		.wall_ms = loop_wall_ms(),
		.copy_serial = ret->copy_serial,
		.locked = answer->lock,
		.used_powered_ms = broker_powered_now(broker),
	};

	(void)snprintf(grant.app, sizeof(grant.app), "%s", answer->app);
	(void)snprintf(grant.permission, sizeof(grant.permission), "%s", answer->ref.permission->name);
	(void)snprintf(grant.item, sizeof(grant.item), "%s", answer->ref.item);
	(void)snprintf(grant.boot_id, sizeof(grant.boot_id), "%s", broker->boot_id);
	(void)snprintf(grant.by, sizeof(grant.by), "%s", answer->by ? answer->by : "");
	if (answer->lasts.lasts == LASTS_TIME)
		grant.until_boot_ms = ret->until_boot_ms = loop_boot_ms() + answer->lasts.ms;
	return store_grant_put(txn, &grant, err);
}

/* An answer for an app that is not there would wait for the next one of its name. */
static int check_app(struct store_txn *txn, const char *app, struct err *err)
{
	struct app_record record = { 0 };
	int found = store_app_get(txn, app, &record, err);

	app_record_finish(&record);
	return found == 0 ? err_set(err, ENOENT, "no app '%s'", app) : found < 0 ? -1 : 0;
}

static int store_in_txn(struct broker *broker, struct session *session, struct store_txn *txn,
			const struct answer *answer, struct answer_result *ret, struct err *err)
{
	struct grant_record old = { 0 };
	const char *permission = answer->ref.permission->name;
	int found = store_grant_get(txn, answer->app, permission, answer->ref.item, &old, err);
	int rc = found < 0 ? -1 : 0;

	if (found == 1 && old.locked && broker_grant_live(broker, &old)) {
		err_set(err, EPERM, "the answer for %s is locked", permission);
		return err_hint(err, "cowbell unlock %s %s first; taking back needs no unlocking", answer->app, permission);
	}
	ret->before = found == 1 && broker_grant_live(broker, &old) ? old.give : GIVE_ASK;
	if (rc == 0 && answer->give == GIVE_COPY)
		rc = store_counter_add(txn, COUNTER_COPY, 1, &ret->copy_serial, err);
	if (rc == 0 && answer->give == GIVE_ASK)
		rc = store_grant_delete(txn, answer->app, permission, answer->ref.item, err) < 0 ? -1 : 0;
	else if (rc == 0 && answer->lasts.lasts > LASTS_RUN)
		rc = put_grant(broker, txn, answer, ret, err);
	if (rc == 0)
		rc = broker_note(broker, txn,
				 &(struct history_note){
					 .kind = HISTORY_DECISION,
					 .app = answer->app,
					 .permission = permission,
					 .item = answer->ref.item,
					 .what = answer->lock ? "locked" : "answered",
					 .why = answer->by,
					 .give = answer->give,
					 .before = ret->before,
					 .lasts = answer->lasts,
					 .session = session ? session->id : 0,
				 },
				 err);
	return rc;
}

int answer_store(struct broker *broker, struct session *session, const struct answer *answer,
		 struct answer_result *ret, struct err *err)
{
	struct session *live;
	struct store_txn *txn;

	memset(ret, 0, sizeof(*ret));
	if (check(broker, session, answer, err) < 0)
		return -1;
	notes_flush(broker);
	txn = store_begin(broker->store, true, err);
	if (!txn)
		return -1;
	if (check_app(txn, answer->app, err) < 0 || store_in_txn(broker, session, txn, answer, ret, err) < 0) {
		store_abort(txn);
		return -1;
	}
	if (store_commit(txn, err) < 0)
		return -1;
	if (session) {
		if (answer->lasts.lasts != LASTS_ONCE)
			forget_session_answer(session, answer->ref.permission, answer->ref.item, false);
		if (answer->lasts.lasts == LASTS_RUN && answer->give != GIVE_ASK)
			remember_session_answer(session, answer, ret->copy_serial);
	}
	live = session_find(broker, answer->app);
	if (live)
		access_stand_anew(live);
	return 0;
}

struct forget_walk {
	const struct permission_ref *ref;
	struct grant_record found[GRANTS_PER_APP_MAX]; /* all that there can be */
	size_t count;
};

static int collect_forgotten(void *data, const struct grant_record *grant)
{
	struct forget_walk *walk = data;

	if (strcmp(grant->permission, walk->ref->permission->name) == 0 &&
	    (!walk->ref->item[0] || strcmp(grant->item, walk->ref->item) == 0) &&
	    walk->count < ARRAY_LEN(walk->found))
		walk->found[walk->count++] = *grant;
	return 0;
}

static int forget_in_txn(struct broker *broker, struct store_txn *txn, struct session *session, const char *app,
			 const struct forget_walk *walk, const char *by, enum give before, struct err *err)
{
	for (size_t i = 0; i < walk->count; i++) {
		if (store_grant_delete(txn, app, walk->found[i].permission, walk->found[i].item, err) < 0)
			return -1;
	}
	return broker_note(broker, txn,
			   &(struct history_note){
				   .kind = HISTORY_DECISION,
				   .app = app,
				   .permission = walk->ref->permission->name,
				   .item = walk->ref->item,
				   .what = "revoked",
				   .why = by,
				   .give = GIVE_ASK,
				   .before = before,
				   .session = session ? session->id : 0,
			   },
			   err);
}

int answer_forget(struct broker *broker, struct session *session, const char *app, const struct permission_ref *ref,
		  const char *by, char *ret_was, size_t was_size, struct err *err)
{
	struct forget_walk *walk = xcalloc(1, sizeof(*walk));
	struct store_txn *txn;
	enum give before = GIVE_ASK;
	int rc = -1;

	walk->ref = ref;
	notes_flush(broker);
	txn = store_begin(broker->store, true, err);
	if (!txn)
		goto out;
	if (store_grant_each(txn, app, collect_forgotten, walk, err) < 0)
		goto drop;
	if (walk->count && broker_grant_live(broker, &walk->found[0]))
		before = walk->found[0].give;
	for (struct session_answer *a = session ? session->answers : NULL; a; a = a->next) {
		if (a->permission == ref->permission && (!ref->item[0] || strcmp(a->item, ref->item) == 0))
			before = a->give;
	}
	if (forget_in_txn(broker, txn, session, app, walk, by, before, err) < 0)
		goto drop;
	rc = store_commit(txn, err);
	txn = NULL;
	if (rc == 0) {
		(void)snprintf(ret_was, was_size, "%s", give_name(before));
		if (session)
			forget_session_answer(session, ref->permission, ref->item, ref->item[0] == '\0');
	}
drop:
	store_abort(txn);
out:
	free(walk);
	return rc;
}

static int recall_one(void *data, const struct history_record *entry)
{
	struct session *session = data;
	struct answer answer = { .give = entry->give, .ref = { .permission = permission_find(entry->permission) } };

	if (entry->kind != HISTORY_DECISION || entry->session != session->id || !answer.ref.permission ||
	    (entry->lasts.lasts == LASTS_ONCE && entry->give != GIVE_ASK))
		return 0;
	(void)snprintf(answer.ref.item, sizeof(answer.ref.item), "%s", entry->item);
	/* Whatever was said later, also a revoke, stands before what was said earlier. */
	forget_session_answer(session, answer.ref.permission, entry->item, entry->give == GIVE_ASK && !entry->item[0]);
	if (entry->give != GIVE_ASK && entry->give != GIVE_COPY && entry->lasts.lasts <= LASTS_RUN)
		remember_session_answer(session, &answer, 0);
	return 0;
}

void answer_recall(struct broker *broker, struct session *session)
{
	struct err err = { 0 };
	struct store_txn *txn;

	if (session->id >= SESSION_UNNUMBERED)
		return;
	txn = store_begin(broker->store, false, &err);
	if (!txn || store_history_each(txn, session->app, NULL, 0, recall_one, session, &err) < 0)
		log_warn("what was answered for this run of '%s' is asked again: %s", session->app, err.msg);
	store_abort(txn);
}

static const char *what_it_sees(enum give give)
{
	switch (give) {
	case GIVE_NO:
		return "gets an error for";
	case GIVE_ASK:
		return "will ask again for";
	case GIVE_EMPTY:
		return "sees an empty one in place of";
	case GIVE_COPY:
		return "has a private copy of";
	case GIVE_READ:
		return "can read, not change,";
	case GIVE_WRITE:
		return "can read and change";
	case GIVE_ALLOW:
	case GIVE_CHOSEN:
		return "can use";
	case GIVE_COUNT:
		break;
	}
	return "gets an error for";
}

void answer_says(const struct answer *answer, char *buf, size_t size)
{
	char until[64] = "", word[DURATION_TEXT_SIZE];

	if (background_is(answer->ref.permission)) {
		(void)snprintf(buf, size, "%s %s. Change it: cowbell permissions %s", answer->app,
			       answer->give == GIVE_ALLOW ? "may go on in the background"
							  : "ends with the command that started it", answer->app);
		return;
	}
	duration_format(answer->lasts, word);
	switch (answer->lasts.lasts) {
	case LASTS_ONCE:
		(void)snprintf(until, sizeof(until), " this once");
		break;
	case LASTS_RUN:
		(void)snprintf(until, sizeof(until), " until it ends");
		break;
	case LASTS_TIME:
		(void)snprintf(until, sizeof(until), " for %s", word);
		break;
	case LASTS_BOOT:
		(void)snprintf(until, sizeof(until), " until the device restarts");
		break;
	case LASTS_ALWAYS:
	case LASTS_COUNT:
		(void)snprintf(until, sizeof(until), " from now on");
		break;
	}
	if (listen_is(answer->ref.permission)) {
		(void)snprintf(buf, size, "%s %s from the network%s%s%s. Change it: cowbell permissions %s", answer->app,
			       answer->give == GIVE_ALLOW ? "can be reached"
			       : answer->give == GIVE_ASK ? "will ask again before it can be reached"
							  : "cannot be reached",
			       answer->ref.item[0] ? " at port " : "", answer->ref.item, until, answer->app);
		return;
	}
	(void)snprintf(buf, size, "%s %s %s%s%s%s. Change it: cowbell permissions %s", answer->app,
		       what_it_sees(answer->give), answer->ref.permission->label, answer->ref.item[0] ? ": " : "",
		       answer->ref.item, until, answer->app);
}
