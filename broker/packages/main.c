/* SPDX-License-Identifier: MIT
 *
 * One question from the broker, answered by the host's package manager. fd 3 is
 * the channel; /tmp is our folder, which other processes like this one share.
 */
#include "packages/manager.h"

#include "base/log.h"
#include "proto/chan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define CHAN 3

static const struct manager *const managers[] = { &apt_manager };
static uint64_t job;

struct package_item *item_add(struct item_list *list)
{
	if (list->count == PACKAGE_ITEMS_MAX)
		return NULL;
	if (!list->items)
		list->items = xcalloc(PACKAGE_ITEMS_MAX, sizeof(*list->items));
	return &list->items[list->count++];
}

struct package_item *item_find(const struct item_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	}
	return NULL;
}

static void tell(struct wr *w, int fd)
{
	struct err err = { 0 };

	if (chan_send_fd(CHAN, w, &fd, fd >= 0 ? 1 : 0, &err) < 0)
		_exit(0); /* nobody wants the answer any more */
}

static void on_progress(uint32_t permille)
{
	static uint32_t last = UINT32_MAX;
	static struct wr w;

	if (permille == last)
		return;
	last = permille;
	chan_begin(&w, MSG_PACKAGES_PROGRESS, job);
	wr_u32(&w, permille);
	tell(&w, -1);
}

static void tell_items(const struct item_list *list)
{
	static struct wr w;

	for (size_t i = 0; i < list->count; i++) {
		chan_begin(&w, MSG_PACKAGES_ITEM, job);
		package_item_encode(&w, &list->items[i]);
		tell(&w, -1);
	}
}

static int tell_files(const struct manager *m, const char *folder, const struct item_list *list, struct err *err)
{
	static struct wr w;

	for (size_t i = 0; i < list->count; i++) {
		int fd;

		if (list->items[i].flags & PACKAGE_IN_BASE)
			continue;
		fd = m->open(folder, &list->items[i], err);
		if (fd < 0)
			return -1;
		chan_begin(&w, MSG_PACKAGES_FILE, job);
		wr_str(&w, list->items[i].name);
		tell(&w, fd);
		(void)close(fd);
	}
	return 0;
}

/* --- the folder --- */

static void remove_folder(const char *path)
{
	const char *const argv[] = { "rm", "-rf", "--", path, NULL };
	struct child_run run = { .argv = argv };
	struct err err = { 0 };

	(void)child_run(&run, &err);
	free(run.out);
}

/* What processes left that were killed: nobody holds its lock. */
static void sweep(void)
{
	DIR *dir = opendir("/tmp");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char path[300];
		cleanup_fd int fd = -1;

		if (strncmp(entry->d_name, "job.", 4) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "/tmp/%s", entry->d_name);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			remove_folder(path);
	}
	if (dir)
		(void)closedir(dir);
}

/* Made and locked while nobody sweeps. */
static int make_folder(char *path, size_t size, struct err *err)
{
	cleanup_fd int all = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (all < 0 || flock(all, LOCK_EX) < 0)
		return err_sys(err, "lock the folder for packages");
	sweep();
	(void)snprintf(path, size, "/tmp/job.%d", (int)getpid());
	if ((mkdir("/tmp/apt", 0700) < 0 && errno != EEXIST) || mkdir(path, 0700) < 0)
		return err_sys(err, "make a folder for packages");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return err_sys(err, "lock the folder for packages");
	return fd;
}

/* --- one question --- */

static const struct manager *find_manager(struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(managers); i++) {
		if (managers[i]->present())
			return managers[i];
	}
	err_set(err, ENOSYS, "this system has no package manager that can be asked (apt)");
	return NULL;
}

static int fetch(const struct manager *m, char **words, bool dependencies, const struct item_list *list,
		 struct err *err)
{
	char folder[64];
	cleanup_fd int lock = make_folder(folder, sizeof(folder), err);
	int rc;

	if (lock < 0)
		return -1;
	on_progress(0);
	rc = m->fetch(words, dependencies, folder, on_progress, err);
	if (rc == 0)
		rc = tell_files(m, folder, list, err);
	remove_folder(folder);
	return rc;
}

static int get(const struct manager *m, const char *name, struct item_list *list, struct err *err)
{
	char folder[64];
	cleanup_fd int lock = make_folder(folder, sizeof(folder), err);
	int rc;

	if (lock < 0)
		return -1;
	rc = m->get(name, folder, list, err);
	if (rc == 0) {
		tell_items(list);
		rc = tell_files(m, folder, list, err);
	}
	remove_folder(folder);
	return rc;
}

static int answer(enum package_want want, char **words, struct err *err)
{
	const struct manager *m = find_manager(err);
	bool dependencies = want == PACKAGE_SATISFY, missing = false;
	struct item_list list = { 0 };
	int rc;

	if (!m)
		return -1;
	if (want == PACKAGE_GET) {
		rc = get(m, words[0], &list, err);
		free(list.items);
		return rc;
	}
	rc = want == PACKAGE_SEARCH ? m->search(words, &list, err) : m->resolve(words, dependencies, &list, err);
	if (rc == 0)
		tell_items(&list);
	for (size_t i = 0; i < list.count; i++)
		missing |= !(list.items[i].flags & PACKAGE_IN_BASE);
	if (rc == 0 && (want == PACKAGE_FETCH || dependencies) && missing)
		rc = fetch(m, words, dependencies, &list, err);
	free(list.items);
	return rc;
}

static bool words_good(enum package_want want, char **words)
{
	size_t n = 0;

	for (; words[n]; n++) {
		bool good = want == PACKAGE_SATISFY  ? package_dependency_good(words[n])
			    : want == PACKAGE_SEARCH ? strlen(words[n]) > 0 && strlen(words[n]) < 64
						     : package_name_good(words[n]);

		if (!good)
			return false;
	}
	return n > 0 && n <= WORDS_MAX;
}

static char **read_words(struct rd *r, struct err *err)
{
	uint16_t n = rd_u16(r);
	char **words = xcalloc((size_t)n + 1, sizeof(*words));

	for (uint16_t i = 0; i < n && !r->bad; i++)
		words[i] = rd_dup(r, 1024);
	if (!rd_end(r)) {
		free(words);
		err_set(err, EPROTO, "malformed");
		return NULL;
	}
	return words;
}

int main(void)
{
	static uint8_t buf[WIRE_MAX];
	static struct wr w;
	const struct rlimit none = { 0, 0 };
	enum package_want want;
	struct err err = { 0 };
	struct msg m;
	char **words;
	int rc;

	log_init("cowbell-packages");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)umask(077);
	if (fcntl(CHAN, F_SETFD, FD_CLOEXEC) < 0)
		fatal("started by hand: cowbelld starts this program");
	(void)close(4);
	if (chan_recv_fd(CHAN, buf, &m, &err) <= 0)
		return 0;
	if (m.op != MSG_PACKAGES_ASK)
		fatal("message '%s' is not for us", msg_op_name(m.op));
	job = m.id;
	want = (enum package_want)rd_u8(&m.body);
	words = read_words(&m.body, &err);
	msg_close_fds(&m);
	if (!words || want >= PACKAGE_WANT_COUNT || !words_good(want, words))
		fatal("a malformed question");
	rc = answer(want, words, &err);
	chan_begin(&w, MSG_PACKAGES_DONE, job);
	wr_u32(&w, rc < 0 ? (uint32_t)(err.code ? err.code : EIO) : 0);
	wr_str(&w, rc < 0 ? err.msg : "");
	tell(&w, -1);
	return 0;
}
