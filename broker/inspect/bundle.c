/* SPDX-License-Identifier: MIT
 *
 * Native bundles, from a stream: nothing is believed before its signature or digest
 * has been checked, and what does not have to be there must not be there.
 */
#include "inspect/inspect.h"

#include "base/fd.h"
#include "bundle/bundle.h"
#include "inspect/members.h"
#include "inspect/scan.h"
#include "inspect/tar.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <zstd.h>

#define WINDOW_LOG_MAX 23 /* 8 MB: what a packer may make us keep */

struct reading {
	int in, out; /* out: -1, or where the unpacked tar goes */
	struct bundle_manifest manifest;
	uint64_t left; /* compressed bytes of the payload still to read */
	uint64_t tar_bytes;
	crypto_generichash_state hash;
	ZSTD_DStream *zstd;
	uint8_t raw[65536];
	ZSTD_inBuffer compressed;
	bool frame_over;
	struct members members;
	struct judge *judge;
	struct err *err; /* of the callback */
};

static int broken(struct err *err, const char *what)
{
	return err_set(err, EPROTO, "the bundle is broken: %s", what);
}

static int read_exactly(int in, void *buf, size_t size, struct err *err)
{
	ssize_t n = fd_read_full(in, buf, size);

	if (n < 0)
		return err_sys(err, "read the bundle");
	return (size_t)n == size ? 0 : broken(err, "it is cut off");
}

static int read_zeros(int in, uint64_t size, struct err *err)
{
	uint8_t buf[1024];

	if (read_exactly(in, buf, (size_t)size, err) < 0)
		return -1;
	for (size_t i = 0; i < size; i++) {
		if (buf[i])
			return broken(err, "there is something where nothing may be");
	}
	return 0;
}

static uint64_t padding(uint64_t size)
{
	return (BUNDLE_BLOCK - size % BUNDLE_BLOCK) % BUNDLE_BLOCK;
}

static int read_header(int in, enum bundle_member member, uint64_t *ret_size, struct err *err)
{
	uint8_t header[BUNDLE_BLOCK];

	return read_exactly(in, header, sizeof(header), err) < 0 ? -1 : bundle_header_read(member, header, ret_size, err);
}

static int read_small(int in, enum bundle_member member, char *buf, uint64_t *ret_size, struct err *err)
{
	if (read_header(in, member, ret_size, err) < 0 || read_exactly(in, buf, (size_t)*ret_size, err) < 0)
		return -1;
	return read_zeros(in, padding(*ret_size), err);
}

static void tell(enum inspect_key key, const char *text)
{
	if (text[0])
		tell_fact(key, text, strlen(text));
}

static void tell_manifest(const struct bundle_manifest *m, const struct bundle_signature *s)
{
	char text[300];

	tell(INSPECT_SIGNER, s->key);
	tell(INSPECT_NAME, m->id);
	tell(INSPECT_VERSION, m->version);
	tell(INSPECT_TITLE, m->name);
	tell(INSPECT_SUMMARY, m->summary);
	tell(INSPECT_ARCH, m->arch);
	tell(INSPECT_MAIN, m->main);
	if (m->memory) {
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)m->memory);
		tell(INSPECT_MEMORY, text);
	}
	if (m->processes) {
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)m->processes);
		tell(INSPECT_PROCESSES, text);
	}
	for (size_t i = 0; i < m->command_count; i++)
		tell(INSPECT_PROGRAM, m->commands[i]);
	for (size_t i = 0; i < m->permission_count; i++) {
		(void)snprintf(text, sizeof(text), "%s %s", m->permissions[i].name, m->permissions[i].reason);
		tell(INSPECT_SAYS, text);
	}
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)m->tar_size);
	tell(INSPECT_INSTALLED_SIZE, text);
}

static int read_manifest(struct reading *r, struct err *err)
{
	static char manifest[BUNDLE_MANIFEST_MAX], signature[BUNDLE_SIGNATURE_MAX];
	struct bundle_signature signed_by;
	uint64_t size, signature_size;

	if (read_small(r->in, BUNDLE_MANIFEST, manifest, &size, err) < 0 ||
	    read_small(r->in, BUNDLE_SIGNATURE, signature, &signature_size, err) < 0 ||
	    bundle_verify(signature, (size_t)signature_size, manifest, (size_t)size, &signed_by, err) < 0 ||
	    bundle_manifest_parse(manifest, (size_t)size, true, &r->manifest, err) < 0)
		return -1;
	if (strcmp(signed_by.app, r->manifest.id) != 0 || strcmp(signed_by.version, r->manifest.version) != 0)
		return err_set(err, EBADMSG, "the signature is for %s %s, the manifest for %s %s", signed_by.app,
			       signed_by.version, r->manifest.id, r->manifest.version);
	if (r->out < 0)
		tell_manifest(&r->manifest, &signed_by);
	return 0;
}

/* --- the payload --- */

/* More compressed bytes; 0 none are left. */
static int refill(struct reading *r)
{
	size_t n = r->left < sizeof(r->raw) ? (size_t)r->left : sizeof(r->raw);

	if (n == 0)
		return 0;
	if (read_exactly(r->in, r->raw, n, r->err) < 0)
		return -1;
	(void)crypto_generichash_update(&r->hash, r->raw, n);
	r->left -= n;
	r->compressed = (ZSTD_inBuffer){ r->raw, n, 0 };
	return 1;
}

static ssize_t read_unpacked(void *source, void *buf, size_t size)
{
	struct reading *r = source;
	ZSTD_outBuffer out = { buf, size, 0 };

	while (out.pos == 0 && !r->frame_over) {
		size_t rc;
		int more = r->compressed.pos == r->compressed.size ? refill(r) : 1;

		if (more < 0) {
			errno = EIO;
			return -1;
		}
		rc = ZSTD_decompressStream(r->zstd, &out, &r->compressed);
		if (ZSTD_isError(rc) || (more == 0 && out.pos == 0 && rc != 0)) {
			(void)broken(r->err, "its payload cannot be unpacked");
			errno = EIO;
			return -1;
		}
		r->frame_over = rc == 0;
	}
	r->tar_bytes += out.pos;
	if (r->tar_bytes > r->manifest.tar_size) {
		(void)broken(r->err, "its payload is larger than its manifest says");
		errno = EIO;
		return -1;
	}
	if (r->out >= 0 && out.pos && fd_write_full(r->out, buf, out.pos) < 0) {
		(void)err_sys(r->err, "pass the payload on");
		errno = EIO;
		return -1;
	}
	return (ssize_t)out.pos;
}

static int scan_member(struct reading *r, struct tar *tar, struct err *err)
{
	static char buf[65536];
	bool first = true;
	ssize_t n;

	while ((n = tar_read(tar, buf, sizeof(buf), err)) > 0) {
		if (first)
			scan_begin_file(judge_scan(r->judge), n > 4 && memcmp(buf, "\177ELF", 4) == 0);
		first = false;
		scan_bytes(judge_scan(r->judge), buf, (size_t)n);
	}
	if (!first)
		scan_end_file(judge_scan(r->judge));
	return n < 0 ? -1 : 0;
}

static int walk(struct reading *r, struct tar *tar, struct err *err)
{
	struct tar_member *m = xcalloc(1, sizeof(*m));
	char rest[4096];
	ssize_t n;
	int rc;

	while ((rc = tar_next(tar, m, err)) == 1) {
		rc = members_take(&r->members, m, err);
		if (rc == 0 && m->kind == TAR_FILE && r->judge)
			rc = scan_member(r, tar, err);
		if (rc < 0)
			break;
	}
	free(m);
	if (rc < 0)
		return -1;
	while ((n = read_unpacked(r, rest, sizeof(rest))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (rest[i])
				return broken(err, "its payload goes on behind its end");
		}
	}
	return n < 0 ? -1 : 0;
}

/* Everything was read, nothing is left, and it is what the manifest pinned. */
static int check_end(struct reading *r, struct err *err)
{
	uint8_t hash[BUNDLE_HASH_SIZE], more;

	if (r->left || r->compressed.pos != r->compressed.size || r->tar_bytes != r->manifest.tar_size)
		return broken(err, "its payload has not the size that its manifest says");
	(void)crypto_generichash_final(&r->hash, hash, sizeof(hash));
	if (sodium_memcmp(hash, r->manifest.payload_hash, sizeof(hash)) != 0)
		return err_set(err, EBADMSG, "the payload is not what was signed");
	if (read_zeros(r->in, padding(r->manifest.payload_size), err) < 0 || read_zeros(r->in, 1024, err) < 0)
		return -1;
	if (fd_read_full(r->in, &more, 1) != 0)
		return broken(err, "it goes on behind its end");
	return 0;
}

/* What the manifest offers to be started is there. */
static int check_commands(const struct reading *r, struct err *err)
{
	for (size_t i = 0; i < r->manifest.command_count; i++) {
		if (!members_has_program(&r->members, r->manifest.commands[i]))
			return err_set(err, EINVAL, "the payload has no program '%s', which its manifest names",
				       r->manifest.commands[i]);
	}
	return 0;
}

static int read_payload(struct reading *r, struct err *err)
{
	struct tar *tar = xcalloc(1, sizeof(*tar));
	struct err inner = { 0 };
	uint64_t size;
	int rc = -1;

	tar->read = read_unpacked;
	tar->source = r;
	r->err = &inner;
	if (read_header(r->in, BUNDLE_PAYLOAD, &size, err) == 0) {
		if (size != r->manifest.payload_size)
			(void)broken(err, "its payload has not the size that its manifest says");
		else {
			r->left = size;
			rc = walk(r, tar, err);
			if (rc < 0 && inner.msg[0])
				*err = inner;
		}
	}
	free(tar);
	return rc < 0 || check_end(r, err) < 0 ? -1 : check_commands(r, err);
}

int bundle_read(int in, int out, struct err *err)
{
	struct reading *r = xcalloc(1, sizeof(*r));
	int rc = -1;

	r->in = in;
	r->out = out;
	r->zstd = ZSTD_createDStream();
	if (sodium_init() < 0 || !r->zstd) {
		free(r);
		return err_set(err, EIO, "no cryptography or no memory");
	}
	(void)ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	(void)crypto_generichash_init(&r->hash, NULL, 0, BUNDLE_HASH_SIZE);
	if (out < 0)
		r->judge = judge_create(err);
	if ((out >= 0 || r->judge) && read_manifest(r, err) == 0) {
		if (r->judge) {
			judge_words(r->judge, r->manifest.id, strlen(r->manifest.id));
			judge_words(r->judge, r->manifest.summary, strlen(r->manifest.summary));
		}
		rc = read_payload(r, err);
	}
	if (rc == 0 && r->judge)
		judge_tell(r->judge);
	(void)ZSTD_freeDStream(r->zstd);
	judge_free(r->judge);
	members_finish(&r->members);
	free(r);
	return rc;
}
