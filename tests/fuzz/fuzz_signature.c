/* SPDX-License-Identifier: MIT
 *
 * Signatures: nothing that was not signed is ever verified.
 */
#include "bundle/bundle.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bundle_signature s;
	char key[BUNDLE_KEY_TEXT], *text = xcalloc(1, size + 1);
	struct err err = { 0 };

	memcpy(text, data, size);
	if (bundle_verify(text, size, "another file", 12, &s, &err) == 0 || !err.msg[0])
		abort();
	(void)bundle_key_read(text, key, &err);
	free(text);
	return 0;
}
