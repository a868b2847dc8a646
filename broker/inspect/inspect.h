/* SPDX-License-Identifier: MIT
 *
 * cowbell-inspect: reads what strangers made and tells what it found, as typed
 * facts. It has a uid that nobody else has, no network, and a file system that it
 * cannot write to. One thing to read a process.
 */
#ifndef INSPECT_INSPECT_H
#define INSPECT_INSPECT_H

#include "base/err.h"
#include "proto/inspect.h"

#include <stdio.h>

/* main.c: value is any bytes; it is escaped and cut. */
void tell_fact(enum inspect_key key, const char *value, size_t len);

/* --- desktop.c: desktop entries. Pure. --- */

struct desktop {
	char name[128], exec[256], icon[128], categories[256]; /* escaped; exec: the program's words without field codes */
	bool terminal, hidden;
};

/* False when text is no entry of an application: no [Desktop Entry] group, no
 * Type=Application, no Name or no Exec; or a key twice, which would be one thing
 * to this reader and another to the next. */
bool desktop_parse(const char *text, size_t len, struct desktop *ret);

/* --- entries.c --- */

/* Reads the stream to its end and tells programs and entries. */
int entries_read(FILE *in, struct err *err);

/* --- deb.c --- */

int deb_read(int fd, bool contents, struct err *err);

#endif
