/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/elf.h"

#include <elf.h>
#include <string.h>

struct load {
	uint64_t offset, vaddr, filesz;
};

static size_t make64(uint8_t *buf, const struct load *loads, size_t n)
{
	Elf64_Ehdr e = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB }, .e_phoff = sizeof(e),
			 .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = (uint16_t)n };

	memcpy(buf, &e, sizeof(e));
	for (size_t i = 0; i < n; i++) {
		Elf64_Phdr p = { .p_type = PT_LOAD, .p_offset = loads[i].offset, .p_vaddr = loads[i].vaddr,
				 .p_filesz = loads[i].filesz };

		memcpy(buf + sizeof(e) + i * sizeof(p), &p, sizeof(p));
	}
	return sizeof(e) + n * sizeof(Elf64_Phdr);
}

static void test_the_largest_page_is_that_which_all_segments_bear(void **state)
{
	static const struct {
		const char *what;
		struct load loads[2];
		uint64_t page_max;
	} cases[] = {
		{ "as Debian links for arm64", { { 0, 0, 0x600 }, { 0xfd98, 0x1fd98, 0x270 } }, 0x10000 },
		{ "as Debian links for armhf", { { 0, 0x10000, 0x900 }, { 0xf0c, 0x11f0c, 0x120 } }, 0x1000 },
		{ "for 16 KiB", { { 0, 0, 0x600 }, { 0x3d98, 0x7d98, 0x270 } }, 0x4000 },
		{ "one that needs nothing", { { 0, 0, 0x600 }, { 0, 0, 0 } }, 1 << 20 },
		{ "what has no bytes in the file is not mapped", { { 0, 0, 0x600 }, { 0x10, 0x2f0c, 0 } }, 1 << 20 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t buf[512];
		struct elf_need need;
		size_t n = make64(buf, cases[i].loads, 2);

		if (!elf_read(buf, n, &need) || need.page_max != cases[i].page_max)
			fail_msg("%s: got %#llx", cases[i].what, (unsigned long long)need.page_max);
		for (size_t cut = 0; cut < n; cut++) {
			uint8_t *exact = memcpy(xcalloc(1, cut ? cut : 1), buf, cut); /* ASan sees a read beyond */

			if (elf_read(exact, cut, &need))
				fail_msg("%s: cut at %zu it is still whole", cases[i].what, cut);
			free(exact);
		}
	}
}

static void test_a_program_of_32_bits_names_its_interpreter(void **state)
{
	static const char ld[] = "/lib/ld-linux-armhf.so.3";
	uint8_t buf[512] = { 0 };
	Elf32_Ehdr e = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB }, .e_phoff = sizeof(e),
			 .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 2 };
	Elf32_Phdr p[2] = { { .p_type = PT_INTERP, .p_offset = 200, .p_filesz = sizeof(ld) },
			    { .p_type = PT_LOAD, .p_offset = 0x2f0c, .p_vaddr = 0x13f0c, .p_filesz = 9 } };
	struct elf_need need;

	(void)state;
	memcpy(buf, &e, sizeof(e));
	memcpy(buf + sizeof(e), p, sizeof(p));
	memcpy(buf + 200, ld, sizeof(ld));
	assert_true(elf_read(buf, sizeof(buf), &need));
	assert_string_equal(need.interpreter, ld);
	assert_int_equal(need.page_max, 0x1000);
	/* A name that has no end in the file, or none at all. */
	buf[200 + sizeof(ld) - 1] = 'x';
	assert_true(elf_read(buf, sizeof(buf), &need));
	assert_string_equal(need.interpreter, "");
}

static void test_a_script_names_what_runs_it(void **state)
{
	static const struct {
		const char *text, *interpreter; /* NULL: the kernel's to judge */
	} cases[] = {
		{ "#!/bin/sh\n", "/bin/sh" }, { "#! /usr/bin/env python3\n", "/usr/bin/env" },
		{ "#!/bin/sh", NULL },        { "#!\n", NULL },
		{ "#", NULL },                { "text", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct elf_need need;
		bool got = elf_read((const uint8_t *)cases[i].text, strlen(cases[i].text), &need);

		if (got != (cases[i].interpreter != NULL))
			fail_msg("'%s': got %d", cases[i].text, got);
		if (got) {
			assert_true(need.script);
			assert_string_equal(need.interpreter, cases[i].interpreter);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_largest_page_is_that_which_all_segments_bear),
		cmocka_unit_test(test_a_program_of_32_bits_names_its_interpreter),
		cmocka_unit_test(test_a_script_names_what_runs_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
