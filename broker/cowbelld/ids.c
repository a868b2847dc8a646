/* SPDX-License-Identifier: MIT
 *
 * Which host ids are ours. The file "ids" below the state folder names our
 * blocks, one a line; a block in it that another running system holds is an
 * error, for apps' files stand under its ids. The first range of the first
 * block is Cowbell's own.
 */
#include "cowbelld/daemon.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int claim_known(struct daemon *d, uint32_t block, struct err *err)
{
	unsigned int tries = 0;
	int rc;

	do {
		rc = claim_take(d->claim_fd, block, err);
		if (rc < 0)
			return -1;
	} while (rc == 0 && paths_wait_for_killed(&tries));
	if (rc == 0) {
		err_set(err, EBUSY, "another running system uses this one's host ids (block %u)", block);
		return err_hint(err, "stop it, or begin with an empty --root");
	}
	d->blocks[d->block_count++] = block;
	return 0;
}

static int read_blocks(struct daemon *d, int dir, struct err *err)
{
	cleanup_free char *text = NULL;
	char *save = NULL;

	if (fd_read_file(dir, "ids", 65536, &text, NULL, err) < 0) {
		bool none = err->code == ENOENT;

		if (none)
			memset(err, 0, sizeof(*err));
		return none ? 0 : -1;
	}
	for (char *w = strtok_r(text, "\n", &save); w; w = strtok_r(NULL, "\n", &save)) {
		char *end;
		unsigned long block = strtoul(w, &end, 10);

		if (*end || end == w || block >= CLAIM_BLOCKS || d->block_count == CLAIM_BLOCKS)
			return err_set(err, EINVAL, "'%s/ids' is broken at '%.20s'", d->state, w);
		if (claim_known(d, (uint32_t)block, err) < 0)
			return -1;
	}
	return 0;
}

static int write_blocks(struct daemon *d, int dir, struct err *err)
{
	cleanup_fd int fd = openat(dir, "ids.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char line[16];

	if (fd < 0)
		return err_sys(err, "write '%s/ids'", d->state);
	for (size_t i = 0; i < d->block_count; i++) {
		int n = snprintf(line, sizeof(line), "%u\n", d->blocks[i]);

		if (fd_write_full(fd, line, (size_t)n) < 0)
			return err_sys(err, "write '%s/ids'", d->state);
	}
	if (fsync(fd) < 0 || renameat(dir, "ids.new", dir, "ids") < 0 || fsync(dir) < 0)
		return err_sys(err, "write '%s/ids'", d->state);
	return 0;
}

int ids_claim_more(struct daemon *d, struct err *err)
{
	/* Systems start looking at different places, so that one that is not
	 * running now seldom finds its blocks taken later. */
	uint32_t start = (uint32_t)(d->instance % CLAIM_BLOCKS);

	for (uint32_t i = 0; i < CLAIM_BLOCKS && d->block_count < CLAIM_BLOCKS; i++) {
		uint32_t block = (start + i) % CLAIM_BLOCKS;
		bool ours = false;
		int rc;

		for (size_t k = 0; k < d->block_count; k++)
			ours |= d->blocks[k] == block;
		if (ours)
			continue;
		rc = claim_take(d->claim_fd, block, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		d->blocks[d->block_count++] = block;
		if (write_blocks(d, d->lock_fd, err) < 0) {
			d->block_count--;
			return -1;
		}
		return 1;
	}
	return 0;
}

int ids_open(struct daemon *d, struct err *err)
{
	d->claim_fd = claim_open(err);
	if (d->claim_fd < 0 || read_blocks(d, d->lock_fd, err) < 0)
		return -1;
	if (d->block_count == 0) {
		int rc = ids_claim_more(d, err);

		if (rc <= 0)
			return rc < 0 ? -1 : err_set(err, ENOSPC, "every block of host ids is taken");
	}
	d->broker_uid = claim_block_base(d->blocks[0]) + 1;
	d->packages_uid = d->broker_uid + 1;
	d->device_gid = d->broker_uid + 2;
	d->counted_uids = d->broker_uid + 16;
	d->readers_uid = d->broker_uid + 1024;
	return 0;
}

bool ids_is_app_base(const struct daemon *d, uint32_t base)
{
	for (size_t i = 0; i < d->block_count; i++) {
		uint32_t first = claim_block_base(d->blocks[i]), count = claim_block_count(d->blocks[i]);

		if (base >= first && base < first + count * ID_RANGE && base % ID_RANGE == 0)
			return !(i == 0 && base == first);
	}
	return false;
}

void ids_encode(const struct daemon *d, struct wr *w, size_t from)
{
	wr_u16(w, (uint16_t)(d->block_count - from));
	for (size_t i = from; i < d->block_count; i++) {
		uint32_t own = i == 0 ? 1 : 0;

		wr_u32(w, claim_block_base(d->blocks[i]) + own * ID_RANGE);
		wr_u32(w, claim_block_count(d->blocks[i]) - own);
	}
}
