/* SPDX-License-Identifier: MIT
 *
 * Verbs about what an app changed, and about going back.
 */
#include "ctl/ctl.h"

#include "proto/stream.h"
#include "varlink/client.h"

#include <stdio.h>
#include <string.h>

static const struct option_spec no_options[] = { { .name = NULL } };

/* A generation's number; 0 and a message when it is none. */
static long long number_of(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	if (*end == '\0' && end != text && n > 0)
		return n;
	(void)fprintf(stderr, "cowbell: '%s' is no generation's number (cowbell generations APP)\n", text);
	return 0;
}

int cmd_generations(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply, *g;
	size_t i;

	if (options_take("generations", no_options, &argc, argv) || argc != 2)
		return usage("generations");
	reply = ctl_call(ctl, argv[1], "io.cowbell.Generations", json_pack("{s:s}", "app", argv[1]));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	json_array_foreach(json_object_get(reply, "generations"), i, g)
	{
		char when[SHORT_TEXT], size[SHORT_TEXT], files[SHORT_TEXT], of[32] = "";
		/* An install's is its version. */
		const char *label = strcmp(str_of(g, "kind"), "install") == 0 ? "" : str_of(g, "label");

		show_count(int_of(g, "files"), "file", files);
		show_time(int_of(g, "time"), when);
		show_size(int_of(g, "bytes"), size);
		if (int_of(g, "of"))
			(void)snprintf(of, sizeof(of), " to %lld", int_of(g, "of"));
		(void)printf("%s %4lld  %-10s %s%s  %s, %s%s%s%s%s%s%s\n", bool_of(g, "head") ? "›" : " ",
			     int_of(g, "number"), when, str_of(g, "kind"), of, files, size, bool_of(g, "pinned") ? ", pinned" : "", bool_of(g, "doomed") ? ", goes within a day" : "",
			     bool_of(g, "install") ? ", factory state" : "", bool_of(g, "old_base") ? ", old base" : "",
			     *label ? ", " : "", label);
	}
	json_decref(reply);
	return EXIT_DONE;
}

/* On stderr, so that a list stays a list. */
static void tell_cut(json_t *reply, size_t shown)
{
	if (bool_of(reply, "cut"))
		(void)fprintf(stderr, "cowbell: there are more than these %zu\n", shown);
}

int cmd_versions(struct ctl *ctl, int argc, char **argv)
{
	const char *since = NULL;
	const struct option_spec specs[] = { { .name = "--since", .has_value = true, .value = &since }, { .name = NULL } };
	json_t *reply, *v, *params;
	long long from = 0;
	size_t i;

	if (options_take("versions", specs, &argc, argv) || argc < 2 || argc > 3)
		return usage("versions");
	params = json_pack("{s:s}", "app", argv[1]);
	if (argc == 3)
		json_object_set_new(params, "path", json_string(argv[2]));
	if (since && (from = ctl_since(since)) < 0) {
		(void)fprintf(stderr, "cowbell: versions: '%s' is no time (90m, 7d, 2026-11-24)\n", since);
		json_decref(params);
		return EXIT_USAGE;
	}
	json_object_set_new(params, "since", json_integer(from));
	reply = ctl_call(ctl, argv[1], "io.cowbell.Versions", params);
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	json_array_foreach(json_object_get(reply, "versions"), i, v)
	{
		char when[SHORT_TEXT], size[SHORT_TEXT];

		show_time(int_of(v, "mtime"), when);
		show_size(int_of(v, "size"), size);
		(void)printf("%4lld  %-9s %8s  %-10s %.12s  /%s%s%s%s\n", int_of(v, "generation"), str_of(v, "kind"), size, when,
			     str_of(v, "hash"), str_of(v, "path"), *str_of(v, "inside") ? " (in the " : "",
			     str_of(v, "inside"), *str_of(v, "inside") ? ")" : "");
	}
	tell_cut(reply, json_array_size(json_object_get(reply, "versions")));
	if (argc == 3 && json_array_size(json_object_get(reply, "versions")) == 0 && !ctl->quiet) {
		(void)fprintf(stderr, "cowbell: %s: it never changed '%s' (cowbell versions %s)\n", argv[1], argv[2],
			      argv[1]);
		json_decref(reply);
		return EXIT_FAILED;
	}
	json_decref(reply);
	return EXIT_DONE;
}

static int cat_stream(int sock, const char *path)
{
	struct stream_frame *frame = xcalloc(1, sizeof(*frame));
	struct err err = { 0 };
	int rc = EXIT_FAILED, got;

	while ((got = stream_recv(sock, frame, &err)) > 0) {
		if (frame->type == STREAM_EXIT) {
			rc = EXIT_DONE;
			break;
		}
		if (frame->type == STREAM_FAILED) {
			frame->body[frame->len < STREAM_BODY_MAX ? frame->len : STREAM_BODY_MAX - 1] = '\0';
			(void)fprintf(stderr, "cowbell: %s: %s\n", path, (const char *)frame->body + 4);
			break;
		}
	}
	if (got <= 0)
		(void)fprintf(stderr, "cowbell: %s: the broker went away\n", path);
	free(frame);
	return rc;
}

int cmd_cat(struct ctl *ctl, int argc, char **argv)
{
	struct varlink_client *client;
	struct err err = { 0 };
	json_t *params, *reply = NULL;
	int out = STDOUT_FILENO, rc;
	long long number = 0;
	char *at;

	if (options_take("cat", no_options, &argc, argv) || argc != 3)
		return usage("cat");
	if (ctl->json) {
		(void)fprintf(stderr, "cowbell: cat: a file's bytes are not JSON (leave --json out)\n");
		return EXIT_USAGE;
	}
	at = strrchr(argv[2], '@');
	if (at && at[1] && strspn(at + 1, "0123456789") == strlen(at + 1)) { /* not "icon@2x.png" */
		number = number_of(at + 1);
		if (!number)
			return EXIT_USAGE;
		*at = '\0';
	}
	client = varlink_client_open(ctl->root, &err);
	if (!client)
		return ctl_fail(argv[1], &err);
	params = json_pack("{s:s, s:s}", "app", argv[1], "path", argv[2]);
	if (params && number)
		json_object_set_new(params, "generation", json_integer(number));
	if (varlink_client_upgrade(client, "io.cowbell.Cat", params, &out, 1, &reply, &err) < 0)
		rc = ctl_fail(argv[1], &err);
	else
		rc = cat_stream(varlink_client_fd(client), argv[2]);
	json_decref(reply);
	varlink_client_close(client);
	return rc;
}

int cmd_diff(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply, *c, *params;
	size_t i;

	if (options_take("diff", no_options, &argc, argv) || argc < 2 || argc > 4)
		return usage("diff");
	params = json_pack("{s:s}", "app", argv[1]);
	for (int k = 2; k < argc; k++) {
		long long n = number_of(argv[k]);

		if (!n)
			return EXIT_USAGE;
		json_object_set_new(params, k == 2 ? "from" : "to", json_integer(n));
	}
	reply = ctl_call(ctl, argv[1], "io.cowbell.Diff", params);
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	json_array_foreach(json_object_get(reply, "changes"), i, c)
	{
		(void)printf("%-8s /%s", str_of(c, "change"), str_of(c, "path"));
		if (*str_of(c, "inside"))
			(void)printf(" (in the %s)", str_of(c, "inside"));
		if (*str_of(c, "from"))
			(void)printf(" from %s", str_of(c, "from"));
		if (strcmp(str_of(c, "change"), "changed") == 0)
			(void)printf("  %lld to %lld bytes", int_of(c, "size_before"), int_of(c, "size_after"));
		(void)putchar('\n');
	}
	tell_cut(reply, json_array_size(json_object_get(reply, "changes")));
	json_decref(reply);
	return EXIT_DONE;
}

/* Which answers would change, before it is asked. */
static bool confirm_answers(struct ctl *ctl, const char *app, long long generation)
{
	json_t *params = json_pack("{s:s}", "app", app), *reply, *list, *g;
	char question[256];
	bool sure = true;
	size_t i;

	if (generation)
		json_object_set_new(params, "generation", json_integer(generation));
	reply = ctl_call(ctl, app, "io.cowbell.RollbackPlan", params);
	if (!reply)
		return false;
	list = json_object_get(reply, "grants");
	json_array_foreach(list, i, g)
	{
		if (!ctl->json && !ctl->quiet)
			(void)printf("%-24s %s -> %s\n", str_of(g, "permission"), str_of(g, "before"), str_of(g, "after"));
	}
	(void)snprintf(question, sizeof(question), "%zu answer%s with generation %lld. Roll %s back?", json_array_size(list),
		       json_array_size(list) == 1 ? " changes" : "s change", int_of(reply, "of"), app);
	if (json_array_size(list) && !ctl->yes)
		sure = ctl_confirm(ctl, app, question);
	json_decref(reply);
	return sure;
}

int cmd_rollback(struct ctl *ctl, int argc, char **argv)
{
	bool stop = false, with_grants = false, now = false;
	const struct option_spec specs[] = { { .name = "--stop", .flag = &stop },
					     { .name = "--now", .flag = &now },
					     { .name = "--with-grants", .flag = &with_grants },
					     { .name = NULL } };
	json_t *reply, *params;
	long long n = 0;

	if (options_take("rollback", specs, &argc, argv) || argc < 2 || argc > 3)
		return usage("rollback");
	if (argc == 3 && !(n = number_of(argv[2])))
		return EXIT_USAGE;
	if (with_grants && !confirm_answers(ctl, argv[1], n))
		return EXIT_FAILED;
	params = json_pack("{s:s, s:b, s:b, s:b}", "app", argv[1], "stop", stop, "with_grants", with_grants, "now", now);
	if (n)
		json_object_set_new(params, "generation", json_integer(n));
	reply = ctl_call(ctl, argv[1], "io.cowbell.Rollback", params);
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	if (!ctl->quiet)
		(void)printf("%s is back where it was; this is generation %lld. Nothing was deleted.\n", argv[1],
			     int_of(reply, "generation"));
	json_decref(reply);
	return EXIT_DONE;
}

/* What goes and what stays, before it is asked. */
static bool confirm_reset(struct ctl *ctl, const char *app, bool grants, bool now)
{
	json_t *reply, *g;
	long long files = 0, bytes = 0, n = 0;
	char question[512], size[SHORT_TEXT], files_text[SHORT_TEXT], states[SHORT_TEXT];
	size_t i;

	if (ctl->yes)
		return true;
	reply = ctl_call(ctl, app, "io.cowbell.Generations", json_pack("{s:s}", "app", app));
	if (!reply)
		return false;
	json_array_foreach(json_object_get(reply, "generations"), i, g)
	{
		if (bool_of(g, "install") || bool_of(g, "doomed") || strcmp(str_of(g, "kind"), "install") == 0)
			continue;
		n++;
		files += int_of(g, "files");
		bytes += int_of(g, "bytes");
	}
	json_decref(reply);
	show_size(bytes, size);
	show_count(files, "file", files_text);
	show_count(n, "generation", states);
	(void)snprintf(question, sizeof(question),
		       "%s (%s) in %s go%s; the install %s. The host is not touched. Reset %s?", files_text, size, states,
		       now ? " for good" : " within a day",
		       grants ? "stays, your answers go" : "and your answers stay", app);
	return ctl_confirm(ctl, app, question);
}

int cmd_reset(struct ctl *ctl, int argc, char **argv)
{
	bool grants = false, now = false, stop = false;
	const struct option_spec specs[] = { { .name = "--grants", .flag = &grants },
					     { .name = "--now", .flag = &now },
					     { .name = "--stop", .flag = &stop },
					     { .name = NULL } };
	char size[SHORT_TEXT], files[SHORT_TEXT], back[SHORT_TEXT * 3] = "";
	json_t *reply;

	if (options_take("reset", specs, &argc, argv) || argc != 2)
		return usage("reset");
	if (!confirm_reset(ctl, argv[1], grants, now))
		return EXIT_FAILED;
	reply = ctl_call(ctl, argv[1], "io.cowbell.Reset",
			 json_pack("{s:s, s:b, s:b, s:b}", "app", argv[1], "grants", grants, "now", now, "stop", stop));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	show_size(int_of(reply, "bytes"), size);
	/* By number: once the app has run again, a bare rollback undoes that run. */
	if (!now && int_of(reply, "files"))
		(void)snprintf(back, sizeof(back), "; cowbell rollback %.64s %lld brings back what it had, within a day",
			       argv[1], int_of(reply, "before"));
	show_count(int_of(reply, "files"), "file", files);
	if (!ctl->quiet)
		(void)printf("%s is as it was installed: %s (%s) went%s.\n", argv[1], files, size, back);
	json_decref(reply);
	return EXIT_DONE;
}

int cmd_pin(struct ctl *ctl, int argc, char **argv)
{
	json_t *reply;
	long long n;

	if (options_take("pin", no_options, &argc, argv) || argc != 3)
		return usage("pin");
	n = number_of(argv[2]);
	if (!n)
		return EXIT_USAGE;
	reply = ctl_call(ctl, argv[1], "io.cowbell.Pin",
			 json_pack("{s:s, s:I, s:b}", "app", argv[1], "generation", (json_int_t)n, "pinned", 1));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	json_decref(reply);
	return EXIT_DONE;
}
