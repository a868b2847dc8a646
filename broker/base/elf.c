/* SPDX-License-Identifier: MIT
 *
 * The head of a program, which whoever made it wrote: every place that it names is
 * looked at only if it lies within what was read.
 */
#include "base/elf.h"

#include <elf.h>
#include <string.h>

/* Larger pages exist on no CPU of ours; with it a program without segments needs nothing. */
#define PAGE_ANY ((uint64_t)1 << 20)

struct segment {
	uint32_t type;
	uint64_t offset, vaddr, filesz;
};

static bool get(const uint8_t *head, size_t size, uint64_t at, void *ret, size_t n)
{
	if (at > size || n > size - at)
		return false;
	memcpy(ret, head + at, n);
	return true;
}

static bool segment_read(const uint8_t *head, size_t size, bool wide, uint64_t at, struct segment *ret)
{
	Elf64_Phdr p64;
	Elf32_Phdr p32;

	if (wide) {
		if (!get(head, size, at, &p64, sizeof(p64)))
			return false;
		*ret = (struct segment){ p64.p_type, p64.p_offset, p64.p_vaddr, p64.p_filesz };
		return true;
	}
	if (!get(head, size, at, &p32, sizeof(p32)))
		return false;
	*ret = (struct segment){ p32.p_type, p32.p_offset, p32.p_vaddr, p32.p_filesz };
	return true;
}

static void take_interpreter(struct elf_need *need, const uint8_t *head, size_t size, const struct segment *s)
{
	if (s->filesz == 0 || s->filesz > sizeof(need->interpreter) ||
	    !get(head, size, s->offset, need->interpreter, (size_t)s->filesz) ||
	    need->interpreter[s->filesz - 1] != '\0')
		need->interpreter[0] = '\0';
}

static bool read_script(const uint8_t *head, size_t size, struct elf_need *ret)
{
	size_t begin = 2, end;

	while (begin < size && (head[begin] == ' ' || head[begin] == '\t'))
		begin++;
	for (end = begin; end < size && head[end] != '\n' && head[end] != ' ' && head[end] != '\t'; end++) {
		if (head[end] == '\0')
			return false;
	}
	if (end == size || end == begin || end - begin >= sizeof(ret->interpreter))
		return false;
	memcpy(ret->interpreter, head + begin, end - begin);
	ret->interpreter[end - begin] = '\0';
	ret->script = true;
	return true;
}

bool elf_read(const uint8_t *head, size_t size, struct elf_need *ret)
{
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;
	bool wide;
	uint64_t at, step, count;

	memset(ret, 0, sizeof(*ret));
	if (size > 2 && memcmp(head, "#!", 2) == 0)
		return read_script(head, size, ret);
	if (!get(head, size, 0, &e32, sizeof(e32)) || memcmp(e32.e_ident, ELFMAG, SELFMAG) != 0 ||
	    e32.e_ident[EI_DATA] != ELFDATA2LSB)
		return false;
	wide = e32.e_ident[EI_CLASS] == ELFCLASS64;
	if (wide && !get(head, size, 0, &e64, sizeof(e64)))
		return false;
	at = wide ? e64.e_phoff : e32.e_phoff;
	step = wide ? e64.e_phentsize : e32.e_phentsize;
	count = wide ? e64.e_phnum : e32.e_phnum;
	ret->page_max = PAGE_ANY;
	for (uint64_t i = 0; i < count; i++) {
		struct segment s;
		uint64_t bent;

		if (at > size || !segment_read(head, size, wide, at + i * step, &s))
			return false;
		if (s.type == PT_INTERP)
			take_interpreter(ret, head, size, &s);
		bent = s.vaddr ^ s.offset;
		/* Its lowest bit that is set: pages up to that size see no difference. */
		if (s.type == PT_LOAD && s.filesz && bent && (bent & -bent) < ret->page_max)
			ret->page_max = bent & -bent;
	}
	return true;
}
