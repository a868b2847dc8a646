/* SPDX-License-Identifier: MIT
 *
 * Packages on internal channels.
 */
#include "proto/package.h"

#include <string.h>

void package_item_encode(struct wr *w, const struct package_item *item)
{
	wr_str(w, item->name);
	wr_str(w, item->version);
	wr_str(w, item->arch);
	wr_str(w, item->section);
	wr_str(w, item->summary);
	wr_str(w, item->homepage);
	wr_str(w, item->maintainer);
	wr_str(w, item->depends);
	wr_u64(w, item->download);
	wr_u64(w, item->installed);
	wr_u8(w, item->flags);
}

bool package_item_decode(struct rd *r, struct package_item *ret)
{
	rd_str(r, ret->name, sizeof(ret->name));
	rd_str(r, ret->version, sizeof(ret->version));
	rd_str(r, ret->arch, sizeof(ret->arch));
	rd_str(r, ret->section, sizeof(ret->section));
	rd_str(r, ret->summary, sizeof(ret->summary));
	rd_str(r, ret->homepage, sizeof(ret->homepage));
	rd_str(r, ret->maintainer, sizeof(ret->maintainer));
	rd_str(r, ret->depends, sizeof(ret->depends));
	ret->download = rd_u64(r);
	ret->installed = rd_u64(r);
	ret->flags = rd_u8(r);
	return rd_end(r);
}

bool package_name_good(const char *name)
{
	size_t n = strlen(name);

	if (n < 2 || n > 63 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789+-.") != n)
		return false;
	return strchr("+-.", name[0]) == NULL && name[n - 1] != '-';
}

bool package_dependency_good(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n < 1024 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 +-.:~<>=()|,") == n &&
	       text[0] != '-';
}
