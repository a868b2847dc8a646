/* SPDX-License-Identifier: MIT
 *
 * Counting cards and their names in vCard text (RFC 6350). Pure.
 */
#ifndef CONTACTS_VCARD_H
#define CONTACTS_VCARD_H

#include "base/err.h"

#define VCARD_NAMES_MAX 64u
#define VCARD_NAME_SIZE 128u

struct vcard_count {
	uint32_t cards;
	uint16_t name_count;
	char names[VCARD_NAMES_MAX][VCARD_NAME_SIZE]; /* escaped */
};

/* Adds what text (size bytes, need not be NUL-ended) holds. Nothing in it is an
 * error: what is no card is not counted. */
void vcard_scan(const char *text, size_t size, struct vcard_count *count);

#endif
