/* SPDX-License-Identifier: MIT
 *
 * Manifests: what is taken is bounded, and can be shown as it is.
 */
#include "bundle/bundle.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bundle_manifest m;
	struct err err = { 0 };

	for (int whole = 0; whole < 2; whole++) {
		if (bundle_manifest_parse((const char *)data, size, whole, &m, &err) < 0) {
			if (!err.msg[0])
				abort();
			continue;
		}
		if (!m.id[0] || !m.command_count || m.commands[0][0] != '/' || strlen(m.version) >= sizeof(m.version))
			abort();
		for (const unsigned char *p = (const unsigned char *)m.name; *p; p++) {
			if (*p < 0x20 || *p == 0x7f)
				abort();
		}
	}
	return 0;
}
