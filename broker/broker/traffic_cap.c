/* SPDX-License-Identifier: MIT
 *
 * Monthly caps. The kernel counts and refuses; here is only how much is left, and
 * the turn of the month for a session that has used its own up.
 */
#include "broker/traffic_state.h"

#include "base/log.h"
#include "policy/reach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define UNCAPPED UINT64_MAX
#define MONTH_CHECK_MS (24u * 3600u * 1000u) /* a timer of a month would not fit */

static const char *scope_words(bool local)
{
	return local ? "the local network" : "the internet";
}

static void send_cap(struct session *session, bool local, uint64_t bytes)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_NET_CAP, session->id);
	wr_u8(w, local);
	wr_u64(w, bytes);
	session_send(session, w);
	free(w);
}

/* What is left of the month, by the store and what the session said since. -1 with
 * err: nobody knows. */
static int left_of(struct session *session, bool local, uint64_t *ret_cap, uint64_t *ret_left, struct err *err)
{
	struct traffic *t = session->traffic;
	struct store_txn *txn = store_begin(session->broker->store, false, err);
	struct traffic_record r = { 0 };
	int rc = txn ? store_traffic_get(txn, session->app, traffic_item(local), &r, err) : -1;
	uint64_t used;

	store_abort(txn);
	*ret_cap = r.cap;
	*ret_left = r.cap ? 0 : UNCAPPED;
	if (rc < 0)
		return -1;
	if (!r.cap)
		return 0;
	traffic_turn_month(&r);
	if (t && t->count >= 2)
		traffic_add_session(&r, session->id, &t->of[local].bytes);
	used = r.this_month.up + r.this_month.down;
	if (used < r.cap && r.spent != r.month)
		*ret_left = r.cap - used;
	return 0;
}

static void on_next_month(void *data)
{
	struct session *session = data;
	struct traffic *t = session->traffic;

	loop_remove(t->next_month);
	t->next_month = NULL;
	if (t->month < traffic_month())
		traffic_begin(session);
	else if (t->spent[0] || t->spent[1])
		t->next_month = loop_add_timer(session->broker->loop, MONTH_CHECK_MS, on_next_month, session);
}

static uint64_t ms_to_next_month(void)
{
	time_t now = (time_t)(loop_wall_ms() / 1000), next;
	struct tm tm = { 0 };

	(void)localtime_r(&now, &tm);
	tm = (struct tm){ .tm_year = tm.tm_year, .tm_mon = tm.tm_mon + 1, .tm_mday = 1, .tm_isdst = -1 };
	next = mktime(&tm);
	return next > now ? (uint64_t)(next - now) * 1000 + 1000 : MONTH_CHECK_MS;
}

void traffic_set_spent(struct session *session, bool local)
{
	struct traffic *t = traffic_of(session);
	uint64_t ms = ms_to_next_month();

	t->spent[local] = true;
	t->month = traffic_month();
	if (!t->next_month)
		t->next_month = loop_add_timer(session->broker->loop, ms < MONTH_CHECK_MS ? ms : MONTH_CHECK_MS, on_next_month,
					       session);
}

void traffic_tell_cap(struct session *session, bool local)
{
	struct err err = { 0 };
	uint64_t cap, left;
	bool unknown = left_of(session, local, &cap, &left, &err) < 0;
	struct traffic *t = session->traffic;

	/* Without one there is nothing to tell, unless there was one. */
	if (!unknown && !cap && !t)
		return;
	if (unknown) {
		log_warn("%s is refused to '%s': %s", scope_words(local), session->app, err.msg);
		left = 0;
	}
	t = traffic_of(session);
	t->spent[local] = t->said[local] = false;
	t->capped[local] = traffic_month();
	if (left == 0)
		traffic_set_spent(session, local);
	send_cap(session, local, left);
}

bool traffic_is_of_month(const struct session *session, bool local)
{
	return session->traffic->capped[local] >= traffic_month();
}

void traffic_begin(struct session *session)
{
	if (session->kind != SESSION_RUN || session->trial)
		return;
	traffic_tell_cap(session, false);
	traffic_tell_cap(session, true);
}

struct adopted {
	struct broker *broker;
	uint64_t id;
};

static void on_adopted_looked(void *data)
{
	struct adopted *a = data;
	struct session *session = session_by_id(a->broker, a->id);

	free(a);
	if (session)
		traffic_begin(session);
}

void traffic_adopted(struct session *session)
{
	struct adopted *a = xcalloc(1, sizeof(*a));

	a->broker = session->broker;
	a->id = session->id;
	traffic_look(session->broker, session->app, on_adopted_looked, a);
}

void traffic_session_gone(struct session *session)
{
	if (session->traffic)
		loop_remove(session->traffic->next_month);
	free(session->traffic);
	session->traffic = NULL;
}

void traffic_say_spent(struct session *session, bool local)
{
	struct traffic *t = session->traffic;
	const char *item = local ? ":" REACH_LOCAL : "";
	char text[700], why[300], size[32];
	struct err err = { 0 };
	uint64_t cap, left;

	if (t->said[local])
		return;
	t->said[local] = true;
	if (left_of(session, local, &cap, &left, &err) < 0) {
		(void)snprintf(why, sizeof(why), "%.250s", err.msg);
		(void)snprintf(text, sizeof(text), "%s is refused %s: %s (cowbell cap %s network%s SIZE|off)", session->app,
			       scope_words(local), why, session->app, item);
	} else {
		text_size(cap, size, sizeof(size));
		(void)snprintf(why, sizeof(why), "its monthly cap of %s is used up", size);
		(void)snprintf(text, sizeof(text),
			       "%s has used its %s of %s for this month and is refused there (cowbell cap %s network%s SIZE)",
			       session->app, size, scope_words(local), session->app, item);
	}
	session_notice(session, text);
	broker_note_alone(session->broker, &(struct history_note){
						   .kind = HISTORY_ACCESS,
						   .app = session->app,
						   .permission = "network",
						   .item = traffic_item(local),
						   .what = "refused",
						   .why = why,
						   .give = GIVE_NO,
						   .session = session->id,
					   });
}

bool traffic_is_spent(struct session *session, bool local)
{
	struct traffic *t = session->traffic;

	if (!t || !t->spent[local])
		return false;
	if (t->month != traffic_month())
		traffic_begin(session);
	if (t->spent[local])
		traffic_say_spent(session, local);
	return t->spent[local];
}

int traffic_cap(struct broker *broker, const char *app, const char *item, uint64_t bytes, const char *by,
		struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, true, err);
	struct session *session = session_find(broker, app);
	struct traffic_record r;
	char size[32], why[120];

	if (!txn)
		return -1;
	text_size(bytes, size, sizeof(size));
	(void)snprintf(why, sizeof(why), "%s: %s, by %.60s", scope_words(item[0] != '\0'), bytes ? size : "no cap", by);
	/* One that cannot be read begins anew: now somebody says what the cap is. */
	if (store_traffic_get(txn, app, item, &r, err) < 0 && err->code != EBADMSG)
		goto fail;
	*err = (struct err){ 0 };
	(void)snprintf(r.app, sizeof(r.app), "%s", app);
	(void)snprintf(r.item, sizeof(r.item), "%s", item);
	r.local = item[0] != '\0';
	traffic_set_cap(&r, bytes);
	if (store_traffic_put(txn, &r, err) < 0 ||
	    broker_note(broker, txn,
			&(struct history_note){ .kind = HISTORY_LIFE, .app = app, .what = "capped", .why = why },
			err) < 0)
		goto fail;
	if (store_commit(txn, err) < 0)
		return -1;
	if (session) {
		(void)traffic_of(session);
		traffic_tell_cap(session, r.local);
	}
	return 0;
fail:
	store_abort(txn);
	return -1;
}
