/* SPDX-License-Identifier: MIT
 *
 * Headers of a bundle's members, and versions.
 */
#include "bundle/bundle.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const bundle_names[BUNDLE_MEMBERS] = {
	[BUNDLE_MANIFEST] = "manifest.json",
	[BUNDLE_SIGNATURE] = "manifest.json.minisig",
	[BUNDLE_PAYLOAD] = "payload.tar.zst",
};

const uint64_t bundle_sizes_max[BUNDLE_MEMBERS] = {
	[BUNDLE_MANIFEST] = BUNDLE_MANIFEST_MAX,
	[BUNDLE_SIGNATURE] = BUNDLE_SIGNATURE_MAX,
	[BUNDLE_PAYLOAD] = BUNDLE_PAYLOAD_MAX,
};

void bundle_header(enum bundle_member member, uint64_t size, uint8_t ret[BUNDLE_BLOCK])
{
	char *h = (char *)ret;
	unsigned int sum = 0;

	memset(ret, 0, BUNDLE_BLOCK);
	(void)snprintf(h, 100, "%s", bundle_names[member]);
	memcpy(h + 100, "0000644", 8);
	memcpy(h + 108, "0000000", 8);
	memcpy(h + 116, "0000000", 8);
	(void)snprintf(h + 124, 12, "%011llo", (unsigned long long)(size & 077777777777ull));
	memcpy(h + 136, "00000000000", 12);
	h[156] = '0';
	memcpy(h + 257, "ustar", 6);
	memcpy(h + 263, "00", 2);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < BUNDLE_BLOCK; i++)
		sum += ret[i];
	(void)snprintf(h + 148, 8, "%06o", sum & 0777777u);
	h[155] = ' ';
}

int bundle_header_read(enum bundle_member member, const uint8_t header[BUNDLE_BLOCK], uint64_t *ret_size,
		       struct err *err)
{
	uint8_t want[BUNDLE_BLOCK];
	uint64_t size = 0;

	for (int i = 124; i < 135; i++) {
		if (header[i] < '0' || header[i] > '7')
			return err_set(err, EPROTO, "this is no bundle: '%s' does not stand where it must", bundle_names[member]);
		size = size << 3 | (uint64_t)(header[i] - '0');
	}
	bundle_header(member, size, want);
	if (memcmp(header, want, sizeof(want)) != 0)
		return err_set(err, EPROTO, "this is no bundle: '%s' does not stand where it must", bundle_names[member]);
	if (size == 0 || size > bundle_sizes_max[member])
		return err_set(err, EPROTO, "the bundle is broken: '%s' has a size out of its bounds", bundle_names[member]);
	*ret_size = size;
	return 0;
}

/* '~' sorts before the end, letters before other signs. */
static int weight(char c)
{
	if (c == '~')
		return -1;
	if (c == '\0' || isdigit((unsigned char)c))
		return 0;
	return isalpha((unsigned char)c) ? (unsigned char)c : (unsigned char)c + 256;
}

int bundle_version_compare(const char *a, const char *b)
{
	while (*a || *b) {
		size_t n, m;
		int d;

		while ((*a && !isdigit((unsigned char)*a)) || (*b && !isdigit((unsigned char)*b))) {
			if (weight(*a) != weight(*b))
				return weight(*a) - weight(*b);
			a += *a != '\0';
			b += *b != '\0';
		}
		while (*a == '0')
			a++;
		while (*b == '0')
			b++;
		n = strspn(a, "0123456789");
		m = strspn(b, "0123456789");
		if (n != m)
			return n < m ? -1 : 1;
		d = strncmp(a, b, n);
		if (d)
			return d;
		a += n;
		b += m;
	}
	return 0;
}
