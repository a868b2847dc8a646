/* SPDX-License-Identifier: MIT
 *
 * Keys and signatures, as minisign makes them.
 */
#ifndef TESTS_UNIT_BUNDLE_MAKE_H
#define TESTS_UNIT_BUNDLE_MAKE_H

#include "bundle/bundle.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct pair {
	uint8_t public_key[32], secret[64], id[8];
	char text[BUNDLE_KEY_TEXT];
};

static void encode(const uint8_t *bytes, size_t n, char *ret, size_t size)
{
	(void)sodium_bin2base64(ret, size, bytes, n, sodium_base64_VARIANT_ORIGINAL);
}

static void make_pair(struct pair *p)
{
	uint8_t line[42] = "Ed";

	assert_true(sodium_init() >= 0);
	(void)crypto_sign_keypair(p->public_key, p->secret);
	randombytes_buf(p->id, sizeof(p->id));
	memcpy(line + 2, p->id, 8);
	memcpy(line + 10, p->public_key, 32);
	encode(line, sizeof(line), p->text, sizeof(p->text));
}

static void sign(const struct pair *p, const char *manifest, const char *comment, char *ret, size_t size)
{
	uint8_t hash[64], line[74] = "ED", both[64 + 512], global[64];
	char first[128], second[128];

	(void)crypto_generichash(hash, sizeof(hash), (const uint8_t *)manifest, strlen(manifest), NULL, 0);
	memcpy(line + 2, p->id, 8);
	(void)crypto_sign_detached(line + 10, NULL, hash, sizeof(hash), p->secret);
	memcpy(both, line + 10, 64);
	memcpy(both + 64, comment, strlen(comment));
	(void)crypto_sign_detached(global, NULL, both, 64 + strlen(comment), p->secret);
	encode(line, sizeof(line), first, sizeof(first));
	encode(global, sizeof(global), second, sizeof(second));
	(void)snprintf(ret, size, BUNDLE_COMMENT "\n%s\ntrusted comment: %s\n%s\n", first, comment, second);
}

#endif
