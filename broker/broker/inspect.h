/* SPDX-License-Identifier: MIT
 *
 * Questions to a reader without rights (cowbell-inspect) about what strangers
 * made: facts come back as escaped, bounded text.
 */
#ifndef BROKER_INSPECT_H
#define BROKER_INSPECT_H

#include "broker/broker.h"
#include "proto/inspect.h"

struct inspect;

struct inspect_ops {
	void (*on_fact)(void *data, enum inspect_key key, const char *value);
	/* Exactly once unless cancelled; code 0 or errno. The question is gone after it. */
	void (*on_done)(void *data, int code, const char *why);
};

/* fd and second (-1 but for BUNDLE_TAR) are borrowed. */
struct inspect *inspect_ask(struct broker *broker, enum inspect_what what, int fd, int second, const struct inspect_ops *ops,
			    void *data);

/* Nobody is called any more. NULL is allowed. */
void inspect_cancel(struct inspect *inspect);

#define UNITS_MAX 8u

/* A service that a package declares. */
struct inspect_unit {
	char name[128], user[33];
	char args[3000]; /* words, each with a newline behind it; a tab begins what goes before */
	char bad[64];   /* why it cannot be started; "" it can */
};

/* How an app can be started, as the facts say. */
struct inspect_entries {
	char *commands[APP_COMMANDS_MAX];
	uint16_t command_count;
	struct app_entry entries[APP_ENTRIES_MAX];
	uint16_t entry_count;
	struct inspect_unit units[UNITS_MAX];
	uint16_t unit_count;
	bool unit_overflow;
	char folders[512]; /* as args, of all of them */
};
void inspect_entries_take(struct inspect_entries *entries, enum inspect_key key, const char *value);
void inspect_entries_finish(struct inspect_entries *entries);

/* The program that "run" starts: one of commands, "" where nothing tells which.
 * The app's or package's own name; the one desktop entry's; the package's name
 * without its last parts (nginx-light: nginx) or with dots (vim-tiny: vim.tiny);
 * the only one there is, own (the first own of them came with the package itself)
 * ones first. */
const char *entry_main(const char *id, const char *package, char *const *commands, uint16_t count, uint16_t own,
		       const struct app_entry *entries, uint16_t entry_count);

#endif
