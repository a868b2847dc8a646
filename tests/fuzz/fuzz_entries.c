/* SPDX-License-Identifier: MIT
 *
 * What an installer's step prints of programs and desktop entries: facts are bounded,
 * programs are plain paths.
 */
#include "inspect/inspect.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int told;

void tell_fact(enum inspect_key key, const char *value, size_t len)
{
	if (told++ > 1000 || len > 300 || (key == INSPECT_PROGRAM && (len == 0 || value[0] != '/')))
		abort();
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	FILE *in;

	if (!size)
		return 0;
	in = fmemopen((void *)(uintptr_t)data, size, "r");
	if (!in)
		abort();
	told = 0;
	if (entries_read(in, &err) < 0 && !err.msg[0])
		abort();
	(void)fclose(in);
	return 0;
}
