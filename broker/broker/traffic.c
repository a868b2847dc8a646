/* SPDX-License-Identifier: MIT
 *
 * Sums are what supervisors say since a session began, less what of that was added
 * before: adding the same twice, after a broker's death too, changes nothing.
 */
#include "broker/traffic_state.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PATIENCE_MS 500u

struct traffic_look {
	struct traffic_look *next;
	uint32_t ticket;
	unsigned int open;
	struct loop_source *timer;
	void (*fn)(void *data);
	void *data;
};

static struct traffic_look *looks;
static uint32_t last_ticket;

/* --- sums --- */

uint32_t traffic_month(void)
{
	time_t now = (time_t)(loop_wall_ms() / 1000);
	struct tm tm = { 0 };

	(void)localtime_r(&now, &tm);
	return (uint32_t)(tm.tm_year + 1900) * 12 + (uint32_t)tm.tm_mon;
}

const char *traffic_item(bool local)
{
	return local ? REACH_LOCAL : "";
}

struct traffic *traffic_of(struct session *session)
{
	if (!session->traffic)
		session->traffic = xcalloc(1, sizeof(*session->traffic));
	return session->traffic;
}

static void add(struct traffic_bytes *to, const struct traffic_bytes *now, const struct traffic_bytes *seen)
{
	to->up += now->up > seen->up ? now->up - seen->up : 0;
	to->down += now->down > seen->down ? now->down - seen->down : 0;
	to->flows += now->flows > seen->flows ? now->flows - seen->flows : 0;
	to->refused += now->refused > seen->refused ? now->refused - seen->refused : 0;
}

/* A clock that is set back does not give a month again. */
void traffic_turn_month(struct traffic_record *r)
{
	uint32_t month = traffic_month();

	if (month <= r->month)
		return;
	r->month = month;
	memset(&r->this_month, 0, sizeof(r->this_month));
}

void traffic_set_cap(struct traffic_record *r, uint64_t bytes)
{
	uint32_t month = traffic_month();

	/* Begun by a clock that was ahead, it would last for years. */
	if (month != r->month)
		memset(&r->this_month, 0, sizeof(r->this_month));
	r->month = month;
	r->cap = bytes;
	r->spent = 0;
}

void traffic_add_session(struct traffic_record *r, uint64_t session, const struct traffic_bytes *now)
{
	traffic_turn_month(r);
	if (r->session != session)
		memset(&r->seen, 0, sizeof(r->seen));
	r->session = session;
	add(&r->ever, now, &r->seen);
	add(&r->this_month, now, &r->seen);
	r->seen = *now;
}

static int count_one(void *data, const struct traffic_record *record)
{
	(void)record;
	++*(size_t *)data;
	return 0;
}

static int add_told(struct store_txn *txn, const struct session *session, const struct told *told, bool scope,
		    bool spent, size_t *known, struct err *err)
{
	struct traffic_record r;
	int found = store_traffic_get(txn, session->app, told->item, &r, err);

	/* A cap that cannot be read stays so until somebody says what it is: put anew it
	 * would be none. */
	if (found < 0 && err->code == EBADMSG) {
		*err = (struct err){ 0 };
		if (scope)
			return 0;
		found = 1;
	}
	if (found < 0)
		return -1;
	if (!found && !scope && (*known)++ >= TRAFFIC_HOSTS_MAX)
		return 0;
	(void)snprintf(r.app, sizeof(r.app), "%s", session->app);
	(void)snprintf(r.item, sizeof(r.item), "%s", told->item);
	r.local = told->local;
	traffic_add_session(&r, session->id, &told->bytes);
	if (spent && r.cap)
		r.spent = r.month;
	return store_traffic_put(txn, &r, err);
}

static void book(struct session *session, uint8_t spent)
{
	struct traffic *t = session->traffic;
	struct err err = { 0 };
	struct store_txn *txn;
	size_t known = 0;
	int rc = 0;

	/* A trial leaves nothing, and an app on its way in has no name yet. */
	if (session->trial || session->kind != SESSION_RUN || !session->app[0] || !t)
		return;
	txn = store_begin(session->broker->store, true, &err);
	rc = txn ? store_traffic_each(txn, session->app, count_one, &known, &err) : -1;
	for (size_t i = 0; i < t->count && rc == 0; i++) {
		const struct traffic_bytes *b = &t->of[i].bytes;

		if (i < 2 || b->up || b->down || b->flows || b->refused)
			rc = add_told(txn, session, &t->of[i], i < 2, i < 2 && (spent >> i & 1), &known, &err);
	}
	if (rc < 0)
		store_abort(txn);
	else
		rc = store_commit(txn, &err);
	if (rc < 0)
		log_warn("traffic of '%s' not added: %s", session->app, err.msg);
}

/* --- what supervisors say --- */

static struct traffic_bytes read_bytes(struct rd *r)
{
	struct traffic_bytes b = { .up = rd_u64(r) };

	b.down = rd_u64(r);
	b.flows = rd_u64(r);
	b.refused = rd_u64(r);
	return b;
}

static bool read_told(struct rd *r, struct traffic *t)
{
	uint16_t hosts;
	char raw[256];
	struct err err = { 0 };

	t->count = 0;
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(t->of[i].item, sizeof(t->of[i].item), "%s", traffic_item(i == 1));
		t->of[i].local = i == 1;
		t->of[i].bytes = read_bytes(r);
	}
	hosts = rd_u16(r);
	if (hosts > TRAFFIC_TOLD_MAX)
		return false;
	for (uint16_t i = 0; i < hosts; i++) {
		struct told *to = &t->of[2 + i];

		to->local = rd_u8(r) != 0;
		rd_str(r, raw, sizeof(raw));
		to->bytes = read_bytes(r);
		if (r->bad || reach_item_parse(raw, to->item, &err) < 0 || strcmp(to->item, REACH_LOCAL) == 0)
			return false;
	}
	if (!rd_end(r))
		return false;
	t->count = 2u + hosts;
	return true;
}

static void look_done(struct traffic_look *look)
{
	struct traffic_look **p;

	for (p = &looks; *p != look; p = &(*p)->next)
		continue;
	*p = look->next;
	loop_remove(look->timer);
	look->fn(look->data);
	free(look);
}

static void on_answer(uint32_t ticket)
{
	for (struct traffic_look *l = looks; l; l = l->next) {
		if (l->ticket == ticket && --l->open == 0) {
			look_done(l);
			return;
		}
	}
}

bool traffic_handle(struct session *session, struct msg *m)
{
	uint32_t ticket = rd_u32(&m->body);
	uint8_t spent = rd_u8(&m->body), stale = 0;

	if (spent > 3 || !read_told(&m->body, traffic_of(session)))
		return false;
	/* What was left of an earlier month is used up, not this one's. */
	for (unsigned int i = 0; i < 2; i++)
		stale |= (spent >> i & 1) && !traffic_is_of_month(session, i == 1) ? (uint8_t)(1u << i) : 0;
	spent &= (uint8_t)~stale;
	if (ticket == 0)
		book(session, spent);
	for (unsigned int i = 0; i < 2; i++) {
		if (stale >> i & 1)
			traffic_tell_cap(session, i == 1);
		if (!(spent >> i & 1))
			continue;
		traffic_set_spent(session, i == 1);
		traffic_say_spent(session, i == 1);
	}
	if (ticket)
		on_answer(ticket);
	return true;
}

static void on_impatient(void *data)
{
	look_done(data);
}

void traffic_look(struct broker *broker, const char *app, void (*fn)(void *data), void *data)
{
	struct traffic_look *look = xcalloc(1, sizeof(*look));
	struct wr *w = xcalloc(1, sizeof(*w));

	look->fn = fn;
	look->data = data;
	look->ticket = ++last_ticket ? last_ticket : ++last_ticket;
	look->next = looks;
	looks = look;
	for (struct session *s = broker->sessions; s; s = s->next) {
		if (s->state != SESSION_RUNNING || !s->chan || (app && strcmp(s->app, app) != 0))
			continue;
		chan_begin(w, MSG_NET_COUNT, s->id);
		wr_u32(w, look->ticket);
		session_send(s, w);
		look->open++;
	}
	free(w);
	if (!look->open)
		look_done(look);
	else
		look->timer = loop_add_timer(broker->loop, PATIENCE_MS, on_impatient, look);
}
