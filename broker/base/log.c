/* SPDX-License-Identifier: MIT
 *
 * One write(2) a line, so that lines of several processes do not mix.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *log_name = "cowbell";
static bool log_debug_on;

void log_init(const char *name)
{
	log_name = name;
	log_debug_on = getenv("COWBELL_DEBUG") != NULL;
}

static void log_line(const char *prefix, const char *fmt, va_list ap)
{
	char raw[1024], line[4096];
	int saved = errno;
	size_t n;

	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	n = (size_t)snprintf(line, sizeof(line) - 8, "%s: %s", log_name, prefix);
	for (const unsigned char *p = (const unsigned char *)raw; *p && n < sizeof(line) - 8; p++) {
		if (*p < 0x20 || *p == 0x7f)
			n += (size_t)snprintf(line + n, 5, "\\x%02x", *p);
		else
			line[n++] = (char)*p;
	}
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, n);
	errno = saved;
}

#define LOG_FORWARD(prefix)                                                    \
	do {                                                                   \
		va_list ap;                                                    \
		va_start(ap, fmt);                                             \
		log_line(prefix, fmt, ap);                                     \
		va_end(ap);                                                    \
	} while (0)

void log_info(const char *fmt, ...)
{
	LOG_FORWARD("");
}

void log_warn(const char *fmt, ...)
{
	LOG_FORWARD("warning: ");
}

void log_debug(const char *fmt, ...)
{
	if (log_debug_on)
		LOG_FORWARD("debug: ");
}

void fatal(const char *fmt, ...)
{
	LOG_FORWARD("fatal: ");
	_exit(70);
}
