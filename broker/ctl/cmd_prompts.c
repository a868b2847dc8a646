/* SPDX-License-Identifier: MIT
 *
 * Verbs for those who answer without a screen: scripts, and people elsewhere.
 */
#include "ctl/ctl.h"

#include "varlink/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void show_prompt(json_t *p)
{
	json_t *word;
	size_t i;
	const char *state = str_of(p, "state");

	(void)printf("%lld  %s wants %s%s%s", int_of(p, "id"), str_of(p, "app"), str_of(p, "about"),
		     strcmp(state, "waiting") == 0 ? "" : ", ", strcmp(state, "waiting") == 0 ? "" : state);
	(void)printf(" (%s): ", *str_of(p, "program") ? str_of(p, "program") : "program not known");
	json_array_foreach(json_object_get(p, "answers"), i, word)
		(void)printf("%s%s", i ? ", " : "", json_string_value(word));
	if (*str_of(p, "note"))
		(void)printf(" (%s)", str_of(p, "note"));
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

/* Runs command for each question that nobody sees: a light, a vibration, a wall. It
 * gets what the question is about in its environment; its failure is its own. */
static void run_hook(const char *command, json_t *p)
{
	static const char *const names[][2] = { { "COWBELL_APP", "app" },
						{ "COWBELL_PERMISSION", "permission" },
						{ "COWBELL_ABOUT", "about" } };
	char id[32];
	pid_t pid;

	(void)snprintf(id, sizeof(id), "%lld", int_of(p, "id"));
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			(void)setenv(names[i][0], str_of(p, names[i][1]), 1);
		(void)setenv("COWBELL_ID", id, 1);
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		(void)fprintf(stderr, "cowbell: prompts: run the hook: %s\n", strerror(errno));
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static void run_hooks(const char *command, json_t *reply)
{
	json_t *p;
	size_t i;

	json_array_foreach(json_object_get(reply, "prompts"), i, p)
	{
		if (strcmp(str_of(p, "state"), "waiting") == 0 && !bool_of(p, "watched"))
			run_hook(command, p);
	}
}

/* wait: until one waits; else for ever. */
static int watch(struct ctl *ctl, bool wait, const char *hook)
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

			if (hook)
				run_hooks(hook, reply);
			else if (!wait || enough)
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
	const char *hook = NULL;
	const struct option_spec specs[] = { { .name = "--watch", .flag = &watching },
					     { .name = "--wait", .flag = &waiting },
					     { .name = "--hook", .has_value = true, .value = &hook },
					     { .name = NULL } };
	json_t *reply;

	if (options_take("prompts", specs, &argc, argv) || argc != 1)
		return usage("prompts");
	if (watching || waiting || hook)
		return watch(ctl, waiting, hook);
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

static json_t *answer_params(long long id, const char *answer, const char *lasts, const char *const *items, bool all)
{
	json_t *array = json_array();

	for (; items && *items; items++)
		json_array_append_new(array, json_string(*items));
	return json_pack("{s:I, s:s, s:o, s:s, s:b}", "id", (json_int_t)id, "answer", answer, "items", array, "for", lasts,
			 "all_of_app", all);
}

int cmd_answer(struct ctl *ctl, int argc, char **argv)
{
	const char *lasts = "run", *items[33] = { NULL };
	bool all = false;
	const struct option_spec specs[] = {
		{ .name = "--for", .has_value = true, .value = &lasts },
		{ .name = "--all", .flag = &all },
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
	reply = ctl_call(ctl, "answer", "io.cowbell.Answer", answer_params(id, argv[2], lasts, items, all));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	if (!ctl->quiet)
		(void)printf("%s\n", str_of(reply, "says"));
	json_decref(reply);
	return EXIT_DONE;
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
