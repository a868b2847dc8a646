/* SPDX-License-Identifier: MIT
 *
 * What was given as empty or as a private copy lies in a folder of the app's root
 * that nobody sees (platform.h: PLATFORM_VAULT). People know it by the folder that
 * it stands for.
 */
#ifndef BROKER_VAULT_PATH_H
#define BROKER_VAULT_PATH_H

#include "broker/broker.h"

enum vault_kind {
	VAULT_NONE,  /* a path of the app's root like others */
	VAULT_FRAME, /* a folder or marker of ours, nothing that the app or the person made */
	VAULT_COPY,
	VAULT_EMPTY,
};

/* path is as the store has it, relative to the root. With VAULT_COPY and
 * VAULT_EMPTY, ret is the path that it stood for. */
enum vault_kind vault_path(const struct broker *broker, const char *path, char *ret, size_t size);

/* True for a path (relative, as above) inside a folder that can be given. */
bool vault_may_have(const struct broker *broker, const char *path);

/* Turns what a path stands for into where its newest copy lies, as far as
 * generation g knows one; else path stays. -1 with err. */
int vault_find(const struct broker *broker, struct store_txn *txn, const struct generation_record *g, char *path,
	       size_t size, struct err *err);

/* "private copy", "empty folder"; "" for the others. */
const char *vault_name(enum vault_kind kind);

#endif
