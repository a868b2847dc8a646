/* SPDX-License-Identifier: MIT
 *
 * Desktop entries: what is taken is whole, bounded, and without controls.
 */
#include "inspect/inspect.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t size)
{
	if (strlen(text) >= size)
		abort();
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct desktop d;

	if (!desktop_parse((const char *)data, size, &d))
		return 0;
	if (!d.exec[0])
		abort();
	check(d.name, sizeof(d.name));
	check(d.exec, sizeof(d.exec));
	check(d.icon, sizeof(d.icon));
	check(d.categories, sizeof(d.categories));
	return 0;
}
