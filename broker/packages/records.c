/* SPDX-License-Identifier: MIT
 *
 * What apt-cache prints: records of "Field: value" lines, parted by empty lines,
 * where a line that begins with a blank goes on with the last field.
 */
#include "packages/manager.h"

#include "base/fields.h"
#include "policy/permission.h"

#include <string.h>

static uint64_t number(const struct field *l)
{
	uint64_t n = 0;

	for (size_t i = 0; i < l->value_len && l->value[i] >= '0' && l->value[i] <= '9' && n < UINT64_MAX / 100; i++)
		n = n * 10 + (uint64_t)(l->value[i] - '0');
	return n;
}

static void take(struct package_item *item, const struct field *l)
{
	const struct {
		const char *key;
		char *buf;
		size_t size;
	} texts[] = {
		{ "Package", item->name, sizeof(item->name) },
		{ "Version", item->version, sizeof(item->version) },
		{ "Architecture", item->arch, sizeof(item->arch) },
		{ "Section", item->section, sizeof(item->section) },
		{ "Description", item->summary, sizeof(item->summary) },
		{ "Description-en", item->summary, sizeof(item->summary) },
		{ "Homepage", item->homepage, sizeof(item->homepage) },
		{ "Maintainer", item->maintainer, sizeof(item->maintainer) },
		{ "Depends", item->depends, sizeof(item->depends) },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (field_is(l, texts[i].key))
			text_escape(l->value, l->value_len, texts[i].buf, texts[i].size);
	}
	if (field_is(l, "Size"))
		item->download = number(l);
	if (field_is(l, "Installed-Size"))
		item->installed = number(l) * 1024;
}

bool record_next(const char **text, struct package_item *ret)
{
	const char *p = *text + strspn(*text, "\n"), *end = p + strlen(p);
	struct field field;
	bool any = false;

	memset(ret, 0, sizeof(*ret));
	while (field_next(&p, end, &field)) {
		take(ret, &field);
		any = true;
	}
	*text = p;
	return any;
}
