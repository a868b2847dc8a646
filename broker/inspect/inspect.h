/* SPDX-License-Identifier: MIT
 *
 * cowbell-inspect: reads what strangers made and tells what it found, as typed
 * facts. It has a uid that nobody else has, no network, and a file system that it
 * cannot write to. One thing to read a process.
 */
#ifndef INSPECT_INSPECT_H
#define INSPECT_INSPECT_H

#include "base/err.h"
#include "proto/inspect.h"

#include <stdio.h>

/* main.c: value is any bytes; it is escaped and cut. */
void tell_fact(enum inspect_key key, const char *value, size_t len);

/* --- desktop.c: desktop entries. Pure. --- */

struct desktop {
	char name[128], exec[256], icon[128], categories[256]; /* escaped; exec: the program's words without field codes */
	bool terminal, hidden;
};

/* False when text is no entry of an application: no [Desktop Entry] group, no
 * Type=Application, no Name or no Exec; or a key twice, which would be one thing
 * to this reader and another to the next. */
bool desktop_parse(const char *text, size_t len, struct desktop *ret);

/* --- unit.c: what a package declares as a service. Pure. --- */

#define UNIT_ARGS_SIZE 768u
#define UNIT_WORDS_MAX 64u
#define UNIT_BEFORE_MAX 24u

struct unit_command {
	char args[UNIT_ARGS_SIZE]; /* count words, each with its NUL */
	size_t used, count;
};

/* What goes before its start; see RUN_BEFORE_ in proto/launch.h. */
struct unit_before {
	char how;
	struct unit_command what;
};

struct unit {
	char user[33]; /* "" for root */
	struct unit_command start;
	struct unit_before before[UNIT_BEFORE_MAX];
	size_t before_count;
	bool once;    /* it does its work and ends: no service, whatever else is said of it */
	char why[64]; /* why it was refused */
};

/* False with why: no ExecStart, more than one, or one that needs more of systemd
 * than starting a program. Variables are those of Environment=; others are empty. What goes
 * before and is not understood stands in before as left out, with the reason. */
bool unit_parse(const char *text, size_t len, struct unit *ret);

/* --- tmpfiles.c: folders below /run that a package declares (tmpfiles.d(5)). Pure. --- */

#define TMPFILES_FOLDER_SIZE 256u

/* The next folder of a configuration, as "PATH MODE USER GROUP" with "-" for what is not
 * said, or false at its end. Anything but a folder below /run with plain names is passed
 * over. *p moves on. */
bool tmpfiles_next(const char **p, const char *end, char ret[TMPFILES_FOLDER_SIZE]);

/* Whether path is absolute, of letters, digits and "_.@+-", and goes nowhere but down. */
bool tmpfiles_is_plain(const char *path);

/* --- entries.c --- */

/* Reads the stream to its end and tells programs, entries and units. */
int entries_read(FILE *in, struct err *err);

/* --- judge.c: what its kind needs against what it may want --- */

struct judge;
struct scan;

/* With the host's table of kinds, or our own. NULL with err. */
struct judge *judge_create(struct err *err);
void judge_free(struct judge *judge); /* NULL is fine */
struct scan *judge_scan(struct judge *judge);
void judge_category(struct judge *judge, const char *categories); /* "A;B;" */
void judge_section(struct judge *judge, const char *section, size_t len);
void judge_words(struct judge *judge, const char *text, size_t len); /* of its name, of its summary */
/* "contacts: reason" or "contacts reason" as the latter; false: neither. */
bool says_line(const char *text, size_t len, char ret[INSPECT_VALUE_SIZE]);
void judge_says(struct judge *judge, const char *text, size_t len);  /* "contacts reason" */
/* Tells needs, wants, what it says and hosts. */
void judge_tell(struct judge *judge);

/* --- deb.c --- */

/* A bundle; out -1: it is checked and told of, else its payload goes there. */
int bundle_read(int in, int out, struct err *err);

/* A single program. */
int program_read(int fd, struct err *err);

/* contents: all of it is told of, what is odd too; else, as before an install, what
 * it is and how much, and what is odd is refused. */
int deb_read(int fd, bool contents, struct err *err);

#endif
