/* SPDX-License-Identifier: MIT
 *
 * Prompts and agents on the public socket.
 */
#include "broker/agent.h"
#include "broker/network.h"
#include "broker/prompt.h"
#include "broker/service.h"
#include "varlink/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct agent {
	struct agent *next;
	struct broker *broker;
	struct varlink_call *call;
	bool watch, locked;
};

static json_t *prompt_json(const struct prompt *p)
{
	struct permission_ref ref = { .permission = p->permission };
	char name[PERMISSION_TEXT_SIZE];
	json_t *answers = json_array();

	(void)snprintf(ref.item, sizeof(ref.item), "%s", p->item);
	permission_ref_format(&ref, name);
	for (int g = 0; g < GIVE_COUNT; g++) {
		if (g != GIVE_ASK && (p->permission->answers & GIVE_BIT(g)))
			json_array_append_new(answers, json_string(give_name((enum give)g)));
	}
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:I, s:I, s:s, s:i, s:b}", "id",
			 (json_int_t)p->id, "app", p->app, "title", p->title, "source", p->source, "permission", name,
			 "label", p->permission->label, "about", p->about, "program", p->program, "note", p->note, "says", p->says, "answers",
			 answers, "safe", give_name(p->permission->safe), "since", (json_int_t)p->since_wall_ms,
			 "session", (json_int_t)p->session_id, "state", prompt_state_name(p->state), "more",
			 (int)prompt_more(p), "watched", agent_present(p->broker));
}

static json_t *open_prompts(struct broker *broker, bool unanswered)
{
	json_t *array = json_array();

	for (struct prompt *p = broker->prompts; p; p = p->next) {
		if (p->state == PROMPT_WAITING || (unanswered && p->state == PROMPT_UNANSWERED))
			json_array_append_new(array, prompt_json(p));
	}
	return array;
}

/* --- agents --- */

/* Whoever watches for questions that nobody sees hears of those that nobody sees
 * any more. */
static void agents_changed(struct broker *broker, bool present_before)
{
	prompt_agents_changed(broker);
	if (!present_before || agent_present(broker))
		return;
	for (struct prompt *p = broker->prompts; p; p = p->next) {
		if (p->state == PROMPT_WAITING)
			agent_publish(broker, p);
	}
}

static void on_agent_gone(void *data)
{
	struct agent *agent = data;
	struct broker *broker = agent->broker;
	bool present = agent_present(broker);
	struct agent **p;

	for (p = &broker->agents; *p != agent; p = &(*p)->next)
		continue;
	*p = agent->next;
	free(agent);
	agents_changed(broker, present);
}

void agent_add(struct broker *broker, struct varlink_call *call, bool watch)
{
	struct agent *agent = xcalloc(1, sizeof(*agent));

	agent->broker = broker;
	agent->call = call;
	agent->watch = watch;
	agent->next = broker->agents;
	broker->agents = agent;
	varlink_call_on_gone(call, on_agent_gone, agent);
	varlink_reply_continues(call, json_pack("{s:o}", "prompts", open_prompts(broker, false)));
	prompt_agents_changed(broker);
}

bool agent_present(const struct broker *broker)
{
	for (const struct agent *a = broker->agents; a; a = a->next) {
		if (!a->watch && !a->locked)
			return true;
	}
	return false;
}

void agent_publish(struct broker *broker, const struct prompt *prompt)
{
	struct agent *next;

	for (struct agent *a = broker->agents; a; a = next) {
		next = a->next;
		varlink_reply_continues(a->call, json_pack("{s:[o]}", "prompts", prompt_json(prompt)));
	}
}

/* --- methods --- */

SERVICE_METHOD(service_prompts)
{
	struct broker *broker = data;

	if (varlink_call_more(call))
		agent_add(broker, call, true);
	else
		varlink_reply(call, json_pack("{s:o}", "prompts",
					      open_prompts(broker, service_bool(params, "unanswered"))));
}

SERVICE_METHOD(service_agent)
{
	(void)params;
	if (!varlink_call_more(call))
		service_bad_input(call, "an agent is a stream", "call it with more");
	else
		agent_add(data, call, false);
}

/* The agent's stream occupies its connection, so the word on the screen's lock
 * may come on any connection of the same person; it counts for all their
 * agents. */
SERVICE_METHOD(service_agent_locked)
{
	struct broker *broker = data;
	bool present = agent_present(broker);

	for (struct agent *a = broker->agents; a; a = a->next) {
		if (varlink_call_uid(a->call) == varlink_call_uid(call))
			a->locked = service_bool(params, "locked");
	}
	agents_changed(broker, present);
	varlink_reply(call, NULL);
}

static void no_prompt(struct varlink_call *call, uint64_t id)
{
	varlink_error(call, "io.cowbell.NoSuchPrompt", json_pack("{s:I}", "id", (json_int_t)id));
}

/* The other questions of the same app, as far as they take this answer. */
static void answer_others(struct broker *broker, const char *app, enum give give, struct duration lasts,
			  const char *by)
{
	struct prompt *next;
	char says[512];

	for (struct prompt *p = broker->prompts; p; p = next) {
		struct err err = { 0 };

		next = p->next;
		if (p->state <= PROMPT_WAITING && strcmp(p->app, app) == 0)
			(void)prompt_answer(p, give, lasts, by, says, sizeof(says), &err);
	}
}

/* What a person chose, each in its one spelling. */
int service_items(json_t *params, char ret[PROMPT_ITEMS_MAX][REACH_ITEM_SIZE], size_t *ret_count, struct err *err)
{
	json_t *items = json_object_get(params, "items"), *item;
	size_t i;

	*ret_count = 0;
	if (json_array_size(items) > PROMPT_ITEMS_MAX)
		return err_set(err, E2BIG, "more than %u items", PROMPT_ITEMS_MAX);
	json_array_foreach(items, i, item)
	{
		if (reach_item_parse(json_string_value(item), ret[i], err) < 0)
			return -1;
		(*ret_count)++;
	}
	return 0;
}

static int answer_chosen(struct prompt *prompt, json_t *params, struct duration lasts, const char *by, char *says,
			 size_t size, struct err *err)
{
	char items[PROMPT_ITEMS_MAX][REACH_ITEM_SIZE];
	size_t count;

	if (service_items(params, items, &count, err) < 0)
		return -1;
	return prompt_answer_items(prompt, items, count, lasts, by, says, size, err);
}

SERVICE_METHOD(service_answer)
{
	struct broker *broker = data;
	struct prompt *prompt = prompt_find(broker, service_int(params, "id"));
	char app[APP_ID_SIZE], by[64], says[512] = "";
	struct duration lasts;
	struct err err = { 0 };
	enum give give;
	bool network;
	int rc;

	if (!prompt) {
		no_prompt(call, service_int(params, "id"));
		return;
	}
	if (give_parse(service_str(params, "answer"), &give, &err) < 0 ||
	    duration_parse(service_str(params, "for"), &lasts, &err) < 0) {
		service_fail(call, &err);
		return;
	}
	service_caller(call, by, sizeof(by));
	(void)snprintf(app, sizeof(app), "%s", prompt->app);
	if (give == GIVE_ASK) {
		service_bad_input(call, "'ask' does not answer a question", "io.cowbell.Later refuses for now");
		return;
	}
	network = network_is(prompt->permission);
	if (!network || give != GIVE_CHOSEN) {
		if (json_array_size(json_object_get(params, "items"))) {
			service_bad_input(call, "this answer is not given item by item", "leave --item out");
			return;
		}
		rc = prompt_answer(prompt, give, lasts, by, says, sizeof(says), &err);
	} else {
		rc = answer_chosen(prompt, params, lasts, by, says, sizeof(says), &err);
	}
	if (rc < 0) {
		service_fail(call, &err);
		return;
	}
	if (service_bool(params, "all_of_app"))
		answer_others(broker, app, give, lasts, by);
	else if (lasts.lasts > LASTS_RUN || network)
		prompt_rethink(broker, app);
	varlink_reply(call, json_pack("{s:s}", "says", says));
}

SERVICE_METHOD(service_later)
{
	struct prompt *prompt = prompt_find(data, service_int(params, "id"));

	if (!prompt || prompt->state == PROMPT_UNANSWERED) {
		no_prompt(call, service_int(params, "id"));
		return;
	}
	prompt_later(prompt);
	varlink_reply(call, NULL);
}

SERVICE_METHOD(service_mark)
{
	struct broker *broker = data;
	const char *set = service_str(params, "set");
	struct err err = { 0 };
	struct store_txn *txn = store_begin(broker->store, set != NULL, &err);
	char mark[64] = "", shown[64];
	int rc = -1;

	if (set && (!set[strspn(set, " ")] || strlen(set) > 32)) {
		store_abort(txn);
		service_bad_input(call, "a mark has 1 to 32 bytes, not only blanks", "");
		return;
	}
	if (txn && set) {
		text_escape(set, strlen(set), shown, sizeof(shown));
		rc = store_text_put(txn, "mark", shown, &err);
		(void)snprintf(mark, sizeof(mark), "%s", shown);
	} else if (txn) {
		rc = store_text_get(txn, "mark", mark, sizeof(mark), &err);
	}
	if (rc < 0 || !set)
		store_abort(txn);
	else
		rc = store_commit(txn, &err);
	if (rc < 0)
		service_fail(call, &err);
	else
		varlink_reply(call, json_pack("{s:s}", "mark", mark));
}
