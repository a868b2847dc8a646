/* SPDX-License-Identifier: MIT
 *
 * The floor under every app: calls that could undo the gates, or that are paths
 * into the kernel which no app of ours needs, for every ABI that the kernel runs.
 */
#ifndef PLATFORM_SECCOMP_H
#define PLATFORM_SECCOMP_H

#include "base/err.h"

enum {
	SECCOMP_ALLOW_IO_URING = 1, /* for tests of the gates */
};

/* Compiles the filter into a sealed memory file of struct sock_filter. It has to be
 * loaded with a listener (seccomp(2), SECCOMP_FILTER_FLAG_NEW_LISTENER), which hears of
 * calls of listen(2). The caller owns the descriptor; -1 with err. */
int seccomp_program(unsigned int flags, struct err *err);

#endif
