/* SPDX-License-Identifier: MIT
 *
 * Cards: whatever stands in them, names come out bounded and without controls.
 */
#include "contacts/vcard.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vcard_count count;

	count.cards = 0;
	count.name_count = 0;
	vcard_scan((const char *)data, size, &count);
	for (uint16_t i = 0; i < count.name_count; i++) {
		for (const unsigned char *p = (const unsigned char *)count.names[i]; *p; p++) {
			if (*p < 0x20 || *p == 0x7f)
				abort();
		}
	}
	return 0;
}
