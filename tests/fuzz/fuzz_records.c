/* SPDX-License-Identifier: MIT
 *
 * What a package manager's lists say: every record ends, its texts can be shown.
 */
#include "packages/manager.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t size)
{
	if (strnlen(text, size) == size)
		abort();
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct package_item item;
	char *text = xcalloc(1, size + 1);
	const char *p = text, *before = p;

	memcpy(text, data, size);
	while (record_next(&p, &item)) {
		if (p <= before || p > text + size)
			abort();
		before = p;
		check(item.name, sizeof(item.name));
		check(item.version, sizeof(item.version));
		check(item.summary, sizeof(item.summary));
		check(item.depends, sizeof(item.depends));
		check(item.maintainer, sizeof(item.maintainer));
	}
	free(text);
	return 0;
}
