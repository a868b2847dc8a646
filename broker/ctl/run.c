/* SPDX-License-Identifier: MIT
 *
 * run, exec, shell: a command in a session, with our standard descriptors.
 */
#include "ctl/relay.h"

#include "policy/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static json_t *environment(void)
{
	static const char *const names[] = { "TERM=", "COLORTERM=", "LANG=", "LANGUAGE=", "LC_", "TZ=", "NO_COLOR=" };
	json_t *array = json_array(), *word;

	for (char **e = environ; *e; e++) {
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			if (strncmp(*e, names[i], strlen(names[i])) == 0 && (word = json_string(*e)))
				json_array_append_new(array, word);
		}
	}
	return array;
}

/* The words behind "--"; NULL and a message when one is not UTF-8. */
json_t *run_words(const char *verb, char **argv)
{
	json_t *array = json_array();

	for (; *argv; argv++) {
		json_t *word = json_string(*argv);

		if (!word) {
			(void)fprintf(stderr, "cowbell: %s: a word of the command is not UTF-8 text\n", verb);
			json_decref(array);
			return NULL;
		}
		json_array_append_new(array, word);
	}
	return array;
}

json_t *run_params(const char *app, json_t *argv)
{
	char cwd[4096];
	int rows, columns;
	json_t *params, *at;

	if (!getcwd(cwd, sizeof(cwd))) {
		cwd[0] = '\0';
		(void)fprintf(stderr, "cowbell: the current folder is gone; the app starts in its home\n");
	}
	at = json_string(cwd);
	if (!at) {
		at = json_string("");
		(void)fprintf(stderr, "cowbell: the name of the current folder is not UTF-8 text; the app starts in its home\n");
	}
	relay_size(&rows, &columns);
	params = json_pack("{s:s, s:o, s:o, s:i, s:i, s:i}", "app", app, "argv", argv, "env", environment(), "tty",
			   relay_tty_bits(), "rows", rows, "columns", columns);
	if (params)
		json_object_set_new(params, "cwd", at);
	else
		json_decref(at);
	return params;
}

/* Index of "--", or argc. */
static int find_dashes(int argc, char **argv)
{
	int i = 1;

	while (i < argc && strcmp(argv[i], "--") != 0)
		i++;
	return i;
}

#define GIVES_MAX 32u /* what options_take takes; how many are too many the broker says */

struct gives {
	json_t *words;
	int fds[GIVES_MAX];
	size_t count;
};

static int open_plain(const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(unsigned int)flags, .resolve = RESOLVE_NO_SYMLINKS };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* What is given is what the person named: a link on the way can have been put there
 * by an app that may write to that folder, and lead to a key. Links of root's are the
 * system's own layout. Returns false with errno ELOOP for any other. */
static bool resolve_links(const char *path, char ret[PATH_MAX])
{
	size_t n = 0;

	if (snprintf(ret, PATH_MAX, "%s", path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	while (ret[n]) {
		char rest[PATH_MAX];
		cleanup_free char *real = NULL;
		struct stat st;
		char end;

		n += strspn(ret + n, "/");
		n += strcspn(ret + n, "/");
		end = ret[n];
		ret[n] = '\0';
		if (lstat(ret, &st) < 0)
			return false;
		if (S_ISLNK(st.st_mode) && st.st_uid != 0) {
			errno = ELOOP;
			return false;
		}
		ret[n] = end;
		if (!S_ISLNK(st.st_mode))
			continue;
		(void)snprintf(rest, sizeof(rest), "%s", ret + n);
		ret[n] = '\0';
		real = realpath(ret, NULL);
		if (!real || snprintf(ret, PATH_MAX, "%s%s", real, rest) >= PATH_MAX)
			return false;
		n = strlen(real);
	}
	return true;
}

static int open_given(const char *path, bool write)
{
	const int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	char plain[PATH_MAX];
	int fd;

	if (!resolve_links(path, plain))
		return -1;
	fd = open_plain(plain, flags | (write ? O_RDWR : O_RDONLY));
	return fd < 0 && errno == EISDIR ? open_plain(plain, flags | O_RDONLY | O_DIRECTORY) : fd;
}

static void say_link(const char *shown, const char *path)
{
	cleanup_free char *real = realpath(path, NULL);
	char to[SHORT_TEXT * 2];

	text_escape(real ? real : "", real ? strlen(real) : 0, to, sizeof(to));
	(void)fprintf(stderr, "cowbell: cannot give '%s': a link leads from there%s%s%s (name what is meant itself)\n", shown,
		      real ? " to '" : "", to, real ? "'" : "");
}

/* Opens what is given, with the rights of whoever gives it. */
static int take_gives(char **paths, struct gives *ret)
{
	ret->words = json_array();
	for (; *paths; paths++) {
		char *path = *paths, shown[SHORT_TEXT];
		size_t n = strlen(path);
		bool write = !(n > 3 && strcmp(path + n - 3, ":ro") == 0);
		json_t *word;
		int fd;

		if (!write)
			path[n - 3] = '\0';
		fd = open_given(path, write);
		text_escape(path, strlen(path), shown, sizeof(shown));
		if (fd < 0 && errno == ELOOP) {
			say_link(shown, path);
			return -1;
		}
		if (fd < 0) {
			(void)fprintf(stderr, "cowbell: cannot give '%s': %s%s\n", shown, strerror(errno),
				      write && (errno == EACCES || errno == EROFS) ? " (to be read alone: PATH:ro)" : "");
			return -1;
		}
		ret->fds[ret->count++] = fd;
		word = json_sprintf("%s %s", write ? "write" : "read", path);
		if (!word) {
			(void)fprintf(stderr, "cowbell: cannot give '%s': its name is not UTF-8 text\n", shown);
			return -1;
		}
		json_array_append_new(ret->words, word);
	}
	return 0;
}

static void drop_gives(struct gives *gives)
{
	for (size_t i = 0; i < gives->count; i++)
		(void)close(gives->fds[i]);
}

int cmd_run(struct ctl *ctl, int argc, char **argv)
{
	bool detach = false, old_base = false;
	const char *command = NULL, *give[GIVES_MAX + 1] = { NULL };
	struct gives gives = { 0 };
	const struct option_spec specs[] = { { .name = "--detach", .flag = &detach },
					     { .name = "--old-base", .flag = &old_base },
					     { .name = "--command", .has_value = true, .value = &command },
					     { .name = "--give", .has_value = true, .values = give },
					     { .name = NULL } };
	json_t *args, *params;
	int dashes, rc;

	if (options_take("run", specs, &argc, argv))
		return EXIT_USAGE;
	dashes = find_dashes(argc, argv);
	if (dashes != 2)
		return usage("run");
	args = run_words("run", argv + dashes + (dashes < argc));
	if (!args)
		return EXIT_USAGE;
	params = run_params(argv[1], args);
	if (command)
		json_object_set_new(params, "command", json_string(command));
	if (detach)
		json_object_set_new(params, "detach", json_true());
	if (old_base)
		json_object_set_new(params, "old_base", json_true());
	if (take_gives((char **)give, &gives) < 0) {
		drop_gives(&gives);
		json_decref(gives.words);
		json_decref(params);
		return EXIT_REFUSED;
	}
	json_object_set_new(params, "give", gives.words);
	rc = relay_command(ctl, argv[1], "io.cowbell.Run", params, gives.fds, gives.count, !detach, detach);
	drop_gives(&gives);
	return rc;
}

int cmd_exec(struct ctl *ctl, int argc, char **argv)
{
	int dashes = find_dashes(argc, argv);
	json_t *args, *params;

	if (dashes != 2 || dashes + 1 >= argc)
		return usage("exec");
	args = run_words("exec", argv + dashes + 1);
	if (!args)
		return EXIT_USAGE;
	params = run_params(argv[1], args);
	json_object_set_new(params, "exec_only", json_true());
	return relay_command(ctl, argv[1], "io.cowbell.Run", params, NULL, 0, true, false);
}

int cmd_shell(struct ctl *ctl, int argc, char **argv)
{
	const char *script = NULL;
	const struct option_spec specs[] = { { .name = "-c", .has_value = true, .value = &script }, { .name = NULL } };
	json_t *args = json_array(), *params;

	if (options_take("shell", specs, &argc, argv) || argc != 2) {
		json_decref(args);
		return usage("shell");
	}
	if (script) {
		json_array_append_new(args, json_string("-c"));
		json_array_append_new(args, json_string(script));
	}
	params = run_params(argv[1], args);
	json_object_set_new(params, "shell", json_true());
	return relay_command(ctl, argv[1], "io.cowbell.Run", params, NULL, 0, true, false);
}
