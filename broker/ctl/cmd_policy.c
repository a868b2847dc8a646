/* SPDX-License-Identifier: MIT
 *
 * policy check, policy test: for those who write policy files; they need no
 * running system.
 */
#include "ctl/ctl.h"

#include "base/fd.h"
#include "policy/policy_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define POLICY_FILE_MAX (256u * 1024)

static void warn_line(void *data, const char *text)
{
	(void)data;
	(void)fprintf(stderr, "cowbell: policy: %s\n", text);
}

static int check(struct ctl *ctl, int count, char **files)
{
	struct ruleset set = { 0 };
	int rc = EXIT_DONE;

	for (int i = 0; i < count; i++) {
		cleanup_free char *text = NULL;
		struct err err = { 0 };
		size_t size = 0, before = set.count;

		if (fd_read_file(AT_FDCWD, files[i], POLICY_FILE_MAX, &text, &size, &err) < 0 ||
		    ruleset_parse(&set, files[i], text, size, &err) < 0) {
			(void)fprintf(stderr, "cowbell: policy: %s\n", err.msg);
			rc = EXIT_FAILED;
			continue;
		}
		if (!ctl->quiet)
			(void)printf("%s: %zu rule%s\n", files[i], set.count - before, set.count - before == 1 ? "" : "s");
	}
	if (policy_lint(&set, warn_line, NULL))
		rc = EXIT_FAILED;
	ruleset_finish(&set);
	return rc;
}

struct test_files {
	const char *folder; /* of the test file: what it names lies beside it */
};

static int read_beside(void *data, const char *name, char **ret, size_t *ret_size, struct err *err)
{
	struct test_files *files = data;
	cleanup_free char *path = name[0] == '/' ? xstrdup(name) : xasprintf("%s/%s", files->folder, name);

	return fd_read_file(AT_FDCWD, path, POLICY_FILE_MAX, ret, ret_size, err);
}

static int test_one(struct ctl *ctl, const char *path)
{
	cleanup_free char *text = NULL, *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');
	struct test_files files = { .folder = "." };
	struct policy_test_report report = { .on_failed = warn_line, .read_file = read_beside, .data = &files };
	struct err err = { 0 };
	size_t size = 0;

	if (slash) {
		slash[slash == folder] = '\0';
		files.folder = folder;
	}
	if (fd_read_file(AT_FDCWD, path, POLICY_FILE_MAX, &text, &size, &err) < 0 ||
	    policy_test_run(path, text, size, &report, &err) < 0) {
		(void)fprintf(stderr, "cowbell: policy: %s\n", err.msg);
		return EXIT_FAILED;
	}
	if (report.passed + report.failed == 0) {
		(void)fprintf(stderr, "cowbell: policy: %s expects nothing, so it proves nothing\n", path);
		return EXIT_FAILED;
	}
	if (!ctl->quiet)
		(void)printf("%s: %u as expected, %u not\n", path, report.passed, report.failed);
	return report.failed ? EXIT_FAILED : EXIT_DONE;
}

int cmd_policy(struct ctl *ctl, int argc, char **argv)
{
	static const struct option_spec no_options[] = { { .name = NULL } };
	int rc = EXIT_DONE;

	if (options_take("policy", no_options, &argc, argv) || argc < 3)
		return usage("policy");
	if (strcmp(argv[1], "check") == 0)
		return check(ctl, argc - 2, argv + 2);
	if (strcmp(argv[1], "test") != 0)
		return usage("policy");
	for (int i = 2; i < argc; i++) {
		if (test_one(ctl, argv[i]) != EXIT_DONE)
			rc = EXIT_FAILED;
	}
	return rc;
}
