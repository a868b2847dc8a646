/* SPDX-License-Identifier: MIT
 *
 * Removal of trees that an app shaped: any depth, any names, nothing followed.
 */
#ifndef SUPERVISE_SWEEP_H
#define SUPERVISE_SWEEP_H

#include "base/err.h"

#include <sys/types.h>

/* Whether dir_fd (O_PATH does) has entries whose name starts with prefix. 1, 0,
 * or -1 with err. */
int sweep_wanted(int dir_fd, const char *prefix, struct err *err);

/* Forks a child that removes them and exits 0 when all are gone. Returns its
 * pid, -1 with err. */
pid_t sweep_start(int dir_fd, const char *prefix, struct err *err);

/* The work itself, in this process. 0 or -1 with errno. */
int sweep(int dir_fd, const char *prefix);

#endif
