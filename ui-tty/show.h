/* SPDX-License-Identifier: MIT
 *
 * How replies of the broker are read and said to people. Pure.
 */
#ifndef UI_SHOW_H
#define UI_SHOW_H

#include "base/err.h"

#include <jansson.h>

/* "", 0 and false when absent; texts were made safe for a terminal by their maker. */
const char *str_of(json_t *object, const char *key);
long long int_of(json_t *object, const char *key);
bool bool_of(json_t *object, const char *key);

#define SHORT_TEXT 64u
void show_size(long long bytes, char buf[SHORT_TEXT]); /* "4.1 MB" */
void show_time(long long wall_ms, char buf[SHORT_TEXT]); /* "21:04", "Mon 21:04", "2026-11-24"; "-" for none */

/* The same, as seen at now_ms; show_time looks at the clock. */
void show_time_at(long long wall_ms, long long now_ms, char buf[SHORT_TEXT]);

/* "1 file", "3 files": the plural is the word with an s. */
void show_count(long long n, const char *word, char buf[SHORT_TEXT]);

/* "9 days", "3 hours": what is left of a time. */
void show_left(long long ms, char buf[SHORT_TEXT]);

/* "this run", "1 h", "until the device restarts", "always": a for of the interface in words. */
void show_duration(const char *word, char buf[SHORT_TEXT]);

/* What an answer gave: "an empty one", "refused", "a private copy". */
const char *show_given(const char *answer);

#endif
