/* SPDX-License-Identifier: MIT
 *
 * What the supervisor of a running session gives up: it hears the app's words,
 * so it keeps only the rights that answering takes.
 */
#ifndef PLATFORM_GUARD_H
#define PLATFORM_GUARD_H

#include "base/err.h"

/* Drops every capability but those for mounts, owners, signals and looking at
 * the app's processes, and shuts off running programs, entering namespaces,
 * tracing, sockets, and ways into the kernel. For good, children included. */
int guard_close(struct err *err);

#endif
