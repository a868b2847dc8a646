/* SPDX-License-Identifier: MIT */
#include "broker/vault_path.h"

#include "broker/ancestry.h"

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

bool vault_may_have(const struct broker *broker, const char *path)
{
	for (size_t i = 0; i < broker->gate_count; i++) {
		const char *gate = broker->gates[i].path + 1;
		size_t n = strlen(gate);

		if (strncmp(path, gate, n) == 0 && path[n] == '/')
			return true;
	}
	return false;
}

struct vault_search {
	const struct broker *broker;
	const char *wanted;
	struct ancestry known; /* generations that the asked one is made of */
	uint32_t best;
	char found[PATH_SIZE];
};

static int look_at(void *data, const struct version_record *v)
{
	struct vault_search *s = data;
	char stood_for[PATH_SIZE];

	if (v->kind != ENTRY_FILE || !ancestry_has(&s->known, v->generation) ||
	    v->generation < s->best || strncmp(v->path, VAULT "/", strlen(VAULT "/")) != 0 ||
	    vault_path(s->broker, v->path, stood_for, sizeof(stood_for)) < VAULT_COPY ||
	    strcmp(stood_for, s->wanted) != 0)
		return 0;
	s->best = v->generation;
	(void)snprintf(s->found, sizeof(s->found), "%s", v->path);
	return 0;
}

int vault_find(const struct broker *broker, struct store_txn *txn, const struct generation_record *g, char *path,
	       size_t size, struct err *err)
{
	struct vault_search *s = xcalloc(1, sizeof(*s));
	int rc;

	s->broker = broker;
	s->wanted = path;
	rc = ancestry_of(txn, g->app, g->number, &s->known, err);
	if (rc == 0 && store_version_each(txn, g->app, NULL, look_at, s, err) < 0)
		rc = -1;
	if (rc == 0 && s->found[0])
		(void)snprintf(path, size, "%s", s->found);
	ancestry_finish(&s->known);
	free(s);
	return rc < 0 ? -1 : 0;
}
