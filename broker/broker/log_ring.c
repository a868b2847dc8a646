/* SPDX-License-Identifier: MIT
 *
 * at is where the next byte goes; the oldest stands used bytes before it. Nothing
 * but this module writes the file, and still its numbers are bounded when it is
 * opened: a power cut can leave any of them.
 */
#include "broker/log_ring.h"

#include "base/fd.h"
#include "policy/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES 1024u
#define MAGIC 0x31676f6cu /* "log1", in the byte order of whoever wrote it */

struct log_ring_page {
	uint32_t magic;
	uint32_t at, used;
	uint64_t lost;
	char bytes[LOG_RING_BYTES];
};

int log_ring_open(struct log_ring *ring, int dir_fd, const char *name, struct err *err)
{
	cleanup_fd int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct log_ring_page *page;
	int rc;

	log_ring_free(ring);
	if (fd < 0)
		return err_sys(err, "open the log '%s'", name);
	/* All of it now: a write to a hole would end us when the disk is full. */
	rc = posix_fallocate(fd, 0, sizeof(*page));
	if (rc) {
		errno = rc;
		return err_sys(err, "make room for the log '%s'", name);
	}
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return err_sys(err, "map the log '%s'", name);
	if (page->magic != MAGIC || page->at >= LOG_RING_BYTES || page->used > LOG_RING_BYTES) {
		memset(page, 0, sizeof(*page));
		page->magic = MAGIC;
	}
	ring->page = page;
	ring->mapped = true;
	return 0;
}

void log_ring_add(struct log_ring *ring, const char *bytes, size_t n)
{
	struct log_ring_page *page = ring->page;

	if (n && !page)
		page = ring->page = xcalloc(1, sizeof(*page));
	for (size_t i = 0; i < n; i++) {
		page->bytes[page->at] = bytes[i];
		page->at = (page->at + 1) % LOG_RING_BYTES;
		if (page->used < LOG_RING_BYTES)
			page->used++;
		else
			page->lost++;
	}
}

uint64_t log_ring_lost(const struct log_ring *ring)
{
	return ring->page ? ring->page->lost : 0;
}

static void add_line(json_t *lines, const char *line, size_t n)
{
	char shown[4 * LINE_MAX_BYTES + 8];

	text_escape(line, n, shown, sizeof(shown));
	json_array_append_new(lines, json_string(shown));
}

json_t *log_ring_lines(const struct log_ring *ring)
{
	const struct log_ring_page *page = ring->page;
	size_t used = page ? page->used : 0, first, n = 0;
	bool whole = log_ring_lost(ring) == 0;
	char line[LINE_MAX_BYTES];
	json_t *lines = json_array();

	first = page ? (page->at + LOG_RING_BYTES - used) % LOG_RING_BYTES : 0;
	for (size_t i = 0; i < used; i++) {
		char c = page->bytes[(first + i) % LOG_RING_BYTES];

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
	if (ring->mapped)
		(void)munmap(ring->page, sizeof(*ring->page));
	else
		free(ring->page);
	memset(ring, 0, sizeof(*ring));
}
