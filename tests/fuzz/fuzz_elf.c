/* SPDX-License-Identifier: MIT */
#include "base/elf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct elf_need need;

	memcpy(copy, data, size);
	if (elf_read(copy, size, &need)) {
		assert(memchr(need.interpreter, '\0', sizeof(need.interpreter)));
		assert(need.script ? need.interpreter[0] != '\0' : need.page_max != 0);
		assert((need.page_max & (need.page_max - 1)) == 0);
	}
	free(copy);
	return 0;
}
