/* SPDX-License-Identifier: MIT
 *
 * Looking through the bytes of files for signs (policy/kinds) and host names. Pure.
 * What is found is a guess: a program can hide all of it.
 */
#ifndef INSPECT_SCAN_H
#define INSPECT_SCAN_H

#include "inspect/kinds.h"

#define SCAN_HOSTS_MAX 24u
#define SCAN_TOKEN_MAX 256u

struct scan {
	const struct kinds *kinds;
	uint8_t *seen; /* signs that were found */
	char hosts[SCAN_HOSTS_MAX][128];
	size_t host_count;
	char bare_host[128]; /* the first that stands in a program by itself: not as a link for people */
	char token[SCAN_TOKEN_MAX]; /* the word that goes on in the next piece */
	size_t token_len;
	bool program; /* the file at hand is one: bare host names in it count */
};

void scan_begin_file(struct scan *scan, bool program);
void scan_bytes(struct scan *scan, const char *p, size_t n);
void scan_end_file(struct scan *scan);
void scan_path(struct scan *scan, const char *path);

#endif
