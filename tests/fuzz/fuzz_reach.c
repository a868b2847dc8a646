/* SPDX-License-Identifier: MIT
 *
 * Destinations as people and policy files write them, and resolv.conf.
 */
#include "dns/servers.h"
#include "policy/reach.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), item[REACH_ITEM_SIZE], again[REACH_ITEM_SIZE], about[256];
	static struct servers servers;
	struct reach to = { 0 };
	struct err err = { 0 };

	memcpy(text, data, size);
	text[size] = '\0';
	if (reach_item_parse(text, item, &err) == 0) {
		/* One spelling: what came out is what it comes out as again. */
		assert(reach_item_parse(item, again, &err) == 0 && strcmp(item, again) == 0);
		(void)reach_covers(item, &to);
	}
	if (reach_name_normal(text, to.name)) {
		assert(reach_covers(to.name, &to) > 1);
		reach_item_of(&to, item);
		assert(strcmp(item, to.name) == 0);
		reach_about(&to, about, sizeof(about));
	}
	servers_parse(&servers, text);
	assert(servers.count >= 1 && servers.count <= SERVERS_MAX);
	free(text);
	return 0;
}
