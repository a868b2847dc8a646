/* SPDX-License-Identifier: MIT
 *
 * The queue of questions. Everything but an answer ends in a refusal that
 * stores nothing.
 */
#include "broker/prompt_impl.h"

#include "base/log.h"
#include "broker/access.h"
#include "broker/agent.h"
#include "broker/autostart.h"
#include "broker/background.h"
#include "broker/job.h"
#include "broker/lapse.h"
#include "broker/listen.h"
#include "broker/network.h"
#include "broker/says.h"

#include <stdio.h>
#include <string.h>

#define SHOW_AT_LATEST_MS 300u /* counting contacts must not hold up the bell */

const char *prompt_state_name(enum prompt_state state)
{
	static const char *const names[] = {
		[PROMPT_PREPARING] = "waiting",     [PROMPT_WAITING] = "waiting",
		[PROMPT_ANSWERED] = "answered",     [PROMPT_WITHDRAWN] = "withdrawn",
		[PROMPT_UNANSWERED] = "unanswered",
	};

	return names[state];
}

struct prompt *prompt_find(struct broker *broker, uint64_t id)
{
	for (struct prompt *p = broker->prompts; p; p = p->next) {
		if (p->id == id)
			return p;
	}
	return NULL;
}

bool prompt_is_open(const struct prompt *prompt)
{
	return prompt->state == PROMPT_PREPARING || prompt->state == PROMPT_WAITING;
}

unsigned int prompt_more(const struct prompt *prompt)
{
	unsigned int n = 0;

	for (struct prompt *p = prompt->broker->prompts; p; p = p->next)
		n += p != prompt && prompt_is_open(p) && strcmp(p->app, prompt->app) == 0;
	return n;
}

static void prompt_free(struct prompt *prompt)
{
	struct prompt **p;

	for (p = &prompt->broker->prompts; *p != prompt; p = &(*p)->next)
		continue;
	*p = prompt->next;
	job_cancel(prompt->counting);
	loop_remove(prompt->show_timer);
	loop_remove(prompt->grace_timer);
	free(prompt);
}

void prompt_end(struct prompt *prompt, enum prompt_state state)
{
	bool shown = prompt->state == PROMPT_WAITING;

	prompt->state = state;
	loop_remove(prompt->grace_timer);
	prompt->grace_timer = NULL;
	if (shown)
		agent_publish(prompt->broker, prompt);
	if (state != PROMPT_UNANSWERED)
		prompt_free(prompt);
}

static void drop_oldest_unanswered(struct broker *broker)
{
	struct prompt *oldest = NULL;
	unsigned int n = 0;

	for (struct prompt *p = broker->prompts; p; p = p->next) {
		if (p->state != PROMPT_UNANSWERED)
			continue;
		n++;
		oldest = oldest ? oldest : p;
	}
	if (n > UNANSWERED_MAX)
		prompt_free(oldest);
}

static bool is_same(const struct prompt *a, const struct prompt *b)
{
	return strcmp(a->app, b->app) == 0 && a->permission == b->permission && strcmp(a->item, b->item) == 0;
}

/* An older run's question is asked again: one line for one question. */
static void drop_older(struct prompt *prompt)
{
	struct prompt *next;

	for (struct prompt *p = prompt->broker->prompts; p; p = next) {
		next = p->next;
		if (p != prompt && p->state == PROMPT_UNANSWERED && is_same(p, prompt))
			prompt_free(p);
	}
}

void prompt_app_gone(struct broker *broker, const char *app)
{
	struct prompt *next;

	for (struct prompt *p = broker->prompts; p; p = next) {
		next = p->next;
		if (!p->session && strcmp(p->app, app) == 0)
			prompt_free(p);
	}
}

void prompt_later(struct prompt *prompt)
{
	struct session *session = prompt->session;
	struct broker *broker = prompt->broker;

	if (!prompt_is_open(prompt))
		return;
	if (session)
		access_refuse_waiting(session, prompt->permission, prompt->item, PROMPT_QUIET_MS);
	prompt_end(prompt, PROMPT_UNANSWERED);
	drop_oldest_unanswered(broker);
}

static void ref_text(const struct prompt *prompt, char buf[PERMISSION_TEXT_SIZE])
{
	struct permission_ref ref = { .permission = prompt->permission };

	(void)snprintf(ref.item, sizeof(ref.item), "%s", prompt->item);
	permission_ref_format(&ref, buf);
}

static void on_grace(void *data)
{
	struct prompt *prompt = data;
	char text[512], ref[PERMISSION_TEXT_SIZE];

	ref_text(prompt, ref);
	(void)snprintf(text, sizeof(text), "nobody answered: %s was refused %s (cowbell grant %s %s ANSWER)", prompt->app,
		       prompt->permission->label, prompt->app, ref);
	if (prompt->session)
		session_notice(prompt->session, text);
	prompt_later(prompt);
}

static void answer_words(const struct permission *permission, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (int g = 0; g < GIVE_COUNT && n < size; g++) {
		if (g == GIVE_ASK || !(permission->answers & GIVE_BIT(g)))
			continue;
		n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? "|" : "", give_name((enum give)g));
	}
}

/* Nobody will come: what is left behind is held in the way of whoever wants to run
 * the app next, and nobody sits before a service. */
static bool has_no_grace(const struct prompt *prompt)
{
	return background_is(prompt->permission) || (prompt->session && autostart_alone(prompt->session));
}

static uint64_t grace_of(const struct prompt *prompt, bool agent)
{
	if (background_is(prompt->permission) || (!agent && has_no_grace(prompt)))
		return 1;
	return agent ? PROMPT_NETWORK_MS : PROMPT_GRACE_MS;
}

/* Starts or stops the grace time as agents come and go. A packet cannot wait for
 * ever, whoever thinks about it. */
static void set_grace(struct prompt *prompt)
{
	bool agent = agent_present(prompt->broker);
	char text[512], words[96];

	if (agent || network_is(prompt->permission)) {
		loop_remove(prompt->grace_timer);
		prompt->grace_timer = NULL;
	}
	if (prompt->grace_timer || prompt->state != PROMPT_WAITING || (agent && !network_is(prompt->permission)))
		return;
	prompt->grace_timer = loop_add_timer(prompt->broker->loop, grace_of(prompt, agent), on_grace, prompt);
	if (agent || has_no_grace(prompt))
		return;
	answer_words(prompt->permission, words, sizeof(words));
	(void)snprintf(text, sizeof(text), "%s %s %s: cowbell answer %llu %s (within %u s)", prompt->app,
		       network_is(prompt->permission) || listen_is(prompt->permission) ? "wants" : "waits for", prompt->about,
		       (unsigned long long)prompt->id, words, PROMPT_GRACE_MS / 1000);
	if (prompt->session)
		session_notice(prompt->session, text);
}

void prompt_agents_changed(struct broker *broker)
{
	for (struct prompt *p = broker->prompts; p; p = p->next) {
		if (p->state == PROMPT_WAITING)
			set_grace(p);
	}
}

static void prompt_show(struct prompt *prompt)
{
	if (prompt->state != PROMPT_PREPARING)
		return;
	loop_remove(prompt->show_timer);
	prompt->show_timer = NULL;
	prompt->state = PROMPT_WAITING;
	set_grace(prompt);
	agent_publish(prompt->broker, prompt);
}

static void on_show(void *data)
{
	prompt_show(data);
}

static void on_counted(void *data, const struct contacts_result *result)
{
	struct prompt *prompt = data;

	prompt->counting = NULL;
	if (result->code == 0)
		(void)snprintf(prompt->about, sizeof(prompt->about), "%s (%u %s)", prompt->permission->label,
			       result->count, result->count == 1 ? "person" : "people");
	prompt_show(prompt);
}

static void describe_app(struct prompt *prompt)
{
	struct err err = { 0 };
	struct store_txn *txn = store_begin(prompt->broker->store, false, &err);
	struct permission_ref ref = { .permission = prompt->permission };
	struct app_record app = { 0 };

	(void)snprintf(ref.item, sizeof(ref.item), "%s", prompt->item);
	if (txn && store_app_get(txn, prompt->app, &app, &err) == 1) {
		(void)snprintf(prompt->title, sizeof(prompt->title), "%s%s%s", app.title[0] ? app.title : app.id,
			       app.version[0] ? " " : "", app.version);
		(void)snprintf(prompt->source, sizeof(prompt->source), "%s", app.source);
		says_find(app.says, &ref, prompt->says);
		lapse_says(txn, prompt->app, prompt->permission->name, prompt->item, prompt->note, sizeof(prompt->note));
	}
	app_record_finish(&app);
	store_abort(txn);
}

/* The supervisor keeps the question's number, so the same prompt has the same id
 * for a broker that was started anew. */
static uint64_t prompt_id(const struct session *session, uint32_t question)
{
	return session->id * 1000 + question % 1000;
}

/* An app can use up a thousand numbers. Two questions must never share one, or
 * the answer to one opens the other: an unanswered one gives its number up, one
 * that still waits does not. */
static bool id_is_free(struct broker *broker, uint64_t id)
{
	struct prompt *prompt = prompt_find(broker, id);

	if (prompt && prompt_is_open(prompt))
		return false;
	if (prompt)
		prompt_free(prompt);
	return true;
}

static struct prompt *prompt_new(struct broker *broker, const char *app, const struct permission *permission,
				 const char *item, const char *program)
{
	struct prompt *prompt = xcalloc(1, sizeof(*prompt)), **tail = &broker->prompts;

	prompt->broker = broker;
	prompt->permission = permission;
	prompt->since_wall_ms = loop_wall_ms();
	(void)snprintf(prompt->app, sizeof(prompt->app), "%s", app);
	(void)snprintf(prompt->item, sizeof(prompt->item), "%s", item);
	(void)snprintf(prompt->program, sizeof(prompt->program), "%s", program);
	if (background_is(permission))
		(void)snprintf(prompt->about, sizeof(prompt->about), "to go on in the background");
	else if (item[0])
		(void)snprintf(prompt->about, sizeof(prompt->about), "%s: %s", permission->label, item);
	else
		(void)snprintf(prompt->about, sizeof(prompt->about), "%s", permission->label);
	describe_app(prompt);
	while (*tail)
		tail = &(*tail)->next;
	*tail = prompt;
	drop_older(prompt);
	return prompt;
}

/* NULL: the same is asked already, and joins; or it was refused. */
static struct prompt *prompt_open(struct session *session, const struct permission *permission, const char *item,
				  uint32_t question, const char *program)
{
	struct broker *broker = session->broker;
	struct prompt *prompt;
	unsigned int open = 0;

	for (struct prompt *p = broker->prompts; p; p = p->next) {
		open += prompt_is_open(p);
		if (prompt_is_open(p) && p->session == session && p->permission == permission && strcmp(p->item, item) == 0)
			return NULL; /* the answer goes to everything that waits for it */
	}
	if (open >= PROMPTS_MAX || !id_is_free(broker, prompt_id(session, question))) {
		access_refuse_waiting(session, permission, item, PROMPT_QUIET_MS);
		return NULL;
	}
	prompt = prompt_new(broker, session->app, permission, item, program);
	prompt->session = session;
	prompt->session_id = session->id;
	prompt->id = prompt_id(session, question);
	return prompt;
}

void prompt_for_next_time(struct broker *broker, const char *app, const struct permission *permission)
{
	struct err err = { 0 };
	struct store_txn *txn = store_begin(broker->store, true, &err);
	struct prompt *prompt;
	uint64_t id;
	int rc = txn ? store_counter_add(txn, COUNTER_SESSION, 1, &id, &err) : -1;

	if (rc < 0)
		store_abort(txn);
	else
		rc = store_commit(txn, &err);
	if (rc < 0) {
		log_warn("that '%s' wants %s is not listed: %s", app, permission->label, err.msg);
		return;
	}
	prompt = prompt_new(broker, app, permission, "", "");
	prompt->session_id = id;
	prompt->id = id * 1000;
	prompt->state = PROMPT_UNANSWERED;
	drop_oldest_unanswered(broker);
}

void prompt_need(struct session *session, const struct gate *gate, uint32_t question, const char *program)
{
	struct broker *broker = session->broker;
	struct prompt *prompt = prompt_open(session, gate->permission, gate->item, question, program);

	if (!prompt)
		return;
	if (strcmp(gate->permission->name, "contacts") == 0 && gate->exists) {
		prompt->counting = job_start_contacts(broker, gate->id, on_counted, prompt);
		prompt->show_timer = loop_add_timer(broker->loop, SHOW_AT_LATEST_MS, on_show, prompt);
	} else {
		prompt_show(prompt);
	}
}

void prompt_need_network(struct session *session, const struct reach *to, const char *item, const char *about,
			 uint32_t question, const char *program)
{
	struct prompt *prompt = prompt_open(session, permission_find("network"), item, question, program);

	if (!prompt)
		return;
	prompt->to = *to;
	(void)snprintf(prompt->about, sizeof(prompt->about), "%s", about);
	prompt_show(prompt);
}

void prompt_need_listen(struct session *session, const char *item, const char *about, uint32_t question,
			const char *program)
{
	struct prompt *prompt = prompt_open(session, permission_find("listen"), item, question, program);

	if (!prompt)
		return;
	(void)snprintf(prompt->about, sizeof(prompt->about), "%s", about);
	prompt_show(prompt);
}

static struct prompt *find_open(struct session *session, const struct permission *permission)
{
	for (struct prompt *p = session->broker->prompts; p; p = p->next) {
		if (p->session == session && p->permission == permission && prompt_is_open(p))
			return p;
	}
	return NULL;
}

void prompt_withdraw(struct session *session, const struct permission *permission)
{
	struct prompt *prompt = find_open(session, permission);

	if (prompt)
		prompt_end(prompt, PROMPT_WITHDRAWN);
}

void prompt_withdraw_item(struct session *session, const struct permission *permission, const char *item)
{
	struct prompt *next;

	for (struct prompt *p = session->broker->prompts; p; p = next) {
		next = p->next;
		if (p->session == session && p->permission == permission && prompt_is_open(p) && strcmp(p->item, item) == 0)
			prompt_end(p, PROMPT_WITHDRAWN);
	}
}

void prompt_unanswered(struct session *session, const struct permission *permission)
{
	struct prompt *prompt = find_open(session, permission);

	if (!prompt)
		return;
	prompt_end(prompt, PROMPT_UNANSWERED);
	drop_oldest_unanswered(session->broker);
}

void prompt_session_gone(struct session *session)
{
	struct prompt *next;

	for (struct prompt *p = session->broker->prompts; p; p = next) {
		next = p->next;
		if (p->session != session)
			continue;
		p->session = NULL;
		if (prompt_is_open(p))
			prompt_end(p, PROMPT_WITHDRAWN);
	}
}

void prompt_rethink(struct broker *broker, const char *app)
{
	struct prompt *next;

	for (struct prompt *p = broker->prompts; p; p = next) {
		struct permission_ref ref = { .permission = p->permission };
		struct access_decision found;

		next = p->next;
		if (strcmp(p->app, app) != 0)
			continue;
		(void)snprintf(ref.item, sizeof(ref.item), "%s", p->item);
		ref.to = network_is(p->permission) ? &p->to : NULL;
		found = access_decide(broker, p->session, app, &ref);
		if (found.decision.give == GIVE_ASK)
			continue;
		if (p->session)
			access_answer_waiting(p->session, p->permission, p->item, found.decision.give,
					      found.copy_serial, found.until_boot_ms);
		prompt_end(p, PROMPT_WITHDRAWN);
	}
}

void prompt_finish_all(struct broker *broker)
{
	while (broker->prompts)
		prompt_free(broker->prompts);
}
