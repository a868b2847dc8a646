/* SPDX-License-Identifier: MIT
 *
 * The one place that says whether an app may: policy files, locks, grants and
 * manifest in, a decision with its reason out. No clock, no files, no globals;
 * reading policy files is policy/rules.h.
 */
#ifndef POLICY_DECIDE_H
#define POLICY_DECIDE_H

#include "policy/permission.h"
#include "policy/rules.h"

/* A stored or session answer, as the store hands it over. */
struct grant_view {
	enum give give;
	struct duration lasts;
	bool locked;
	char item[128]; /* "" covers every item of the permission */
};

/* What spoke. In order of precedence. */
enum decided_by {
	DECIDED_ENFORCE = 0, /* an admin rule marked enforce */
	DECIDED_LOCK,        /* the owner's lock */
	DECIDED_GRANT,
	DECIDED_ADMIN,       /* an admin rule */
	DECIDED_MANIFEST,    /* not declared by a package that has a manifest */
	DECIDED_VENDOR,      /* a vendor rule */
	DECIDED_DEFAULT,     /* nobody spoke: ask */
	DECIDED_BROKEN,      /* policy files are broken and there is no last good one: no */
};

struct decision {
	enum give give; /* GIVE_ASK: ask */
	struct duration lasts;
	enum decided_by by;
	const struct grant_view *grant; /* the one that decided, of those handed in; else NULL */
	char why[256]; /* one line for explain: "grant of 2026-11-24" is the caller's; here "file:line", or a sentence */
};

struct decide_input {
	const char *app;
	struct permission_ref ref;
	const struct ruleset *admin;  /* NULL: none */
	const struct ruleset *vendor; /* NULL: none */
	const struct grant_view *grants; /* of this app and permission, live ones only */
	size_t grant_count;
	const char *const *declared; /* NULL: the package has no manifest; else NULL-ended permission texts */
};

/* Among grants the most exact item speaks (permission_covers). An answer that the
 * permission does not take never comes out: it becomes GIVE_NO with why saying
 * so. */
struct decision decide(const struct decide_input *in);

const char *decided_by_name(enum decided_by by);

#endif
