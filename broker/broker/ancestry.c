/* SPDX-License-Identifier: MIT */
#include "broker/ancestry.h"

bool ancestry_takes_up(const struct generation_record *g)
{
	return g->kind == GENERATION_ROLLBACK || g->kind == GENERATION_RESET || g->kind == GENERATION_REBUILT;
}

uint32_t ancestry_next(const struct generation_record *g)
{
	return ancestry_takes_up(g) ? g->of : g->parent;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void add(struct ancestry *a, size_t *room, uint32_t number)
{
	if (a->count == *room) {
		*room = *room ? 2 * *room : 64;
		a->numbers = xrealloc(a->numbers, *room * sizeof(*a->numbers));
	}
	a->numbers[a->count++] = number;
}

int ancestry_of(struct store_txn *txn, const char *app, uint32_t number, struct ancestry *ret, struct err *err)
{
	size_t room = 0;
	int found = 1;

	*ret = (struct ancestry){ 0 };
	while (number) {
		struct generation_record g;
		uint32_t next;

		found = store_generation_get(txn, app, number, &g, err);
		if (found != 1)
			break;
		add(ret, &room, number);
		/* The install below it is a new one: its files are part of the state. */
		if (g.kind == GENERATION_REBUILT)
			add(ret, &room, g.parent);
		next = ancestry_next(&g);
		/* Numbers only go down: the walk ends, whatever the store says. */
		number = next < number ? next : 0;
	}
	if (ret->count)
		qsort(ret->numbers, ret->count, sizeof(*ret->numbers), compare);
	return found < 0 ? -1 : 0;
}

bool ancestry_has(const struct ancestry *a, uint32_t number)
{
	return a->count && bsearch(&number, a->numbers, a->count, sizeof(number), compare);
}

void ancestry_finish(struct ancestry *a)
{
	free(a->numbers);
	*a = (struct ancestry){ 0 };
}
