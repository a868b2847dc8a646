/* SPDX-License-Identifier: MIT
 *
 * DNS messages as an app sends them and as a server answers; the first byte says
 * how much of the input is the query.
 */
#include "dns/packet.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_query(const uint8_t *p, size_t size)
{
	uint8_t *copy = malloc(size), answer[PACKET_QUERY_MAX];
	struct packet_query query;

	memcpy(copy, p, size);
	if (packet_read_query(copy, size, &query)) {
		size_t n = packet_refuse(copy, &query, 3, answer);
		char again[REACH_ITEM_SIZE];

		/* What goes back is a message that carries the same question. */
		assert(n >= query.question_end && n <= sizeof(answer));
		assert(packet_is_reply(answer, n, &query, query.id));
		assert(reach_name_normal(query.name, again) && strcmp(again, query.name) == 0);
	}
	free(copy);
}

static void try_reply(const uint8_t *p, size_t size)
{
	uint8_t *copy = malloc(size);
	struct packet_address found[PACKET_ADDRESSES_MAX];
	struct packet_query query = { .type = 1, .name = "a.example" };
	uint32_t ttl;
	size_t n;

	memcpy(copy, p, size);
	(void)packet_is_reply(copy, size, &query, 7);
	n = packet_addresses(copy, size, found, &ttl);
	assert(n <= PACKET_ADDRESSES_MAX);
	for (size_t i = 0; i < n; i++)
		assert(found[i].version == 4 || found[i].version == 6);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	try_query(data + 1, size - 1);
	try_reply(data + 1, size - 1);
	return 0;
}
