/* SPDX-License-Identifier: MIT
 *
 * Whole bundles: what is taken is as long as its manifest says, and who is refused is
 * told why. The corpus has whole ones: past the signature go those whose payload alone
 * was changed, which is unpacked and read before its digest is known.
 */
#include "inspect/inspect.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void tell_fact(enum inspect_key key, const char *value, size_t len)
{
	(void)key;
	if (len && !value)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int in = -1, out = -1;
	struct err err = { 0 };
	int rc[2];

	if (in < 0) {
		in = memfd_create("in", MFD_CLOEXEC);
		out = memfd_create("out", MFD_CLOEXEC);
	}
	for (int to = 0; to < 2; to++) {
		if (ftruncate(in, 0) < 0 || ftruncate(out, 0) < 0 || pwrite(in, data, size, 0) != (ssize_t)size)
			abort();
		(void)lseek(in, 0, SEEK_SET);
		(void)lseek(out, 0, SEEK_SET);
		rc[to] = bundle_read(in, to ? out : -1, &err);
		if (rc[to] < 0 && !err.msg[0])
			abort();
	}
	if (rc[0] != rc[1]) /* what was checked is what is unpacked */
		abort();
	return 0;
}
