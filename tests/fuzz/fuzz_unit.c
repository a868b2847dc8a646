/* SPDX-License-Identifier: MIT
 *
 * Units: what is taken is a program with words that can be shown, or a reason.
 */
#include "inspect/inspect.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct unit u;
	size_t words = 0;

	if (!unit_parse((const char *)data, size, &u)) {
		if (!u.why[0])
			abort();
		return 0;
	}
	if (u.args[0] != '/' || u.used > sizeof(u.args) || u.args[u.used - 1])
		abort();
	for (size_t i = 0; i < u.used; i++) {
		words += u.args[i] == '\0';
		if ((unsigned char)u.args[i] < 0x20 && u.args[i])
			abort();
	}
	if (words != u.count || strlen(u.user) >= sizeof(u.user))
		abort();
	return 0;
}
