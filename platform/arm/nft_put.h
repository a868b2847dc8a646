/* SPDX-License-Identifier: MIT
 *
 * The encoder's own words, for nft.c and nft_expr.c: attributes, nests, messages.
 * What does not fit marks the batch as overflown, and it is never sent.
 */
#ifndef PLATFORM_NFT_PUT_H
#define PLATFORM_NFT_PUT_H

#include "platform/arm/nft.h"

void nft_put(struct nft *n, uint16_t type, const void *data, size_t size);
void nft_put_str(struct nft *n, uint16_t type, const char *s);
void nft_put_be16(struct nft *n, uint16_t type, uint16_t v);
void nft_put_be32(struct nft *n, uint16_t type, uint32_t v);
void nft_put_be64(struct nft *n, uint16_t type, uint64_t v);

/* Everything put between them is inside the attribute type. */
size_t nft_nest(struct nft *n, uint16_t type);
void nft_nest_end(struct nft *n, size_t at);

/* A message of nf_tables, its table named by the attribute table_attr. */
void nft_msg_begin(struct nft *n, int type, uint16_t flags, uint16_t table_attr);
void nft_msg_end(struct nft *n);

#endif
