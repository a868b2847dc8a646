/* SPDX-License-Identifier: MIT
 *
 * Control files and what package managers print: fields lie inside the text.
 */
#include "base/fields.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xcalloc(1, size + 1);
	const char *p = text, *end = text + size;
	struct field f;

	memcpy(text, data, size);
	while (p < end) {
		while (field_next(&p, end, &f)) {
			if (!f.key_len || f.key < text || f.key + f.key_len > end || f.value + f.value_len > end ||
			    (f.more_len && f.more + f.more_len > end) || memchr(f.key, '\n', f.key_len))
				abort();
		}
		p++;
	}
	free(text);
	return 0;
}
