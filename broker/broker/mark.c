/* SPDX-License-Identifier: MIT
 *
 * A sign that is the same on every new system is one that every app knows. Two
 * plain words out of 64 are 4096 to guess from, and an app sees no answer to a
 * guess.
 */
#include "broker/mark.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

static const char *const words[64] = {
	"amber", "apple", "autumn", "barn",   "basil",  "bell",   "birch",  "bread",  "brook",  "cedar", "chalk",
	"cherry", "clay",  "cloud", "clover", "copper", "coral",  "corn",   "daisy",  "dawn",   "ember", "fern",
	"field", "flint", "fox",    "garden", "ginger", "goose",  "grove",  "hazel",  "heron",  "hill",  "honey",
	"iron",  "ivory", "ivy",    "lake",   "lemon",  "linen",  "maple",  "marble", "meadow", "mint",  "moss",
	"oak",   "olive", "orchid", "otter",  "pear",   "pebble", "pine",   "plum",   "rain",   "river", "robin",
	"sage",  "silver", "snow",  "stone",  "straw",  "swan",   "thistle", "willow", "wren",
};

static int choose(char *buf, size_t size, struct err *err)
{
	uint8_t bytes[2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(err, "choose a mark");
	(void)snprintf(buf, size, "%s %s", words[bytes[0] % 64], words[bytes[1] % 64]);
	return 0;
}

int mark_ensure(struct store *store, struct err *err)
{
	struct store_txn *txn = store_begin(store, true, err);
	char mark[64];

	if (!txn)
		return -1;
	if (store_text_get(txn, "mark", mark, sizeof(mark), err) < 0) {
		store_abort(txn);
		return -1;
	}
	if (mark[0]) {
		store_abort(txn);
		return 0;
	}
	if (choose(mark, sizeof(mark), err) < 0 || store_text_put(txn, "mark", mark, err) < 0) {
		store_abort(txn);
		return -1;
	}
	return store_commit(txn, err);
}
