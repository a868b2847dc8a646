/* SPDX-License-Identifier: MIT
 *
 * Folder listings. The count is bounded: a folder is in memory while it is
 * walked.
 */
#include "keeper/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define NAMES_MAX 4000000u

int names_read(struct names *names, int dir_fd, struct err *err)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return err_sys(err, "list a folder");
	}
	while ((errno = 0, entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (names->count == NAMES_MAX) {
			(void)closedir(dir);
			return err_set(err, E2BIG, "a folder has more than %u names", NAMES_MAX);
		}
		if ((names->count & (names->count - 1)) == 0)
			names->of = xrealloc(names->of, (names->count ? names->count * 2 : 1) * sizeof(*names->of));
		names->of[names->count++] = xstrdup(entry->d_name);
	}
	if (errno) {
		err_sys(err, "list a folder");
		(void)closedir(dir);
		return -1;
	}
	(void)closedir(dir);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void names_sort(struct names *names)
{
	size_t kept = 0;

	if (names->count == 0)
		return;
	qsort(names->of, names->count, sizeof(*names->of), compare);
	for (size_t i = 0; i < names->count; i++) {
		if (kept && strcmp(names->of[kept - 1], names->of[i]) == 0)
			free(names->of[i]);
		else
			names->of[kept++] = names->of[i];
	}
	names->count = kept;
}

void names_finish(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->of[i]);
	free(names->of);
	names->of = NULL;
	names->count = 0;
}
