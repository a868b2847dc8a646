/* SPDX-License-Identifier: MIT
 *
 * The last bytes of what somebody wrote without end.
 */
#ifndef BROKER_LOG_RING_H
#define BROKER_LOG_RING_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define LOG_RING_BYTES 65536u

struct log_ring_page;

/* Zeroed is empty, and kept in memory. */
struct log_ring {
	struct log_ring_page *page; /* once there is something; owned */
	bool mapped;                /* it is a file's */
};

/* Goes on where the file name in the folder dir_fd ended; a new one is made. Its
 * content is a shared mapping: what was added is there after the death of this
 * process, not after a power cut. -1 with err: the ring is kept in memory. */
int log_ring_open(struct log_ring *ring, int dir_fd, const char *name, struct err *err);

void log_ring_add(struct log_ring *ring, const char *bytes, size_t n);

/* Whole lines, oldest first, made safe to show; the last one as far as it came. A
 * line that lost its beginning is left out. The caller's. */
json_t *log_ring_lines(const struct log_ring *ring);

uint64_t log_ring_lost(const struct log_ring *ring); /* bytes pushed out by later ones */

/* A file stays. */
void log_ring_free(struct log_ring *ring);

#endif
