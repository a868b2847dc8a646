/* SPDX-License-Identifier: MIT
 *
 * Policy files: any bytes are either a whole set of rules or an error.
 */
#include "policy/decide.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ruleset set = { 0 };
	struct err err = { 0 };

	if (ruleset_parse(&set, "fuzz.rules", (const char *)data, size, &err) < 0) {
		if (set.count || !err.msg[0])
			abort();
	} else {
		struct decide_input in = { .app = "app", .admin = &set };

		in.ref.permission = permission_find("storage");
		if (!(in.ref.permission->answers & GIVE_BIT(decide(&in).give)))
			abort();
	}
	ruleset_finish(&set);
	return 0;
}
