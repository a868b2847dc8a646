/* SPDX-License-Identifier: MIT
 *
 * Bytes of an internal message: fixed-width little endian, strings as length
 * and bytes. The reader is a cursor that remembers its first error, so a
 * message is decoded straight through and judged once, by rd_end: everything
 * was there, nothing was left over.
 */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include "base/mem.h"

#define WIRE_MAX 65536u /* one message, header included */

struct wr {
	uint8_t buf[WIRE_MAX];
	size_t len;
	bool overflow; /* sticky: the message did not fit and must not be sent */
};

struct rd {
	const uint8_t *p, *end;
	bool bad; /* sticky: short, or a string too long or with a NUL in it */
};

void wr_init(struct wr *w);
void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_str(struct wr *w, const char *s); /* NULL is written as "" */
void wr_bytes(struct wr *w, const void *p, size_t n);

void rd_init(struct rd *r, const void *p, size_t n);
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);

/* Copies a string of at most size - 1 bytes and NUL-ends it; longer, or with a
 * NUL inside, is bad. The result is valid ("" after an error) in any case. */
void rd_str(struct rd *r, char *buf, size_t size);

/* As rd_str, into memory that the caller frees; at most max bytes. Never NULL. */
char *rd_dup(struct rd *r, size_t max);

/* Exactly n bytes as written by wr_bytes, else bad. */
void rd_bytes(struct rd *r, void *p, size_t n);

/* True when everything so far was good and the cursor stands at the end. */
bool rd_end(const struct rd *r);

#endif
