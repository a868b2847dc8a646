/* SPDX-License-Identifier: MIT
 *
 * Nothing is given here that access_decide or an answer did not name, and a
 * gate that waits is always answered in the end: by a grant, by the person, or
 * with EACCES.
 */
#include "broker/access_impl.h"

#include "base/log.h"
#include "broker/background.h"
#include "broker/listen.h"
#include "broker/network.h"
#include "broker/notes.h"
#include "broker/prompt.h"
#include "broker/traffic.h"
#include "broker/trial.h"
#include "broker/volumes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COPY_MAX_BYTES ((uint64_t)256 << 20)
#define COPY_MAX_FILES 20000u
#define REFUSALS_MAX 3u /* unanswered questions for one gate, in one session */

struct permission_ref access_ref_of(const struct gate *gate)
{
	struct permission_ref ref = { .permission = gate->permission };

	(void)snprintf(ref.item, sizeof(ref.item), "%s", gate->item);
	return ref;
}

bool access_covers(const struct permission *permission, const char *item, const struct gate *gate)
{
	return gate->permission == permission && (item[0] == '\0' || strcmp(item, gate->item) == 0);
}

/* --- answering a gate --- */

void access_send_open(struct session *session, size_t index, enum give give, bool ahead)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_OPEN, session->id);
	wr_u16(w, session->broker->gates[index].id);
	wr_u8(w, (uint8_t)give);
	wr_u8(w, ahead);
	chan_send(session->broker->parent, w, NULL, 0);
	free(w);
}

static void send_answer(struct session *session, size_t index, uint32_t question, enum give give, int code,
			uint64_t copy_serial)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	if (give == GIVE_READ || give == GIVE_WRITE || give == GIVE_COPY || give == GIVE_ALLOW)
		access_send_open(session, index, give, false);
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

void access_note(struct session *session, const struct gate *gate, enum give give, const char *what, const char *why,
		 const char *program)
{
	notes_later(session->broker, &(struct history_note){
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
	if (background_is(session->broker->gates[index].permission)) {
		background_answered(session, give);
		return;
	}
	send_answer(session, index, state->question, give, give == GIVE_NO ? EACCES : 0, copy_serial);
}

void access_answer_waiting(struct session *session, const struct permission *permission, const char *item,
			   enum give give, uint64_t copy_serial, uint64_t until_boot_ms)
{
	if (network_is(permission)) {
		network_rethink(session);
		return;
	}
	if (listen_is(permission)) {
		listen_rethink(session);
		return;
	}
	for (size_t i = 0; i < session->broker->gate_count; i++) {
		const struct gate *gate = &session->broker->gates[i];

		if (!access_covers(permission, item, gate))
			continue;
		if (session->gates[i].waiting && give == GIVE_NO)
			access_note(session, gate, GIVE_NO, "refused", "answered so", "");
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
	if (listen_is(permission)) {
		listen_refuse(session, item, quiet_ms);
		return;
	}
	for (size_t i = 0; i < session->broker->gate_count; i++) {
		const struct gate *gate = &session->broker->gates[i];

		if (!access_covers(permission, item, gate))
			continue;
		/* Who asks again and again is refused and counted, not asked about. */
		session->gates[i].quiet_until_ms =
			++session->gates[i].refusals >= REFUSALS_MAX ? UINT64_MAX : loop_boot_ms() + quiet_ms;
		if (session->gates[i].waiting) {
			access_note(session, gate, GIVE_NO, "refused", "nobody answered", "");
			answer_gate(session, i, GIVE_NO, 0, 0);
		}
	}
}

/* --- the supervisor's messages --- */

int access_find_gate(const struct session *session, uint16_t id)
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
	int index = access_find_gate(session, rd_u16(body));
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
	if (volumes_is_away(gate))
		return true; /* it left meanwhile, and who waited was told */
	(void)snprintf(session->gates[index].program, sizeof(session->gates[index].program), "%s", program);
	session->gates[index].question = question;
	session->gates[index].waiting = true;
	/* What was laid out did not do: it had run out, or its mount had not come. */
	session->gates[index].standing = GIVE_NO;
	if (session->state != SESSION_RUNNING) {
		answer_gate(session, (size_t)index, GIVE_NO, 0, 0);
		return true;
	}
	if (session->trial) {
		answer_gate(session, (size_t)index, trial_use(session->trial, gate->permission, gate->item, program), 0, 0);
		return true;
	}
	ref = access_ref_of(gate);
	found = access_decide(session->broker, session, session->app, &ref);
	if (found.decision.give != GIVE_ASK) {
		if (found.decision.give == GIVE_NO)
			access_note(session, gate, GIVE_NO, "refused", decided_by_name(found.decision.by), program);
		answer_gate(session, (size_t)index, found.decision.give, found.copy_serial, found.until_boot_ms);
		return true;
	}
	if (loop_boot_ms() < session->gates[index].quiet_until_ms) {
		session->gates[index].unasked++;
		access_note(session, gate, GIVE_NO, "refused", "not answered a moment ago", program);
		answer_gate(session, (size_t)index, GIVE_NO, 0, 0);
		return true;
	}
	prompt_need(session, gate, question, program);
	return true;
}

void access_tell_closed(struct session *session, size_t index)
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
	int index = access_find_gate(session, rd_u16(body));
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
			access_note(session, &session->broker->gates[index], (enum give)give, "used", "",
				    session->gates[index].program);
		access_arm_expiry(session->broker);
		return true;
	}
	if (give == GIVE_NO)
		return true;
	access_tell_closed(session, (size_t)index);
	(void)snprintf(text, sizeof(text), "%s could not be given %s: %s", session->app,
		       session->broker->gates[index].permission->label, why);
	session_notice(session, text);
	access_note(session, &session->broker->gates[index], (enum give)give, "failed", why, "");
	return true;
}

bool access_handle(struct session *session, struct msg *m)
{
	switch ((unsigned int)m->op) {
	case MSG_NEED:
		return handle_need(session, &m->body);
	case MSG_NET_NEED:
		return network_handle_need(session, m);
	case MSG_LISTENS:
		return listen_handle_listens(session, m);
	case MSG_NET_TRAFFIC:
		return traffic_handle(session, m);
	case MSG_ANSWERED:
		return handle_answered(session, &m->body);
	case MSG_USED:
		return standing_handle_used(session, &m->body);
	case MSG_REVOKED:
		return revoke_handle_revoked(session, &m->body);
	}
	return false;
}

bool access_handle_opened(struct broker *broker, struct msg *m)
{
	struct session *session = session_by_id(broker, m->id);
	uint16_t gate = rd_u16(&m->body);
	uint8_t give = rd_u8(&m->body), ahead = rd_u8(&m->body);
	uint32_t code = rd_u32(&m->body);
	char why[512], text[700];
	int index;

	rd_str(&m->body, why, sizeof(why));
	if (!rd_end(&m->body) || give >= GIVE_COUNT)
		return false;
	/* What cannot be laid out is opened, or fails, when it is used. */
	if (!session || code == 0 || ahead || (index = access_find_gate(session, gate)) < 0)
		return true;
	(void)snprintf(text, sizeof(text), "%s could not be given %s: %s", session->app,
		       broker->gates[index].permission->label, why);
	session_notice(session, text);
	access_note(session, &broker->gates[index], (enum give)give, "failed", why, "");
	send_answer(session, (size_t)index, session->gates[index].question, GIVE_NO, (int)code, 0);
	return true;
}

void access_session_gone(struct session *session)
{
	prompt_session_gone(session);
	network_session_gone(session);
	listen_session_gone(session);
	revoke_session_gone(session);
}
