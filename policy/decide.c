/* SPDX-License-Identifier: MIT
 *
 * Who speaks first decides. The order is the contract (see the enum); every
 * path that finds nothing to say ends in asking, and every doubt in no.
 */
#include "policy/decide.h"

#include <stdio.h>
#include <string.h>

const char *decided_by_name(enum decided_by by)
{
	switch (by) {
	case DECIDED_ENFORCE:
		return "enforced policy";
	case DECIDED_LOCK:
		return "lock";
	case DECIDED_GRANT:
		return "grant";
	case DECIDED_ADMIN:
		return "policy";
	case DECIDED_MANIFEST:
		return "manifest";
	case DECIDED_VENDOR:
		return "vendor policy";
	case DECIDED_DEFAULT:
		return "nobody";
	case DECIDED_BROKEN:
		return "broken policy";
	}
	return "broken policy";
}

static struct decision checked(const struct decide_input *in, struct decision d)
{
	if (in->ref.permission->answers & GIVE_BIT(d.give))
		return d;
	(void)snprintf(d.why, sizeof(d.why), "'%s' is no answer for %s", give_name(d.give), in->ref.permission->name);
	d.give = GIVE_NO;
	return d;
}

static struct decision from_rule(const struct decide_input *in, const struct rule *rule, enum decided_by by)
{
	struct decision d = { .give = rule->give, .lasts = rule->lasts, .by = by };

	(void)snprintf(d.why, sizeof(d.why), "%.127s:%u%s%.100s", rule->file, rule->line, rule->why[0] ? " " : "",
		       rule->why);
	return checked(in, d);
}

/* The most exact speaks; among equals the first. */
static const struct grant_view *best_grant(const struct decide_input *in, bool locked_only)
{
	const struct grant_view *best = NULL;
	unsigned int most = 0;

	for (size_t i = 0; i < in->grant_count; i++) {
		const struct grant_view *g = &in->grants[i];
		unsigned int rank = locked_only && !g->locked ? 0 : permission_covers(&in->ref, g->item, g->give);

		if (rank <= most)
			continue;
		most = rank;
		best = g;
	}
	return best;
}

static struct decision from_grant(const struct decide_input *in, const struct grant_view *grant, enum decided_by by)
{
	struct decision d = { .give = grant->give, .lasts = grant->lasts, .by = by, .grant = grant };

	(void)snprintf(d.why, sizeof(d.why), "%s", by == DECIDED_LOCK ? "locked by the owner" : "answered by the owner");
	return checked(in, d);
}

static bool is_declared(const struct decide_input *in)
{
	char text[PERMISSION_TEXT_SIZE];

	if (!in->declared)
		return true;
	permission_ref_format(&in->ref, text);
	for (const char *const *p = in->declared; *p; p++) {
		if (strcmp(*p, text) == 0 || strcmp(*p, in->ref.permission->name) == 0)
			return true;
	}
	return false;
}

static struct decision plain(enum give give, enum decided_by by, const char *why)
{
	struct decision d = { .give = give, .by = by };

	(void)snprintf(d.why, sizeof(d.why), "%s", why);
	return d;
}

struct decision decide(const struct decide_input *in)
{
	const struct rule *rule;
	const struct grant_view *grant;

	rule = ruleset_match(in->admin, in->app, &in->ref, true);
	if (rule)
		return from_rule(in, rule, DECIDED_ENFORCE);
	if (in->admin && in->admin->broken) /* the broken file may have held the rule that says no */
		return plain(GIVE_NO, DECIDED_BROKEN, "a policy file is broken and no good version of it is held");
	grant = best_grant(in, true);
	if (grant)
		return from_grant(in, grant, DECIDED_LOCK);
	grant = best_grant(in, false);
	if (grant)
		return from_grant(in, grant, DECIDED_GRANT);
	rule = ruleset_match(in->admin, in->app, &in->ref, false);
	if (rule)
		return from_rule(in, rule, DECIDED_ADMIN);
	if (!is_declared(in))
		return plain(GIVE_NO, DECIDED_MANIFEST, "its manifest does not declare it");
	rule = ruleset_match(in->vendor, in->app, &in->ref, false);
	if (rule)
		return from_rule(in, rule, DECIDED_VENDOR);
	if (in->vendor && in->vendor->broken)
		return plain(GIVE_NO, DECIDED_BROKEN, "a vendor policy file is broken and no good version of it is held");
	return plain(GIVE_ASK, DECIDED_DEFAULT, "nobody has answered yet");
}
