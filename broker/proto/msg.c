/* SPDX-License-Identifier: MIT
 *
 * Look-ups in the message table.
 */
#include "proto/msg.h"

#include <stddef.h>

static const struct row {
	unsigned int op;
	const char *name, *from, *to;
} rows[] = {
#define X(name, number, from, to) { number, #name, from, to },
	MSG_TABLE(X)
#undef X
};

/* A number given twice does not compile: one message would be taken for the other. */
#define X(name, number, from, to) char number_##number;
struct numbers {
	MSG_TABLE(X)
};
#undef X

static const struct row *find_row(unsigned int op)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].op == op)
			return &rows[i];
	}
	return NULL;
}

const char *msg_op_name(unsigned int op)
{
	const struct row *row = find_row(op);

	return row ? row->name : NULL;
}

int msg_allowed(unsigned int op, char from, char to)
{
	const struct row *row = find_row(op);

	return row && row->from[0] == from && row->to[0] == to;
}
