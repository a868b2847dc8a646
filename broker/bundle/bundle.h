/* SPDX-License-Identifier: MIT
 *
 * The native bundle: one tar of three members in a fixed order,
 *   manifest.json, manifest.json.minisig, payload.tar.zst
 * whose headers are what bundle_header makes, to the byte; padding and the end are
 * zeros, and nothing follows. The signature (minisign's, prehashed) is over the
 * manifest; the manifest pins the payload by size and BLAKE2b-512; so every bit is
 * either signed, pinned, or has one value that it may have. Pure.
 */
#ifndef BUNDLE_BUNDLE_H
#define BUNDLE_BUNDLE_H

#include "base/err.h"

#define BUNDLE_BLOCK 512u
#define BUNDLE_MANIFEST_MAX 65536u
#define BUNDLE_SIGNATURE_MAX 1024u
#define BUNDLE_PAYLOAD_MAX ((uint64_t)4 << 30)
#define BUNDLE_HASH_SIZE 64u
#define BUNDLE_KEY_TEXT 57u /* a public key as minisign prints it, with the NUL */
#define BUNDLE_COMMENT "untrusted comment: cowbell bundle" /* signs nothing, so it says always the same */

enum bundle_member { BUNDLE_MANIFEST, BUNDLE_SIGNATURE, BUNDLE_PAYLOAD, BUNDLE_MEMBERS };

extern const char *const bundle_names[BUNDLE_MEMBERS];
extern const uint64_t bundle_sizes_max[BUNDLE_MEMBERS];

/* The one header that this member can have. */
void bundle_header(enum bundle_member member, uint64_t size, uint8_t ret[BUNDLE_BLOCK]);

/* The size that header says; -1 with err when it is not what bundle_header makes. */
int bundle_header_read(enum bundle_member member, const uint8_t header[BUNDLE_BLOCK], uint64_t *ret_size,
		       struct err *err);

/* --- signature.c --- */

struct bundle_signature {
	char key[BUNDLE_KEY_TEXT]; /* of the publisher, from the trusted comment */
	char app[64], version[64]; /* from there too */
};

/* text (size bytes): minisign's signature of manifest. Verified against the key that
 * its trusted comment names: whether that key is to be trusted is the caller's
 * question. -1 with err. */
int bundle_verify(const char *text, size_t size, const void *manifest, size_t manifest_size,
		  struct bundle_signature *ret, struct err *err);

/* A public key as minisign writes it (one line, or with its comment before it): the
 * line; -1 with err when it is none. */
int bundle_key_read(const char *text, char ret[BUNDLE_KEY_TEXT], struct err *err);

/* --- manifest.c --- */

#define MANIFEST_COMMANDS_MAX 32u
#define MANIFEST_PERMISSIONS_MAX 32u

struct bundle_manifest {
	char id[64], version[64], name[64], summary[128], arch[16], main[128];
	char commands[MANIFEST_COMMANDS_MAX][128];
	size_t command_count;
	struct {
		char name[64], reason[160];
	} permissions[MANIFEST_PERMISSIONS_MAX];
	size_t permission_count;
	uint64_t memory, processes; /* limits; 0 none */
	uint64_t payload_size, tar_size; /* compressed, and as the tar in it */
	uint8_t payload_hash[BUNDLE_HASH_SIZE];
};

/* Strict: unknown and doubled keys, wrong types and values out of their bounds are
 * refused with err naming them. whole: with the payload, as in a bundle; else as an
 * author writes it, without. */
int bundle_manifest_parse(const char *text, size_t size, bool whole, struct bundle_manifest *ret, struct err *err);

/* Below 0, 0, above 0: as Debian orders versions: numbers in them by value. */
int bundle_version_compare(const char *a, const char *b);

#endif
