/* SPDX-License-Identifier: MIT
 *
 * What a service's unit wants done before its program starts. All of it happens inside
 * the app's own box, with no more rights than the service has: nothing here has to be
 * believed. What fails is told, and the service starts: much of what units do first is
 * talk with systemd, which is not there.
 */
#include "init/init.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define WORDS_MAX 65u

struct item {
	char how;
	char *words[WORDS_MAX + 1]; /* into the element that was split */
	size_t count;
};

static bool split(char *element, struct item *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->how = *element;
	for (char *p = *element ? strchr(element, '\n') : NULL; p; p = strchr(p, '\n')) {
		*p++ = '\0';
		if (ret->count == WORDS_MAX)
			return false;
		ret->words[ret->count++] = p;
	}
	return ret->count > 0;
}

static bool find_group(const char *name, uint32_t *ret)
{
	FILE *list = fopen("/etc/group", "re");
	struct group *found = NULL;

	while (list && (found = fgetgrent(list)) && strcmp(found->gr_name, name) != 0)
		continue;
	if (found)
		*ret = found->gr_gid;
	if (list)
		(void)fclose(list);
	return found && *ret < ID_RANGE;
}

/* Every folder of the path that is missing, and the last with its owner and mode. */
static int make_folder(const struct start *service, const struct item *item)
{
	struct start owner = *service;
	unsigned long mode;
	char path[512], *end;
	uint32_t gid;

	if (item->count != 4 || strlen(item->words[0]) >= sizeof(path) || item->words[0][0] != '/')
		return errno = EINVAL, -1;
	(void)snprintf(path, sizeof(path), "%s", item->words[0]);
	mode = strcmp(item->words[1], "-") == 0 ? 0755 : strtoul(item->words[1], &end, 8);
	if (strcmp(item->words[2], "-") != 0) {
		(void)snprintf(owner.user, sizeof(owner.user), "%s", item->words[2]);
		if (!start_find_user(&owner))
			return -1;
	}
	gid = owner.gid;
	if (strcmp(item->words[3], "-") != 0 && !find_group(item->words[3], &gid))
		return errno = ENOENT, -1;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	return lchown(path, owner.uid, gid) < 0 || chmod(path, (mode_t)(mode & 07777)) < 0 ? -1 : 0;
}

static void do_item(const struct start *service, const struct item *item) __attribute__((noreturn));
static void do_item(const struct start *service, const struct item *item)
{
	struct start as = *service;
	const char *step = "";

	if (item->how != RUN_BEFORE_USER) {
		as.uid = as.gid = 0;
		(void)snprintf(as.home, sizeof(as.home), "/root");
	}
	if (start_become(&as, &step) < 0)
		goto failed;
	step = item->words[0];
	if (item->how == RUN_BEFORE_FOLDER) {
		if (make_folder(service, item) < 0)
			goto failed;
		_exit(0);
	}
	if (chdir("/") == 0 && setenv("HOME", as.home, 1) == 0)
		(void)program_exec((char **)item->words);
failed:
	(void)dprintf(2, "before its start: '%s': %s\n", step, strerror(errno));
	_exit(127);
}

void before_do(const struct start *start)
{
	environ = start->env; /* complete, and this process's own copy */
	for (char **e = start->before; e && *e; e++) {
		struct item item;
		int status;
		pid_t pid;

		if (!split(*e, &item))
			continue;
		if (item.how == RUN_BEFORE_LEFT) {
			(void)dprintf(2, "before its start: left out a line of its unit: %s\n", item.words[0]);
			continue;
		}
		if (item.how == RUN_BEFORE_SET) {
			(void)putenv(item.words[0]);
			continue;
		}
		pid = fork();
		if (pid == 0)
			do_item(start, &item);
		while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			(void)dprintf(2, "before its start: '%s': %s\n", item.words[0], strerror(errno));
		else if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 127)
			(void)dprintf(2, "before its start: '%s' ended with status %d\n", item.words[0], WEXITSTATUS(status));
		else if (WIFSIGNALED(status))
			(void)dprintf(2, "before its start: '%s' was ended by signal %d\n", item.words[0], WTERMSIG(status));
	}
}
