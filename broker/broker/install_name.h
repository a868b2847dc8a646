/* SPDX-License-Identifier: MIT
 *
 * How an install gets its app id. A package's own name is known only after it
 * was read inside the sandbox: until then the app is "new-7". It gets its name
 * as soon as that is known, while it has few records, so that no transaction
 * grows with the size of what is installed.
 */
#ifndef BROKER_INSTALL_NAME_H
#define BROKER_INSTALL_NAME_H

#include "broker/broker.h"

/* What people expect of an installer, and is not so. */
#define INSTALLER_HAS "an installer has no network, and of your files those of --with FOLDER"

struct inspect_entries;
struct store_txn;
struct app_record;

/* What the record says of an app besides its id; all escaped. */
struct install_about {
	char kind[16], source[256], version[64], title[64], summary[128];
	char package[64]; /* in the host's lists, by which it can be updated; "" none */
	bool trial;        /* it stays an app that nobody sees */
	char signer[64];   /* of a bundle: the key */
	char main[256];    /* as a manifest says; "" chosen by name */
	uint64_t memory_max; /* limits of a manifest; 0 none */
	uint32_t pids_max;
	char declared[256]; /* of a manifest, with blanks between */
	bool from_base;    /* the host has it already */
	bool has_said;     /* says is of what is installed now, also when it is empty */
	char says[APP_SAYS_SIZE]; /* says.h */
	const struct inspect_entries *entries; /* NULL: what the scan of its layer found */
};

/* An id that may be used and that no app has: else EINVAL or EEXIST with what to
 * do about it. */
int install_name_check(struct broker *broker, const char *name, struct err *err);

/* Makes the record of an app that is being installed, with an id range and an
 * upper: under name, or under a number of its own ("new-7") while name is "".
 * ENOSPC when no id range is free; after -1 nothing of it stands. */
int install_name_provision(struct broker *broker, const char *name, struct app_record *ret, struct err *err);

/* Gives the app that is being installed its name, in one transaction. */
int install_name_give(struct broker *broker, const char *from, const char *to, struct err *err);

/* It is installed: from this commit on it is an app like others. Refused for one
 * whose installer changed nothing. */
int install_name_finish(struct broker *broker, const char *name, const struct install_about *about, struct err *err);

/* The same for an app that was installed anew: version, programs, entries, and what a
 * bundle declares. Into app, whose new install stands in txn already; not stored here. */
int install_name_apply(struct store_txn *txn, struct app_record *app, const struct install_about *about, struct err *err);

/* That, in a transaction of its own, where the install changed nothing. */
int install_name_entries(struct broker *broker, const char *name, const struct install_about *about, struct err *err);

#endif
