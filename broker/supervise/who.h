/* SPDX-License-Identifier: MIT
 *
 * Which program of the app it is. What it calls itself is its own word; that the
 * socket is one of its descriptors is the kernel's.
 */
#ifndef SUPERVISE_WHO_H
#define SUPERVISE_WHO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The name that pid gives itself, and where that is another the file that runs.
 * proc: a folder of processes in which pid is its number. "?": it is gone. */
void who_name(int proc, pid_t pid, char *buf, size_t size);

/* The same of the process that has the socket as a descriptor. proc is the app's
 * own: nobody else's processes are looked at. "" when none has, or too many
 * descriptors would have to be read. */
void who_holds(int proc, uint32_t inode, char *buf, size_t size);

#endif
