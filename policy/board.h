/* SPDX-License-Identifier: MIT
 *
 * Board profiles: what a device model has, and where. Pure: a text in, a value
 * out, and the question which profile speaks of this machine.
 *
 *   KEY VALUE [dt=COMPATIBLE] [unverified]   # remark
 *
 * Empty lines and remarks are skipped. board/README.md lists the keys. A
 * profile is good whole or not at all.
 */
#ifndef POLICY_BOARD_H
#define POLICY_BOARD_H

#include "base/err.h"

#define BOARD_NAME_SIZE 64u
#define BOARD_COMPATIBLES_MAX 16u
#define BOARD_THINGS_MAX 64u
#define BOARD_FILE_MAX (64u * 1024)

/* What a line may name. */
enum board_kind {
	BOARD_TORCH = 0, /* an LED's name below /sys/class/leds, "*" and "?" allowed */
	BOARD_CAMERA,    /* device nodes: absolute patterns below /dev */
	BOARD_MICROPHONE,
	BOARD_PLAYBACK,
	BOARD_GPS,
	BOARD_MODEM,
	BOARD_SENSORS,   /* folders: absolute patterns below /sys */
	BOARD_REMOVABLE, /* a folder below which volumes are mounted */
	BOARD_CONTACTS,  /* a folder of the owner's home, relative to it */
	BOARD_KIND_COUNT
};

struct board_thing {
	enum board_kind kind;
	char value[160];
	char dt[64];     /* compatible string of the part in the device tree, "" for none */
	bool unverified; /* no device tree shows it and nobody tried it on the device */
	unsigned int line;
};

struct board {
	char name[BOARD_NAME_SIZE]; /* of its folder */
	char model[96];             /* as people say it */
	char compatible[BOARD_COMPATIBLES_MAX][64];
	size_t compatible_count;
	char machine[32];  /* "aarch64": as uname(2) says it; "" for any */
	uint32_t page;     /* bytes of a page, 0 for any */
	char owner[64];    /* name or uid, "" when the system's accounts decide */
	char home[256];    /* "" for the owner's own */
	uint16_t columns, rows; /* of the console, 0 unknown */
	uint32_t memory_mib;    /* 0 unknown */
	bool found_only;   /* offers only what is there when cowbelld starts */
	struct board_thing things[BOARD_THINGS_MAX];
	size_t thing_count;
};

/* "torch", "camera", ...: the key, and the permission where it is one. */
const char *board_kind_name(enum board_kind kind);

/* True where what the line names is held at a gate under the kind's name. */
bool board_kind_is_permission(enum board_kind kind);

/* A board's name: a folder's, 1 to 63 of a-z 0-9 . _ - . */
bool board_name_is_good(const char *name);

/* Parses the profile of the board name; file stands in errors. text need not be
 * NUL-ended. After -1 ret is empty and err says "FILE:LINE: what (what would do)". */
int board_parse(struct board *ret, const char *name, const char *file, const char *text, size_t size, struct err *err);

/* What this machine is: compatible holds the strings of its device tree, each
 * ended by NUL, most specific first (devicetree.org, 2.3.1), size 0 for none. */
struct board_machine {
	const char *compatible;
	size_t compatible_size;
	const char *machine;
	uint32_t page;
};

/* How well the profile fits: the place of the first string that it knows,
 * counted from the most specific as 0; -1 for not at all. */
int board_match(const struct board *board, const struct board_machine *machine);

#endif
