/* SPDX-License-Identifier: MIT
 *
 * What went through, for people: as the store will have it when the session that
 * runs ends now.
 */
#include "broker/traffic_state.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

struct line_walk {
	struct traffic_line *lines;
	size_t count, room;
};

static struct traffic_line *line_for(struct line_walk *walk, const char *item, bool local, bool scope)
{
	struct traffic_line *l;

	for (size_t i = 0; i < walk->count; i++) {
		if (strcmp(walk->lines[i].item, item) == 0)
			return &walk->lines[i];
	}
	if (walk->count == walk->room)
		return NULL;
	l = &walk->lines[walk->count++];
	(void)snprintf(l->item, sizeof(l->item), "%s", item);
	l->local = local;
	l->scope = scope;
	return l;
}

struct merge {
	struct line_walk walk;
	const struct session *session;
};

static void fill_line(struct merge *m, struct traffic_record r)
{
	const struct traffic *t = m->session ? m->session->traffic : NULL;
	bool scope = r.item[0] == '\0' || strcmp(r.item, REACH_LOCAL) == 0;
	struct traffic_line *l = line_for(&m->walk, r.item, r.local, scope);

	if (!l)
		return;
	l->filled = true;
	traffic_turn_month(&r);
	for (size_t i = 0; t && i < t->count; i++) {
		if (strcmp(t->of[i].item, r.item) != 0)
			continue;
		traffic_add_session(&r, m->session->id, &t->of[i].bytes);
		l->run = t->of[i].bytes;
	}
	l->ever = r.ever;
	l->this_month = r.this_month;
	l->cap = r.cap;
	l->spent = (r.cap && (r.spent == r.month || r.this_month.up + r.this_month.down >= r.cap)) ||
		   (scope && t && t->spent[r.local]);
}

static int see_record(void *data, const struct traffic_record *record)
{
	fill_line(data, *record);
	return 0;
}

struct traffic_line *traffic_lines(struct broker *broker, const char *app, size_t *ret_count)
{
	struct merge m = { .walk = { .room = 2 + TRAFFIC_HOSTS_MAX + TRAFFIC_TOLD_MAX }, .session = session_find(broker, app) };
	const struct traffic *t = m.session ? m.session->traffic : NULL;
	struct err err = { 0 };
	struct store_txn *txn = store_begin(broker->store, false, &err);
	bool unknown[2] = { false, false };

	m.walk.lines = xcalloc(m.walk.room, sizeof(*m.walk.lines));
	(void)line_for(&m.walk, "", false, true);
	(void)line_for(&m.walk, REACH_LOCAL, true, true);
	if (!txn || store_traffic_each(txn, app, see_record, &m, &err) < 0)
		log_warn("traffic of '%s' not read: %s", app, err.msg);
	for (size_t i = 0; i < 2; i++) {
		struct traffic_record r;

		if (!txn || store_traffic_get(txn, app, traffic_item(i == 1), &r, &err) < 0)
			unknown[i] = true;
	}
	store_abort(txn);
	for (size_t i = 0; t && i < t->count; i++) {
		struct traffic_record r = { .local = t->of[i].local };
		struct traffic_line *l;

		(void)snprintf(r.item, sizeof(r.item), "%s", t->of[i].item);
		l = line_for(&m.walk, r.item, r.local, i < 2);
		if (l && !l->filled)
			fill_line(&m, r);
	}
	/* No cap that anybody could tell, and refused all the same. */
	for (size_t i = 0; i < 2; i++)
		m.walk.lines[i].spent |= unknown[i];
	*ret_count = m.walk.count;
	return m.walk.lines;
}
