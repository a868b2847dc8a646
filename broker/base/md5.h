/* SPDX-License-Identifier: MIT
 *
 * MD5 (RFC 1321): only to compare with what dpkg noted of its own files. It
 * tells a changed file from an unchanged one, nothing about who made it.
 */
#ifndef BASE_MD5_H
#define BASE_MD5_H

#include <stddef.h>

#define MD5_HEX_SIZE 33u

/* The digest of size bytes in lower-case hex, ended by NUL. */
void md5_hex(const void *data, size_t size, char ret[MD5_HEX_SIZE]);

#endif
