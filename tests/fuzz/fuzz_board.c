/* SPDX-License-Identifier: MIT
 *
 * Board profiles: any bytes are either a whole profile, every place of which lies
 * where its kind may, or an error with a line.
 */
#include "policy/board.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct board b;
	struct err err = { 0 };

	if (board_parse(&b, "fuzz", "fuzz/profile", (const char *)data, size, &err) < 0) {
		if (b.thing_count || b.model[0] || strncmp(err.msg, "fuzz/profile", 12) != 0)
			abort();
		return 0;
	}
	for (size_t i = 0; i < b.thing_count; i++) {
		const char *v = b.things[i].value;

		if (strstr(v, "/../") || (b.things[i].kind == BOARD_TORCH && strchr(v, '/')) ||
		    (b.things[i].kind == BOARD_CAMERA && strncmp(v, "/dev/", 5) != 0))
			abort();
	}
	return 0;
}
