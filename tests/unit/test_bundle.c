/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bundle_make.h"

static void test_versions_are_ordered_by_value(void **state)
{
	static const struct {
		const char *a, *b;
		int sign;
	} rows[] = {
		{ "1.0", "1.0", 0 },    { "1.10", "1.9", 1 },   { "1.0", "1.0.1", -1 }, { "2", "10", -1 },
		{ "1.0~rc1", "1.0", -1 }, { "1.0a", "1.0", 1 }, { "1.01", "1.1", 0 },    { "", "1", -1 },
		{ "1.0a", "1.0-1", -1 }, { "99999999999999999999", "100000000000000000000", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int got = bundle_version_compare(rows[i].a, rows[i].b), back = bundle_version_compare(rows[i].b, rows[i].a);

		if ((got > 0) - (got < 0) != rows[i].sign || (back > 0) - (back < 0) != -rows[i].sign)
			fail_msg("'%s' against '%s' gave %d", rows[i].a, rows[i].b, got);
	}
}

static void test_a_header_has_one_form(void **state)
{
	uint8_t header[BUNDLE_BLOCK];
	struct err err = { 0 };
	uint64_t size = 0;

	(void)state;
	bundle_header(BUNDLE_PAYLOAD, 12345, header);
	assert_int_equal(bundle_header_read(BUNDLE_PAYLOAD, header, &size, &err), 0);
	assert_int_equal(size, 12345);
	assert_int_equal(bundle_header_read(BUNDLE_MANIFEST, header, &size, &err), -1);
	for (size_t i = 0; i < BUNDLE_BLOCK * 8; i++) {
		header[i / 8] ^= (uint8_t)(1 << (i % 8));
		assert_int_equal(bundle_header_read(BUNDLE_PAYLOAD, header, &size, &err), -1);
		header[i / 8] ^= (uint8_t)(1 << (i % 8));
	}
	bundle_header(BUNDLE_SIGNATURE, BUNDLE_SIGNATURE_MAX + 1, header);
	assert_int_equal(bundle_header_read(BUNDLE_SIGNATURE, header, &size, &err), -1);
	assert_non_null(strstr(err.msg, "out of its bounds"));
}

/* --- signatures --- */

static void test_a_signature_holds_to_the_last_bit(void **state)
{
	static const char manifest[] = "{\"id\": \"lamp\"}";
	struct bundle_signature found;
	struct err err = { 0 };
	char comment[200], text[BUNDLE_SIGNATURE_MAX];
	struct pair p;

	(void)state;
	make_pair(&p);
	(void)snprintf(comment, sizeof(comment), "app=lamp version=1.0 key=%s", p.text);
	sign(&p, manifest, comment, text, sizeof(text));
	assert_int_equal(bundle_verify(text, strlen(text), manifest, strlen(manifest), &found, &err), 0);
	assert_string_equal(found.key, p.text);
	assert_string_equal(found.app, "lamp");
	assert_string_equal(found.version, "1.0");
	for (size_t i = 0; i < strlen(text) * 8; i++) {
		char bad[BUNDLE_SIGNATURE_MAX];
		size_t n = strlen(text);

		memcpy(bad, text, n);
		bad[i / 8] = (char)(bad[i / 8] ^ 1 << (i % 8));
		if (bundle_verify(bad, n, manifest, strlen(manifest), &found, &err) == 0)
			fail_msg("bit %zu of the signature may be anything", i);
	}
	for (size_t n = 0; n < strlen(text); n++)
		assert_int_equal(bundle_verify(text, n, manifest, strlen(manifest), &found, &err), -1);
	assert_int_equal(bundle_verify(text, strlen(text), manifest, strlen(manifest) - 1, &found, &err), -1);
	assert_non_null(strstr(err.msg, "the manifest is not what was signed"));
}

static void test_signatures_that_are_none(void **state)
{
	struct bundle_signature found;
	struct err err = { 0 };
	char comment[200], text[BUNDLE_SIGNATURE_MAX];
	struct pair p, other;

	(void)state;
	make_pair(&p);
	make_pair(&other);
	(void)snprintf(comment, sizeof(comment), "app=lamp version=1.0 key=%s", other.text);
	sign(&p, "m", comment, text, sizeof(text));
	assert_int_equal(bundle_verify(text, strlen(text), "m", 1, &found, &err), -1);
	assert_non_null(strstr(err.msg, "another key than it names"));
	memcpy(other.id, p.id, 8); /* the ids of two keys can be made equal */
	sign(&p, "m", "app=lamp version=1.0", text, sizeof(text));
	assert_int_equal(bundle_verify(text, strlen(text), "m", 1, &found, &err), -1);
	assert_non_null(strstr(err.msg, "has no app="));
	assert_int_equal(bundle_verify("", 0, "m", 1, &found, &err), -1);
	assert_non_null(strstr(err.msg, "has not four lines"));
}

static void test_public_keys(void **state)
{
	char key[BUNDLE_KEY_TEXT], text[200];
	struct err err = { 0 };
	struct pair p;

	(void)state;
	make_pair(&p);
	(void)snprintf(text, sizeof(text), "untrusted comment: minisign public key\n%s\n", p.text);
	assert_int_equal(bundle_key_read(text, key, &err), 0);
	assert_string_equal(key, p.text);
	assert_int_equal(bundle_key_read(p.text, key, &err), 0);
	assert_int_equal(bundle_key_read("", key, &err), -1);
	text[strlen(text) - 3] = '!';
	assert_int_equal(bundle_key_read(text, key, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions_are_ordered_by_value),
		cmocka_unit_test(test_a_header_has_one_form),
		cmocka_unit_test(test_a_signature_holds_to_the_last_bit),
		cmocka_unit_test(test_signatures_that_are_none),
		cmocka_unit_test(test_public_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
