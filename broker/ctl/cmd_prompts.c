/* SPDX-License-Identifier: MIT
 *
 * Verbs for those who answer without a screen: scripts, and people elsewhere.
 */
#include "ctl/ctl.h"

#include "base/fd.h"
#include "varlink/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void show_prompt(json_t *p)
{
	json_t *word;
	size_t i;
	const char *state = str_of(p, "state");

	(void)printf("%lld  %s wants %s%s%s", int_of(p, "id"), str_of(p, "app"), str_of(p, "about"),
		     strcmp(state, "waiting") == 0 ? "" : ", ", strcmp(state, "waiting") == 0 ? "" : state);
	(void)printf(" (%s): ", str_of(p, "program"));
	json_array_foreach(json_object_get(p, "answers"), i, word)
		(void)printf("%s%s", i ? ", " : "", json_string_value(word));
	(void)putchar('\n');
}

static void print_prompts(struct ctl *ctl, json_t *reply)
{
	json_t *p;
	size_t i;

	json_array_foreach(json_object_get(reply, "prompts"), i, p)
	{
		if (ctl->json)
			(void)ctl_print_json(json_incref(p));
		else
			show_prompt(p);
	}
	(void)fflush(stdout);
}

static bool any_waiting(json_t *reply)
{
	json_t *p;
	size_t i;

	json_array_foreach(json_object_get(reply, "prompts"), i, p)
	{
		if (strcmp(str_of(p, "state"), "waiting") == 0)
			return true;
	}
	return false;
}

/* wait: until one waits; else for ever. */
static int watch(struct ctl *ctl, bool wait)
{
	struct err err = { 0 };
	struct varlink_client *client = varlink_client_open(ctl->root, &err);
	json_t *reply;
	int rc = -1;

	if (!client)
		return ctl_fail("prompts", &err);
	if (varlink_client_more(client, "io.cowbell.Prompts", NULL, &err) == 0) {
		while ((rc = varlink_client_recv(client, &reply, &err)) >= 0) {
			bool enough = wait && any_waiting(reply);

			if (!wait || enough)
				print_prompts(ctl, reply);
			json_decref(reply);
			if (enough || rc == 0)
				break;
		}
	}
	varlink_client_close(client);
	return rc < 0 ? ctl_fail("prompts", &err) : EXIT_DONE;
}

int cmd_prompts(struct ctl *ctl, int argc, char **argv)
{
	bool watching = false, waiting = false;
	const struct option_spec specs[] = {
		{ .name = "--watch", .flag = &watching }, { .name = "--wait", .flag = &waiting }, { .name = NULL } };
	json_t *reply;

	if (options_take("prompts", specs, &argc, argv) || argc != 1)
		return usage("prompts");
	if (watching || waiting)
		return watch(ctl, waiting);
	reply = ctl_call(ctl, "prompts", "io.cowbell.Prompts", json_pack("{s:b}", "unanswered", 1));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	if (json_array_size(json_object_get(reply, "prompts")) == 0 && !ctl->quiet)
		(void)puts("Nothing waits.");
	print_prompts(ctl, reply);
	json_decref(reply);
	return EXIT_DONE;
}

static json_t *answer_params(long long id, const char *answer, const char *lasts, const char *const *items)
{
	json_t *array = json_array();

	for (; items && *items; items++)
		json_array_append_new(array, json_string(*items));
	return json_pack("{s:I, s:s, s:o, s:s}", "id", (json_int_t)id, "answer", answer, "items", array, "for", lasts);
}

int cmd_answer(struct ctl *ctl, int argc, char **argv)
{
	const char *lasts = "run", *items[33] = { NULL };
	const struct option_spec specs[] = {
		{ .name = "--for", .has_value = true, .value = &lasts },
		{ .name = "--item", .has_value = true, .values = items },
		{ .name = NULL },
	};
	json_t *reply;
	char *end;
	long long id;

	if (options_take("answer", specs, &argc, argv) || argc != 3)
		return usage("answer");
	id = strtoll(argv[1], &end, 10);
	if (*end || end == argv[1] || id <= 0) {
		(void)fprintf(stderr, "cowbell: '%s' is no question's number (cowbell prompts)\n", argv[1]);
		return EXIT_USAGE;
	}
	reply = ctl_call(ctl, "answer", "io.cowbell.Answer", answer_params(id, argv[2], lasts, items));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	if (!ctl->quiet)
		(void)printf("%s\n", str_of(reply, "says"));
	json_decref(reply);
	return EXIT_DONE;
}

/* --- agent --script --- */

struct script_line {
	char app[64], permission[160], answer[16], lasts[32];
};

struct script {
	struct script_line lines[256];
	size_t count;
};

static int parse_line(struct script *script, char *text, unsigned int number, struct err *err)
{
	struct script_line *line = &script->lines[script->count];
	char *save = NULL, *words[5];
	size_t n = 0;

	for (char *w = strtok_r(text, " \t", &save); w && n < 5 && *w != '#'; w = strtok_r(NULL, " \t", &save))
		words[n++] = w;
	if (n == 0)
		return 0;
	if (n < 3 || n > 4 || (n == 4 && strncmp(words[3], "for=", 4) != 0) || script->count == ARRAY_LEN(script->lines))
		return err_set(err, 0, "line %u is not APP PERMISSION ANSWER [for=DURATION]", number);
	(void)snprintf(line->app, sizeof(line->app), "%s", words[0]);
	(void)snprintf(line->permission, sizeof(line->permission), "%s", words[1]);
	(void)snprintf(line->answer, sizeof(line->answer), "%s", words[2]);
	(void)snprintf(line->lasts, sizeof(line->lasts), "%s", n == 4 ? words[3] + 4 : "run");
	script->count++;
	return 0;
}

static int read_script(const char *path, struct script *script, struct err *err)
{
	cleanup_free char *text = NULL;
	char *save = NULL;
	unsigned int number = 0;

	if (fd_read_file(AT_FDCWD, path, 65536, &text, NULL, err) < 0)
		return -1;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (parse_line(script, line, ++number, err) < 0)
			return -1;
	}
	return 0;
}

static bool fits(const char *pattern, const char *text)
{
	return strcmp(pattern, "*") == 0 || strcmp(pattern, text) == 0;
}

static int answer_one(struct ctl *ctl, const struct script *script, json_t *p)
{
	json_t *reply;

	for (size_t i = 0; i < script->count; i++) {
		const struct script_line *line = &script->lines[i];

		if (!fits(line->app, str_of(p, "app")) || !fits(line->permission, str_of(p, "permission")))
			continue;
		reply = ctl_call(ctl, "agent", "io.cowbell.Answer",
				 answer_params(int_of(p, "id"), line->answer, line->lasts, NULL));
		if (!reply)
			return EXIT_FAILED;
		if (!ctl->quiet) {
			(void)printf("%s\n", str_of(reply, "says"));
			(void)fflush(stdout);
		}
		json_decref(reply);
		return EXIT_DONE;
	}
	(void)fprintf(stderr, "cowbell: agent: the script does not expect that %s asks for %s\n", str_of(p, "app"),
		      str_of(p, "permission"));
	return EXIT_FAILED;
}

static int answer_all(struct ctl *ctl, const struct script *script, json_t *reply)
{
	json_t *p;
	size_t i;

	json_array_foreach(json_object_get(reply, "prompts"), i, p)
	{
		if (strcmp(str_of(p, "state"), "waiting") == 0 && answer_one(ctl, script, p) != EXIT_DONE)
			return EXIT_FAILED;
	}
	return EXIT_DONE;
}

int cmd_agent(struct ctl *ctl, int argc, char **argv)
{
	const char *path = NULL;
	const struct option_spec specs[] = { { .name = "--script", .has_value = true, .value = &path }, { .name = NULL } };
	struct script *script = xcalloc(1, sizeof(*script));
	struct varlink_client *client;
	struct err err = { 0 };
	json_t *reply;
	int rc = EXIT_DONE, got;

	if (options_take("agent", specs, &argc, argv) || argc != 1 || !path)
		return usage("agent");
	if (read_script(path, script, &err) < 0)
		return ctl_fail(path, &err);
	client = varlink_client_open(ctl->root, &err);
	if (!client || varlink_client_more(client, "io.cowbell.Agent", json_pack("{s:s}", "name", "script"), &err) < 0)
		return ctl_fail("agent", &err);
	while (rc == EXIT_DONE && (got = varlink_client_recv(client, &reply, &err)) >= 0) {
		rc = answer_all(ctl, script, reply);
		json_decref(reply);
		if (got == 0)
			break;
	}
	if (rc == EXIT_DONE && err.msg[0])
		rc = ctl_fail("agent", &err);
	varlink_client_close(client);
	free(script);
	return rc;
}

/* --- ui --- */

/* The screens are a program of their own beside this one, so that the command
 * line does not carry curses. */
int cmd_ui(struct ctl *ctl, int argc, char **argv)
{
	bool plain = false;
	const struct option_spec specs[] = { { .name = "--plain", .flag = &plain }, { .name = NULL } };
	char path[4096 + 8];
	char *args[5] = { path };
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 8);
	size_t count = 1;

	if (options_take("ui", specs, &argc, argv) || argc != 1)
		return usage("ui");
	if (n <= 0)
		n = 0;
	(void)snprintf(path + n, sizeof(path) - (size_t)n, "-tty");
	if (ctl->root) {
		args[count++] = (char *)(uintptr_t)"--root";
		args[count++] = (char *)(uintptr_t)ctl->root;
	}
	if (plain)
		args[count++] = (char *)(uintptr_t)"--plain";
	(void)execv(path, args);
	(void)fprintf(stderr, "cowbell: ui: run '%s': %s (is cowbell-tty installed beside cowbell?)\n", path,
		      strerror(errno));
	return EXIT_FAILED;
}
