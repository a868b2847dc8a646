/* SPDX-License-Identifier: MIT
 *
 * Units: a refusal is one try; something that was given is counted once a run,
 * at its first use in it.
 */
#include "ui-tty/folds.h"

#include "ui-tty/show.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is(json_t *h, const char *key, const char *value)
{
	return strcmp(str_of(h, key), value) == 0;
}

/* Tries that were refused are one line whatever they were for; what was given is
 * told of each. */
static bool folds_items(json_t *h)
{
	return is(h, "what", "refused");
}

static bool same_thing(const struct fold *f, json_t *h)
{
	size_t n = strcspn(f->permission, ":");

	if (!folds_items(h))
		return is(h, "permission", f->permission);
	return strncmp(str_of(h, "permission"), f->permission, n) == 0 && strcspn(str_of(h, "permission"), ":") == n;
}

static bool has_name(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strstr(list, name); p; p = strstr(p + 1, name)) {
		if ((p == list || p[-1] == ' ') && (p[n] == '\0' || p[n] == ','))
			return true;
	}
	return false;
}

/* Two names are told, and that there are more. */
static void add_item(struct fold *f, json_t *h)
{
	const char *colon = strchr(str_of(h, "permission"), ':');
	size_t n = strlen(f->items);

	if (!folds_items(h) || !colon || has_name(f->items, colon + 1))
		return;
	if (f->more_items || strchr(f->items, ',') || n + strlen(colon + 1) + 3 > sizeof(f->items))
		f->more_items = true;
	else
		(void)snprintf(f->items + n, sizeof(f->items) - n, "%s%s", n ? ", " : "", colon + 1);
}

static struct fold *find_fold(struct folds *folds, json_t *h)
{
	for (size_t i = 0; i < folds->count; i++) {
		struct fold *f = &folds->fold[i];

		if (is(h, "app", f->app) && same_thing(f, h) && is(h, "what", f->what) &&
		    is(h, "answer", f->answer) && is(h, "kind", f->kind))
			return f;
	}
	return NULL;
}

static void copy(char *to, size_t size, json_t *h, const char *key)
{
	(void)snprintf(to, size, "%s", str_of(h, key));
}

static void add_fold(struct folds *folds, json_t *h)
{
	struct fold *f;

	folds->fold = xrealloc(folds->fold, (folds->count + 1) * sizeof(*folds->fold));
	f = &folds->fold[folds->count++];
	memset(f, 0, sizeof(*f));
	copy(f->kind, sizeof(f->kind), h, "kind");
	copy(f->app, sizeof(f->app), h, "app");
	copy(f->permission, sizeof(f->permission), h, "permission");
	copy(f->what, sizeof(f->what), h, "what");
	copy(f->answer, sizeof(f->answer), h, "answer");
	copy(f->lasts, sizeof(f->lasts), h, "for");
	f->first_ms = int_of(h, "time");
	f->last_ms = int_of(h, "last");
	f->count = int_of(h, "count") ? int_of(h, "count") : 1;
	add_item(f, h);
	if (folds_items(h))
		f->permission[strcspn(f->permission, ":")] = '\0';
}

static int newest_first(const void *a, const void *b)
{
	const struct fold *x = a, *y = b;

	return x->last_ms < y->last_ms ? 1 : x->last_ms > y->last_ms ? -1 : 0;
}

void folds_make(json_t *history, long long since_ms, struct folds *ret)
{
	json_t *h;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	json_array_foreach(history, i, h)
	{
		struct fold *f;

		if (int_of(h, "last") < since_ms)
			continue;
		f = is(h, "kind", "decision") ? NULL : find_fold(ret, h);
		if (!f) {
			add_fold(ret, h);
			continue;
		}
		f->count += int_of(h, "count") ? int_of(h, "count") : 1;
		add_item(f, h);
		if (int_of(h, "last") > f->last_ms)
			f->last_ms = int_of(h, "last");
		if (int_of(h, "time") < f->first_ms)
			f->first_ms = int_of(h, "time");
	}
	if (ret->count)
		qsort(ret->fold, ret->count, sizeof(*ret->fold), newest_first);
}

void folds_free(struct folds *folds)
{
	free(folds->fold);
	memset(folds, 0, sizeof(*folds));
}

json_t *history_all(json_t *(*fetch)(void *data, long long before), void *data)
{
	json_t *all = json_array(), *reply, *part;
	long long before = 0, first;

	for (;;) {
		reply = fetch(data, before);
		if (!reply) {
			json_decref(all);
			return NULL;
		}
		part = json_object_get(reply, "history");
		first = int_of(json_array_get(part, 0), "seq");
		if (json_array_size(part) == 0 || (before && first >= before)) {
			json_decref(reply);
			return all;
		}
		before = first;
		part = json_incref(part);
		json_decref(reply);
		(void)json_array_extend(part, all); /* what came earlier is later */
		json_decref(all);
		all = part;
	}
}

/* --- sentences --- */

static const char *life_word(const char *what)
{
	return strcmp(what, "run") == 0 ? "was run" : what;
}

void fold_says(const struct fold *f, char *buf, size_t size)
{
	char n[SHORT_TEXT], lasts[SHORT_TEXT];

	show_duration(f->lasts, lasts);
	if (strcmp(f->kind, "life") == 0) {
		show_count(f->count, "time", n);
		(void)snprintf(buf, size, "%s%s%s", life_word(f->what), f->count > 1 ? ", " : "", f->count > 1 ? n : "");
	} else if (strcmp(f->kind, "decision") == 0) {
		(void)snprintf(buf, size, "%s: %s%s%s%s%s", f->permission, f->what,
			       strcmp(f->answer, "ask") == 0 ? "" : " ", strcmp(f->answer, "ask") == 0 ? "" : f->answer,
			       *lasts ? ", " : "", lasts);
	} else if (strcmp(f->what, "refused") == 0) {
		(void)snprintf(buf, size, "%s%s%s%s: refused, %lld %s", f->permission, *f->items ? ":" : "", f->items,
			       f->more_items ? ", and more" : "", f->count, f->count == 1 ? "try" : "tries");
	} else if (strcmp(f->what, "used") == 0) {
		show_count(f->count, "run", n);
		(void)snprintf(buf, size, "%s: %s, in %s", f->permission, show_given(f->answer), n);
	} else {
		show_count(f->count, "time", n);
		(void)snprintf(buf, size, "%s: %s, %s", f->permission, f->what, n);
	}
}

/* --- a month --- */

struct page_text {
	char *text;
	size_t used, room;
};

static void put(struct page_text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void put(struct page_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->room - t->used < 1024) {
		t->room = t->room * 2 + 4096;
		t->text = xrealloc(t->text, t->room);
	}
	va_start(ap, fmt);
	n = vsnprintf(t->text + t->used, t->room - t->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->used += (size_t)n < t->room - t->used ? (size_t)n : t->room - t->used - 1;
}

static void access_sentence(struct page_text *t, const struct fold *f)
{
	char n[SHORT_TEXT];

	show_count(f->count, strcmp(f->what, "used") == 0 ? "run" : "time", n);
	if (strcmp(f->what, "refused") == 0)
		put(t, "  It reached for %s %s and was refused.\n", f->permission, f->count == 1 ? "once" : n);
	else if (strcmp(f->what, "used") != 0)
		put(t, "  %s %s %s.\n", f->permission, f->what, n);
	else if (strcmp(f->answer, "empty") == 0)
		put(t, "  It looked into %s in %s and saw an empty one.\n", f->permission, n);
	else if (strcmp(f->answer, "copy") == 0)
		put(t, "  It used a private copy of %s in %s; yours was not touched.\n", f->permission, n);
	else if (strcmp(f->answer, "read") == 0)
		put(t, "  It read the real %s in %s.\n", f->permission, n);
	else
		put(t, "  It used the real %s in %s.\n", f->permission, n);
}

static void app_sentences(struct page_text *t, const struct folds *folds, const char *app)
{
	long long runs = 0, answers = 0;
	bool any = false;
	char n[SHORT_TEXT];

	for (size_t i = 0; i < folds->count; i++) {
		const struct fold *f = &folds->fold[i];

		if (strcmp(f->app, app) != 0)
			continue;
		runs += strcmp(f->kind, "life") == 0 && strcmp(f->what, "run") == 0 ? f->count : 0;
		answers += strcmp(f->kind, "decision") == 0 && strcmp(f->what, "lapsed") != 0;
	}
	show_count(runs, "time", n);
	put(t, "%s was run %s.\n", app, runs == 0 ? "never" : runs == 1 ? "once" : n);
	for (size_t i = 0; i < folds->count; i++) {
		const struct fold *f = &folds->fold[i];

		if (strcmp(f->app, app) != 0)
			continue;
		if (strcmp(f->kind, "access") == 0) {
			access_sentence(t, f);
			any = true;
		} else if (strcmp(f->kind, "life") == 0 && strcmp(f->what, "run") != 0) {
			show_count(f->count, "time", n);
			put(t, "  It was %s%s%s.\n", f->what, f->count > 1 ? " " : "", f->count > 1 ? n : "");
		} else if (strcmp(f->kind, "decision") == 0 && strcmp(f->what, "lapsed") == 0) {
			put(t, "  It did not use %s for long: your answer lapsed, and it will ask again.\n", f->permission);
		}
	}
	if (!any)
		put(t, "  It reached for nothing of yours.\n");
	show_count(answers, "time", n);
	if (answers)
		put(t, "  You decided %s about it.\n", answers == 1 ? "once" : n);
}

/* What is about to be taken away is told before it is. */
static void put_lapsing(struct page_text *t, json_t *permissions)
{
	bool any = false;
	json_t *p;
	size_t i;

	json_array_foreach(permissions, i, p)
	{
		char left[SHORT_TEXT];

		if (!int_of(p, "lapses"))
			continue;
		put(t, "%s", any ? "" : "\nNot used for long, and soon asked again:\n");
		any = true;
		show_left(int_of(p, "lapses"), left);
		put(t, "  %s: %s (%s), in %s\n", str_of(p, "app"), str_of(p, "permission"), str_of(p, "answer"), left);
	}
}

char *folds_summary(const struct folds *folds, const char *period, json_t *permissions)
{
	struct page_text t = { 0 };

	put(&t, "Your apps, %s\n", period);
	for (size_t i = 0; i < folds->count; i++) {
		bool seen = false;

		for (size_t k = 0; k < i && !seen; k++)
			seen = strcmp(folds->fold[k].app, folds->fold[i].app) == 0;
		if (seen || !folds->fold[i].app[0])
			continue;
		put(&t, "\n");
		app_sentences(&t, folds, folds->fold[i].app);
	}
	if (folds->count == 0)
		put(&t, "\nNothing happened.\n");
	put_lapsing(&t, permissions);
	return t.text;
}
