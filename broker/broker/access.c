/* SPDX-License-Identifier: MIT
 *
 * Nothing is given here that access_decide or an answer did not name, and a
 * gate that waits is always answered in the end: by a grant, by the person, or
 * with EACCES.
 */
#include "broker/access.h"

#include "base/log.h"
#include "broker/network.h"
#include "broker/prompt.h"
#include "broker/trial.h"
#include "policy/reach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COPY_MAX_BYTES ((uint64_t)256 << 20)
#define COPY_MAX_FILES 20000u
#define GRANTS_SEEN_MAX 64u
#define REFUSALS_MAX 3u /* unanswered questions for one gate, in one session */

struct revoke_wait {
	struct revoke_wait *next;
	struct session *session;
	uint32_t open; /* gates still to answer */
	uint32_t held;
	void (*fn)(void *data, uint32_t held);
	void *data;
};

static struct revoke_wait *revoke_waits;

static struct permission_ref ref_of(const struct gate *gate)
{
	struct permission_ref ref = { .permission = gate->permission };

	(void)snprintf(ref.item, sizeof(ref.item), "%s", gate->item);
	return ref;
}

bool access_has_gate(const struct broker *broker, const struct permission *permission)
{
	for (size_t i = 0; i < broker->gate_count; i++) {
		if (broker->gates[i].permission == permission)
			return true;
	}
	return false;
}

static bool covers(const struct permission *permission, const char *item, const struct gate *gate)
{
	return gate->permission == permission && (item[0] == '\0' || strcmp(item, gate->item) == 0);
}

/* --- the decision --- */

struct grants_seen {
	struct broker *broker;
	const struct permission_ref *ref;
	struct grant_view views[GRANTS_SEEN_MAX];
	struct grant_record records[GRANTS_SEEN_MAX];
	char declared_text[256];
	const char *declared_list[64];
	const char *const *declared; /* NULL: the app has no manifest */
	size_t count;
};

static int see_grant(void *data, const struct grant_record *grant)
{
	struct grants_seen *seen = data;
	struct grant_view *view;

	/* Only what speaks of it: of the network there may be many. */
	if (strcmp(grant->permission, seen->ref->permission->name) != 0 || !broker_grant_live(seen->broker, grant) ||
	    !permission_covers(seen->ref, grant->item, grant->give) || seen->count == GRANTS_SEEN_MAX)
		return 0;
	seen->records[seen->count] = *grant;
	view = &seen->views[seen->count++];
	view->give = grant->give;
	view->lasts = grant->lasts;
	view->locked = grant->locked;
	(void)snprintf(view->item, sizeof(view->item), "%s", grant->item);
	return 0;
}

static void see_session_answers(struct session *session, struct grants_seen *seen)
{
	for (struct session_answer *a = session->answers; a; a = a->next) {
		struct grant_view *view;
		struct grant_record *record;

		if (a->permission != seen->ref->permission || seen->count == GRANTS_SEEN_MAX ||
		    !permission_covers(seen->ref, a->item, a->give))
			continue;
		record = &seen->records[seen->count];
		memset(record, 0, sizeof(*record));
		record->copy_serial = a->copy_serial;
		(void)snprintf(record->item, sizeof(record->item), "%s", a->item);
		(void)snprintf(record->by, sizeof(record->by), "answered for this run");
		record->give = a->give;
		view = &seen->views[seen->count++];
		view->give = a->give;
		view->lasts = (struct duration){ .lasts = LASTS_RUN };
		view->locked = false;
		(void)snprintf(view->item, sizeof(view->item), "%s", a->item);
	}
}

/* What was said for this run stands before what was said earlier for longer;
 * decide() takes the first that fits best. */
/* The permissions that a bundle's manifest declares, into list, whose words lie in
 * buf; NULL: the app has no manifest. */
static const char *const *declared_of(struct store_txn *txn, const char *app, char buf[256], const char *list[64])
{
	struct app_record record = { 0 };
	struct err err = { 0 };
	char *save = NULL;
	size_t n = 0;
	bool has = store_app_get(txn, app, &record, &err) == 1 && strcmp(record.kind, "bundle") == 0;

	(void)snprintf(buf, 256, "%s", record.declared);
	app_record_finish(&record);
	if (!has)
		return NULL;
	for (char *w = strtok_r(buf, " ", &save); w && n < 63; w = strtok_r(NULL, " ", &save))
		list[n++] = w;
	list[n] = NULL;
	return list;
}

static int load_grants(struct broker *broker, struct session *session, const char *app, struct grants_seen *seen,
		       struct err *err)
{
	struct store_txn *txn;
	int rc;

	if (session)
		see_session_answers(session, seen);
	txn = store_begin(broker->store, false, err);
	if (!txn)
		return -1;
	rc = store_grant_each(txn, app, see_grant, seen, err);
	seen->declared = declared_of(txn, app, seen->declared_text, seen->declared_list);
	store_abort(txn);
	return rc < 0 ? -1 : 0;
}

static void fill_from_grant(struct access_decision *ret, const struct grants_seen *seen)
{
	const struct grant_record *from;

	if (!ret->decision.grant)
		return;
	from = &seen->records[ret->decision.grant - seen->views];
	ret->copy_serial = from->copy_serial;
	ret->until_boot_ms = from->until_boot_ms;
	ret->granted_wall_ms = from->wall_ms;
	ret->locked = from->locked;
	(void)snprintf(ret->by, sizeof(ret->by), "%s", from->by);
	(void)snprintf(ret->item, sizeof(ret->item), "%s", from->item);
}

struct access_decision access_decide(struct broker *broker, struct session *session, const char *app,
				     const struct permission_ref *ref)
{
	struct grants_seen *seen = xcalloc(1, sizeof(*seen));
	struct access_decision ret = { 0 };
	struct err err = { 0 };

	seen->broker = broker;
	seen->ref = ref;
	if (load_grants(broker, session, app, seen, &err) < 0) {
		ret.decision.give = GIVE_NO;
		ret.decision.by = DECIDED_BROKEN;
		(void)snprintf(ret.decision.why, sizeof(ret.decision.why), "grants cannot be read: %.200s", err.msg);
		free(seen);
		return ret;
	}
	ret.decision = decide(&(struct decide_input){
		.app = app,
		.ref = *ref,
		.admin = &broker->admin,
		.vendor = &broker->vendor,
		.grants = seen->views,
		.grant_count = seen->count,
		.declared = seen->declared,
	});
	fill_from_grant(&ret, seen);
	ret.decision.grant = NULL;
	if (!access_has_gate(broker, ref->permission)) {
		ret.decision.give = GIVE_NO;
		(void)snprintf(ret.decision.why, sizeof(ret.decision.why),
			       "this system has no gate for %s; every use is refused", ref->permission->name);
	}
	free(seen);
	return ret;
}

/* --- whether a whole scope of the network is open --- */

static bool is_scope(const char *item)
{
	return item[0] == '\0' || strcmp(item, REACH_LOCAL) == 0;
}

static int find_exact_refusal(void *data, const struct grant_record *grant)
{
	(void)data;
	return strcmp(grant->permission, "network") == 0 && !is_scope(grant->item) && grant->give != GIVE_ALLOW;
}

static bool rules_are_exact(const struct ruleset *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (strcmp(set->rules[i].permission, "network") == 0 && !is_scope(set->rules[i].item) &&
		    set->rules[i].give != GIVE_ALLOW)
			return true;
	}
	return false;
}

bool access_scope_is_open(struct broker *broker, struct session *session, bool local)
{
	const struct reach any = { .local = local };
	struct permission_ref ref = { .permission = permission_find("network"), .to = &any };
	struct err err = { 0 };
	struct store_txn *txn;
	int found;

	(void)snprintf(ref.item, sizeof(ref.item), "%s", local ? REACH_LOCAL : "");
	if (access_decide(broker, session, session->app, &ref).decision.give != GIVE_ALLOW ||
	    rules_are_exact(&broker->admin) || rules_are_exact(&broker->vendor))
		return false;
	for (struct session_answer *a = session->answers; a; a = a->next) {
		if (a->permission == ref.permission && !is_scope(a->item) && a->give != GIVE_ALLOW)
			return false;
	}
	txn = store_begin(broker->store, false, &err);
	found = txn ? store_grant_each(txn, session->app, find_exact_refusal, NULL, &err) : -1;
	store_abort(txn);
	return found == 0;
}

/* --- answering a gate --- */

static void send_answer(struct session *session, size_t index, uint32_t question, enum give give, int code,
			uint64_t copy_serial)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	if (give == GIVE_READ || give == GIVE_WRITE || give == GIVE_COPY || give == GIVE_ALLOW) {
		chan_begin(w, MSG_OPEN, session->id);
		wr_u16(w, session->broker->gates[index].id);
		wr_u8(w, (uint8_t)give);
		chan_send(session->broker->parent, w, NULL, 0);
	}
	chan_begin(w, MSG_ANSWER, session->id);
	wr_u32(w, question);
	wr_u16(w, session->broker->gates[index].id);
	wr_u8(w, (uint8_t)give);
	wr_u32(w, (uint32_t)code);
	wr_u64(w, copy_serial);
	wr_u64(w, COPY_MAX_BYTES);
	wr_u32(w, COPY_MAX_FILES);
	session_send(session, w);
	free(w);
}

static void note_access(struct session *session, const struct gate *gate, enum give give, const char *what,
			const char *why, const char *program)
{
	broker_note_alone(session->broker, &(struct history_note){
						   .kind = HISTORY_ACCESS,
						   .app = session->app,
						   .permission = gate->permission->name,
						   .item = gate->item,
						   .what = what,
						   .why = why,
						   .program = session_program(session, program),
						   .give = give,
						   .session = session->id,
					   });
}

static void answer_gate(struct session *session, size_t index, enum give give, uint64_t copy_serial,
			uint64_t until_boot_ms)
{
	struct gate_state *state = &session->gates[index];

	if (!state->waiting)
		return;
	state->waiting = false;
	state->until_boot_ms = until_boot_ms;
	send_answer(session, index, state->question, give, give == GIVE_NO ? EACCES : 0, copy_serial);
}

void access_answer_waiting(struct session *session, const struct permission *permission, const char *item,
			   enum give give, uint64_t copy_serial, uint64_t until_boot_ms)
{
	if (network_is(permission)) {
		network_rethink(session);
		return;
	}
	for (size_t i = 0; i < session->broker->gate_count; i++) {
		const struct gate *gate = &session->broker->gates[i];

		if (!covers(permission, item, gate))
			continue;
		if (session->gates[i].waiting && give == GIVE_NO)
			note_access(session, gate, GIVE_NO, "refused", "answered so", "");
		answer_gate(session, i, give, copy_serial, until_boot_ms);
	}
}

void access_refuse_waiting(struct session *session, const struct permission *permission, const char *item,
			   uint64_t quiet_ms)
{
	if (network_is(permission)) {
		network_refuse(session, item, quiet_ms);
		return;
	}
	for (size_t i = 0; i < session->broker->gate_count; i++) {
		const struct gate *gate = &session->broker->gates[i];

		if (!covers(permission, item, gate))
			continue;
		/* Who asks again and again is refused and counted, not asked about. */
		session->gates[i].quiet_until_ms =
			++session->gates[i].refusals >= REFUSALS_MAX ? UINT64_MAX : loop_boot_ms() + quiet_ms;
		if (session->gates[i].waiting) {
			note_access(session, gate, GIVE_NO, "refused", "nobody answered", "");
			answer_gate(session, i, GIVE_NO, 0, 0);
		}
	}
}

/* --- the supervisor's messages --- */

static int find_gate(struct session *session, uint16_t id)
{
	for (size_t i = 0; i < session->broker->gate_count; i++) {
		if (session->broker->gates[i].id == id)
			return (int)i;
	}
	return -1;
}

static bool handle_need(struct session *session, struct rd *body)
{
	uint32_t question = rd_u32(body);
	int index = find_gate(session, rd_u16(body));
	struct access_decision found;
	const struct gate *gate;
	struct permission_ref ref;
	char raw[256], program[128];

	(void)rd_u32(body); /* the waiting process: a label that may be reused, not kept */
	rd_str(body, raw, sizeof(raw));
	if (!rd_end(body) || index < 0)
		return false;
	text_escape(raw, strlen(raw), program, sizeof(program));
	gate = &session->broker->gates[index];
	(void)snprintf(session->gates[index].program, sizeof(session->gates[index].program), "%s", program);
	session->gates[index].question = question;
	session->gates[index].waiting = true;
	if (session->state != SESSION_RUNNING) {
		answer_gate(session, (size_t)index, GIVE_NO, 0, 0);
		return true;
	}
	if (session->trial) {
		answer_gate(session, (size_t)index, trial_use(session->trial, gate->permission, gate->item, program), 0, 0);
		return true;
	}
	ref = ref_of(gate);
	found = access_decide(session->broker, session, session->app, &ref);
	if (found.decision.give != GIVE_ASK) {
		if (found.decision.give == GIVE_NO)
			note_access(session, gate, GIVE_NO, "refused", decided_by_name(found.decision.by), program);
		answer_gate(session, (size_t)index, found.decision.give, found.copy_serial, found.until_boot_ms);
		return true;
	}
	if (loop_boot_ms() < session->gates[index].quiet_until_ms) {
		session->gates[index].unasked++;
		note_access(session, gate, GIVE_NO, "refused", "not answered a moment ago", program);
		answer_gate(session, (size_t)index, GIVE_NO, 0, 0);
		return true;
	}
	prompt_need(session, gate, question, program);
	return true;
}

/* cowbelld undoes what it changed on the host for a device. */
static void tell_closed(struct session *session, size_t index)
{
	struct wr *w;

	if (!session->broker->gates[index].permission->is_device)
		return;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_CLOSE, session->id);
	wr_u16(w, session->broker->gates[index].id);
	chan_send(session->broker->parent, w, NULL, 0);
	free(w);
}

static bool handle_answered(struct session *session, struct rd *body)
{
	uint32_t question = rd_u32(body);
	int index = find_gate(session, rd_u16(body));
	uint8_t give = rd_u8(body);
	uint32_t code = rd_u32(body);
	char why[512], text[700];

	rd_str(body, why, sizeof(why));
	(void)rd_u64(body);
	(void)rd_u32(body);
	if (!rd_end(body) || index < 0 || give >= GIVE_COUNT)
		return false;
	(void)question;
	if (code == 0) {
		session->gates[index].given = (enum give)give;
		if (give != GIVE_NO && session->trial)
			trial_opened(session, (size_t)index);
		else if (give != GIVE_NO)
			note_access(session, &session->broker->gates[index], (enum give)give, "used", "",
				    session->gates[index].program);
		access_arm_expiry(session->broker);
		return true;
	}
	if (give == GIVE_NO)
		return true;
	tell_closed(session, (size_t)index);
	(void)snprintf(text, sizeof(text), "%s could not be given %s: %s", session->app,
		       session->broker->gates[index].permission->label, why);
	session_notice(session, text);
	note_access(session, &session->broker->gates[index], (enum give)give, "failed", why, "");
	return true;
}

static void revoke_answered(struct session *session, uint32_t held)
{
	struct revoke_wait **p = &revoke_waits;

	while (*p) {
		struct revoke_wait *wait = *p;

		if (wait->session != session || wait->open == 0) {
			p = &wait->next;
			continue;
		}
		wait->held += held;
		if (--wait->open) {
			p = &wait->next;
			continue;
		}
		*p = wait->next;
		wait->fn(wait->data, wait->held);
		free(wait);
		p = &revoke_waits; /* fn may have started another */
	}
}

static bool handle_revoked(struct session *session, struct rd *body)
{
	int index = find_gate(session, rd_u16(body));
	uint32_t code = rd_u32(body), held = rd_u32(body);

	if (!rd_end(body) || index < 0)
		return false;
	if (code)
		log_warn("gate %d of '%s' not closed: %s", index, session->app, strerror((int)code));
	else
		session->gates[index].given = GIVE_NO;
	if (!code)
		tell_closed(session, (size_t)index);
	session->gates[index].revoking = false;
	session->gates[index].until_boot_ms = 0;
	revoke_answered(session, code && !held ? 1 : held);
	return true;
}

bool access_handle(struct session *session, struct msg *m)
{
	switch ((unsigned int)m->op) {
	case MSG_NEED:
		return handle_need(session, &m->body);
	case MSG_NET_NEED:
		return network_handle_need(session, m);
	case MSG_ANSWERED:
		return handle_answered(session, &m->body);
	case MSG_REVOKED:
		return handle_revoked(session, &m->body);
	}
	return false;
}

bool access_handle_opened(struct broker *broker, struct msg *m)
{
	struct session *session = session_by_id(broker, m->id);
	uint16_t gate = rd_u16(&m->body);
	uint8_t give = rd_u8(&m->body);
	uint32_t code = rd_u32(&m->body);
	char why[512], text[700];
	int index;

	rd_str(&m->body, why, sizeof(why));
	if (!rd_end(&m->body) || give >= GIVE_COUNT)
		return false;
	if (!session || code == 0 || (index = find_gate(session, gate)) < 0)
		return true;
	(void)snprintf(text, sizeof(text), "%s could not be given %s: %s", session->app,
		       broker->gates[index].permission->label, why);
	session_notice(session, text);
	note_access(session, &broker->gates[index], (enum give)give, "failed", why, "");
	send_answer(session, (size_t)index, session->gates[index].question, GIVE_NO, (int)code, 0);
	return true;
}

void access_session_gone(struct session *session)
{
	prompt_session_gone(session);
	network_session_gone(session);
	for (struct revoke_wait **p = &revoke_waits; *p;) {
		struct revoke_wait *wait = *p;

		if (wait->session != session) {
			p = &wait->next;
			continue;
		}
		*p = wait->next;
		wait->fn(wait->data, 0); /* nothing of it runs any more */
		free(wait);
		p = &revoke_waits;
	}
}

/* --- taking back --- */

static void send_revoke(struct session *session, size_t index, const char *item)
{
	struct wr *w;

	session->gates[index].revoking = true;
	if (network_is(session->broker->gates[index].permission)) {
		network_revoke(session, item, true);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_REVOKE, session->id);
	wr_u16(w, session->broker->gates[index].id);
	session_send(session, w);
	free(w);
}

void access_revoke(struct session *session, const struct permission *permission, const char *item,
		   void (*fn)(void *data, uint32_t held), void *data)
{
	struct revoke_wait *wait = xcalloc(1, sizeof(*wait));

	wait->session = session;
	wait->fn = fn;
	wait->data = data;
	for (size_t i = 0; i < session->broker->gate_count; i++) {
		/* Of the network a part may be taken back, and what is in force only the kernel knows. */
		if (network_is(permission) ? session->broker->gates[i].permission != permission
					   : !covers(permission, item, &session->broker->gates[i]) ||
						     session->gates[i].given == GIVE_NO)
			continue;
		wait->open++;
		send_revoke(session, i, item);
	}
	if (wait->open == 0 || !session->chan) {
		free(wait);
		fn(data, 0);
		return;
	}
	wait->next = revoke_waits;
	revoke_waits = wait;
}

static void expired(void *data, uint32_t held)
{
	struct session *session = data;

	if (held) /* it cannot keep what has run out */
		session_end(session);
}

static void on_expiry(void *data)
{
	struct broker *broker = data;
	uint64_t now = loop_boot_ms();

	for (struct session *s = broker->sessions; s; s = s->next) {
		for (size_t i = 0; i < broker->gate_count && s->state == SESSION_RUNNING; i++) {
			struct gate_state *g = &s->gates[i];

			if (g->given == GIVE_NO || g->revoking || !g->until_boot_ms || g->until_boot_ms > now)
				continue;
			session_notice(s, "the time of a permission has run out; it will ask again");
			access_revoke(s, broker->gates[i].permission, broker->gates[i].item, expired, s);
		}
	}
	access_arm_expiry(broker);
}

void access_arm_expiry(struct broker *broker)
{
	uint64_t next = UINT64_MAX, now = loop_boot_ms();

	for (struct session *s = broker->sessions; s; s = s->next) {
		for (size_t i = 0; i < broker->gate_count; i++) {
			struct gate_state *g = &s->gates[i];

			if (g->given != GIVE_NO && !g->revoking && g->until_boot_ms && g->until_boot_ms < next)
				next = g->until_boot_ms;
		}
	}
	loop_remove(broker->expiry);
	broker->expiry = NULL;
	if (next != UINT64_MAX)
		broker->expiry = loop_add_timer(broker->loop, next > now ? next - now : 0, on_expiry, broker);
}
