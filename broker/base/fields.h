/* SPDX-License-Identifier: MIT
 *
 * "Key: value" text, as package managers write it: a line that begins with a
 * blank goes on with the last value, an empty line ends a record. Pure.
 */
#ifndef BASE_FIELDS_H
#define BASE_FIELDS_H

#include "base/mem.h"

struct field {
	const char *key, *value; /* into the text, not NUL-ended; value: of the first line, without blanks around it */
	size_t key_len, value_len;
	const char *more; /* the lines that go on, as they stand; more_len 0: none */
	size_t more_len;
};

/* The next field below end; *p moves behind it. False at an empty line or at the
 * end. Lines that are no field are skipped. */
bool field_next(const char **p, const char *end, struct field *ret);

bool field_is(const struct field *field, const char *key); /* keys do not know case */

#endif
