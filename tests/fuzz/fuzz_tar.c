/* SPDX-License-Identifier: MIT
 *
 * Archives: every member is bounded and named, content ends where its header says.
 */
#include "inspect/tar.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
	const uint8_t *p;
	size_t left;
};

static ssize_t read_source(void *data, void *buf, size_t size)
{
	struct source *s = data;
	size_t n = s->left < size ? s->left : size;

	memcpy(buf, s->p, n);
	s->p += n;
	s->left -= n;
	return (ssize_t)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tar_member member;
	static struct tar tar;
	struct source source = { data, size };
	struct err err = { 0 };
	char buf[700];
	int rc;

	memset(&tar, 0, sizeof(tar));
	tar.read = read_source;
	tar.source = &source;
	while ((rc = tar_next(&tar, &member, &err)) == 1) {
		uint64_t got = 0;
		ssize_t n;

		if (!member.name[0] || strlen(member.name) >= sizeof(member.name) || (member.mode & ~07777u))
			abort();
		while (got < 4096 && (n = tar_read(&tar, buf, sizeof(buf), &err)) > 0)
			got += (uint64_t)n;
		if (got > member.size)
			abort();
	}
	if (rc < 0 && !err.msg[0])
		abort();
	return 0;
}
