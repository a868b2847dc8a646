/* SPDX-License-Identifier: MIT
 *
 * Sizes as people write them; units of a thousand.
 */
#include "policy/permission.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void text_size(uint64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double n = (double)bytes;
	size_t unit = 0;

	while (n >= 1000 && unit + 1 < ARRAY_LEN(units)) {
		n /= 1000;
		unit++;
	}
	(void)snprintf(buf, size, unit && n < 10 ? "%.1f %s" : "%.0f %s", n, units[unit]);
}

int text_size_parse(const char *word, uint64_t *ret, struct err *err)
{
	static const char letters[] = "kMGT";
	uint64_t n = 0, unit = 1;
	const char *p = word, *letter;
	char shown[64];

	for (; *p >= '0' && *p <= '9' && p - word < 12; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	letter = *p ? strchr(letters, *p) : NULL;
	for (const char *l = letters; letter && l <= letter; l++)
		unit *= 1000;
	if (p > word && (letter ? p[1] == '\0' || (p[1] == 'B' && p[2] == '\0') : *p == '\0') && n && n <= UINT64_MAX / 4 / unit) {
		*ret = n * unit;
		return 0;
	}
	text_escape(word, strlen(word), shown, sizeof(shown));
	err_set(err, EINVAL, "'%s' is not a size", shown);
	return err_hint(err, "100k, 500M, 2G");
}
