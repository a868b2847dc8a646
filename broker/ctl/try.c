/* SPDX-License-Identifier: MIT
 *
 * try: one run of which nothing stays. What is not installed is installed for this
 * run alone, held by a connection that we keep until the end.
 */
#include "ctl/relay.h"

#include "varlink/client.h"

#include <stdio.h>
#include <string.h>

struct report {
	char *text;
	size_t len;
};

static void take_text(void *data, const char *piece, size_t len)
{
	struct report *r = data;

	if (r->len > (size_t)4 << 20)
		return;
	r->text = xrealloc(r->text, r->len + len + 1);
	memcpy(r->text + r->len, piece, len);
	r->len += len;
	r->text[r->len] = '\0';
}

/* --- the page --- */

static void show_seconds(long long ms, char buf[SHORT_TEXT])
{
	if (ms < 1000)
		(void)snprintf(buf, SHORT_TEXT, "%lld ms", ms);
	else if (ms < 10000)
		(void)snprintf(buf, SHORT_TEXT, "%lld.%lld s", ms / 1000, ms / 100 % 10);
	else if (ms < 120000)
		(void)snprintf(buf, SHORT_TEXT, "%lld s", ms / 1000);
	else
		(void)snprintf(buf, SHORT_TEXT, "%lld min", ms / 60000);
}

static void describe(json_t *use, char *buf, size_t size)
{
	const char *permission = str_of(use, "permission"), *item = str_of(use, "item");

	if (strcmp(permission, "contacts") == 0)
		(void)snprintf(buf, size, "looked into your contacts");
	else if (strcmp(permission, "storage") == 0)
		(void)snprintf(buf, size, "looked into your files%s%s", *item ? ": " : "", item);
	else if (strcmp(permission, "network") == 0)
		(void)snprintf(buf, size, "tried to reach %s", *item ? item : "the network");
	else
		(void)snprintf(buf, size, "wanted %s%s%s", str_of(use, "label"), *item ? ": " : "", item);
}

static void print_use(json_t *use)
{
	char what[200], first[SHORT_TEXT], times[SHORT_TEXT];
	long long count = int_of(use, "count");

	describe(use, what, sizeof(what));
	show_seconds(int_of(use, "first_ms"), first);
	(void)snprintf(times, sizeof(times), count == 1 ? "once" : "%lld times", count);
	(void)printf("  %-40s %-10s first after %s, %s\n", what, times, first,
		     strcmp(str_of(use, "answer"), "empty") == 0 ? "and found nothing" : "and was refused");
}

static void print_changes(json_t *report)
{
	long long files = int_of(report, "files") + int_of(report, "deleted"), outside = int_of(report, "outside");
	json_t *paths = json_object_get(report, "paths"), *path;
	char size[SHORT_TEXT];
	size_t i;

	show_size(int_of(report, "bytes"), size);
	if (!files)
		(void)puts("  changed no file");
	else if (!outside)
		(void)printf("  changed %lld file%s (%s), all in its own home\n", files, files == 1 ? "" : "s", size);
	else
		(void)printf("  changed %lld file%s (%s), %lld of them outside its own home:\n", files, files == 1 ? "" : "s",
			     size, outside);
	json_array_foreach(paths, i, path)
	{
		if (i == 10) {
			(void)printf("    and %lld more\n", outside - 10);
			return;
		}
		(void)printf("    %s\n", json_string_value(path));
	}
}

static int show_report(struct ctl *ctl, const char *name, const struct report *r)
{
	json_t *report = r->text ? json_loads(r->text, JSON_REJECT_DUPLICATES, NULL) : NULL, *use;
	char seconds[SHORT_TEXT];
	size_t i;

	if (!report) {
		(void)fprintf(stderr, "cowbell: %s: the report did not come\n", name);
		return EXIT_FAILED;
	}
	json_object_set_new(report, "app", json_string(name));
	if (ctl->json)
		return ctl_print_json(report);
	show_seconds(int_of(report, "ran_ms"), seconds);
	(void)fflush(stdout);
	(void)printf("In %s %s\n", seconds, name);
	json_array_foreach(json_object_get(report, "uses"), i, use)
		print_use(use);
	if (json_array_size(json_object_get(report, "uses")) == 0)
		(void)puts("  reached for nothing of yours");
	if (int_of(report, "more"))
		(void)printf("  and for more things than are listed, %lld times\n", int_of(report, "more"));
	if (!bool_of(report, "network_seen"))
		(void)puts("  had no network; what it tried there is not seen by this system");
	print_changes(report);
	if (int_of(report, "status"))
		(void)printf("  ended with status %lld\n", int_of(report, "status"));
	(void)puts("Nothing of it stays.");
	json_decref(report);
	return EXIT_DONE;
}

/* --- */

static int run_trial(struct ctl *ctl, const char *app, const char *name, json_t *args)
{
	json_t *params = run_params(app, args);
	struct report report = { NULL, 0 };
	int rc;

	json_object_set_new(params, "trial", json_true());
	if (!ctl->quiet && !ctl->json)
		(void)fprintf(stderr, "cowbell: a run of %s: what it reaches for is empty, and nothing stays\n", name);
	rc = relay_text(ctl, name, "io.cowbell.Run", params, NULL, 0, take_text, &report);
	if (rc == EXIT_DONE)
		rc = show_report(ctl, name, &report);
	free(report.text);
	return rc;
}

static bool is_app(struct ctl *ctl, const char *word)
{
	struct err err = { 0 };
	struct varlink_client *client = varlink_client_open(ctl->root, &err);
	json_t *reply = NULL;
	bool is = client && varlink_client_call(client, "io.cowbell.Info", json_pack("{s:s}", "app", word), &reply, &err) == 0;

	json_decref(reply);
	if (client)
		varlink_client_close(client);
	return is;
}

static int try_package(struct ctl *ctl, char *word, json_t *args)
{
	const char *kind, *slash = strrchr(word, '/'), *name = slash ? slash + 1 : word;
	char *names[] = { word, NULL }, id[SHORT_TEXT], source[512], *title;
	int fd = open_thing(word, &kind), rc;
	struct varlink_client *held = NULL;
	json_t *params;

	if (fd == -2)
		return EXIT_FAILED;
	if (strcmp(kind, "program") == 0) {
		(void)close(fd);
		(void)fprintf(stderr, "cowbell: %s: only packages, names and installed apps can be tried (install it)\n", word);
		return EXIT_FAILED;
	}
	(void)snprintf(source, sizeof(source), "trial of %.400s", name);
	params = install_params(kind, "", source, fd < 0 ? names : NULL, fd < 0 ? 0 : 1);
	json_object_set_new(params, "trial", json_true());
	rc = relay_hold(ctl, name, params, &fd, fd < 0 ? 0 : 1, id, &held);
	if (fd >= 0)
		(void)close(fd);
	if (rc != EXIT_DONE || !held)
		return rc == EXIT_DONE ? EXIT_FAILED : rc;
	title = strchr(id, ' '); /* "new-7 flashlight" */
	if (title)
		*title++ = '\0';
	rc = run_trial(ctl, id, title && *title ? title : name, json_incref(args));
	varlink_client_close(held);
	return rc;
}

int cmd_try(struct ctl *ctl, int argc, char **argv)
{
	const struct option_spec specs[] = { { .name = NULL } };
	json_t *args;
	int dashes = 1, rc;

	if (options_take("try", specs, &argc, argv))
		return EXIT_USAGE;
	while (dashes < argc && strcmp(argv[dashes], "--") != 0)
		dashes++;
	if (dashes != 2)
		return usage("try");
	args = run_words("try", argv + dashes + (dashes < argc));
	if (!args)
		return EXIT_USAGE;
	if (!strchr(argv[1], '/') && is_app(ctl, argv[1]))
		rc = run_trial(ctl, argv[1], argv[1], json_incref(args));
	else
		rc = try_package(ctl, argv[1], args);
	json_decref(args);
	return rc;
}
