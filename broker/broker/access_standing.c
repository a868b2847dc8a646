/* SPDX-License-Identifier: MIT
 *
 * Answers that stand are laid out in the supervisor before they are needed, with
 * the mount where there is one, so that a first use waits for one process and not
 * for three. What is laid out is this broker's word: it goes with the broker, and
 * with anything that changes the decision, and whoever changes it can wait until
 * the supervisor has said that it is gone.
 */
#include "broker/access_impl.h"

#include "base/log.h"
#include "broker/listen.h"
#include "broker/network.h"
#include "broker/volumes.h"

#include <stdio.h>
#include <string.h>

/* cowbelld makes the map of owners for a session 15 ms after its start; a program
 * that is over before pays for neither. */
#define LAY_OUT_MS 18u

/* A device is changed for whoever is given it, and a private copy has to be made
 * or found: these wait for the use. So do refusals: an app cannot write history
 * faster than it is written. */
static bool can_stand(const struct gate *gate, enum give give)
{
	return !gate->permission->is_device && !network_is(gate->permission) && !volumes_is_away(gate) &&
	       (give == GIVE_READ || give == GIVE_WRITE || give == GIVE_EMPTY);
}

static struct access_decision decide_now(struct session *session, const struct gate *gate)
{
	struct permission_ref ref = access_ref_of(gate);

	return access_decide(session->broker, session, session->app, &ref);
}

static void lay_out(struct session *session, size_t index, const struct access_decision *found)
{
	struct gate_state *state = &session->gates[index];
	enum give give = found->decision.give;
	struct wr *w = xcalloc(1, sizeof(*w));

	state->standing = give;
	state->until_boot_ms = found->until_boot_ms;
	chan_begin(w, MSG_STANDING, session->id);
	wr_u16(w, session->broker->gates[index].id);
	wr_u8(w, (uint8_t)give);
	wr_u64(w, found->until_boot_ms);
	session_send(session, w);
	free(w);
	if (give != GIVE_EMPTY)
		access_send_open(session, index, give, true);
}

void access_stand(struct session *session)
{
	if (session->state != SESSION_RUNNING || session->kind != SESSION_RUN || session->trial || !session->chan)
		return;
	for (size_t i = 0; i < session->broker->gate_count; i++) {
		const struct gate_state *state = &session->gates[i];
		const struct gate *gate = &session->broker->gates[i];
		struct access_decision found;

		if (state->given != GIVE_NO || state->standing != GIVE_NO || state->waiting || state->revoking ||
		    !can_stand(gate, GIVE_READ))
			continue;
		found = decide_now(session, gate);
		if (can_stand(gate, found.decision.give))
			lay_out(session, i, &found);
	}
}

static void on_due(void *data)
{
	struct session *session = data;

	loop_remove(session->standing);
	session->standing = NULL;
	access_stand(session);
}

void access_stand_soon(struct session *session)
{
	if (!session->standing)
		session->standing = loop_add_timer(session->broker->loop, LAY_OUT_MS, on_due, session);
}

static void on_withdrawn(void *data, uint32_t held)
{
	struct session *session = data;

	/* It was used while we changed our mind; the notice is the person's to act on. */
	if (held)
		session_notice(session, "open files from the earlier answer stay open (cowbell stop ends them)");
}

void access_stand_anew(struct session *session)
{
	for (size_t i = 0; i < session->broker->gate_count; i++) {
		const struct gate *gate = &session->broker->gates[i];
		struct gate_state *state = &session->gates[i];
		struct access_decision found;

		if (state->standing == GIVE_NO)
			continue;
		found = decide_now(session, gate);
		if (found.decision.give != state->standing || found.until_boot_ms != state->until_boot_ms)
			access_revoke(session, gate->permission, gate->item, on_withdrawn, session);
	}
	access_stand(session);
	listen_rethink(session);
}

bool standing_handle_used(struct session *session, struct rd *body)
{
	int index = access_find_gate(session, rd_u16(body));
	uint8_t give = rd_u8(body);
	struct gate_state *state;
	char raw[256];

	rd_str(body, raw, sizeof(raw));
	if (!rd_end(body) || index < 0 || give >= GIVE_COUNT)
		return false;
	if (volumes_is_away(&session->broker->gates[index]))
		return true; /* it left while it was used */
	if (!can_stand(&session->broker->gates[index], (enum give)give))
		return false;
	state = &session->gates[index];
	state->standing = GIVE_NO;
	state->given = (enum give)give;
	text_escape(raw, strlen(raw), state->program, sizeof(state->program));
	access_note(session, &session->broker->gates[index], (enum give)give, "used", "", state->program);
	access_arm_expiry(session->broker);
	return true;
}

/* --- what a dead broker did not live to write --- */

static int see_used(void *data, const struct history_record *entry)
{
	struct session *session = data;
	const struct broker *broker = session->broker;

	if (entry->kind != HISTORY_ACCESS || entry->session != session->id || strcmp(entry->what, "used") != 0)
		return 0;
	for (size_t i = 0; i < broker->gate_count; i++) {
		if (strcmp(broker->gates[i].permission->name, entry->permission) == 0 &&
		    strcmp(broker->gates[i].item, entry->item) == 0 && session->gates[i].given == entry->give)
			session->gates[i].noted = true;
	}
	return 0;
}

void access_note_given(struct session *session)
{
	struct broker *broker = session->broker;
	struct err err = { 0 };
	struct store_txn *txn = store_begin(broker->store, false, &err);

	if (!txn || store_history_each(txn, session->app, NULL, 0, see_used, session, &err) < 0)
		log_warn("what '%s' uses may stand in history twice: %s", session->app, err.msg);
	store_abort(txn);
	for (size_t i = 0; i < broker->gate_count; i++) {
		if (session->gates[i].given != GIVE_NO && !session->gates[i].noted)
			access_note(session, &broker->gates[i], session->gates[i].given, "used", "", "");
	}
}
