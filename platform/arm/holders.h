/* SPDX-License-Identifier: MIT
 *
 * Who still reaches a mount that was taken off the tree.
 */
#ifndef PLATFORM_HOLDERS_H
#define PLATFORM_HOLDERS_H

#include "base/err.h"

/* Counts open files, working and root folders and mappings on the mount mnt_id
 * in all processes of the caller's mount namespace but the caller. proc_fd is
 * the host's /proc. */
uint32_t holders_count(int proc_fd, uint64_t mnt_id);

#endif
