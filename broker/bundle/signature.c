/* SPDX-License-Identifier: MIT
 *
 * minisign's signatures: two lines that are signed, two that say what is signed.
 *   untrusted comment: ...
 *   base64("ED" key-id[8] signature[64])      of BLAKE2b-512 of the file
 *   trusted comment: ...
 *   base64(signature[64])                     of the signature and the comment
 */
#include "bundle/bundle.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define TRUSTED "trusted comment: "

struct signature_lines {
	const char *of[4];
	size_t len[4];
};

static int no(struct err *err, const char *what)
{
	return err_set(err, EPROTO, "the signature is broken: %s", what);
}

/* Four lines, each ended, and nothing behind. */
static bool split(const char *p, size_t size, struct signature_lines *ret)
{
	for (int i = 0; i < 4; i++) {
		const char *nl = memchr(p, '\n', size);

		if (!nl)
			return false;
		ret->of[i] = p;
		ret->len[i] = (size_t)(nl - p);
		size -= ret->len[i] + 1;
		p = nl + 1;
	}
	return size == 0;
}

/* Exactly want bytes, written in the one way there is. libsodium takes a '+' or '/'
 * with its highest bit set for the sign itself, so the signs are looked at here. */
static bool decode(const char *text, size_t len, uint8_t *ret, size_t want)
{
	const char *end;
	size_t n;

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] > 0x7e)
			return false;
	}
	return sodium_base642bin(ret, want, text, len, NULL, &n, &end, sodium_base64_VARIANT_ORIGINAL) == 0 && n == want &&
	       end == text + len;
}

static bool take_word(const char *text, const char *key, char *ret, size_t size)
{
	size_t n = strlen(key), len;

	for (const char *p = text; *p; p += strcspn(p, " "), p += *p == ' ') {
		if (strncmp(p, key, n) != 0)
			continue;
		len = strcspn(p + n, " ");
		if (len == 0 || len >= size)
			return false;
		memcpy(ret, p + n, len);
		ret[len] = '\0';
		return true;
	}
	return false;
}

static int verify(const struct signature_lines *l, const char *comment, const uint8_t *hash,
		  struct bundle_signature *ret, struct err *err)
{
	uint8_t signature[74], global[64], key[42], both[64 + BUNDLE_SIGNATURE_MAX];
	size_t n = strlen(comment);

	if (!decode(l->of[1], l->len[1], signature, sizeof(signature)) || memcmp(signature, "ED", 2) != 0)
		return no(err, "its second line is no minisign signature");
	if (!decode(l->of[3], l->len[3], global, sizeof(global)))
		return no(err, "its last line is none");
	if (!take_word(comment, "app=", ret->app, sizeof(ret->app)) ||
	    !take_word(comment, "version=", ret->version, sizeof(ret->version)) ||
	    !take_word(comment, "key=", ret->key, sizeof(ret->key)))
		return no(err, "its trusted comment has no app=, version= and key=");
	if (!decode(ret->key, strlen(ret->key), key, sizeof(key)) || memcmp(key, "Ed", 2) != 0)
		return no(err, "the key that it names is none");
	if (memcmp(key + 2, signature + 2, 8) != 0)
		return no(err, "it was made with another key than it names");
	memcpy(both, signature + 10, 64);
	memcpy(both + 64, comment, n);
	if (crypto_sign_verify_detached(signature + 10, hash, BUNDLE_HASH_SIZE, key + 10) != 0)
		return err_set(err, EBADMSG, "the manifest is not what was signed");
	if (crypto_sign_verify_detached(global, both, 64 + n, key + 10) != 0)
		return err_set(err, EBADMSG, "the signature's comment is not what was signed");
	return 0;
}

int bundle_verify(const char *text, size_t size, const void *manifest, size_t manifest_size,
		  struct bundle_signature *ret, struct err *err)
{
	uint8_t hash[BUNDLE_HASH_SIZE];
	char comment[BUNDLE_SIGNATURE_MAX];
	struct signature_lines l;
	size_t n = strlen(TRUSTED);

	memset(ret, 0, sizeof(*ret));
	if (sodium_init() < 0)
		return err_set(err, EIO, "no cryptography");
	if (size > BUNDLE_SIGNATURE_MAX || memchr(text, '\0', size) || !split(text, size, &l))
		return no(err, "it has not four lines");
	if (l.len[0] != strlen(BUNDLE_COMMENT) || memcmp(l.of[0], BUNDLE_COMMENT, l.len[0]) != 0)
		return no(err, "its first line is not that of a bundle");
	if (l.len[2] <= n || memcmp(l.of[2], TRUSTED, n) != 0)
		return no(err, "it has no trusted comment");
	memcpy(comment, l.of[2] + n, l.len[2] - n);
	comment[l.len[2] - n] = '\0';
	(void)crypto_generichash(hash, sizeof(hash), manifest, manifest_size, NULL, 0);
	return verify(&l, comment, hash, ret, err);
}

int bundle_key_read(const char *text, char ret[BUNDLE_KEY_TEXT], struct err *err)
{
	const char *line = text;
	uint8_t key[42];
	size_t n;

	if (strncmp(line, "untrusted comment:", 18) == 0) {
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	n = strcspn(line, "\n");
	if (sodium_init() < 0 || n != BUNDLE_KEY_TEXT - 1 || !decode(line, n, key, sizeof(key)) || memcmp(key, "Ed", 2) != 0)
		return err_set(err, EINVAL, "this is no public key of minisign");
	memcpy(ret, line, n);
	ret[n] = '\0';
	return 0;
}
