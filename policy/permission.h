/* SPDX-License-Identifier: MIT
 *
 * Permissions, what can be given for them, and for how long. Pure: values in,
 * values out.
 */
#ifndef POLICY_PERMISSION_H
#define POLICY_PERMISSION_H

#include "base/err.h"

/* What an answer gives. 0 is the safe value. The numbers go over internal
 * channels and into the store: never renumber. */
enum give {
	GIVE_NO = 0,    /* a clean error */
	GIVE_ASK = 1,   /* hold, and ring the bell */
	GIVE_EMPTY = 2, /* a well-formed empty one of the same kind, the app's own */
	GIVE_COPY = 3,  /* a private copy as of the answer */
	GIVE_READ = 4,  /* the real one, read-only */
	GIVE_WRITE = 5, /* the real one */
	GIVE_ALLOW = 6, /* network and devices */
	GIVE_CHOSEN = 7, /* as a word only: what is named, and nothing else; stored as ALLOW of each item */
	GIVE_COUNT
};

#define GIVE_BIT(g) (1u << (g))

/* For how long. */
enum lasts {
	LASTS_ONCE = 0, /* this one use */
	LASTS_RUN = 1,  /* this session; the default */
	LASTS_TIME = 2, /* powered-on minutes or hours of this boot */
	LASTS_BOOT = 3, /* until the device restarts */
	LASTS_ALWAYS = 4,
	LASTS_COUNT
};

struct duration {
	enum lasts lasts;
	uint64_t ms; /* LASTS_TIME only */
};

#define DURATION_TEXT_SIZE 32u

/* Words of the command line and of policy files ("no", "ask", "empty", ...;
 * "once", "run", "boot", "always", "90m", "4h", at most 31 days). parse: 0 or
 * -1 with err naming the word and the words that would do. format never fails. */
const char *give_name(enum give give);
int give_parse(const char *word, enum give *ret, struct err *err);
void duration_format(struct duration d, char buf[DURATION_TEXT_SIZE]);
int duration_parse(const char *word, struct duration *ret, struct err *err);

/* One kind of thing that can be granted. */
struct permission {
	const char *name;     /* "contacts" */
	const char *label;    /* "your contacts": as a person says it in a sentence */
	unsigned int answers; /* GIVE_BIT of each answer that makes sense, NO and ASK always in */
	enum give safe;       /* where the prompt's cursor starts: EMPTY where there is one, else NO */
	bool has_items;       /* "storage:Documents" */
	bool is_device;       /* boards differ in it: not spoken of where there is none */
	const char *risk;     /* one sentence */
};

/* All permissions of this version, NULL-name ended. */
extern const struct permission permissions[];

/* NULL when there is none of that name. */
const struct permission *permission_find(const char *name);

#define PERMISSION_TEXT_SIZE 160u

/* "contacts" or "storage:Documents". The parts point into bufs that the caller
 * gives. Refuses unknown permissions, an item where there is none to have, and
 * items that are not one printable path component (of the network: no
 * destination, see policy/reach.h), with err naming the text. */
struct reach;
struct permission_ref {
	const struct permission *permission;
	char item[128]; /* "" for the whole */
	const struct reach *to; /* network: where to; borrowed. NULL: the item alone speaks */
};
int permission_ref_parse(const char *text, struct permission_ref *ret, struct err *err);
void permission_ref_format(const struct permission_ref *ref, char buf[PERMISSION_TEXT_SIZE]);

/* How exactly what was said about item, namely give, speaks of ref; 0: not at
 * all. A no to the whole network is one to the local part too, a yes is not. */
unsigned int permission_covers(const struct permission_ref *ref, const char *item, enum give give);

/* An app id: 1 to 63 of a-z 0-9 . + - _, starting with a letter or digit, no
 * ".." . Upper case is refused, never folded: two names must not mean one app. */
int app_id_check(const char *id, struct err *err);

/* Makes any bytes safe to show: printable ASCII and well-formed UTF-8 stay,
 * controls, bidi marks, zero-width and unassigned-looking ones become \xNN or
 * <U+NNNN>; cut with "..." at size. Always NUL-ended. */
void text_escape(const char *in, size_t in_len, char *out, size_t size);

/* "4.1 MB": a size as people read it; units of a thousand. */
void text_size(uint64_t bytes, char *buf, size_t size);
/* The same from people: "500M", "2G", "100k", also with a
 * B behind; bytes without a letter. 0 or -1 with err. */
int text_size_parse(const char *word, uint64_t *ret, struct err *err);

#endif
