/* SPDX-License-Identifier: MIT
 *
 * install: what it is decides how it goes in. Packages are passed as open
 * files; folders and programs as a tar stream that our own tar makes with our
 * own rights.
 */
#include "ctl/relay.h"

#include "base/mem.h"
#include "base/path.h"
#include "policy/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES_MAX 32

static long long timeout_s; /* 0: what is usual */

static int take_timeout(const char *word)
{
	struct duration d;
	struct err err = { 0 };

	if (duration_parse(word, &d, &err) < 0 || d.lasts != LASTS_TIME) {
		(void)fprintf(stderr, "cowbell: install: --timeout wants a time such as 90m or 4h\n");
		return -1;
	}
	timeout_s = (long long)(d.ms / 1000);
	return 0;
}

/* tar of one name below a folder, on a pipe; -1 after saying why. */
static int tar_stream(const char *folder, const char *name)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		(void)open_failed(folder);
		return -1;
	}
	if (pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)signal(SIGPIPE, SIG_DFL); /* a refused install is told by us, not by tar */
		(void)execlp("tar", "tar", "-C", folder, "-c", "--", name, (char *)NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	return fds[0];
}

json_t *install_params(const char *kind, const char *name, const char *source, char **argv, size_t files)
{
	json_t *words = json_array(), *list = json_array();
	char source_shown[512], name_shown[512];
	int rows, columns;

	text_escape(source, strlen(source), source_shown, sizeof(source_shown));
	text_escape(name, strlen(name), name_shown, sizeof(name_shown));
	for (; argv && *argv; argv++)
		json_array_append_new(words, json_string(*argv));
	for (size_t i = 0; i < files; i++)
		json_array_append_new(list, json_string("file"));
	relay_size(&rows, &columns);
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:i, s:i, s:i, s:I}", "kind", kind, "name", name_shown, "source",
			 source_shown, "argv", words, "files", list, "tty", relay_tty_bits(), "rows", rows, "columns", columns,
			 "timeout", (json_int_t)timeout_s);
}

static int install_debs(struct ctl *ctl, const char *name, int count, char **paths)
{
	int fds[FILES_MAX], rc;
	char source[512];

	if (count > FILES_MAX) {
		(void)fprintf(stderr, "cowbell: install: more than %d packages at once\n", FILES_MAX);
		return EXIT_USAGE;
	}
	for (int i = 0; i < count; i++) {
		struct stat st;

		fds[i] = open(paths[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO has no writer */
		if (fds[i] < 0 || fstat(fds[i], &st) < 0)
			return open_failed(paths[i]);
		if (!S_ISREG(st.st_mode) || !has_suffix(paths[i], ".deb")) {
			(void)fprintf(stderr, "cowbell: %s: not a .deb file\n", paths[i]);
			return EXIT_FAILED;
		}
	}
	(void)snprintf(source, sizeof(source), "file %.400s", path_base(paths[0]));
	rc = relay_command(ctl, path_base(paths[0]), "io.cowbell.Install",
			   install_params("deb", name ? name : "", source, NULL, (size_t)count), fds, (size_t)count, false,
			   false);
	for (int i = 0; i < count; i++)
		(void)close(fds[i]);
	return rc;
}

/* What people have in hand, and how it becomes an app. */
static const char *what_to_do(const char *path)
{
	static const struct {
		const char *suffix, *words;
	} kinds[] = {
		{ ".whl", "cowbell install --name NAME --with FOLDER -- pip3 install --break-system-packages --no-index FILE" },
		{ ".zip", "unpack it, and install the folder" },
		{ ".tgz", "unpack it, and install the folder" },
		{ ".tar", "unpack it, and install the folder" },
		{ ".tar.gz", "unpack it, and install the folder" },
		{ ".tar.xz", "unpack it, and install the folder" },
		{ ".tar.bz2", "unpack it, and install the folder" },
		{ ".tar.zst", "unpack it, and install the folder" },
		{ ".rpm", "it is a package of another kind of system" },
		{ ".snap", "it is a package of another kind of system" },
		{ ".flatpakref", "it is a package of another kind of system" },
		{ ".AppImage", "chmod +x makes it a program" },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (has_suffix(path, kinds[i].suffix))
			return kinds[i].words;
	}
	return NULL;
}

static int refuse_file(const char *path)
{
	const char *words = what_to_do(path);

	(void)fprintf(stderr, "cowbell: %s: neither a folder nor an executable file (%s)\n", path,
		      words ? words : "chmod +x it if it is a program; a package ends in .deb");
	return EXIT_FAILED;
}

/* "Foo-1.2-x86_64.AppImage": foo-1.2-x86_64. */
static char *name_of_file(const char *file)
{
	char *name = xstrdup(file);

	if (has_suffix(name, ".AppImage"))
		name[strlen(name) - strlen(".AppImage")] = '\0';
	for (char *p = name; *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p == ' ' ? '-' : *p);
	return name;
}

static int install_tree(struct ctl *ctl, const char *name, const char *path)
{
	char *real = realpath(path, NULL), *slash, source[512];
	cleanup_free char *own = NULL;
	struct stat st;
	int fd, rc;
	bool folder;

	if (!real || stat(real, &st) < 0)
		return open_failed(path);
	folder = S_ISDIR(st.st_mode);
	if (!folder && !(S_ISREG(st.st_mode) && (st.st_mode & 0111))) {
		free(real);
		return refuse_file(path);
	}
	slash = strrchr(real, '/');
	if (!name)
		name = own = name_of_file(slash + 1);
	(void)snprintf(source, sizeof(source), "%s %.400s", folder ? "folder" : "program", slash + 1);
	if (folder) {
		fd = tar_stream(real, ".");
	} else {
		*slash = '\0';
		fd = tar_stream(*real ? real : "/", slash + 1);
	}
	if (fd < 0) {
		free(real);
		return EXIT_FAILED;
	}
	rc = relay_command(ctl, path, "io.cowbell.Install",
			   install_params(folder ? "directory" : "program", name, source, NULL, 1), &fd, 1, false, false);
	(void)close(fd);
	free(real);
	return rc;
}

static int install_command(struct ctl *ctl, const char *name, const char *with, char **argv)
{
	cleanup_free char *real = with ? realpath(with, NULL) : NULL;
	json_t *params;
	char source[512];
	int fd = -1, rc;

	if (!name || !*argv)
		return usage("install");
	if (with && !real)
		return open_failed(with);
	(void)snprintf(source, sizeof(source), "command %.400s", argv[0]);
	params = install_params("command", name, source, argv, with ? 1 : 0);
	if (!params) {
		(void)fprintf(stderr, "cowbell: install: a word of the command is not UTF-8 text\n");
		return EXIT_USAGE;
	}
	if (with) {
		json_object_set_new(params, "with", json_string(real));
		fd = tar_stream(real, ".");
		if (fd < 0)
			return EXIT_FAILED;
	}
	rc = relay_command(ctl, name, "io.cowbell.Install", params, &fd, with ? 1 : 0, false, false);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* A word with "/" or a known suffix; a file of the name of a package is no path. */
static bool is_path(const char *word)
{
	return strchr(word, '/') || strcmp(word, ".") == 0 || strcmp(word, "..") == 0 || has_suffix(word, ".deb") ||
	       has_suffix(word, ".cowbell") || what_to_do(word);
}

static int dry_needs_name(void)
{
	(void)fputs("cowbell: install: a dry run looks up a package's name; a file is looked into by "
		    "cowbell inspect FILE\n", stderr);
	return EXIT_USAGE;
}

static int install_names(struct ctl *ctl, const char *name, char **names)
{
	char source[512];
	int rc;

	(void)snprintf(source, sizeof(source), "this system's packages: %.400s", names[0]);
	rc = relay_command(ctl, names[0], "io.cowbell.Install", install_params("name", name ? name : "", source, names, 0),
			   NULL, 0, false, false);
	if (rc == EXIT_FAILED && !ctl->json && access(names[0], F_OK) == 0)
		(void)fprintf(stderr, "cowbell: %s: what lies here is meant by ./%s\n", names[0], names[0]);
	return rc;
}

static int dry_run(struct ctl *ctl, char **names)
{
	json_t *words = json_array(), *reply, *p;
	long long download = 0, room = 0, count = 0;
	char size[SHORT_TEXT], size2[SHORT_TEXT];
	size_t i;

	for (char **n = names; *n; n++)
		json_array_append_new(words, json_string(*n));
	reply = ctl_call(ctl, names[0], "io.cowbell.Resolve", json_pack("{s:o}", "names", words));
	if (!reply)
		return EXIT_FAILED;
	if (ctl->json)
		return ctl_print_json(reply);
	json_array_foreach(json_object_get(reply, "packages"), i, p)
	{
		show_size(int_of(p, "download"), size);
		show_size(int_of(p, "installed"), size2);
		if (bool_of(p, "in_base")) {
			(void)printf("%-24s %-20s this system has it: its own program is run\n", str_of(p, "name"),
				     str_of(p, "version"));
			continue;
		}
		(void)printf("%-24s %-20s %8s to fetch %8s on disk%s\n", str_of(p, "name"), str_of(p, "version"), size,
			     size2, bool_of(p, "asked") ? "" : "  (needed)");
		download += int_of(p, "download");
		room += int_of(p, "installed");
		count++;
	}
	show_size(download, size);
	show_size(room, size2);
	if (count)
		(void)printf("%lld package%s: %s to fetch, %s on disk. Nothing was installed.\n", count,
			     count == 1 ? "" : "s", size, size2);
	else
		(void)puts("Nothing to fetch. Nothing was installed.");
	json_decref(reply);
	return EXIT_DONE;
}

static json_t *bundle_params(const char *name, const char *path, const char *key)
{
	char source[512];
	json_t *params;

	(void)snprintf(source, sizeof(source), "bundle %.400s", path_base(path));
	params = install_params("bundle", name ? name : "", source, NULL, 1);
	if (key)
		json_object_set_new(params, "key", json_string(key));
	return params;
}

/* Whose key it is that signed it; "" after saying what is wrong with the bundle. */
static void find_signer(struct ctl *ctl, const char *path, int fd, char ret[64])
{
	struct ctl quiet = { .root = ctl->root, .json = true, .quiet = true };
	char *text = inspect_file(&quiet, "bundle", path_base(path), fd);
	json_t *found = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

	(void)snprintf(ret, 64, "%s", found ? str_of(found, "signed") : "");
	json_decref(found);
	free(text);
}

/* An unknown publisher is shown and asked about once; the key is what is accepted. */
static int install_bundle(struct ctl *ctl, const char *name, const char *path, const char *key)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), rc;
	char signer[64], question[300];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return open_failed(path);
	if (!S_ISREG(st.st_mode)) {
		(void)fprintf(stderr, "cowbell: %s: not a file\n", path);
		(void)close(fd);
		return EXIT_FAILED;
	}
	if (!key && (ctl->yes || isatty(STDIN_FILENO))) {
		find_signer(ctl, path, fd, signer);
		if (!signer[0]) {
			(void)close(fd);
			return EXIT_FAILED;
		}
		(void)snprintf(question, sizeof(question), "%s is signed with the key %s. Install it from this publisher?",
			       path_base(path), signer);
		if (!ctl_confirm(ctl, path_base(path), question)) {
			(void)close(fd);
			return EXIT_FAILED;
		}
		key = signer;
	}
	rc = relay_command(ctl, path_base(path), "io.cowbell.Install", bundle_params(name, path, key), &fd, 1, false, false);
	(void)close(fd);
	return rc;
}

int cmd_install(struct ctl *ctl, int argc, char **argv)
{
	bool dry = false;
	const char *lasts = NULL, *key = NULL;
	const char *name = NULL, *with = NULL;
	const struct option_spec specs[] = { { .name = "--name", .has_value = true, .value = &name },
					     { .name = "--with", .has_value = true, .value = &with },
					     { .name = "--dry-run", .flag = &dry },
					     { .name = "--key", .has_value = true, .value = &key },
					     { .name = "--timeout", .has_value = true, .value = &lasts },
					     { .name = NULL } };
	int i, rc;

	if (options_take("install", specs, &argc, argv) || (lasts && take_timeout(lasts) < 0))
		return EXIT_USAGE;
	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		continue;
	if (i < argc && i == 1)
		rc = install_command(ctl, name, with, argv + 2);
	else if (i < argc || argc < 2 || with)
		return usage("install");
	else if (dry && (is_path(argv[1]) || i < argc))
		rc = dry_needs_name();
	else if (dry)
		rc = dry_run(ctl, argv + 1);
	else if (has_suffix(argv[1], ".cowbell"))
		rc = argc == 2 ? install_bundle(ctl, name, argv[1], key) : usage("install");
	else if (has_suffix(argv[1], ".deb"))
		rc = install_debs(ctl, name, argc - 1, argv + 1);
	else if (argc == 2 && is_path(argv[1]))
		rc = install_tree(ctl, name, argv[1]);
	else
		rc = install_names(ctl, name, argv + 1);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	return rc;
}
