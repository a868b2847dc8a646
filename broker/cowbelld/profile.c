/* SPDX-License-Identifier: MIT
 *
 * Which board this is. A profile says what root opens for apps, so profiles come
 * only from a folder that nobody can write to who could not replace our own
 * programs; and a profile that is named but cannot be read ends the start.
 */
#include "cowbelld/daemon.h"

#include "base/fd.h"
#include "base/log.h"
#include "policy/permission.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define BOARDS_MAX 256u
#define COMPATIBLE_MAX 4096u

/* Installed, and beside the tree that we were built in. */
static const char *const folders[] = { "../share/cowbell/board", "../../share/cowbell/board", "../../board", "../../../board" };

static int check_writers(int bin, int fd, const char *what, struct err *err)
{
	struct stat programs, st;

	if (fstat(bin, &programs) < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "look at '%s'", what);
	if (st.st_uid != 0 && st.st_uid != programs.st_uid)
		return err_set(err, EPERM, "'%s' belongs to uid %u, not to root", what, st.st_uid);
	if (st.st_mode & S_IWOTH)
		return err_set(err, EPERM, "'%s' can be written by everybody", what);
	return 0;
}

static int open_folder(const struct daemon *d, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		int fd = openat(d->bin_fd, folders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && check_writers(d->bin_fd, fd, "board", err) == 0 && faccessat(fd, "generic/profile", R_OK, 0) == 0)
			return fd;
		if (fd >= 0)
			(void)close(fd);
		if (err->code)
			return -1;
	}
	err_set(err, ENOENT, "no board profiles beside the programs");
	return err_hint(err, "share/cowbell/board, with generic/profile in it");
}

static int read_one(const struct daemon *d, int folder, const char *name, struct board *ret, struct err *err)
{
	cleanup_free char *text = NULL;
	char path[BOARD_NAME_SIZE + 16], shown[BOARD_NAME_SIZE + 24];
	cleanup_fd int fd = -1;
	size_t size;

	(void)snprintf(path, sizeof(path), "%s/profile", name);
	(void)snprintf(shown, sizeof(shown), "board/%s", path);
	fd = fd_open_beneath(folder, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(err, "open '%s'", shown);
	if (check_writers(d->bin_fd, fd, shown, err) < 0 ||
	    fd_read_file(folder, path, BOARD_FILE_MAX, &text, &size, err) < 0)
		return -1;
	return board_parse(ret, name, shown, text, size, err);
}

static int is_board(const struct dirent *entry)
{
	return board_name_is_good(entry->d_name);
}

/* All boards' names, sorted; the caller frees. */
static int list_names(int folder, struct dirent ***ret, struct err *err)
{
	int n = scandirat(folder, ".", ret, is_board, alphasort);

	return n < 0 ? err_sys(err, "list the board profiles") : n;
}

static int load_named(struct daemon *d, int folder, const char *name, struct err *err)
{
	struct dirent **names = NULL;
	char words[256] = "", shown[200];
	size_t used = 0;
	int n;

	if (board_name_is_good(name) && read_one(d, folder, name, &d->board, err) == 0) {
		(void)snprintf(d->board_why, sizeof(d->board_why), "named on the command line");
		return 0;
	}
	if (err->code && err->code != ENOENT)
		return -1;
	n = list_names(folder, &names, err);
	for (int i = 0; i < n; i++) {
		char path[300];

		(void)snprintf(path, sizeof(path), "%s/profile", names[i]->d_name);
		if (used < sizeof(words) && faccessat(folder, path, R_OK, 0) == 0)
			used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s", used ? ", " : "",
						 names[i]->d_name);
		free(names[i]);
	}
	free(names);
	text_escape(name, strlen(name), shown, sizeof(shown));
	err_set(err, ENOENT, "there is no profile of a board '%s'", shown);
	return err_hint(err, "%s", words);
}

/* The best of all; a broken one is told and passed over, for it may speak of a
 * device that this one is not. */
static void choose(struct daemon *d, int folder, const struct board_machine *machine)
{
	struct board *one = xcalloc(1, sizeof(*one));
	struct dirent **names = NULL;
	struct err err = { 0 };
	int n = list_names(folder, &names, &err), best = -1;

	for (int i = 0; i < n; i++) {
		int place;

		memset(&err, 0, sizeof(err));
		if (i < (int)BOARDS_MAX && read_one(d, folder, names[i]->d_name, one, &err) == 0) {
			place = board_match(one, machine);
			if (place >= 0 && (best < 0 || place < best)) {
				best = place;
				d->board = *one;
			}
		} else if (err.code != ENOENT && err.code != ENOTDIR) {
			log_warn("board profile not used: %s", err.msg);
		}
		free(names[i]);
	}
	free(names);
	free(one);
	if (n < 0)
		log_warn("%s", err.msg);
}

static void read_compatible(const char *device_tree, char **ret, size_t *ret_size)
{
	char path[PATH_SIZE];
	cleanup_fd int fd = -1;
	ssize_t n;

	*ret = xcalloc(1, COMPATIBLE_MAX);
	*ret_size = 0;
	(void)snprintf(path, sizeof(path), "%s/compatible", device_tree);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	n = fd < 0 ? 0 : fd_read_full(fd, *ret, COMPATIBLE_MAX - 1);
	*ret_size = n > 0 ? (size_t)n : 0;
}

int profile_load(struct daemon *d, struct err *err)
{
	cleanup_free char *compatible = NULL;
	cleanup_fd int folder = open_folder(d, err);
	struct board_machine machine = { .page = (uint32_t)sysconf(_SC_PAGESIZE) };
	struct utsname name = { 0 };
	char first[128];

	if (folder < 0)
		return -1;
	if (d->options.board)
		return load_named(d, folder, d->options.board, err);
	(void)uname(&name);
	read_compatible(d->options.device_tree, &compatible, &machine.compatible_size);
	machine.compatible = compatible;
	machine.machine = name.machine;
	text_escape(compatible, strlen(compatible), first, sizeof(first));
	choose(d, folder, &machine);
	if (d->board.name[0]) {
		(void)snprintf(d->board_why, sizeof(d->board_why), "recognised by its device tree, '%.100s'", first);
		return 0;
	}
	if (read_one(d, folder, "generic", &d->board, err) < 0)
		return -1;
	(void)snprintf(d->board_why, sizeof(d->board_why), first[0] ? "no profile knows '%.100s'" : "it has no device tree%s",
		       first);
	return 0;
}
