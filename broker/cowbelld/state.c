/* SPDX-License-Identifier: MIT
 *
 * Whether the state is whole at the start, and stays in its place while we run. What
 * works on it holds descriptors: without a look, answers would be written down in a
 * database that no path leads to any more, and gone with the next start.
 */
#include "cowbelld/daemon.h"

#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#define RECORDS "data.mdb"

/* Only names that layers have: what else lies there is not ours to count. */
static unsigned int count_layers(const struct daemon *d)
{
	int fd = openat(d->store_fd, "layers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	unsigned int n = 0;

	while (dir && (e = readdir(dir)))
		n += strlen(e->d_name) == 16 && strspn(e->d_name, "0123456789abcdef") == 16;
	if (dir)
		(void)closedir(dir);
	else if (fd >= 0)
		(void)close(fd);
	return n;
}

int state_check(const struct daemon *d, struct err *err)
{
	struct stat st = { 0 };
	unsigned int layers;

	if (fstatat(d->meta_fd, RECORDS, &st, 0) < 0 && errno != ENOENT)
		return err_sys(err, "look at '%s/meta/" RECORDS "'", d->state);
	if (st.st_size > 0) /* LMDB takes an empty one for a new store */
		return 0;
	layers = count_layers(d);
	if (layers == 0)
		return 0;
	err_set(err, ENOENT, "'%s/meta/" RECORDS "' is missing or empty, but %u layers of apps lie in '%s/layers'", d->state,
		layers, d->store);
	return err_hint(err, "put a good copy back, or move '%s' aside and install the apps again", d->state);
}

static void on_sign(void *data, uint32_t events)
{
	struct daemon *d = data;
	_Alignas(struct inotify_event) char buf[4096];
	ssize_t n = read(d->state_watch, buf, sizeof(buf));
	bool gone = false;

	(void)events;
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const void *)(buf + at);

		at += (ssize_t)(sizeof(*e) + e->len);
		gone |= (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0;
		gone |= e->len && strcmp(e->name, RECORDS) == 0;
	}
	if (!gone || d->stopping)
		return;
	log_warn("'%s' or what lies in it was moved, deleted or replaced while it was in use: everything ends (stop cowbelld "
		 "before you put other files there)",
		 d->state);
	daemon_end(d, 1);
}

int state_watch(struct daemon *d, struct err *err)
{
	const struct {
		int fd;
		uint32_t signs;
	} folders[] = {
		{ d->lock_fd, IN_DELETE_SELF | IN_MOVE_SELF },
		{ d->store_fd, IN_DELETE_SELF | IN_MOVE_SELF },
		{ d->meta_fd, IN_DELETE_SELF | IN_MOVE_SELF | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO },
	};
	char path[64];

	d->state_watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (size_t i = 0; i < ARRAY_LEN(folders) && d->state_watch >= 0; i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", folders[i].fd);
		if (inotify_add_watch(d->state_watch, path, folders[i].signs) < 0) {
			(void)close(d->state_watch);
			d->state_watch = -1;
		}
	}
	if (d->state_watch < 0) {
		log_warn("'%s' cannot be watched: %s; do not move it while cowbelld runs", d->state, strerror(errno));
		return 0;
	}
	if (!loop_add_fd(d->loop, d->state_watch, EPOLLIN, on_sign, d))
		return err_sys(err, "watch '%s'", d->state);
	return 0;
}
