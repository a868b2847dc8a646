/* SPDX-License-Identifier: MIT
 *
 * That somebody in an app calls listen(2), as the kernel tells it (seccomp_unotify(2)).
 * It is a hint to look, and nothing is decided by it: the caller goes on at once, and
 * what it can be reached by are the rules of its network. So it does not matter that an
 * app can change what it listens on while we look.
 */
#ifndef PLATFORM_LISTENED_H
#define PLATFORM_LISTENED_H

#include "base/err.h"

/* fd: the listener of the app's filter, which is readable. Lets one caller go on. 1 one
 * called, 0 nobody (it is gone), -1 err. Linux 5.5. */
int listened_take(int fd, struct err *err);

#endif
