/* SPDX-License-Identifier: MIT
 *
 * update: a new version on the app's state.
 */
#include "ctl/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX 32

static bool is_file(const char *word)
{
	size_t n = strlen(word);

	return strchr(word, '/') || (n > 4 && strcmp(word + n - 4, ".deb") == 0);
}

static bool is_bundle, force;

static int update_one(struct ctl *ctl, const char *app, const int *fds, size_t count, bool no_new)
{
	json_t *files = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(files, json_string("file"));
	return relay_command(ctl, app, "io.cowbell.Update",
			     json_pack("{s:s, s:o, s:b, s:b, s:b}", "app", app, "files", files, "no_new_permissions", no_new,
				       "bundle", is_bundle, "force", force), fds, count,
			     false, false);
}

static int update_from_files(struct ctl *ctl, const char *app, char **paths, int count, bool no_new)
{
	int fds[FILES_MAX], rc = EXIT_FAILED;
	size_t n = 0;

	if (count > FILES_MAX)
		return usage("update");
	for (int i = 0; i < count; i++) {
		struct stat st;
		int fd = open(paths[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);

		if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
			(void)fprintf(stderr, "cowbell: %s: %s\n", paths[i], fd < 0 ? strerror(errno) : "not a file");
			if (fd >= 0)
				(void)close(fd);
			goto out;
		}
		fds[n++] = fd;
	}
	rc = update_one(ctl, app, fds, n, no_new);
out:
	while (n > 0)
		(void)close(fds[--n]);
	return rc;
}

/* Every app that has a name in this system's lists. */
static int update_all(struct ctl *ctl, bool no_new)
{
	json_t *reply = ctl_call(ctl, "update", "io.cowbell.List", NULL), *app;
	int rc = EXIT_DONE;
	size_t i;

	if (!reply)
		return EXIT_FAILED;
	json_array_foreach(json_object_get(reply, "apps"), i, app)
	{
		if (*str_of(app, "package") && !bool_of(app, "from_base") &&
		    update_one(ctl, str_of(app, "id"), NULL, 0, no_new) != EXIT_DONE)
			rc = EXIT_FAILED;
	}
	json_decref(reply);
	return rc;
}

int cmd_update(struct ctl *ctl, int argc, char **argv)
{
	bool no_new = false;
	const struct option_spec specs[] = { { .name = "--no-new-permissions", .flag = &no_new },
					     { .name = "--force", .flag = &force },
					     { .name = NULL } };
	int rc = EXIT_DONE;

	if (options_take("update", specs, &argc, argv))
		return EXIT_USAGE;
	if (argc == 1)
		return update_all(ctl, no_new);
	if (is_file(argv[1]))
		return usage("update");
	is_bundle = argc == 3 && strlen(argv[2]) > 8 && strcmp(argv[2] + strlen(argv[2]) - 8, ".cowbell") == 0;
	if (argc > 2 && is_file(argv[2]))
		return update_from_files(ctl, argv[1], argv + 2, argc - 2, no_new);
	for (int i = 1; i < argc; i++) {
		if (update_one(ctl, argv[i], NULL, 0, no_new) != EXIT_DONE)
			rc = EXIT_FAILED;
	}
	return rc;
}
