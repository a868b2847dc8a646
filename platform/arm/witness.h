/* SPDX-License-Identifier: MIT
 *
 * What of the host something was made from, so that it can be told later, by a
 * look at each and without reading it again, that it would come out the same.
 */
#ifndef PLATFORM_WITNESS_H
#define PLATFORM_WITNESS_H

#include "base/err.h"

#include <sys/stat.h>

/* How exactly something has to be as it was. */
enum witness_care {
	WITNESS_CONTENT = 0, /* the same object, untouched: its change time moves with bytes, names, mode and owner,
			      * and nobody can set it back */
	WITNESS_SHAPE = 1,   /* the same object with the same mode and owner; what lies in a folder does not matter.
			      * A link is always cared for whole. */
};

struct witness {
	uint8_t *bytes;
	size_t len, size;
	int64_t began_s; /* wall clock */
	bool young;      /* something was changed while or just before it was looked at: its next change could have
			  * the same time */
};

/* begin, add each that was looked at, then the bytes are the witness; finish frees. */
void witness_begin(struct witness *w);

/* path is absolute; st as lstat(2) gave it, NULL: there was nothing. w NULL: nobody wants to know. */
void witness_add(struct witness *w, enum witness_care care, const char *path, const struct stat *st);
void witness_finish(struct witness *w);

/* Whether all that bytes speak of is as it was. Broken bytes: it is not. */
bool witness_holds(const uint8_t *bytes, size_t len);

#endif
