/* SPDX-License-Identifier: MIT
 *
 * What a kernel needs to know of a program before it can map it. Pure.
 */
#ifndef BASE_ELF_H
#define BASE_ELF_H

#include "base/mem.h"

#include <stdint.h>

#define ELF_HEAD_MAX 4096u

struct elf_need {
	/* The largest page that all its segments can be mapped with; a kernel with larger
	 * ones ends the program by a signal in the midst of exec (fs/binfmt_elf.c maps
	 * p_offset less the rest of p_vaddr, and mmap refuses what begins within a page). */
	uint64_t page_max;
	char interpreter[256]; /* what loads its libraries; "": none, or not in head */
	bool script;           /* interpreter is what "#!" names; page_max is 0 */
};

/* Reads the first bytes of a file: a little-endian ELF program of 32 or 64 bits, or a
 * script. False if it is neither, or says of itself what does not fit into head: the
 * kernel will say what it thinks of that. */
bool elf_read(const uint8_t *head, size_t size, struct elf_need *ret);

#endif
