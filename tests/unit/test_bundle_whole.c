/* SPDX-License-Identifier: MIT
 *
 * Whole bundles, through the reader that stands before every install of one: no bit
 * of it may be another, no byte may be missing or more.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bundle_make.h"

#include "inspect/inspect.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#define WHOLE_MAX 65536u

void tell_fact(enum inspect_key key, const char *value, size_t len)
{
	(void)key;
	(void)value;
	(void)len;
}

struct bytes {
	uint8_t at[WHOLE_MAX];
	size_t len;
};

static void add(struct bytes *b, const void *data, size_t n)
{
	assert_true(b->len + n <= sizeof(b->at));
	memcpy(b->at + b->len, data, n);
	b->len += n;
}

static void add_zeros(struct bytes *b, size_t n)
{
	static const uint8_t zeros[2 * BUNDLE_BLOCK];

	add(b, zeros, n);
}

/* A member of a payload; content NULL: a folder, a link (target), or what type says. */
static void add_member(struct bytes *b, const char *name, char type, unsigned int mode, const char *target, const char *content)
{
	char h[512] = "";
	size_t n = content ? strlen(content) : 0;
	unsigned int sum = 0;

	(void)snprintf(h, 100, "%s", name);
	(void)snprintf(h + 100, 8, "%07o", mode & 07777);
	memcpy(h + 108, "0000000", 8);
	memcpy(h + 116, "0000000", 8);
	(void)snprintf(h + 124, 12, "%011o", (unsigned int)n & 0xffff);
	memcpy(h + 136, "00000000000", 12);
	h[156] = type;
	(void)snprintf(h + 157, 100, "%s", target ? target : "");
	memcpy(h + 257, "ustar\00000", 8);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (uint8_t)h[i];
	(void)snprintf(h + 148, 8, "%06o", sum & 0777777u);
	add(b, h, sizeof(h));
	if (n)
		add(b, content, n);
	add_zeros(b, (512 - n % 512) % 512);
}

static void add_part(struct bytes *b, enum bundle_member member, const void *data, size_t n)
{
	uint8_t header[BUNDLE_BLOCK];

	bundle_header(member, n, header);
	add(b, header, sizeof(header));
	add(b, data, n);
	add_zeros(b, (BUNDLE_BLOCK - n % BUNDLE_BLOCK) % BUNDLE_BLOCK);
}

/* What the manifest says of the payload beyond the truth. */
struct lie {
	long size, tar_size;
	const char *digest;
};

/* Signed and whole around this payload; more: what its manifest says beside. */
static void make_lying(const struct bytes *tar, const char *more, struct lie lie, struct bytes *ret)
{
	static char packed[WHOLE_MAX];
	char manifest[2048], comment[200], signature[BUNDLE_SIGNATURE_MAX], hex[2 * BUNDLE_HASH_SIZE + 1];
	uint8_t hash[BUNDLE_HASH_SIZE];
	size_t n = ZSTD_compress(packed, sizeof(packed), tar->at, tar->len, 3);
	struct pair p;

	assert_false(ZSTD_isError(n));
	make_pair(&p);
	(void)crypto_generichash(hash, sizeof(hash), (const uint8_t *)packed, n, NULL, 0);
	(void)sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	(void)snprintf(manifest, sizeof(manifest),
		       "{\"format\": 1, \"id\": \"lamp\", \"version\": \"1.0\", \"name\": \"Lamp\", \"arch\": \"all\", "
		       "\"commands\": [\"/usr/bin/lamp\"], %s\"payload\": {\"size\": %zu, \"tar_size\": %zu, \"blake2b\": \"%s\"}}",
		       more, n + (size_t)lie.size, tar->len + (size_t)lie.tar_size, lie.digest ? lie.digest : hex);
	(void)snprintf(comment, sizeof(comment), "app=lamp version=1.0 key=%s", p.text);
	sign(&p, manifest, comment, signature, sizeof(signature));
	ret->len = 0;
	add_part(ret, BUNDLE_MANIFEST, manifest, strlen(manifest));
	add_part(ret, BUNDLE_SIGNATURE, signature, strlen(signature));
	add_part(ret, BUNDLE_PAYLOAD, packed, n);
	add_zeros(ret, 2 * BUNDLE_BLOCK);
}

static void make_around(const struct bytes *tar, const char *more, struct bytes *ret)
{
	make_lying(tar, more, (struct lie){ 0, 0, NULL }, ret);
}

/* As the check before an install; nothing of what it says may be empty. */
static int read_whole(const uint8_t *data, size_t n, struct err *err)
{
	static int in = -1, out = -1;

	if (in < 0) {
		in = memfd_create("in", MFD_CLOEXEC);
		out = memfd_create("out", MFD_CLOEXEC);
	}
	memset(err, 0, sizeof(*err));
	assert_int_equal(ftruncate(in, 0) | ftruncate(out, 0), 0);
	assert_int_equal(pwrite(in, data, n, 0), n);
	(void)lseek(in, 0, SEEK_SET);
	(void)lseek(out, 0, SEEK_SET);
	return bundle_read(in, out, err);
}

static void lamp(struct bytes *tar)
{
	tar->len = 0;
	add_member(tar, "./", '5', 0755, NULL, NULL);
	add_member(tar, "./usr/bin/", '5', 0755, NULL, NULL);
	add_member(tar, "./usr/bin/lamp", '0', 0755, NULL, "#!/bin/sh\necho lamp\n");
	add_member(tar, "./usr/bin/light", '1', 0755, "./usr/bin/lamp", NULL);
	add_member(tar, "./usr/bin/torch", '2', 0777, "lamp", NULL);
	add_zeros(tar, 1024);
}

static void test_no_bit_may_be_another(void **state)
{
	static struct bytes tar, whole;
	struct err err;

	(void)state;
	lamp(&tar);
	make_around(&tar, "", &whole);
	if (read_whole(whole.at, whole.len, &err) < 0)
		fail_msg("a good one: %s", err.msg);
	for (size_t i = 0; i < whole.len; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			whole.at[i] ^= (uint8_t)(1u << bit);
			if (read_whole(whole.at, whole.len, &err) == 0)
				fail_msg("bit %u of byte %zu may be anything", bit, i);
			if (!err.msg[0])
				fail_msg("bit %u of byte %zu: refused without a word", bit, i);
			whole.at[i] ^= (uint8_t)(1u << bit);
		}
	}
}

static void test_no_byte_may_be_missing_or_more(void **state)
{
	static struct bytes tar, whole;
	struct err err;

	(void)state;
	lamp(&tar);
	make_around(&tar, "", &whole);
	for (size_t n = 0; n < whole.len; n++) {
		if (read_whole(whole.at, n, &err) == 0 || !err.msg[0])
			fail_msg("cut at %zu it is taken, or refused without a word", n);
	}
	add_zeros(&whole, 1);
	assert_int_equal(read_whole(whole.at, whole.len, &err), -1);
	assert_string_equal(err.msg, "the bundle is broken: it goes on behind its end");
}

struct member_row {
	const char *name;
	char type;
	unsigned int mode;
	const char *target, *content;
};

static void refused(const struct member_row *rows, const char *why)
{
	static struct bytes tar, whole;
	struct err err;

	tar.len = 0;
	add_member(&tar, "usr/bin/lamp", '0', 0755, NULL, "x");
	for (; rows->name; rows++)
		add_member(&tar, rows->name, rows->type, rows->mode, rows->target, rows->content);
	add_zeros(&tar, 1024);
	make_around(&tar, "", &whole);
	if (read_whole(whole.at, whole.len, &err) == 0)
		fail_msg("taken, and should have been refused: %s", why);
	if (!strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
}

#define REFUSED(why, ...) refused((const struct member_row[]){ __VA_ARGS__, { NULL, 0, 0, NULL, NULL } }, why)

static void test_a_payload_stays_in_its_place(void **state)
{
	char deep[300] = "", pax[400];

	(void)state;
	REFUSED("not below /usr, /opt or /etc: '../x'", { "../x", '0', 0644, NULL, "x" });
	REFUSED("not below /usr, /opt or /etc: '/usr/x'", { "/usr/x", '0', 0644, NULL, "x" });
	REFUSED("not below /usr, /opt or /etc", { "usr/../var/x", '0', 0644, NULL, "x" });
	REFUSED("not below /usr, /opt or /etc", { "usr/..", '5', 0755, NULL, NULL });
	REFUSED("not below /usr, /opt or /etc", { "usr/./x", '0', 0644, NULL, "x" });
	REFUSED("not below /usr, /opt or /etc", { "usrx/y", '0', 0644, NULL, "x" });
	REFUSED("not below /usr, /opt or /etc", { "var/lib/dpkg/status", '0', 0644, NULL, "x" });
	REFUSED("below what is no folder: 'usr/l/x'", { "usr/l", '2', 0777, "/var", NULL }, { "usr/l/x", '0', 0644, NULL, "x" });
	REFUSED("below what is no folder", { "usr/f", '0', 0644, NULL, "x" }, { "usr/f/x", '0', 0644, NULL, "x" });
	REFUSED("one path twice: 'usr/bin'", { "usr/bin", '2', 0777, "/var", NULL });
	REFUSED("one path twice: 'usr/bin/lamp'", { "usr/bin/lamp", '0', 0755, NULL, "y" });
	REFUSED("one path twice", { "usr/l", '2', 0777, "/etc/passwd", NULL }, { "usr/l", '0', 0644, NULL, "y" });
	REFUSED("one path twice", { "usr/d/", '5', 0755, NULL, NULL }, { "./usr/d", '5', 0755, NULL, NULL });
	REFUSED("a link to what is no file of it", { "usr/h", '1', 0644, "/etc/shadow", NULL });
	REFUSED("a link to what is no file of it", { "usr/h", '1', 0644, "usr/../etc/shadow", NULL });
	REFUSED("a link to what is no file of it", { "usr/h", '1', 0644, "etc/passwd", NULL });
	REFUSED("a link to what is no file of it", { "usr/l", '2', 0777, "/etc/shadow", NULL }, { "usr/h", '1', 0644, "usr/l", NULL });
	for (size_t i = 0; i < 70; i++)
		memcpy(deep + 2 * i, "d/", 3);
	(void)snprintf(pax, sizeof(pax), "%zu path=usr/%sx\n", strlen(deep) + 15, deep);
	REFUSED("more than 64 folders deep", { "p", 'x', 0644, NULL, pax }, { "usr/x", '0', 0644, NULL, "x" });
	REFUSED("not below /usr, /opt or /etc", { "usr/d/.", '5', 0755, NULL, NULL });
}

static void test_a_payload_has_files_folders_and_links(void **state)
{
	(void)state;
	REFUSED("a device or a pipe: 'usr/null'", { "usr/null", '3', 0666, NULL, NULL });
	REFUSED("a device or a pipe", { "usr/sda", '4', 0666, NULL, NULL });
	REFUSED("a device or a pipe", { "usr/pipe", '6', 0666, NULL, NULL });
	REFUSED("a member is of a kind that is not known", { "usr/sparse", 'S', 0644, NULL, NULL });
	REFUSED("a set-id or sticky file", { "usr/su", '0', 04755, NULL, "x" });
	REFUSED("a set-id or sticky file", { "usr/sg", '0', 02755, NULL, "x" });
	REFUSED("a set-id or sticky file", { "usr/tmp", '5', 01777, NULL, NULL });
	REFUSED("called like a folder", { "usr/x/", '0', 0644, NULL, "x" });
	REFUSED("a name that cannot be shown", { "usr/\033[2J", '0', 0644, NULL, "x" });
	REFUSED("a name that cannot be shown", { "usr/a\nb", '0', 0644, NULL, "x" });
	REFUSED("a name that cannot be shown", { "usr/\xe2\x80\xaegpj.exe", '0', 0644, NULL, "x" });
	REFUSED("a name that cannot be shown", { "usr/\xff", '0', 0644, NULL, "x" });
	REFUSED("a pax header changes the size", { "p", 'x', 0644, NULL, "12 size=100\n" });
	REFUSED("a pax header changes the size", { "p", 'x', 0644, NULL, "26 GNU.sparse.map=0,1,0,9\n" });
	REFUSED("gives all members one name", { "p", 'g', 0644, NULL, "16 path=/etc/xy\n" });
	REFUSED("a member has two names, or none", { "p", 'x', 0644, NULL, "14 path=usr/a\n" }, { "p", 'L', 0644, NULL, "usr/b" });
	REFUSED("not below /usr, /opt or /etc: '../y'", { "p", 'x', 0644, NULL, "13 path=../y\n" }, { "usr/x", '0', 0644, NULL, "x" });
	REFUSED("a pax header has no length", { "p", 'x', 0644, NULL, "99999999999 path=usr/a\n" });
}

static void test_a_manifest_tells_no_lies(void **state)
{
	static struct bytes tar, whole;
	struct err err;

	(void)state;
	tar.len = 0;
	add_member(&tar, "usr/bin/lamp", '0', 0644, NULL, "x");
	add_zeros(&tar, 1024);
	make_around(&tar, "", &whole);
	assert_int_equal(read_whole(whole.at, whole.len, &err), -1);
	assert_string_equal(err.msg, "the payload has no program '/usr/bin/lamp', which its manifest names");

	lamp(&tar);
	make_around(&tar, "\"main\": \"/usr/bin/light\", ", &whole);
	assert_int_equal(read_whole(whole.at, whole.len, &err), -1);
	assert_non_null(strstr(err.msg, "is none of its commands"));

	add(&tar, "x", 1);
	make_around(&tar, "", &whole);
	assert_int_equal(read_whole(whole.at, whole.len, &err), -1);
	assert_non_null(strstr(err.msg, "its payload goes on behind its end"));
}

static void lies(struct lie lie, const char *why)
{
	static struct bytes tar, whole;
	struct err err;

	lamp(&tar);
	make_lying(&tar, "", lie, &whole);
	if (read_whole(whole.at, whole.len, &err) == 0 || !strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
}

static void test_a_manifest_says_how_much_there_is(void **state)
{
	char digest[2 * BUNDLE_HASH_SIZE + 1];

	(void)state;
	lies((struct lie){ 1, 0, NULL }, "its payload has not the size that its manifest says");
	lies((struct lie){ -1, 0, NULL }, "its payload has not the size that its manifest says");
	lies((struct lie){ 0, 512, NULL }, "its payload has not the size that its manifest says");
	lies((struct lie){ 0, -512, NULL }, "its payload is larger than its manifest says");
	memset(digest, '0', sizeof(digest));
	digest[2 * BUNDLE_HASH_SIZE] = '\0';
	lies((struct lie){ 0, 0, digest }, "the payload is not what was signed");
	lies((struct lie){ 0, 0, digest + 1 }, "'blake2b' has not 128 digits");
	digest[5] = 'x';
	lies((struct lie){ 0, 0, digest }, "'blake2b' has a digit that is none");
}

static void test_members_stand_in_their_order(void **state)
{
	static struct bytes tar, whole, other;
	struct err err;

	(void)state;
	lamp(&tar);
	make_around(&tar, "", &whole);
	other.len = 0; /* the manifest twice */
	add(&other, whole.at, 2 * BUNDLE_BLOCK);
	add(&other, whole.at, whole.len);
	assert_int_equal(read_whole(other.at, other.len, &err), -1);
	assert_string_equal(err.msg, "this is no bundle: 'manifest.json.minisig' does not stand where it must");
	assert_int_equal(read_whole(whole.at + 512, whole.len - 512, &err), -1);
	assert_string_equal(err.msg, "this is no bundle: 'manifest.json' does not stand where it must");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_bit_may_be_another),
		cmocka_unit_test(test_no_byte_may_be_missing_or_more),
		cmocka_unit_test(test_a_payload_stays_in_its_place),
		cmocka_unit_test(test_a_payload_has_files_folders_and_links),
		cmocka_unit_test(test_a_manifest_tells_no_lies),
		cmocka_unit_test(test_a_manifest_says_how_much_there_is),
		cmocka_unit_test(test_members_stand_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
