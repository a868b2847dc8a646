/* SPDX-License-Identifier: MIT */
#include "broker/vault_path.h"

#include <stdio.h>
#include <string.h>

#define VAULT ".cowbell"
#define COPY "copy."

enum vault_kind vault_path(const struct broker *broker, const char *path, char *ret, size_t size)
{
	const struct gate *gate;
	enum vault_kind kind;
	const char *rest;
	char *end;
	unsigned long id;

	if (strncmp(path, VAULT, strlen(VAULT)) != 0 || (path[strlen(VAULT)] && path[strlen(VAULT)] != '/'))
		return VAULT_NONE;
	if (!path[strlen(VAULT)])
		return VAULT_FRAME;
	id = strtoul(path + strlen(VAULT "/"), &end, 10);
	gate = id <= UINT16_MAX ? broker_gate(broker, (uint16_t)id) : NULL;
	rest = *end == '/' ? strchr(end + 1, '/') : NULL;
	if (!gate || !rest || !rest[1])
		return VAULT_FRAME;
	if (strncmp(end + 1, COPY, strlen(COPY)) == 0)
		kind = VAULT_COPY;
	else if (strncmp(end + 1, "empty/", strlen("empty/")) == 0)
		kind = VAULT_EMPTY;
	else
		return VAULT_FRAME;
	if (snprintf(ret, size, "%s%s", gate->path + 1, rest) >= (int)size)
		return VAULT_FRAME;
	return kind;
}

const char *vault_name(enum vault_kind kind)
{
	return kind == VAULT_COPY ? "private copy" : kind == VAULT_EMPTY ? "empty folder" : "";
}
