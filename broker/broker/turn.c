/* SPDX-License-Identifier: MIT
 *
 * Turns stand in one list in order of request; the first of an app holds it.
 */
#include "broker/turn.h"

#include <stdio.h>
#include <string.h>

struct turn {
	struct broker *broker;
	struct turn *next;
	char app[APP_ID_SIZE];
	bool called;
	struct loop_source *later;
	void (*fn)(void *data);
	void *data;
};

static struct turn *first_of(const struct broker *broker, const char *app)
{
	for (struct turn *t = broker->turns; t; t = t->next) {
		if (strcmp(t->app, app) == 0)
			return t;
	}
	return NULL;
}

static void on_turn(void *data)
{
	struct turn *turn = data;

	loop_remove(turn->later);
	turn->later = NULL;
	turn->called = true;
	turn->fn(turn->data);
}

static void wake_first(struct broker *broker, const char *app)
{
	struct turn *first = first_of(broker, app);

	if (first && !first->called && !first->later)
		first->later = loop_add_later(broker->loop, on_turn, first);
}

struct turn *turn_request(struct broker *broker, const char *app, void (*fn)(void *data), void *data)
{
	struct turn *turn = xcalloc(1, sizeof(*turn)), **tail = &broker->turns;

	turn->broker = broker;
	(void)snprintf(turn->app, sizeof(turn->app), "%s", app);
	turn->fn = fn;
	turn->data = data;
	while (*tail)
		tail = &(*tail)->next;
	*tail = turn;
	wake_first(broker, app);
	return turn;
}

void turn_end(struct turn *turn)
{
	struct turn **p;

	if (!turn)
		return;
	for (p = &turn->broker->turns; *p != turn; p = &(*p)->next)
		continue;
	*p = turn->next;
	loop_remove(turn->later);
	wake_first(turn->broker, turn->app);
	free(turn);
}

bool turn_taken(const struct broker *broker, const char *app)
{
	return first_of(broker, app) != NULL;
}

void turn_rename(struct turn *turn, const char *app)
{
	(void)snprintf(turn->app, sizeof(turn->app), "%s", app);
}
