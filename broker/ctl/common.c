/* SPDX-License-Identifier: MIT
 *
 * Options, calls, and how things are shown.
 */
#include "ctl/ctl.h"

#include "policy/permission.h"
#include "varlink/client.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct option_spec *find_spec(const struct option_spec *specs, const char *word)
{
	for (; specs->name; specs++) {
		size_t n = strlen(specs->name);

		if (strcmp(word, specs->name) == 0 || (specs->has_value && strncmp(word, specs->name, n) == 0 &&
						       word[n] == '='))
			return specs;
	}
	return NULL;
}

static int set_value(const struct option_spec *spec, const char *value)
{
	size_t n = 0;

	if (!spec->has_value) {
		*spec->flag = true;
		return 0;
	}
	if (!spec->values) {
		*spec->value = value;
		return 0;
	}
	while (spec->values[n])
		n++;
	if (n == 32)
		return EXIT_USAGE;
	spec->values[n] = value;
	return 0;
}

/* verb NULL: the global options; what they do not know is the verb's. */
int options_take(const char *verb, const struct option_spec *specs, int *argc, char **argv)
{
	int kept = 1, i = 1;

	for (; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		const struct option_spec *spec = find_spec(specs, argv[i]);
		const char *equals = spec ? strchr(argv[i], '=') : NULL;

		if (!spec && verb && argv[i][0] == '-' && argv[i][1]) {
			char shown[SHORT_TEXT];

			text_escape(argv[i], strlen(argv[i]), shown, sizeof(shown));
			(void)fprintf(stderr, "cowbell: %s has no option '%s' (cowbell %s --help)\n", verb, shown, verb);
			return EXIT_USAGE;
		}
		if (!spec) {
			argv[kept++] = argv[i];
			continue;
		}
		if (spec->has_value && !equals && i + 1 >= *argc) {
			(void)fprintf(stderr, "cowbell: %s: %s wants a value\n", verb ? verb : "cowbell", spec->name);
			return EXIT_USAGE;
		}
		if (set_value(spec, spec->has_value ? (equals ? equals + 1 : argv[++i]) : NULL))
			return EXIT_USAGE;
	}
	for (; i < *argc; i++)
		argv[kept++] = argv[i];
	argv[kept] = NULL;
	*argc = kept;
	return 0;
}

int ctl_fail(const char *what, const struct err *err)
{
	char shown[300];

	text_escape(what, strlen(what), shown, sizeof(shown));
	(void)fprintf(stderr, "cowbell: %s: %s\n", shown, err->msg);
	return EXIT_FAILED;
}

json_t *ctl_call(struct ctl *ctl, const char *what, const char *method, json_t *params)
{
	struct err err = { 0 };
	struct varlink_client *client = varlink_client_open(ctl->root, &err);
	json_t *reply = NULL;

	if (!client) {
		json_decref(params);
		(void)ctl_fail(what, &err);
		return NULL;
	}
	if (varlink_client_call(client, method, params, &reply, &err) < 0) {
		(void)ctl_fail(what, &err);
		reply = NULL;
	}
	varlink_client_close(client);
	return reply;
}

int ctl_print_json(json_t *object)
{
	int rc = json_dumpf(object, stdout, JSON_COMPACT);

	json_decref(object);
	(void)putchar('\n');
	return rc == 0 ? EXIT_DONE : EXIT_FAILED;
}

bool ctl_confirm(struct ctl *ctl, const char *what, const char *question)
{
	char line[16];

	if (ctl->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		(void)fprintf(stderr, "cowbell: %s: nobody is there to confirm (--yes)\n", what);
		return false;
	}
	(void)fprintf(stderr, "%s [y/N] ", question);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	return line[0] == 'y' || line[0] == 'Y';
}

void show_text(const char *text)
{
	char shown[2048];

	text_escape(text, strlen(text), shown, sizeof(shown));
	(void)fputs(shown, stdout);
}

long long ctl_since(const char *text)
{
	struct duration d;
	struct err err = { 0 };
	struct tm tm = { .tm_isdst = -1 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (end && *end == '\0')
		return (long long)mktime(&tm) * 1000;
	if (duration_parse(text, &d, &err) < 0 || d.lasts != LASTS_TIME)
		return -1;
	return (long long)time(NULL) * 1000 - (long long)d.ms;
}

bool has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n > m && strcmp(text + n - m, suffix) == 0;
}

int open_failed(const char *path)
{
	int code = errno;
	bool release = code == ENOENT && islower((unsigned char)path[0]) && strchr(path, '/') && !has_suffix(path, ".deb") &&
		       !has_suffix(path, ".cowbell");

	/* To apt "name/stable" is a package of a release. */
	(void)fprintf(stderr, "cowbell: %s: %s%s\n", path, strerror(code), release ? " (a package's name has no '/')" : "");
	return EXIT_FAILED;
}
