/* SPDX-License-Identifier: MIT
 *
 * at is where the next byte goes; the oldest stands used bytes before it.
 */
#include "broker/log_ring.h"

#include "policy/permission.h"

#include <string.h>

#define LINE_MAX_BYTES 1024u

void log_ring_add(struct log_ring *ring, const char *bytes, size_t n)
{
	if (n && !ring->bytes)
		ring->bytes = xcalloc(1, LOG_RING_BYTES);
	for (size_t i = 0; i < n; i++) {
		ring->bytes[ring->at] = bytes[i];
		ring->at = (ring->at + 1) % LOG_RING_BYTES;
		if (ring->used < LOG_RING_BYTES)
			ring->used++;
		else
			ring->lost++;
	}
}

static void add_line(json_t *lines, const char *line, size_t n)
{
	char shown[4 * LINE_MAX_BYTES + 8];

	text_escape(line, n, shown, sizeof(shown));
	json_array_append_new(lines, json_string(shown));
}

json_t *log_ring_lines(const struct log_ring *ring)
{
	size_t first = (ring->at + LOG_RING_BYTES - ring->used) % LOG_RING_BYTES, n = 0;
	bool whole = ring->lost == 0;
	char line[LINE_MAX_BYTES];
	json_t *lines = json_array();

	for (size_t i = 0; i < ring->used; i++) {
		char c = ring->bytes[(first + i) % LOG_RING_BYTES];

		if (c != '\n' && n < sizeof(line)) {
			line[n++] = c;
			continue;
		}
		if (whole)
			add_line(lines, line, n);
		whole = true;
		n = 0;
		if (c != '\n')
			line[n++] = c; /* a line longer than ours goes on in the next */
	}
	if (n && whole)
		add_line(lines, line, n);
	return lines;
}

void log_ring_free(struct log_ring *ring)
{
	free(ring->bytes);
	memset(ring, 0, sizeof(*ring));
}
