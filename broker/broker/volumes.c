/* SPDX-License-Identifier: MIT */
#include "broker/volumes.h"

#include "base/log.h"
#include "broker/access.h"
#include "broker/prompt.h"

#include <stdio.h>
#include <string.h>

static bool is_volume(const struct gate *gate)
{
	return strcmp(gate->permission->name, "removable") == 0;
}

bool volumes_is_away(const struct gate *gate)
{
	return is_volume(gate) && (!gate->exists || gate->id == GATE_VOLUMES);
}

static void send(struct session *session, const struct gate *gate)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_VOLUME, session->id);
	wr_u16(w, gate->id);
	wr_u8(w, gate->exists);
	wr_str(w, gate->path);
	session_send(session, w);
	free(w);
}

/* Whether its supervisor takes part: an installer gets nothing. */
static bool takes_part(const struct session *session)
{
	return session->chan && session->state == SESSION_RUNNING && session->kind != SESSION_INSTALL;
}

void volumes_tell(struct session *session)
{
	for (size_t i = 0; i < session->broker->gate_count && takes_part(session); i++) {
		const struct gate *gate = &session->broker->gates[i];

		if (!is_volume(gate) || gate->id == GATE_VOLUMES || (!gate->exists && !session->adopted))
			continue;
		session->gates[i].revoking += !gate->exists;
		send(session, gate);
	}
}

static struct gate *gate_for(struct broker *broker, uint16_t id)
{
	struct gate *gate;

	for (size_t i = 0; i < broker->gate_count; i++) {
		if (broker->gates[i].id == id)
			return is_volume(&broker->gates[i]) && id != GATE_VOLUMES ? &broker->gates[i] : NULL;
	}
	if (broker->gate_count == GATES_MAX) {
		log_warn("more gates than %u: a volume is not offered", GATES_MAX);
		return NULL;
	}
	gate = &broker->gates[broker->gate_count++];
	memset(gate, 0, sizeof(*gate));
	gate->id = id;
	gate->permission = permission_find("removable");
	return gate;
}

/* What was asked and not answered about it is nobody's question while it is away. */
static void leave_one(struct session *session, const struct gate *gate)
{
	struct gate_state *state = &session->gates[gate - session->broker->gates];

	if (state->waiting)
		prompt_withdraw_item(session, gate->permission, gate->item);
	state->waiting = false;
	state->standing = GIVE_NO;
	state->until_boot_ms = 0;
	state->revoking++;
	send(session, gate);
}

static void leave(struct broker *broker, const struct gate *gate)
{
	for (struct session *s = broker->sessions; s; s = s->next) {
		if (takes_part(s))
			leave_one(s, gate);
	}
}

static void come(struct broker *broker, const struct gate *gate)
{
	size_t index = (size_t)(gate - broker->gates);

	for (struct session *s = broker->sessions; s; s = s->next) {
		struct gate_state *state = &s->gates[index];

		/* Another volume may have this number now: what it was refused is over. */
		state->quiet_until_ms = 0;
		state->refusals = state->unasked = 0;
		if (!takes_part(s))
			continue;
		send(s, gate);
		access_stand(s);
	}
}

bool volumes_handle_seen(struct broker *broker, struct msg *m)
{
	uint16_t id = rd_u16(&m->body);
	uint8_t here = rd_u8(&m->body);
	struct gate seen = { .id = id, .exists = here != 0 }, *gate;

	rd_str(&m->body, seen.item, sizeof(seen.item));
	rd_str(&m->body, seen.path, sizeof(seen.path));
	if (!rd_end(&m->body) || id == 0 || !seen.item[0])
		return false;
	gate = gate_for(broker, id);
	if (!gate)
		return true;
	if (gate->exists) { /* also when another one is there now */
		gate->exists = false;
		leave(broker, gate);
	}
	seen.permission = gate->permission;
	*gate = seen;
	if (gate->exists)
		come(broker, gate);
	return true;
}

void volumes_closed(struct session *session, const struct gate *gate, uint32_t held)
{
	char text[400];

	if (!is_volume(gate) || gate->exists || !held || session->state != SESSION_RUNNING)
		return;
	(void)snprintf(text, sizeof(text), "%s is ended: it still held %u open file%s of %s, which was taken out",
		       session->app, held, held == 1 ? "" : "s", gate->item);
	session_notice(session, text);
	log_info("%s", text);
	session_end(session);
}
