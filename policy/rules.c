/* SPDX-License-Identifier: MIT
 *
 * Policy files. A file is taken whole or not at all: half a policy is another
 * policy than the one its author meant.
 */
#include "policy/rules.h"

#include "base/fd.h"
#include "policy/file_line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define RULES_MAX 4096u
#define FILES_MAX 256u

static int parse_target(const struct file_line *line, struct rule *rule, const char *where, struct err *err)
{
	struct permission_ref ref;

	if (strcmp(line->words[0], "*") != 0 && app_id_check(line->words[0], err) < 0)
		return err_wrap(err, "%s", where);
	(void)snprintf(rule->app, sizeof(rule->app), "%s", line->words[0]);
	if (strcmp(line->words[1], "*") == 0) {
		(void)snprintf(rule->permission, sizeof(rule->permission), "*");
		return 0;
	}
	if (permission_ref_parse(line->words[1], &ref, err) < 0)
		return err_wrap(err, "%s", where);
	(void)snprintf(rule->permission, sizeof(rule->permission), "%s", ref.permission->name);
	(void)snprintf(rule->item, sizeof(rule->item), "%s", ref.item);
	return 0;
}

static int parse_rule(const struct file_line *line, struct rule *rule, const char *where, struct err *err)
{
	if (line->count < 3) {
		err_set(err, EINVAL, "%s: a rule has at least three words", where);
		return err_hint(err, "APP PERMISSION ANSWER [for=DURATION] [enforce]");
	}
	if (parse_target(line, rule, where, err) < 0)
		return -1;
	if (give_parse(line->words[2], &rule->give, err) < 0)
		return err_wrap(err, "%s", where);
	if (strcmp(rule->permission, "*") != 0 &&
	    !(permission_find(rule->permission)->answers & GIVE_BIT(rule->give)))
		return err_set(err, EINVAL, "%s: '%s' is no answer for %s", where, line->words[2], rule->permission);
	rule->lasts.lasts = LASTS_ALWAYS;
	for (size_t i = 3; i < line->count; i++) {
		if (strcmp(line->words[i], "enforce") == 0)
			rule->enforce = true;
		else if (strncmp(line->words[i], "for=", 4) != 0)
			return err_set(err, EINVAL, "%s: '%.100s' means nothing here (for=DURATION, enforce)", where,
				       line->words[i]);
		else if (duration_parse(line->words[i] + 4, &rule->lasts, err) < 0)
			return err_wrap(err, "%s", where);
	}
	text_escape(line->why, strlen(line->why), rule->why, sizeof(rule->why));
	return 0;
}

int ruleset_parse(struct ruleset *set, const char *file, const char *text, size_t size, struct err *err)
{
	struct rule *rules = NULL;
	struct file_lines lines;
	struct file_line line;
	size_t count = 0;
	int n;

	if (size > RULES_TEXT_MAX)
		return err_set(err, EFBIG, "%s: larger than %u bytes", file, RULES_TEXT_MAX);
	file_lines_begin(&lines, file, text, size);
	while ((n = file_lines_next(&lines, &line, err)) > 0) {
		if (line.count == 0)
			continue;
		if (set->count + count == RULES_MAX) {
			err_set(err, E2BIG, "%s: more than %u rules", lines.where, RULES_MAX);
			goto fail;
		}
		rules = xrealloc(rules, (count + 1) * sizeof(*rules));
		memset(&rules[count], 0, sizeof(*rules));
		if (parse_rule(&line, &rules[count], lines.where, err) < 0)
			goto fail;
		(void)snprintf(rules[count].file, sizeof(rules[count].file), "%s", file);
		rules[count++].line = lines.number;
	}
	if (n < 0)
		goto fail;
	set->rules = xrealloc(set->rules, (set->count + count + 1) * sizeof(*set->rules));
	if (count)
		memcpy(set->rules + set->count, rules, count * sizeof(*rules));
	set->count += count;
	free(rules);
	return 0;
fail:
	free(rules);
	return -1;
}

/* --- folders --- */

static int is_rules_file(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 6 && n < RULES_FILE_SIZE && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 6, ".rules") == 0;
}

int ruleset_add(struct ruleset *set, const char *file, const char *text, size_t size, struct err *err)
{
	struct rules_text *kept;

	if (set->text_count == FILES_MAX)
		return err_set(err, E2BIG, "%s: more than %u policy files", file, FILES_MAX);
	if (ruleset_parse(set, file, text, size, err) < 0)
		return -1;
	set->texts = xrealloc(set->texts, (set->text_count + 1) * sizeof(*set->texts));
	kept = &set->texts[set->text_count++];
	(void)snprintf(kept->file, sizeof(kept->file), "%s", file);
	kept->text = xcalloc(1, size + 1);
	if (size)
		memcpy(kept->text, text, size);
	kept->size = size;
	return 0;
}

/* The earlier version of a file that is broken now. file NULL: of all. */
static bool keep_previous(struct ruleset *set, const struct ruleset *previous, const char *file)
{
	bool any = false;

	for (size_t i = 0; previous && i < previous->text_count; i++) {
		const struct rules_text *kept = &previous->texts[i];
		struct err unused = { 0 };

		if (file && strcmp(kept->file, file) != 0)
			continue;
		if (ruleset_add(set, kept->file, kept->text, kept->size, &unused) < 0)
			return false; /* too much, together with what is new */
		any = true;
	}
	return any;
}

static int load_file(struct ruleset *set, int dirfd, const char *name, struct err *err)
{
	cleanup_free char *text = NULL;
	size_t size;

	if (fd_read_file(dirfd, name, RULES_TEXT_MAX, &text, &size, err) < 0)
		return -1;
	return ruleset_add(set, name, text, size, err);
}

int ruleset_load(struct ruleset *set, int dirfd, const struct ruleset *previous, struct err *err)
{
	struct dirent **names = NULL;
	int n, rc = 0;

	memset(set, 0, sizeof(*set));
	if (dirfd < 0)
		return 0;
	n = scandirat(dirfd, ".", &names, is_rules_file, alphasort);
	if (n < 0) { /* what it says now is not known, what it said is */
		(void)err_sys(err, "list policy folder");
		set->broken = !keep_previous(set, previous, NULL);
		return -1;
	}
	for (int i = 0; i < n; i++) {
		struct err one = { 0 };

		if (load_file(set, dirfd, names[i]->d_name, &one) < 0) {
			if (!keep_previous(set, previous, names[i]->d_name))
				set->broken = true;
			if (rc == 0)
				(void)err_set(err, one.code, "%s", one.msg);
			rc = -1;
		}
		free(names[i]);
	}
	free(names);
	return rc;
}

void ruleset_finish(struct ruleset *set)
{
	for (size_t i = 0; i < set->text_count; i++)
		free(set->texts[i].text);
	free(set->texts);
	free(set->rules);
	memset(set, 0, sizeof(*set));
}

const struct rule *ruleset_match(const struct ruleset *set, const char *app, const struct permission_ref *ref,
				 bool enforce_only)
{
	for (size_t i = 0; set && i < set->count; i++) {
		const struct rule *rule = &set->rules[i];

		if (enforce_only && !rule->enforce)
			continue;
		if (strcmp(rule->app, "*") != 0 && strcmp(rule->app, app) != 0)
			continue;
		if (strcmp(rule->permission, "*") != 0 && strcmp(rule->permission, ref->permission->name) != 0)
			continue;
		if (!permission_covers(ref, rule->item, rule->give))
			continue;
		return rule;
	}
	return NULL;
}
