/* SPDX-License-Identifier: MIT
 *
 * A network namespace that leads nowhere: lo, and routes that refuse.
 */
#ifndef PLATFORM_NETCOLD_H
#define PLATFORM_NETCOLD_H

#include "base/err.h"

/* Moves the caller into a new network namespace and makes it cold: lo is up,
 * and every other destination fails at once with EACCES, so that no program
 * waits for a network that it was not given. /proc must be the host's. */
int netcold_enter(struct err *err);

#endif
