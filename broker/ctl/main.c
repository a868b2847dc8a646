/* SPDX-License-Identifier: MIT
 *
 * cowbell: the command line. One verb a call; what it may is the socket's
 * business.
 */
#include "ctl/ctl.h"

#include "base/fd.h"
#include "policy/permission.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

const struct verb verbs[] = {
	{ "install", "[--name APP] [--dry-run] [--timeout 30m] NAME...|FILE.deb...|[--key KEY] FILE.cowbell|PATH | --name APP [--with DIR] -- COMMAND...",
	  "install a package in a sandbox of its own", cmd_install },
	{ "search", "WORD...", "look for packages in this system's lists", cmd_search },
	{ "inspect", "FILE|NAME...", "what a package is and wants, before anything of it runs", cmd_inspect },
	{ "try", "FILE|NAME|APP [-- ARGS...]", "run it once, give it nothing, keep nothing, and tell what it reached for", cmd_try },
	{ "bundle", "DIR -k KEY -o FILE.cowbell", "make a signed bundle of a folder", cmd_bundle },
	{ "update", "[--no-new-permissions] [--force] [APP... | APP FILE.deb... | APP FILE.cowbell]", "a new version; state and answers stay", cmd_update },
	{ "rebuild", "[APP...] | --before PID", "install apps anew after this system's packages changed", cmd_rebuild },
	{ "uninstall", "[--stop] APP", "remove an app and all it left", cmd_uninstall },
	{ "list", "", "the installed apps", cmd_list },
	{ "info", "APP", "one app: what it is, may, and was", cmd_info },
	{ "run", "[--detach] [--old-base] [--command PROGRAM] [--give PATH[:ro]]... APP [-- ARGS...]", "run an app", cmd_run },
	{ "exec", "APP -- COMMAND...", "run a command in an app's running session", cmd_exec },
	{ "shell", "APP [-c COMMAND]", "a shell on an app's root", cmd_shell },
	{ "ps", "", "what runs, and what it was given", cmd_ps },
	{ "stop", "APP", "end an app's session", cmd_stop },
	{ "autostart", "APP on|off", "start it with the system, and again when it falls over", cmd_autostart },
	{ "logs", "APP", "what an app wrote that was started by itself", cmd_logs },
	{ "permissions", "[APP] [--by-permission] [--in-use]", "who may what, and why", cmd_permissions },
	{ "grant", "APP PERMISSION[:ITEM] ANSWER [--for run|90m|4h|boot|always]", "answer before it is asked", cmd_grant },
	{ "revoke", "APP PERMISSION[:ITEM] [--stop] [--forget]", "take an answer back, at once", cmd_revoke },
	{ "lock", "APP PERMISSION", "keep an answer against policy and updates", cmd_lock },
	{ "unlock", "APP PERMISSION", "let an answer be changed again", cmd_lock },
	{ "lapse", "[DAYS|off]", "after how many days without use an answer is asked again", cmd_lapse },
	{ "cap", "APP [network|network:local SIZE|off]", "how much it may send and receive in a month", cmd_cap },
	{ "explain", "APP PERMISSION[:ITEM]", "which rule or answer decides", cmd_explain },
	{ "policy", "check FILE... | test FILE...", "try policy files before they count", cmd_policy },
	{ "prompts", "[--watch|--wait] [--hook COMMAND]", "the questions that wait", cmd_prompts },
	{ "answer", "ID ANSWER [--for run|90m|4h|boot|always] [--all]", "answer a question", cmd_answer },
	{ "agent", "--script FILE [--exact] | --locked on|off", "answer as a script says", cmd_agent },
	{ "history", "[APP] [--permission P] [--since 7d] [--by-app|--by-permission|--summary]", "what was asked, answered and used", cmd_history },
	{ "generations", "APP", "the states that an app can go back to", cmd_generations },
	{ "versions", "APP [PATH] [--since 7d]", "the files that an app changed", cmd_versions },
	{ "cat", "APP PATH[@GENERATION]", "a file as it was", cmd_cat },
	{ "diff", "APP [FROM [TO]]", "what changed between two generations", cmd_diff },
	{ "rollback", "APP [GENERATION] [--with-grants] [--now] [--stop]", "go back; undoes the last run without a number", cmd_rollback },
	{ "reset", "APP [--grants] [--now] [--stop]", "factory state; the install stays", cmd_reset },
	{ "pin", "APP GENERATION", "never delete this generation by itself", cmd_pin },
	{ "plan", "APP", "how its session is built", cmd_plan },
	{ "mark", "[MARK]", "your sign on the last row of every question", cmd_mark },
	{ "ui", "[--plain]", "the screens: apps, bells, who has what", cmd_ui },
	{ "doctor", "", "what this system can and cannot do", cmd_doctor },
	{ NULL, NULL, NULL, NULL },
};

static int help(FILE *to)
{
	(void)fputs("usage: cowbell [--root DIR] [--json] [--quiet] [--yes] VERB ...\n\n", to);
	for (const struct verb *v = verbs; v->name; v++)
		(void)fprintf(to, "  %-12s %s\n", v->name, v->help);
	(void)fputs("\ncowbell ui shows all of it on screens. cowbell VERB --help shows a verb's words.\n"
		    "COWBELL_ROOT does what --root does.\n", to);
	return to == stdout ? EXIT_DONE : EXIT_USAGE;
}

static const struct verb *find_verb(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++) {
		if (strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

int usage(const char *name)
{
	const struct verb *v = find_verb(name);

	(void)fprintf(stderr, "usage: cowbell %s%s%s\n", name, v && *v->usage ? " " : "", v ? v->usage : "");
	return EXIT_USAGE;
}

static int take_global(struct ctl *ctl, int *argc, char **argv, bool *help_wanted, bool *version)
{
	const struct option_spec specs[] = {
		{ .name = "--root", .has_value = true, .value = &ctl->root },
		{ .name = "--json", .flag = &ctl->json },
		{ .name = "--quiet", .flag = &ctl->quiet },
		{ .name = "--yes", .flag = &ctl->yes },
		{ .name = "--help", .flag = help_wanted },
		{ .name = "--version", .flag = version },
		{ .name = NULL },
	};

	return options_take(NULL, specs, argc, argv);
}

/* The socket speaks JSON, which is UTF-8. Files to install are opened here, so
 * their names may be anything. */
static bool words_are_text(const struct verb *verb, int argc, char **argv)
{
	char shown[SHORT_TEXT];

	for (int i = 2; i < argc; i++) {
		json_t *word = json_string(argv[i]);

		json_decref(word);
		if (word || verb->fn == cmd_install)
			continue;
		text_escape(argv[i], strlen(argv[i]), shown, sizeof(shown));
		(void)fprintf(stderr, "cowbell: %s: '%s' is not UTF-8 text\n", verb->name, shown);
		return false;
	}
	return true;
}

/* What was printed has to arrive, or the verb failed. A reader that has seen
 * enough is none of our business. */
static int finish(int rc)
{
	bool failed = fflush(stdout) != 0 || ferror(stdout);

	if (failed && errno != EPIPE)
		(void)fprintf(stderr, "cowbell: write to standard output: %s\n", strerror(errno));
	return failed && rc == EXIT_DONE ? EXIT_FAILED : rc;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { 0 };
	bool help_wanted = false, version = false;
	const struct verb *verb;
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	if (fd_fill_standard() < 0)
		return EXIT_FAILED;
	rc = take_global(&ctl, &argc, argv, &help_wanted, &version);
	if (rc)
		return rc;
	if (!ctl.root)
		ctl.root = getenv("COWBELL_ROOT");
	if (ctl.root && !*ctl.root)
		ctl.root = NULL;
	if (version) {
		(void)puts("cowbell 0.1");
		return finish(EXIT_DONE);
	}
	if (argc < 2)
		return finish(help(help_wanted ? stdout : stderr));
	verb = find_verb(argv[1]);
	if (!verb) {
		(void)fprintf(stderr, "cowbell: there is no verb '%s' (cowbell --help)\n", argv[1]);
		return EXIT_USAGE;
	}
	if (help_wanted) {
		(void)printf("cowbell %s%s%s\n  %s\n", verb->name, *verb->usage ? " " : "", verb->usage, verb->help);
		return finish(EXIT_DONE);
	}
	if (!words_are_text(verb, argc, argv))
		return EXIT_USAGE;
	return finish(verb->fn(&ctl, argc - 1, argv + 1));
}
