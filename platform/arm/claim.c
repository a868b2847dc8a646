/* SPDX-License-Identifier: MIT
 *
 * Open file description locks (fcntl(2), F_OFD_SETLK): they belong to the
 * descriptor, not to the process, and conflict between any two holders.
 */
#include "platform/arm/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define CLAIM_OFFSET 0x636f77u /* apart from whatever else may lock this inode */

int claim_open(struct err *err)
{
	int fd = open("/dev/autofs", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "open '/dev/autofs'");
	return fd;
}

int claim_take(int fd, uint32_t block, struct err *err)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(CLAIM_OFFSET + block),
		.l_len = 1,
	};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 1;
	if (errno == EAGAIN || errno == EACCES)
		return 0;
	return err_sys(err, "claim id block %u", block);
}

uint32_t claim_block_base(uint32_t block)
{
	return CLAIM_ID_FIRST + block * CLAIM_BLOCK_RANGES * 65536u;
}

uint32_t claim_block_count(uint32_t block)
{
	uint32_t first = block * CLAIM_BLOCK_RANGES;

	return CLAIM_RANGES - first < CLAIM_BLOCK_RANGES ? CLAIM_RANGES - first : CLAIM_BLOCK_RANGES;
}
