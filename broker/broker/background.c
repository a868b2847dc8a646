/* SPDX-License-Identifier: MIT
 *
 * A command's end is told to whoever waits for it only when it is known what
 * becomes of what it left: else the terminal that could show the bell is gone.
 */
#include "broker/background.h"

#include "base/log.h"
#include "base/path.h"
#include "broker/agent.h"
#include "broker/answer.h"
#include "broker/command.h"
#include "broker/prompt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

bool background_is(const struct permission *permission)
{
	return strcmp(permission->name, "background") == 0;
}

void background_add_gate(struct broker *broker)
{
	struct gate *gate = &broker->gates[broker->gate_count];

	if (broker->gate_count == GATES_MAX) {
		log_warn("more gates than %u: nothing runs in the background", GATES_MAX);
		return;
	}
	gate->id = GATE_BACKGROUND;
	gate->permission = permission_find("background");
	gate->exists = true;
	broker->gate_count++;
}

static const struct gate *gate_of(struct broker *broker, size_t *ret_index)
{
	for (size_t i = 0; i < broker->gate_count; i++) {
		if (broker->gates[i].id == GATE_BACKGROUND) {
			*ret_index = i;
			return &broker->gates[i];
		}
	}
	return NULL;
}

static struct gate_state *state_of(struct session *session)
{
	size_t index;

	return gate_of(session->broker, &index) ? &session->gates[index] : NULL;
}

struct access_decision background_decide(struct broker *broker, struct session *session, const char *app)
{
	struct permission_ref ref = { .permission = permission_find("background") };

	return access_decide(broker, session, app, &ref);
}

static void note(struct session *session, enum give give, const char *why, const char *program)
{
	broker_note_alone(session->broker, &(struct history_note){
						   .kind = HISTORY_ACCESS,
						   .app = session->app,
						   .permission = "background",
						   .what = give == GIVE_ALLOW ? "used" : "refused",
						   .why = why,
						   .program = session_program(session, program),
						   .give = give,
						   .session = session->id,
					   });
}

static void program_of(const struct command *command, char *buf, size_t size)
{
	const char *word = command->run.argv && command->run.argv[0] ? path_base(command->run.argv[0]) : "";

	text_escape(word, strlen(word), buf, size);
}

static void signal_all(struct session *session, uint32_t signo)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_SIGNAL, session->id);
	wr_u32(w, 0);
	wr_u32(w, signo);
	session_send(session, w);
	free(w);
}

static void given(struct session *session)
{
	struct gate_state *state = state_of(session);

	if (!state)
		return;
	state->given = GIVE_ALLOW;
	state->until_boot_ms = background_decide(session->broker, session, session->app).until_boot_ms;
	access_arm_expiry(session->broker);
}

/* --- asking --- */

/* Whether there is somebody to ask, and nobody has just looked away. */
static bool can_ask(struct session *session)
{
	struct gate_state *state = state_of(session);

	return state && agent_present(session->broker) && loop_boot_ms() >= state->quiet_until_ms;
}

static void ask(struct session *session, const char *program)
{
	struct gate_state *state = state_of(session);
	size_t index;
	const struct gate *gate = gate_of(session->broker, &index);

	(void)snprintf(state->program, sizeof(state->program), "%s", program);
	state->question = 0; /* the supervisor's begin at 1 */
	state->waiting = true;
	prompt_need(session, gate, 0, program);
}

/* Nobody is there: refused, and listed for next time. */
static void refuse(struct session *session, const struct access_decision *found, const char *program)
{
	struct gate_state *state = state_of(session);
	char text[256];

	if (found->decision.give != GIVE_ASK || !state) {
		note(session, GIVE_NO, decided_by_name(found->decision.by), program);
		return;
	}
	if (loop_boot_ms() < state->quiet_until_ms) {
		state->unasked++;
		note(session, GIVE_NO, "not answered a moment ago", program);
		return;
	}
	(void)snprintf(text, sizeof(text),
		       "what %s left running is ended: nobody was there to ask (cowbell grant %s background allow)",
		       session->app, session->app);
	session_notice(session, text);
	ask(session, program);
	access_refuse_waiting(session, permission_find("background"), "", PROMPT_QUIET_MS);
	prompt_unanswered(session, permission_find("background"));
}

/* --- what becomes of it --- */

static bool in_foreground(const struct session *session)
{
	for (const struct command *c = session->commands; c; c = c->next) {
		if (!c->over && !c->unattended && !c->asks)
			return true;
	}
	return false;
}

static void end_held(struct session *session)
{
	struct command *next;

	for (struct command *c = session->commands; c; c = next) {
		next = c->next;
		if (c->over)
			command_end(c, c->status, NULL);
	}
}

static void go_on(struct session *session)
{
	given(session);
	session->stays = session->left;
	signal_all(session, SIGCONT);
	for (struct command *c = session->commands; c; c = c->next) {
		if (c->asks)
			c->unattended = true;
		c->asks = false;
	}
	end_held(session);
}

static void end_it(struct session *session)
{
	session->stays = false;
	if (!in_foreground(session)) {
		end_held(session); /* ends the session with the last of them */
		session_end(session);
		return;
	}
	for (struct command *c = session->commands; c; c = c->next) {
		if (c->asks || c->unattended)
			command_signal(c, SIGKILL);
	}
	end_held(session);
}

static void on_due(void *data)
{
	struct session *session = data;

	loop_remove(session->background_due);
	session->background_due = NULL;
	if (session->state != SESSION_RUNNING)
		return;
	if (session->background_give == GIVE_ALLOW)
		go_on(session);
	else
		end_it(session);
}

static void later(struct session *session, enum give give)
{
	session->background_give = give;
	if (!session->background_due)
		session->background_due = loop_add_later(session->broker->loop, on_due, session);
}

void background_answered(struct session *session, enum give give)
{
	struct gate_state *state = state_of(session);

	if (give == GIVE_ALLOW)
		note(session, GIVE_ALLOW, "", state ? state->program : "");
	later(session, give);
}

void background_revoked(struct session *session)
{
	struct gate_state *state = state_of(session);

	if (!state || state->given == GIVE_NO)
		return;
	state->given = GIVE_NO;
	later(session, GIVE_NO);
}

/* --- what happens --- */

static bool others_run(const struct session *session, const struct command *but)
{
	for (const struct command *c = session->commands; c; c = c->next) {
		if (c != but && !c->over)
			return true;
	}
	return false;
}

void background_exited(struct command *command, uint32_t status, bool left)
{
	struct session *session = command->session;
	struct access_decision found;
	char program[128];

	session->left = left;
	if (!left || session->keep || session->kind == SESSION_INSTALL || session->trial ||
	    session->state != SESSION_RUNNING || others_run(session, command)) {
		command_end(command, status, NULL);
		return;
	}
	program_of(command, program, sizeof(program));
	found = background_decide(session->broker, session, session->app);
	if (found.decision.give == GIVE_ALLOW) {
		if (!session->stays)
			note(session, GIVE_ALLOW, "", program);
		given(session);
		session->stays = true;
	} else if (found.decision.give == GIVE_ASK && can_ask(session)) {
		command->over = true;
		command->status = status;
		signal_all(session, SIGSTOP);
		ask(session, program);
		return;
	} else {
		refuse(session, &found, program);
	}
	command_end(command, status, NULL);
}

static void withdraw(struct session *session)
{
	struct gate_state *state = state_of(session);

	if (state)
		state->waiting = false;
	prompt_withdraw(session, permission_find("background"));
}

void background_empty(struct session *session)
{
	session->left = session->stays = false;
	withdraw(session);
	if (session->commands)
		end_held(session);
	else if (!session->keep)
		session_end(session);
}

void background_joined(struct session *session)
{
	bool held = false;

	for (struct command *c = session->commands; c; c = c->next)
		held |= c->over;
	if (!held)
		return;
	withdraw(session);
	signal_all(session, SIGCONT);
	end_held(session); /* the new one keeps the session */
}

bool background_outlives(struct command *command)
{
	struct session *session = command->session;
	struct access_decision found;
	char program[128];

	if (session->kind == SESSION_INSTALL || session->trial || session->state != SESSION_RUNNING)
		return false;
	program_of(command, program, sizeof(program));
	found = background_decide(session->broker, session, session->app);
	if (found.decision.give == GIVE_ALLOW) {
		note(session, GIVE_ALLOW, "", program);
		background_unattended(command);
		return true;
	}
	if (found.decision.give == GIVE_ASK && can_ask(session)) {
		command->asks = true;
		ask(session, program);
		return true;
	}
	refuse(session, &found, program);
	return false;
}

bool background_adopted(struct session *session, bool left)
{
	bool may = background_decide(session->broker, session, session->app).decision.give == GIVE_ALLOW;

	session->left = left;
	for (struct command *c = session->commands; c; c = c->next)
		c->unattended = true;
	if (may && (session->commands || left))
		given(session);
	if (session->commands)
		return true;
	session->stays = left && may;
	if (session->stays)
		signal_all(session, SIGCONT); /* its person was being asked */
	return session->stays;
}

/* --- by its owner's word --- */

int background_may_start(struct broker *broker, struct session *session, const char *app, struct err *err)
{
	struct access_decision found = background_decide(broker, session, app);

	if (found.decision.give == GIVE_ALLOW || found.decision.give == GIVE_ASK)
		return 0;
	err_set(err, EACCES, "'%s' may not run in the background (%s: %s)", app, decided_by_name(found.decision.by),
		found.decision.why);
	return err_hint(err, "cowbell explain %s background", app);
}

void background_unattended(struct command *command)
{
	command->unattended = true;
	given(command->session);
}

int background_allow(struct broker *broker, struct session *session, const char *app, enum lasts lasts, const char *by,
		     struct err *err)
{
	struct answer answer = {
		.app = app,
		.ref = { .permission = permission_find("background") },
		.give = GIVE_ALLOW,
		.lasts = { .lasts = lasts },
		.by = by,
	};
	struct answer_result result;

	if (background_decide(broker, session, app).decision.give == GIVE_ALLOW)
		return 0;
	return answer_store(broker, session, &answer, &result, err);
}
