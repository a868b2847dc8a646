/* SPDX-License-Identifier: MIT
 *
 * Held packets: an app's bytes, cut at any length.
 */
#include "platform/arm/net.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct net_flow flow;

	memcpy(copy, data, size);
	if (netqueue_parse(copy, size, &flow))
		assert(flow.version == 4 || flow.version == 6);
	free(copy);
	return 0;
}
