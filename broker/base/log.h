/* SPDX-License-Identifier: MIT
 *
 * Log lines on standard error: "<program>: <text>". Whoever decides what to do
 * about a failure logs it; libraries stay silent above debug.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/mem.h"

/* name is borrowed for the life of the process. COWBELL_DEBUG in the
 * environment turns debug lines on. */
void log_init(const char *name);

/* errno is the same after as before. Control bytes in the text are shown as
 * "\xNN": what an app named must not drive the reader's terminal. */
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* For a broken promise inside the family of processes: says so and exits 70. */
void fatal(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

#endif
