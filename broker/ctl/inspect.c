/* SPDX-License-Identifier: MIT
 *
 * inspect: what a package is and wants, before anything of it runs; several are
 * ranked, the least wanting first.
 */
#include "ctl/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define THINGS_MAX 16

struct text {
	char *buf;
	size_t len;
};

static void take_text(void *data, const char *piece, size_t len)
{
	struct text *t = data;

	if (t->len > (size_t)64 << 20)
		return;
	t->buf = xrealloc(t->buf, t->len + len + 1);
	memcpy(t->buf + t->len, piece, len);
	t->len += len;
	t->buf[t->len] = '\0';
}

/* --- one page --- */

static long long count_of(json_t *found, const char *list)
{
	char key[32];

	(void)snprintf(key, sizeof(key), "%s_count", list);
	return int_of(found, key);
}

static void print_list(json_t *array, const char *between, const char *last)
{
	size_t n = json_array_size(array), i;
	json_t *word;

	json_array_foreach(array, i, word)
		(void)printf("%s%s", i == 0 ? "" : i + 1 == n ? last : between, json_string_value(word));
}

static void print_needs(json_t *found)
{
	json_t *needs = json_object_get(found, "needs");

	(void)fputs("  needs       ", stdout);
	if (!bool_of(found, "kind_known"))
		(void)fputs("not known: nothing tells what kind of program it is", stdout);
	else if (json_array_size(needs) == 0)
		(void)fputs("nothing", stdout);
	else
		print_list(needs, ", ", ", ");
	(void)putchar('\n');
}

static bool is_extra(json_t *found, const char *permission)
{
	json_t *word;
	size_t i;

	json_array_foreach(json_object_get(found, "extra"), i, word)
	{
		if (strcmp(json_string_value(word), permission) == 0)
			return true;
	}
	return false;
}

static void print_want(json_t *found, json_t *want, const char **title)
{
	json_t *hosts = json_object_get(found, "hosts");
	const char *permission = str_of(want, "permission");

	(void)printf("  %-11s %-10s ", *title, permission);
	*title = "";
	if (!bool_of(want, "guess"))
		(void)printf("\"%s\"", str_of(want, "why"));
	else if (strcmp(permission, "network") == 0 && json_array_size(hosts))
		(void)printf("its files name %s%s", json_string_value(json_array_get(hosts, 0)),
			     json_array_size(hosts) > 1 ? " and others" : "");
	else
		(void)fputs(str_of(want, "why"), stdout);
	(void)fputs(bool_of(want, "guess") ? " (a guess)\n" : "\n", stdout);
}

/* One line a permission; the author's own words come first in the list. */
static bool is_first(json_t *found, size_t at)
{
	json_t *wants = json_object_get(found, "wants");
	const char *permission = str_of(json_array_get(wants, at), "permission");

	for (size_t i = 0; i < at; i++) {
		if (strcmp(str_of(json_array_get(wants, i), "permission"), permission) == 0)
			return false;
	}
	return true;
}

/* extra: those beyond what its kind needs; else the others. */
static void print_wants(json_t *found, bool extra, const char *title)
{
	json_t *want;
	size_t i;

	json_array_foreach(json_object_get(found, "wants"), i, want)
	{
		if (is_extra(found, str_of(want, "permission")) == extra && is_first(found, i))
			print_want(found, want, &title);
	}
}

static void print_count(long long n, const char *what, const char *none)
{
	if (n)
		(void)printf("%lld %s%s", n, what, n == 1 ? "" : "s");
	else
		(void)fputs(none, stdout);
}

static void print_carried(json_t *found)
{
	json_t *word;
	size_t i;

	(void)fputs("  carries     ", stdout);
	print_count(count_of(found, "programs"), "program", "no program");
	(void)fputs(", ", stdout);
	print_count(count_of(found, "scripts"), "install script", "no install script");
	(void)fputs(", ", stdout);
	print_count(count_of(found, "setid"), "set-id file", "no set-id files");
	if (count_of(found, "services")) {
		(void)fputs(", ", stdout);
		print_count(count_of(found, "services"), "service", "");
	}
	(void)putchar('\n');
	json_array_foreach(json_object_get(found, "setid"), i, word)
		(void)printf("  set-id      %s (without effect in a sandbox)\n", json_string_value(word));
	json_array_foreach(json_object_get(found, "odd"), i, word)
		(void)printf("  odd         %s\n", json_string_value(word));
}

static void print_verdict(json_t *found)
{
	json_t *extra = json_object_get(found, "extra");
	const char *name = str_of(found, "name");

	if (json_array_size(extra) == 0) {
		(void)printf("Nothing tells that %s wants more than its kind needs.\n", name);
		return;
	}
	if (bool_of(found, "kind_known")) {
		(void)fputs("A program of its kind does not need ", stdout);
		print_list(extra, ", ", " or ");
	} else {
		(void)printf("%s may want ", name);
		print_list(extra, ", ", " and ");
	}
	(void)puts(". You can install it and give it nothing.");
}

static void print_page(json_t *found)
{
	char size[SHORT_TEXT], installed[SHORT_TEXT];
	long long room = int_of(found, "installed");

	show_size(int_of(found, "size"), size);
	show_size(room ? room : int_of(found, "bytes"), installed);
	(void)printf("%s %s", str_of(found, "name"), str_of(found, "version"));
	if (*str_of(found, "arch"))
		(void)printf(" for %s", str_of(found, "arch"));
	(void)printf(": %s%sfrom %s, signed by %s, %s, %s on disk\n", str_of(found, "summary"),
		     *str_of(found, "summary") ? ", " : "", str_of(found, "from"),
		     *str_of(found, "signed") ? str_of(found, "signed") : "nobody", size, installed);
	print_needs(found);
	print_wants(found, false, "may use it");
	print_wants(found, true, "also wants");
	print_carried(found);
	if (count_of(found, "depends"))
		(void)printf("  depends on  %lld other%s\n", count_of(found, "depends"),
			     count_of(found, "depends") == 1 ? "" : "s");
	print_verdict(found);
}

/* --- several --- */

static long long weight(json_t *found)
{
	return ((long long)json_array_size(json_object_get(found, "extra")) << 40) +
	       ((count_of(found, "setid") + count_of(found, "odd")) << 32) + int_of(found, "size") / 1024;
}

static int by_weight(const void *a, const void *b)
{
	long long x = weight(*(json_t *const *)a), y = weight(*(json_t *const *)b);

	return x < y ? -1 : x > y;
}

static void print_ranking(json_t **found, size_t count)
{
	qsort(found, count, sizeof(*found), by_weight);
	(void)puts("Least wanting first:");
	for (size_t i = 0; i < count; i++) {
		json_t *extra = json_object_get(found[i], "extra");
		char size[SHORT_TEXT];

		show_size(int_of(found[i], "size"), size);
		(void)printf("%3zu  %-20s %8s  ", i + 1, str_of(found[i], "name"), size);
		if (json_array_size(extra) == 0)
			(void)fputs("wants no more than its kind needs", stdout);
		else
			(void)fputs("also wants ", stdout);
		print_list(extra, ", ", ", ");
		if (count_of(found[i], "setid"))
			(void)printf("; %lld set-id files", count_of(found[i], "setid"));
		(void)putchar('\n');
	}
}

static int show_all(struct ctl *ctl, struct text *text)
{
	json_t *found[THINGS_MAX];
	size_t count = 0;

	if (ctl->json) {
		(void)fputs(text->buf ? text->buf : "", stdout);
		return EXIT_DONE;
	}
	for (char *save = NULL, *line = strtok_r(text->buf, "\n", &save); line && count < THINGS_MAX;
	     line = strtok_r(NULL, "\n", &save)) {
		found[count] = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		if (found[count])
			count++;
	}
	for (size_t i = 0; i < count; i++) {
		print_page(found[i]);
		if (count > 1)
			(void)putchar('\n');
	}
	if (count > 1)
		print_ranking(found, count);
	for (size_t i = 0; i < count; i++)
		json_decref(found[i]);
	return count ? EXIT_DONE : EXIT_FAILED;
}

/* --- what to look into --- */

/* 0 with a descriptor, or -1 for a name of a package; -2 after saying why. */
int open_thing(const char *word, const char **ret_kind)
{
	const char *slash = strrchr(word, '/');
	bool deb = has_suffix(word, ".deb"), bundle = has_suffix(word, ".cowbell");
	struct stat st;
	int fd;

	*ret_kind = "name";
	if (!slash && !deb && !bundle)
		return -1;
	*ret_kind = deb ? "deb" : bundle ? "bundle" : "program";
	fd = open(word, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		(void)open_failed(word);
		return -2;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)fprintf(stderr, "cowbell: %s: not a file\n", word);
		(void)close(fd);
		return -2;
	}
	return fd;
}

char *inspect_file(struct ctl *ctl, const char *kind, const char *name, int fd)
{
	struct text text = { NULL, 0 };

	if (relay_text(ctl, name, "io.cowbell.Inspect", json_pack("{s:[s], s:[s]}", "kinds", kind, "things", name), &fd, 1,
		       take_text, &text) == EXIT_DONE)
		return text.buf;
	free(text.buf);
	return NULL;
}

int cmd_inspect(struct ctl *ctl, int argc, char **argv)
{
	const struct option_spec specs[] = { { .name = NULL } };
	json_t *kinds = json_array(), *things = json_array();
	struct text text = { NULL, 0 };
	int fds[THINGS_MAX], rc = EXIT_FAILED;
	size_t count = 0;

	if (options_take("inspect", specs, &argc, argv) || argc < 2 || argc > THINGS_MAX + 1) {
		rc = usage("inspect");
		goto out;
	}
	for (int i = 1; i < argc; i++) {
		const char *slash = strrchr(argv[i], '/'), *kind;
		int fd = open_thing(argv[i], &kind);

		if (fd == -2)
			goto out;
		if (fd >= 0)
			fds[count++] = fd;
		json_array_append_new(kinds, json_string(kind));
		json_array_append_new(things, json_string(slash ? slash + 1 : argv[i]));
	}
	rc = relay_text(ctl, argc == 2 ? argv[1] : "inspect", "io.cowbell.Inspect",
			json_pack("{s:O, s:O}", "kinds", kinds, "things", things), fds, count, take_text, &text);
	if (rc == EXIT_DONE)
		rc = show_all(ctl, &text);
out:
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
	json_decref(kinds);
	json_decref(things);
	free(text.buf);
	return rc;
}
