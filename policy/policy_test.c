/* SPDX-License-Identifier: MIT
 *
 * The decision is the one that the broker makes; only the answers come from the
 * test instead of the store.
 */
#include "policy/policy_test.h"

#include "policy/decide.h"
#include "policy/file_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define GRANTS_MAX 64u

struct grant {
	char app[64], permission[32];
	struct grant_view view;
};

struct run {
	struct policy_test_report *report;
	struct ruleset admin, vendor;
	struct grant grants[GRANTS_MAX];
	size_t count;
};

static int read_rules(struct run *run, struct ruleset *set, const struct file_line *line, const char *where,
		      struct err *err)
{
	for (size_t i = 1; i < line->count; i++) {
		cleanup_free char *text = NULL;
		size_t size = 0;

		if (run->report->read_file(run->report->data, line->words[i], &text, &size, err) < 0)
			return err_wrap(err, "%s", where);
		if (ruleset_parse(set, line->words[i], text, size, err) < 0)
			return -1; /* says its own file and line */
	}
	return 0;
}

static int add_grant(struct run *run, const struct file_line *line, const char *where, struct err *err)
{
	struct grant *grant = &run->grants[run->count];
	struct permission_ref ref = { 0 };

	if (line->count < 4 || line->count > 5 || (line->count == 5 && strcmp(line->words[4], "lock") != 0))
		return err_set(err, EINVAL, "%s: wanted: grant APP PERMISSION ANSWER [lock]", where);
	if (run->count == GRANTS_MAX)
		return err_set(err, E2BIG, "%s: more than %u grants (forget)", where, GRANTS_MAX);
	memset(grant, 0, sizeof(*grant));
	if (app_id_check(line->words[1], err) < 0 || permission_ref_parse(line->words[2], &ref, err) < 0 ||
	    give_parse(line->words[3], &grant->view.give, err) < 0)
		return err_wrap(err, "%s", where);
	(void)snprintf(grant->app, sizeof(grant->app), "%s", line->words[1]);
	(void)snprintf(grant->permission, sizeof(grant->permission), "%s", ref.permission->name);
	(void)snprintf(grant->view.item, sizeof(grant->view.item), "%s", ref.item);
	grant->view.lasts.lasts = LASTS_ALWAYS;
	grant->view.locked = line->count == 5;
	run->count++;
	return 0;
}

static struct decision decide_now(struct run *run, const char *app, const struct permission_ref *ref)
{
	struct grant_view views[GRANTS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++) {
		if (strcmp(run->grants[i].app, app) == 0 &&
		    strcmp(run->grants[i].permission, ref->permission->name) == 0)
			views[count++] = run->grants[i].view;
	}
	return decide(&(struct decide_input){ .app = app,
					      .ref = *ref,
					      .admin = &run->admin,
					      .vendor = &run->vendor,
					      .grants = views,
					      .grant_count = count });
}

static const char *by_word(enum decided_by by)
{
	switch (by) {
	case DECIDED_ENFORCE:
		return "enforced";
	case DECIDED_LOCK:
		return "lock";
	case DECIDED_GRANT:
		return "grant";
	case DECIDED_ADMIN:
		return "policy";
	case DECIDED_MANIFEST:
		return "manifest";
	case DECIDED_VENDOR:
		return "vendor";
	case DECIDED_DEFAULT:
		return "nobody";
	case DECIDED_BROKEN:
		break;
	}
	return "broken";
}

static int expect(struct run *run, const struct file_line *line, const char *where, struct err *err)
{
	struct permission_ref ref = { 0 };
	struct decision found;
	enum give want;
	const char *by = line->count == 5 && strncmp(line->words[4], "by=", 3) == 0 ? line->words[4] + 3 : NULL;
	char text[700];

	if (line->count < 4 || line->count > 5 || (line->count == 5 && !by))
		return err_set(err, EINVAL, "%s: wanted: expect APP PERMISSION ANSWER [by=WORD]", where);
	if (app_id_check(line->words[1], err) < 0 || permission_ref_parse(line->words[2], &ref, err) < 0 ||
	    give_parse(line->words[3], &want, err) < 0)
		return err_wrap(err, "%s", where);
	found = decide_now(run, line->words[1], &ref);
	if (found.give == want && (!by || strcmp(by, by_word(found.by)) == 0)) {
		run->report->passed++;
		return 0;
	}
	run->report->failed++;
	(void)snprintf(text, sizeof(text), "%s: %s %s is %s, decided by %s (%s), not %s%s%s", where, line->words[1],
		       line->words[2], give_name(found.give), by_word(found.by), found.why, give_name(want),
		       by ? " by " : "", by ? by : "");
	run->report->on_failed(run->report->data, text);
	return 0;
}

static int take_line(struct run *run, const struct file_line *line, const char *where, struct err *err)
{
	const char *verb = line->words[0];

	if (strcmp(verb, "admin") == 0)
		return read_rules(run, &run->admin, line, where, err);
	if (strcmp(verb, "vendor") == 0)
		return read_rules(run, &run->vendor, line, where, err);
	if (strcmp(verb, "grant") == 0)
		return add_grant(run, line, where, err);
	if (strcmp(verb, "expect") == 0)
		return expect(run, line, where, err);
	if (strcmp(verb, "forget") == 0 && line->count == 1) {
		run->count = 0;
		return 0;
	}
	err_set(err, EINVAL, "%s: '%.60s' means nothing here", where, verb);
	return err_hint(err, "admin, vendor, grant, forget, expect");
}

int policy_test_run(const char *file, const char *text, size_t size, struct policy_test_report *report,
		    struct err *err)
{
	struct run *run = xcalloc(1, sizeof(*run));
	struct file_lines lines;
	struct file_line line;
	int n;

	run->report = report;
	file_lines_begin(&lines, file, text, size);
	while ((n = file_lines_next(&lines, &line, err)) > 0) {
		if (line.count && take_line(run, &line, lines.where, err) < 0) {
			n = -1;
			break;
		}
	}
	ruleset_finish(&run->admin);
	ruleset_finish(&run->vendor);
	free(run);
	return n;
}

/* --- rules that never speak --- */

/* Whatever b speaks of, a speaks of too. */
static bool covers(const struct rule *a, const struct rule *b)
{
	if (strcmp(a->app, "*") != 0 && strcmp(a->app, b->app) != 0)
		return false;
	if (strcmp(a->permission, "*") != 0 && strcmp(a->permission, b->permission) != 0)
		return false;
	if (a->item[0] && strcmp(a->item, b->item) != 0)
		return false;
	return true;
}

unsigned int policy_lint(const struct ruleset *set, void (*fn)(void *data, const char *text), void *data)
{
	unsigned int found = 0;

	for (size_t i = 0; i < set->count; i++) {
		for (size_t k = 0; k < set->count; k++) {
			const struct rule *first = &set->rules[k], *rule = &set->rules[i];
			char text[400];

			/* Enforced ones are looked at first, wherever they stand. */
			if (k == i || !covers(first, rule) ||
			    !((k < i && first->enforce == rule->enforce) || (first->enforce && !rule->enforce)))
				continue;
			(void)snprintf(text, sizeof(text), "%s:%u: is never reached: %s:%u speaks first", rule->file, rule->line,
				       first->file, first->line);
			fn(data, text);
			found++;
			break;
		}
	}
	return found;
}
