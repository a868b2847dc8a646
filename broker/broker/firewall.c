/* SPDX-License-Identifier: MIT
 *
 * What cowbelld saw become of a packet, in words. Names of tables and chains are of
 * whoever wrote the host's rules: they are escaped before anybody reads them.
 */
#include "broker/firewall.h"

#include "broker/network.h"
#include "policy/firewall.h"
#include "policy/permission.h"

#include <stdio.h>
#include <string.h>

#define SEEN_MAX 2u
#define NAME_SIZE 128u

struct seen {
	uint8_t version, end;
	struct firewall_drop drop;
	char table[NAME_SIZE], chain[NAME_SIZE];
};

struct asked {
	struct asked *next;
	uint32_t ticket;
	void (*fn)(void *data, json_t *probes);
	void *data;
};

static struct asked *asked;
static uint32_t last_ticket;

static void ask(struct broker *broker, uint64_t session, uint32_t ticket, const struct reach *to)
{
	static const uint8_t anywhere[16];
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_FIREWALL_LOOK, session);
	wr_u32(w, ticket);
	wr_u8(w, to ? to->version : 0);
	wr_bytes(w, to ? to->to : anywhere, sizeof(anywhere));
	chan_send(broker->parent, w, NULL, 0);
	free(w);
}

static bool is_ended(const struct seen *s)
{
	return s->end == FIREWALL_DROPS || s->end == FIREWALL_HIDDEN || s->end == FIREWALL_LEGACY;
}

/* --- doctor --- */

static void add_probe(json_t *probes, const struct seen *s, uint32_t present)
{
	enum firewall who = firewall_whose(&s->drop, present);
	char name[32], here[100], found[600], cure[600] = "";
	const char *state = "ok", *cost = "";

	(void)snprintf(name, sizeof(name), "firewall, IPv%u", s->version);
	firewall_list(present, here, sizeof(here));
	if (is_ended(s)) {
		state = "blocked";
		cost = "apps wait for what you allowed them until it fails by its time";
		firewall_found(&s->drop, who, found, sizeof(found));
		firewall_cure(&s->drop, who, cure, sizeof(cure));
	} else if (s->end == FIREWALL_PASSES) {
		(void)snprintf(found, sizeof(found), "packets of apps pass%s%s", here[0] ? "; rules of: " : "", here);
	} else if (s->end == FIREWALL_OFFLINE) {
		(void)snprintf(found, sizeof(found), "not tried: there is no way to the internet now%s%s",
			       here[0] ? "; rules of: " : "", here);
	} else {
		state = "unknown";
		(void)snprintf(found, sizeof(found), "it could not be tried");
		cost = "a rule of the host that drops what you allowed is not found";
		(void)snprintf(cure, sizeof(cure), "cowbelld's log says what failed");
	}
	json_array_append_new(probes, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "state", state, "found", found,
						"cost", cost, "cure", cure));
}

void firewall_probes(struct broker *broker, void (*fn)(void *data, json_t *probes), void *data)
{
	struct asked *a = xcalloc(1, sizeof(*a));

	a->ticket = ++last_ticket ? last_ticket : ++last_ticket;
	a->fn = fn;
	a->data = data;
	a->next = asked;
	asked = a;
	ask(broker, 0, a->ticket, NULL);
}

static void reply(uint32_t ticket, const struct seen *seen, size_t count, uint32_t present)
{
	for (struct asked **p = &asked; *p; p = &(*p)->next) {
		struct asked *a = *p;
		json_t *probes;

		if (a->ticket != ticket)
			continue;
		*p = a->next;
		probes = json_array();
		for (size_t i = 0; i < count; i++)
			add_probe(probes, &seen[i], present);
		a->fn(a->data, probes);
		free(a);
		return;
	}
}

/* --- a session --- */

static unsigned int place_of(const struct reach *to)
{
	return 2u * to->local + (to->version == 6);
}

void firewall_look(struct session *session, const struct reach *to)
{
	if (!to->version || (session->firewall.asked >> place_of(to) & 1))
		return;
	session->firewall.asked |= (uint8_t)(1u << place_of(to));
	ask(session->broker, session->id, 1 + place_of(to), to);
}

bool firewall_is_looked_at(const struct session *session, const struct reach *to)
{
	return to->version && ((session->firewall.asked & ~session->firewall.seen) >> place_of(to) & 1);
}

void firewall_allowed(struct session *session, const struct reach *to)
{
	char **ends = &session->firewall.ends[place_of(to)], text[900];

	if (!to->version || !*ends)
		return;
	(void)snprintf(text, sizeof(text),
		       "%s may go there, but this device's own firewall ends it: %s (cowbell doctor has the cure)",
		       session->app, *ends);
	session_notice(session, text);
	broker_note_alone(session->broker, &(struct history_note){
						   .kind = HISTORY_ACCESS,
						   .app = session->app,
						   .permission = "network",
						   .item = to->local ? REACH_LOCAL : "",
						   .what = "blocked by a firewall",
						   .why = *ends,
						   .give = GIVE_ALLOW,
						   .session = session->id,
					   });
	free(*ends);
	*ends = NULL;
}

void firewall_session_gone(struct session *session)
{
	for (size_t i = 0; i < ARRAY_LEN(session->firewall.ends); i++) {
		free(session->firewall.ends[i]);
		session->firewall.ends[i] = NULL;
	}
}

static void note_seen(struct session *session, uint32_t place, const struct seen *s, uint32_t present)
{
	char found[600];

	if (place >= ARRAY_LEN(session->firewall.ends))
		return;
	session->firewall.seen |= (uint8_t)(1u << place);
	if (!is_ended(s))
		return;
	firewall_found(&s->drop, firewall_whose(&s->drop, present), found, sizeof(found));
	free(session->firewall.ends[place]);
	session->firewall.ends[place] = xstrdup(found);
}

static void read_seen(struct rd *r, struct seen *s)
{
	char raw[NAME_SIZE];

	s->version = rd_u8(r);
	s->end = rd_u8(r);
	s->drop = (struct firewall_drop){ .version = s->version, .family = rd_u8(r), .table = s->table, .chain = s->chain };
	s->drop.by_policy = rd_u8(r) != 0;
	s->drop.hidden = s->end == FIREWALL_HIDDEN || s->end == FIREWALL_LEGACY;
	s->drop.legacy = s->end == FIREWALL_LEGACY;
	rd_str(r, raw, sizeof(raw));
	text_escape(raw, strlen(raw), s->table, sizeof(s->table));
	rd_str(r, raw, sizeof(raw));
	text_escape(raw, strlen(raw), s->chain, sizeof(s->chain));
}

bool firewall_handle_seen(struct broker *broker, struct msg *m)
{
	struct session *session = m->id ? session_by_id(broker, m->id) : NULL;
	uint32_t ticket = rd_u32(&m->body), present = rd_u32(&m->body);
	uint16_t count = rd_u16(&m->body);
	struct seen seen[SEEN_MAX];

	if (count > SEEN_MAX)
		return false;
	for (uint16_t i = 0; i < count; i++)
		read_seen(&m->body, &seen[i]);
	if (!rd_end(&m->body))
		return false;
	if (!m->id)
		reply(ticket, seen, count, present);
	if (!session)
		return true;
	for (uint16_t i = 0; i < count; i++)
		note_seen(session, ticket - 1, &seen[i], present);
	if (!count && ticket - 1 < ARRAY_LEN(session->firewall.ends)) /* nothing could be seen */
		session->firewall.seen |= (uint8_t)(1u << (ticket - 1));
	network_rethink(session);
	return true;
}
