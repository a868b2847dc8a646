/* SPDX-License-Identifier: MIT
 *
 * Nothing here trusts a length: a reader never leaves its buffer, a writer
 * never writes past its own.
 */
#include "proto/wire.h"

#include <string.h>

void wr_init(struct wr *w)
{
	w->len = 0;
	w->overflow = false;
}

void wr_bytes(struct wr *w, const void *p, size_t n)
{
	if (w->overflow || n > sizeof(w->buf) - w->len) {
		w->overflow = true;
		return;
	}
	if (n)
		memcpy(w->buf + w->len, p, n);
	w->len += n;
}

static void wr_int(struct wr *w, uint64_t v, size_t size)
{
	uint8_t b[8];

	for (size_t i = 0; i < size; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	wr_bytes(w, b, size);
}

void wr_u8(struct wr *w, uint8_t v)
{
	wr_int(w, v, 1);
}

void wr_u16(struct wr *w, uint16_t v)
{
	wr_int(w, v, 2);
}

void wr_u32(struct wr *w, uint32_t v)
{
	wr_int(w, v, 4);
}

void wr_u64(struct wr *w, uint64_t v)
{
	wr_int(w, v, 8);
}

void wr_str(struct wr *w, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (n > WIRE_MAX) {
		w->overflow = true;
		return;
	}
	wr_u32(w, (uint32_t)n);
	wr_bytes(w, s, n);
}

void rd_init(struct rd *r, const void *p, size_t n)
{
	r->p = p;
	r->end = r->p + n;
	r->bad = false;
}

void rd_bytes(struct rd *r, void *p, size_t n)
{
	if (r->bad || n > (size_t)(r->end - r->p)) {
		r->bad = true;
		memset(p, 0, n);
		return;
	}
	memcpy(p, r->p, n);
	r->p += n;
}

static uint64_t rd_int(struct rd *r, size_t size)
{
	uint8_t b[8];
	uint64_t v = 0;

	rd_bytes(r, b, size);
	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)b[i] << (8 * i);
	return v;
}

uint8_t rd_u8(struct rd *r)
{
	return (uint8_t)rd_int(r, 1);
}

uint16_t rd_u16(struct rd *r)
{
	return (uint16_t)rd_int(r, 2);
}

uint32_t rd_u32(struct rd *r)
{
	return (uint32_t)rd_int(r, 4);
}

uint64_t rd_u64(struct rd *r)
{
	return rd_int(r, 8);
}

/* Length of the string at the cursor, or 0 with the reader marked bad. */
static size_t rd_str_len(struct rd *r, size_t max)
{
	uint32_t n = rd_u32(r);

	if (r->bad)
		return 0;
	if (n > max || n > (size_t)(r->end - r->p) || memchr(r->p, 0, n)) {
		r->bad = true;
		return 0;
	}
	return n;
}

void rd_str(struct rd *r, char *buf, size_t size)
{
	size_t n = rd_str_len(r, size - 1);

	rd_bytes(r, buf, n);
	buf[n] = '\0';
}

char *rd_dup(struct rd *r, size_t max)
{
	size_t n = rd_str_len(r, max);
	char *s = xcalloc(1, n + 1);

	rd_bytes(r, s, n);
	return s;
}

bool rd_end(const struct rd *r)
{
	return !r->bad && r->p == r->end;
}
