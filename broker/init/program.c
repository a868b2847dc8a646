/* SPDX-License-Identifier: MIT
 *
 * A program whose segments a kernel of larger pages cannot map dies by a signal in
 * the midst of exec, when nobody can be told why any more. So its head is read first.
 * What is read was made by the app and is used for a sentence only: in doubt the
 * kernel judges.
 */
#include "init/init.h"

#include "base/elf.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STEPS_MAX 4 /* a script's interpreter may be a script, whose interpreter has a loader */

/* As execvp looks for it. Returns false if it is nowhere, or too long to be. */
static bool find(const char *name, char *ret, size_t size)
{
	const char *path = getenv("PATH"), *end;

	if (strchr(name, '/') || !path)
		return snprintf(ret, size, "%s", name) < (int)size;
	for (;; path = end + 1) {
		struct stat st;

		end = strchrnul(path, ':');
		if (snprintf(ret, size, "%.*s%s%s", (int)(end - path), path, end == path ? "" : "/", name) < (int)size &&
		    access(ret, X_OK) == 0 && stat(ret, &st) == 0 && S_ISREG(st.st_mode))
			return true;
		if (!*end)
			return false;
	}
}

static bool read_head(const char *path, struct elf_need *ret)
{
	uint8_t head[ELF_HEAD_MAX];
	/* What an app calls a program may be a pipe. */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	n = pread(fd, head, sizeof(head), 0);
	return n > 0 && elf_read(head, (size_t)n, ret);
}

bool program_fits(const char *name, uint64_t page, char *ret_why, size_t size)
{
	char path[4096];
	struct elf_need need;

	if (!find(name, path, sizeof(path)))
		return true;
	for (int i = 0; i < STEPS_MAX && read_head(path, &need); i++) {
		if (!need.script && need.page_max < page) {
			(void)snprintf(ret_why, size,
				       "start '%.60s': '%.60s' is built for pages of %u bytes, this kernel has %u, take another build",
				       name, path, (unsigned int)need.page_max, (unsigned int)page);
			return false;
		}
		if (!need.interpreter[0])
			break;
		(void)snprintf(path, sizeof(path), "%s", need.interpreter);
	}
	return true;
}

static bool is_elf(const char *path)
{
	char head[4];
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd >= 0 && pread(fd, head, sizeof(head), 0) == sizeof(head) && memcmp(head, "\177ELF", 4) == 0;
}

bool program_exec(char **argv)
{
	char path[4096];

	if (find(argv[0], path, sizeof(path))) {
		(void)execv(path, argv);
		if (errno == ENOEXEC && is_elf(path)) {
			errno = ENOEXEC;
			return false;
		}
		if (errno != ENOEXEC && errno != EACCES)
			return true;
	}
	(void)execvp(argv[0], argv);
	return true;
}
