/* SPDX-License-Identifier: MIT
 *
 * A terminal's bytes as keys, and an app's output: the choice stays inside of
 * the prompt, and what is written is what was read.
 */
#include "ui-tty/key_reader.h"
#include "ui-tty/keys.h"
#include "ui-tty/modes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_keys(const uint8_t *data, size_t size)
{
	struct prompt_text p = { .id = 1, .answers = { "empty", "read", "write", "no" }, .answer_count = 4, .more = 2 };
	struct key_reader reader = { 0 };
	struct prompt_choice c = { 0 };
	struct keys keys;
	bool broken;

	keys_start(&keys, 0);
	for (size_t i = 0; i < size; i++) {
		uint64_t now = 2000 + i * 100; /* a person who types */
		int key = key_reader_byte(&reader, data[i], now);

		if (key < 0 || key > UI_KEY_BACKSPACE)
			abort();
		if (key)
			(void)keys_take(&keys, &p, &c, key, now);
		if (c.answer >= p.answer_count || c.duration >= PROMPT_DURATIONS)
			abort();
	}
	(void)key_reader_silence(&reader, &broken);
	if (key_reader_timeout_ms(&reader, 0) != -1)
		abort();
}

struct out {
	const uint8_t *data;
	size_t len;
};

static void on_out(void *data, const char *buf, size_t n)
{
	struct out *out = data;

	if (memcmp(out->data + out->len, buf, n) != 0)
		abort();
	out->len += n;
}

static void read_output(const uint8_t *data, size_t size)
{
	struct out out = { .data = data };
	struct modes m;
	char *text;

	modes_init(&m);
	for (size_t i = 0; i < size; i += 7)
		modes_pass(&m, (const char *)data + i, size - i < 7 ? size - i : 7, on_out, &out);
	if (out.len + m.tail_len != size)
		abort();
	text = modes_put_back(&m, true, 3, 4, true);
	free(text);
	text = modes_end(&m, true, 3, 4);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_keys(data, size);
	read_output(data, size);
	return 0;
}
