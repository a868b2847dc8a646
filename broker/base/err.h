/* SPDX-License-Identifier: MIT
 *
 * One failure, told once: what was tried, on what, why, and where it helps what
 * to do. Functions that can fail take a struct err last and return 0 or -1;
 * after -1 the struct is filled, after 0 it is untouched.
 *
 * A refusal by policy is a value, never an error.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/mem.h"

struct err {
	int code;      /* an errno value, or 0 where none fits */
	char msg[512]; /* lower case, no full stop, values in quotes */
};

/* Fills err and returns -1, always. A NULL err is allowed: the caller does not
 * care why. Text is cut at the end of msg, never written past it. */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set with errno as found on entry, and ": " and its text appended. */
int err_sys(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts "context: " in front of the message. Keeps the code. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Appends " (hint)": what the reader can do about it. */
int err_hint(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
