/* SPDX-License-Identifier: MIT
 *
 * Taking back: by a person, by policy, by time. Whoever takes back hears once, when
 * every gate of it has answered.
 */
#include "broker/access_impl.h"

#include "base/log.h"
#include "broker/background.h"
#include "broker/listen.h"
#include "broker/network.h"
#include "broker/volumes.h"

#include <string.h>

struct revoke_wait {
	struct revoke_wait *next;
	struct session *session;
	uint64_t gates; /* those still to answer: a bit for each of broker->gates */
	uint32_t held;
	void (*fn)(void *data, uint32_t held);
	void *data;
};

static struct revoke_wait *revoke_waits;

_Static_assert(GATES_MAX <= 64, "a wait has a bit for each gate");

/* Those of session that wait for no gate any more hear of it. */
static void tell_done(struct session *session)
{
	struct revoke_wait **p = &revoke_waits;

	while (*p) {
		struct revoke_wait *wait = *p;

		if (wait->session != session || wait->gates) {
			p = &wait->next;
			continue;
		}
		*p = wait->next;
		wait->fn(wait->data, wait->held);
		free(wait);
		p = &revoke_waits; /* fn may have started another */
	}
}

static void gate_answered(struct session *session, int index, uint32_t held)
{
	const uint64_t bit = (uint64_t)1 << index;

	for (struct revoke_wait *wait = revoke_waits; wait; wait = wait->next) {
		if (wait->session != session || !(wait->gates & bit))
			continue;
		wait->held += held;
		if (session->gates[index].revoking == 0)
			wait->gates &= ~bit;
	}
	tell_done(session);
}

bool revoke_handle_revoked(struct session *session, struct rd *body)
{
	int index = access_find_gate(session, rd_u16(body));
	uint32_t code = rd_u32(body), held = rd_u32(body);

	if (!rd_end(body) || index < 0)
		return false;
	if (code)
		log_warn("gate %d of '%s' not closed: %s", index, session->app, strerror((int)code));
	else
		session->gates[index].given = GIVE_NO;
	if (!code)
		access_tell_closed(session, (size_t)index);
	session->gates[index].revoking -= session->gates[index].revoking > 0;
	session->gates[index].until_boot_ms = 0;
	session->gates[index].lingers = held > 0;
	gate_answered(session, index, code && !held ? 1 : held);
	volumes_closed(session, &session->broker->gates[index], held);
	access_stand(session);
	return true;
}

static void send_revoke(struct session *session, size_t index, const char *item)
{
	struct wr *w;

	session->gates[index].revoking++;
	session->gates[index].standing = GIVE_NO;
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

/* Of the network a part may be taken back, and what is in force only the kernel knows. */
static bool is_meant(const struct session *session, size_t index, const struct permission *permission, const char *item)
{
	const struct gate *gate = &session->broker->gates[index];
	const struct gate_state *state = &session->gates[index];

	if (background_is(permission) || listen_is(permission))
		return false; /* no gate of the kernel's */
	if (network_is(permission))
		return gate->permission == permission;
	return access_covers(permission, item, gate) &&
	       (state->given != GIVE_NO || state->standing != GIVE_NO || state->revoking || state->lingers);
}

void access_revoke(struct session *session, const struct permission *permission, const char *item,
		   void (*fn)(void *data, uint32_t held), void *data)
{
	struct revoke_wait *wait = xcalloc(1, sizeof(*wait));

	if (background_is(permission))
		background_revoked(session);
	if (listen_is(permission))
		listen_rethink(session);
	wait->session = session;
	wait->fn = fn;
	wait->data = data;
	for (size_t i = 0; i < session->broker->gate_count; i++) {
		if (!is_meant(session, i, permission, item))
			continue;
		wait->gates |= (uint64_t)1 << i;
		if (!session->gates[i].revoking || network_is(permission))
			send_revoke(session, i, item);
	}
	if (!wait->gates || !session->chan) {
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

void revoke_session_gone(struct session *session)
{
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
