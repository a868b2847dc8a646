/* SPDX-License-Identifier: MIT
 *
 * What a reader (cowbell-inspect) is asked, and the facts that it tells. Values
 * are text, escaped and bounded by INSPECT_VALUE_SIZE.
 */
#ifndef PROTO_INSPECT_H
#define PROTO_INSPECT_H

#define INSPECT_VALUE_SIZE 1024u
#define INSPECT_FACTS_MAX 20000u

enum inspect_what {
	INSPECT_ENTRIES = 0, /* fd: a stream of "program PATH" and "entry PATH SIZE" lines, see inspect/entries.c */
	INSPECT_PACKAGE = 1, /* fd: a .deb: what it says of itself, and what it carries */
	INSPECT_CONTROL = 2, /* fd: a .deb: what it says of itself, alone */
	INSPECT_PROGRAM_FILE = 3, /* fd: a single program */
	INSPECT_BUNDLE = 4,      /* fd: a .cowbell: everything of it is checked */
	INSPECT_BUNDLE_TAR = 5,  /* fds: a .cowbell, and where its payload goes as a plain tar */
	INSPECT_WHAT_COUNT
};

enum inspect_key {
	/* of an entry: NAME begins one */
	INSPECT_ENTRY_NAME = 0,
	INSPECT_ENTRY_EXEC,
	INSPECT_ENTRY_ICON,
	INSPECT_ENTRY_TERMINAL, /* "true" */
	INSPECT_ENTRY_CATEGORIES,
	INSPECT_PROGRAM, /* a path; told as it is, and only if it needs no escaping */

	/* of a service that it declares: NAME begins one; then BAD (why it cannot be started), or USER and ARGs,
	 * then what goes before its start: BEFORE (RUN_BEFORE_, a letter) and its ARGs */
	INSPECT_UNIT_NAME,
	INSPECT_UNIT_USER,
	INSPECT_UNIT_ARG,
	INSPECT_UNIT_BAD,
	INSPECT_UNIT_BEFORE,
	INSPECT_FOLDER, /* "PATH MODE USER GROUP" below /run, for whatever service of it */

	/* what a package says of itself */
	INSPECT_NAME = 20,
	INSPECT_VERSION,
	INSPECT_ARCH,
	INSPECT_SECTION,
	INSPECT_SUMMARY,
	INSPECT_DESCRIPTION, /* may come several times: one line each */
	INSPECT_MAINTAINER,
	INSPECT_HOMEPAGE,
	INSPECT_DEPENDS, /* one alternative set each: "a (>= 1) | b" */
	INSPECT_INSTALLED_SIZE, /* bytes */

	INSPECT_SIGNER, /* of a bundle: the public key that verified it */
	INSPECT_TITLE,
	INSPECT_MEMORY, /* limits of a manifest: bytes, */
	INSPECT_PROCESSES,
	INSPECT_MAIN,   /* the program that "run" starts */

	/* what it carries */
	INSPECT_FILES = 40, /* how many */
	INSPECT_BYTES,
	INSPECT_SETID,      /* a path */
	INSPECT_SCRIPT,     /* an install script: preinst, postinst, prerm, postrm, config, triggers */
	INSPECT_SERVICE,    /* a path */
	INSPECT_ODD,        /* something that no package should carry, in a sentence */
	INSPECT_HOST,       /* a host name that its files hold */
	INSPECT_SAYS,       /* "contacts reason": the author's own word on a permission */
	INSPECT_NEEDS,      /* a permission that its kind needs, "-" for none; no such fact: its kind is not known */
	INSPECT_WANTS,      /* "contacts reason": a guess */
	INSPECT_KEY_COUNT
};

#endif
