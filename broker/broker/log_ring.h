/* SPDX-License-Identifier: MIT
 *
 * The last bytes of what somebody wrote without end.
 */
#ifndef BROKER_LOG_RING_H
#define BROKER_LOG_RING_H

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

#define LOG_RING_BYTES 65536u

/* Zeroed is empty. */
struct log_ring {
	char *bytes; /* LOG_RING_BYTES, once there is something */
	size_t at, used;
	uint64_t lost; /* pushed out by later ones */
};

void log_ring_add(struct log_ring *ring, const char *bytes, size_t n);

/* Whole lines, oldest first, made safe to show; the last one as far as it came. A
 * line that lost its beginning is left out. The caller's. */
json_t *log_ring_lines(const struct log_ring *ring);

void log_ring_free(struct log_ring *ring);

#endif
