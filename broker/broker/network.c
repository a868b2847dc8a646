/* SPDX-License-Identifier: MIT
 *
 * A destination is let through by its scope, if nothing more exact speaks of any
 * destination; else alone, so that what a person said about one host cannot be
 * passed over by a rule of the kernel for all.
 */
#include "broker/network.h"

#include "base/log.h"
#include "broker/access.h"
#include "broker/firewall.h"
#include "broker/notes.h"
#include "broker/prompt.h"
#include "broker/traffic.h"
#include "broker/trial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ONCE_MS 60000u   /* a name that was allowed once may be connected to for so long */
#define REFUSALS_MAX 3u  /* unanswered questions about one item */
#define UNANSWERED_ALL 10u /* ... and about all: then nothing is asked any more in this session */
#define MARKS_MAX 64u

struct waiting {
	struct waiting *next;
	uint32_t question;
	uint8_t kind;
	bool linked; /* cowbelld has made the way and looked where it leads */
	struct reach to;
	char item[REACH_ITEM_SIZE];
	char program[128];
};

/* What is known about an item for this session alone. */
struct mark {
	char item[REACH_ITEM_SIZE];
	uint64_t until_ms;
	unsigned int refusals;
};

struct network_state {
	struct session *session;
	struct waiting *waiting;
	struct mark once[MARKS_MAX], quiet[MARKS_MAX];
	struct mark *expiry; /* as many as its person gave: none may be forgotten */
	size_t once_count, quiet_count, expiry_count, expiry_room;
	unsigned int unanswered;
	struct loop_source *timer;
};

bool network_is(const struct permission *permission)
{
	return strcmp(permission->name, "network") == 0;
}

static struct network_state *state_of(struct session *session)
{
	if (!session->network) {
		session->network = xcalloc(1, sizeof(*session->network));
		session->network->session = session;
	}
	return session->network;
}

/* The mark of item, made if make is set; the oldest gives way. */
static struct mark *mark_of(struct mark *marks, size_t *count, const char *item, bool make)
{
	struct mark *m;

	for (size_t i = 0; i < *count && i < MARKS_MAX; i++) {
		if (strcmp(marks[i].item, item) == 0)
			return &marks[i];
	}
	if (!make)
		return NULL;
	m = &marks[(*count)++ % MARKS_MAX];
	memset(m, 0, sizeof(*m));
	(void)snprintf(m->item, sizeof(m->item), "%s", item);
	return m;
}

static void expire_at(struct network_state *n, const char *item, uint64_t until_ms)
{
	struct mark *m = NULL;

	for (size_t i = 0; i < n->expiry_count && !m; i++) {
		if (strcmp(n->expiry[i].item, item) == 0)
			m = &n->expiry[i];
	}
	if (!m && n->expiry_count == n->expiry_room) {
		n->expiry_room = n->expiry_room ? 2 * n->expiry_room : 8;
		n->expiry = xrealloc(n->expiry, n->expiry_room * sizeof(*n->expiry));
	}
	if (!m) {
		m = &n->expiry[n->expiry_count++];
		memset(m, 0, sizeof(*m));
		(void)snprintf(m->item, sizeof(m->item), "%s", item);
	}
	m->until_ms = until_ms;
}

/* --- messages --- */

static void send_answer(struct session *session, uint32_t question, enum give give, enum net_for lasts, uint64_t ms)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_NET_ANSWER, session->id);
	wr_u32(w, question);
	wr_u8(w, (uint8_t)give);
	wr_u8(w, (uint8_t)lasts);
	wr_u64(w, ms);
	session_send(session, w);
	free(w);
}

static void send_link(struct session *session, const struct waiting *wait)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_NET_LINK, session->id);
	wr_u32(w, wait->question);
	wr_u8(w, wait->to.version);
	wr_bytes(w, wait->to.to, sizeof(wait->to.to));
	chan_send(session->broker->parent, w, NULL, 0);
	free(w);
}

void network_revoke(struct session *session, const char *item, bool cut)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_NET_REVOKE, session->id);
	wr_u8(w, cut);
	wr_str(w, item);
	session_send(session, w);
	free(w);
}

static void note(struct session *session, const struct waiting *wait, enum give give, const char *what, const char *why)
{
	notes_later(session->broker, &(struct history_note){
					     .kind = HISTORY_ACCESS,
					     .app = session->app,
					     .permission = "network",
					     .item = wait->item,
					     .what = what,
					     .why = why,
					     .program = session_program(session, wait->program),
					     .give = give,
					     .session = session->id,
				     });
}

/* --- what waits --- */

static void wait_end(struct network_state *n, struct waiting *wait)
{
	struct waiting **p;

	for (p = &n->waiting; *p != wait; p = &(*p)->next)
		continue;
	*p = wait->next;
	free(wait);
}

static void refuse(struct network_state *n, struct waiting *wait, const char *why, enum net_for lasts)
{
	note(n->session, wait, GIVE_NO, "refused", why);
	send_answer(n->session, wait->question, GIVE_NO, lasts, 0);
	wait_end(n, wait);
}

static void on_expiry(void *data);

static void arm(struct network_state *n)
{
	uint64_t next = UINT64_MAX, now = loop_boot_ms();

	for (size_t i = 0; i < n->expiry_count; i++) {
		if (n->expiry[i].until_ms && n->expiry[i].until_ms < next)
			next = n->expiry[i].until_ms;
	}
	loop_remove(n->timer);
	n->timer = NULL;
	if (next != UINT64_MAX)
		n->timer = loop_add_timer(n->session->broker->loop, next > now ? next - now : 0, on_expiry, n);
}

static void on_expiry(void *data)
{
	struct network_state *n = data;
	uint64_t now = loop_boot_ms();

	for (size_t i = 0; i < n->expiry_count; i++) {
		struct mark *m = &n->expiry[i];

		if (!m->until_ms || m->until_ms > now)
			continue;
		m->until_ms = 0;
		session_notice(n->session, "the time of a permission has run out; it will ask again");
		network_revoke(n->session, m->item, true);
	}
	arm(n);
}

static struct gate_state *gate_of(struct session *session)
{
	for (size_t i = 0; i < session->broker->gate_count; i++) {
		if (session->broker->gates[i].id == GATE_NETWORK)
			return &session->gates[i];
	}
	return NULL;
}

static void allow(struct network_state *n, struct waiting *wait, const struct access_decision *found)
{
	struct session *session = n->session;
	struct gate_state *gate = gate_of(session);
	uint64_t now = loop_boot_ms(), ms = found->until_boot_ms > now ? found->until_boot_ms - now : 0;
	enum net_for lasts = access_scope_is_open(session->broker, session, wait->to.local) ? NET_FOR_SCOPE : NET_FOR_HOST;

	if (found->until_boot_ms) {
		expire_at(n, found->item, found->until_boot_ms);
		arm(n);
		ms = ms ? ms : 1;
	}
	if (gate)
		gate->given = GIVE_ALLOW;
	note(session, wait, GIVE_ALLOW, "used", "");
	firewall_allowed(session, &wait->to);
	send_answer(session, wait->question, GIVE_ALLOW, lasts, lasts == NET_FOR_SCOPE ? 0 : ms);
	wait_end(n, wait);
}

static void allow_once(struct network_state *n, struct waiting *wait)
{
	struct gate_state *gate = gate_of(n->session);

	if (gate)
		gate->given = GIVE_ALLOW;
	note(n->session, wait, GIVE_ALLOW, "used", "once");
	firewall_allowed(n->session, &wait->to);
	send_answer(n->session, wait->question, GIVE_ALLOW, NET_FOR_ONCE, 0);
	wait_end(n, wait);
}

static bool is_allowed_once(struct network_state *n, const struct waiting *wait)
{
	struct mark *m = mark_of(n->once, &n->once_count, wait->item, false);

	return wait->to.name[0] && m && loop_boot_ms() < m->until_ms;
}

static bool is_quiet(struct network_state *n, const struct waiting *wait)
{
	struct mark *m = mark_of(n->quiet, &n->quiet_count, wait->item, false);

	return n->unanswered >= UNANSWERED_ALL || (m && loop_boot_ms() < m->until_ms);
}

/* The name of an address: no person can say anything about it, and programs do
 * without. */
static bool is_reverse(const char *name)
{
	size_t n = strlen(name);

	return (n > 13 && strcmp(name + n - 13, ".in-addr.arpa") == 0) || (n > 9 && strcmp(name + n - 9, ".ip6.arpa") == 0);
}

static void ask(struct network_state *n, struct waiting *wait)
{
	char about[256];

	if (wait->to.name[0] && !wait->to.version && is_reverse(wait->to.name)) {
		refuse(n, wait, "an address is not looked up", NET_FOR_ONCE);
		return;
	}
	if (is_quiet(n, wait)) {
		refuse(n, wait, "not answered a moment ago", NET_FOR_ONCE);
		return;
	}
	reach_about(&wait->to, about, sizeof(about));
	prompt_need_network(n->session, &wait->to, wait->item, about, wait->question, wait->program);
}

/* Does what is decided now; asks, if nothing is. */
static void settle(struct network_state *n, struct waiting *wait, bool may_ask)
{
	struct session *session = n->session;
	struct permission_ref ref = { .permission = permission_find("network"), .to = &wait->to };
	struct access_decision found;

	(void)snprintf(ref.item, sizeof(ref.item), "%s", wait->item);
	found = access_decide(session->broker, session, session->app, &ref);
	if (found.decision.give == GIVE_NO) {
		refuse(n, wait, decided_by_name(found.decision.by), NET_FOR_HOST);
		return;
	}
	if (traffic_is_spent(session, wait->to.local)) {
		refuse(n, wait, "the monthly cap is used up", NET_FOR_ONCE);
		return;
	}
	if (wait->kind == NET_WANT_FLOW && !wait->linked) {
		send_link(session, wait); /* its answer comes back here */
		firewall_look(session, &wait->to);
		return;
	}
	/* Who is at it hears of a firewall before the program fails of it. */
	if (found.decision.give == GIVE_ALLOW && may_ask && firewall_is_looked_at(session, &wait->to))
		return;
	if (found.decision.give == GIVE_ALLOW)
		allow(n, wait, &found);
	else if (is_allowed_once(n, wait))
		allow_once(n, wait);
	else if (may_ask)
		ask(n, wait);
}

static struct waiting *find_waiting(struct network_state *n, uint32_t question)
{
	for (struct waiting *w = n ? n->waiting : NULL; w; w = w->next) {
		if (w->question == question)
			return w;
	}
	return NULL;
}

bool network_handle_need(struct session *session, struct msg *m)
{
	struct network_state *n = state_of(session);
	struct waiting *wait = xcalloc(1, sizeof(*wait)), **tail = &n->waiting;
	char raw[256], program[256];

	wait->question = rd_u32(&m->body);
	wait->kind = rd_u8(&m->body);
	wait->to.version = rd_u8(&m->body);
	rd_bytes(&m->body, wait->to.to, sizeof(wait->to.to));
	wait->to.port = rd_u16(&m->body);
	(void)rd_u8(&m->body);
	wait->to.local = rd_u8(&m->body) != 0;
	rd_str(&m->body, raw, sizeof(raw));
	rd_str(&m->body, program, sizeof(program));
	if (!rd_end(&m->body) || wait->kind > NET_WANT_NAME || (raw[0] && !reach_name_normal(raw, wait->to.name)) ||
	    (wait->kind == NET_WANT_NAME) != (wait->to.version == 0) || (wait->to.version && wait->to.version != 4 && wait->to.version != 6) ||
	    find_waiting(n, wait->question)) {
		free(wait);
		return false;
	}
	text_escape(program, strlen(program), wait->program, sizeof(wait->program));
	reach_item_of(&wait->to, wait->item);
	while (*tail)
		tail = &(*tail)->next;
	*tail = wait;
	if (session->state != SESSION_RUNNING || !gate_of(session)) {
		refuse(n, wait, "the session ends", NET_FOR_ONCE);
		return true;
	}
	if (session->trial) {
		(void)trial_use(session->trial, permission_find("network"), wait->item, wait->program);
		send_answer(session, wait->question, GIVE_NO, NET_FOR_ONCE, 0);
		wait_end(n, wait);
		return true;
	}
	/* The way is made while a person thinks about the name. */
	if (wait->kind == NET_WANT_NAME)
		send_link(session, wait);
	settle(n, wait, true);
	return true;
}

bool network_handle_linked(struct broker *broker, struct msg *m)
{
	struct session *session = session_by_id(broker, m->id);
	struct waiting *wait = find_waiting(session ? session->network : NULL, rd_u32(&m->body));
	uint8_t own = rd_u8(&m->body);
	uint32_t code = rd_u32(&m->body);
	char why[512], text[700];

	rd_str(&m->body, why, sizeof(why));
	if (!rd_end(&m->body))
		return false;
	if (!wait || wait->kind == NET_WANT_NAME)
		return true;
	wait->linked = true;
	if (code) {
		(void)snprintf(text, sizeof(text), "%s gets no network: %s", session->app, why);
		session_notice(session, text);
		refuse(session->network, wait, why, NET_FOR_ONCE);
	} else if (own) {
		refuse(session->network, wait, "this device's own services are not given", NET_FOR_HOST);
	} else {
		settle(session->network, wait, true);
	}
	return true;
}

/* --- answers --- */

void network_rethink(struct session *session)
{
	struct waiting *next;

	for (struct waiting *w = session->network ? session->network->waiting : NULL; w; w = next) {
		next = w->next;
		if (w->linked || w->kind == NET_WANT_NAME)
			settle(session->network, w, false);
	}
}

void network_answered(struct session *session, const char *item, enum give give, bool once)
{
	struct network_state *n = state_of(session);
	char what[REACH_ITEM_SIZE];
	struct waiting *next;

	(void)snprintf(what, sizeof(what), "%s", item);
	if (once && give == GIVE_ALLOW)
		mark_of(n->once, &n->once_count, what, true)->until_ms = loop_boot_ms() + ONCE_MS;
	for (struct waiting *w = n->waiting; once && w; w = next) {
		next = w->next;
		if (strcmp(w->item, what) != 0)
			continue;
		if (give == GIVE_ALLOW)
			allow_once(n, w);
		else
			refuse(n, w, "answered so, once", NET_FOR_ONCE);
	}
	network_rethink(session);
	/* A person chose something else than what waits. */
	for (struct waiting *w = n->waiting; w; w = next) {
		next = w->next;
		if (strcmp(w->item, what) == 0 && (w->linked || w->kind == NET_WANT_NAME))
			refuse(n, w, "not among what was chosen", NET_FOR_ONCE);
	}
}

void network_refuse(struct session *session, const char *item, uint64_t quiet_ms)
{
	struct network_state *n = state_of(session);
	struct mark *m = mark_of(n->quiet, &n->quiet_count, item, true);
	struct waiting *next;
	char what[REACH_ITEM_SIZE];

	(void)snprintf(what, sizeof(what), "%s", item);
	n->unanswered++;
	m->until_ms = ++m->refusals >= REFUSALS_MAX ? UINT64_MAX : loop_boot_ms() + quiet_ms;
	for (struct waiting *w = n->waiting; w; w = next) {
		next = w->next;
		if (strcmp(w->item, what) == 0)
			refuse(n, w, "nobody answered", NET_FOR_ONCE);
	}
}

void network_session_gone(struct session *session)
{
	struct network_state *n = session->network;

	if (!n)
		return;
	while (n->waiting)
		wait_end(n, n->waiting);
	loop_remove(n->timer);
	free(n->expiry);
	free(n);
	session->network = NULL;
}
