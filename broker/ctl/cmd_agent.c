/* SPDX-License-Identifier: MIT
 *
 * Agents that are no screens: a script that answers, for other people's tests,
 * and the word of a screen lock.
 */
#include "ctl/ctl.h"

#include "base/fd.h"
#include "varlink/client.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct script_line {
	char app[64], permission[160], answer[16], lasts[32];
};

struct script {
	struct script_line lines[256];
	size_t count;
	size_t done; /* exact: how many of the lines were asked for */
	bool exact;  /* each line is one question, in this order */
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

static int answer_one(struct ctl *ctl, struct script *script, json_t *p)
{
	json_t *reply;

	for (size_t i = script->exact ? script->done : 0; i < script->count; i++) {
		const struct script_line *line = &script->lines[i];

		if (script->exact && i > script->done)
			break;
		if (!fits(line->app, str_of(p, "app")) || !fits(line->permission, str_of(p, "permission")))
			continue;
		reply = ctl_call(ctl, "agent", "io.cowbell.Answer",
				 json_pack("{s:I, s:s, s:s}", "id", (json_int_t)int_of(p, "id"), "answer", line->answer,
					   "for", line->lasts));
		if (!reply)
			return EXIT_FAILED;
		script->done++;
		if (!ctl->quiet) {
			(void)printf("%s\n", str_of(reply, "says"));
			(void)fflush(stdout);
		}
		json_decref(reply);
		return EXIT_DONE;
	}
	(void)fprintf(stderr, "cowbell: agent: the script does not expect that %s asks for %s%s\n", str_of(p, "app"),
		      str_of(p, "permission"), script->exact ? " now" : "");
	return EXIT_FAILED;
}

static int answer_all(struct ctl *ctl, struct script *script, json_t *reply)
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

/* The screen is locked: agents of this person count as absent until it is not. */
static int set_locked(struct ctl *ctl, const char *word)
{
	json_t *reply;

	if (strcmp(word, "on") != 0 && strcmp(word, "off") != 0)
		return usage("agent");
	reply = ctl_call(ctl, "agent", "io.cowbell.AgentLocked", json_pack("{s:b}", "locked", strcmp(word, "on") == 0));
	json_decref(reply);
	return reply ? EXIT_DONE : EXIT_FAILED;
}

static bool all_asked(const struct script *script)
{
	return script->exact && script->done == script->count;
}

int cmd_agent(struct ctl *ctl, int argc, char **argv)
{
	const char *path = NULL, *locked = NULL;
	bool exact = false;
	const struct option_spec specs[] = { { .name = "--script", .has_value = true, .value = &path },
					     { .name = "--exact", .flag = &exact },
					     { .name = "--locked", .has_value = true, .value = &locked },
					     { .name = NULL } };
	struct script *script = xcalloc(1, sizeof(*script));
	struct varlink_client *client;
	struct err err = { 0 };
	json_t *reply;
	int rc = EXIT_DONE, got;

	if (options_take("agent", specs, &argc, argv) || argc != 1 || !path == !locked)
		return usage("agent");
	if (locked)
		return set_locked(ctl, locked);
	script->exact = exact;
	if (read_script(path, script, &err) < 0)
		return ctl_fail(path, &err);
	client = varlink_client_open(ctl->root, &err);
	if (!client || varlink_client_more(client, "io.cowbell.Agent", json_pack("{s:s}", "name", "script"), &err) < 0)
		return ctl_fail("agent", &err);
	while (rc == EXIT_DONE && !all_asked(script) && (got = varlink_client_recv(client, &reply, &err)) >= 0) {
		rc = answer_all(ctl, script, reply);
		json_decref(reply);
		if (got == 0)
			break;
	}
	if (rc == EXIT_DONE && err.msg[0] && !all_asked(script))
		rc = ctl_fail("agent", &err);
	varlink_client_close(client);
	free(script);
	return rc;
}

