/* SPDX-License-Identifier: MIT
 *
 * What only one system on this kernel may use at a time: blocks of host ids.
 * A claim is a lock on one byte of the control device's inode, which every
 * process of the machine shares and only root may lock for writing: it ends
 * with its holder, however that ends, and leaves no file.
 */
#ifndef PLATFORM_CLAIM_H
#define PLATFORM_CLAIM_H

#include "base/err.h"

#define CLAIM_ID_FIRST 0x70000000u /* above subuids and containers, below what systemd keeps */
#define CLAIM_RANGES 4094u         /* of 65536 ids each */
#define CLAIM_BLOCK_RANGES 16u
#define CLAIM_BLOCKS ((CLAIM_RANGES + CLAIM_BLOCK_RANGES - 1) / CLAIM_BLOCK_RANGES)

/* The caller owns the fd and with it every claim taken through it. */
int claim_open(struct err *err);

/* 1 taken, 0 another system has it, -1 err. */
int claim_take(int fd, uint32_t block, struct err *err);

/* First id and number of ranges of a block. */
uint32_t claim_block_base(uint32_t block);
uint32_t claim_block_count(uint32_t block);

#endif
