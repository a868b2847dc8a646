/* SPDX-License-Identifier: MIT
 *
 * One-job processes: keepers, readers of the owner's contacts, of what strangers
 * made, and the one that asks the host's package manager. We start them and pass their channel to the broker; what they say is between them.
 */
#include "cowbelld/daemon.h"

#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

struct job {
	struct job *next;
	struct daemon *d;
	uint64_t id;
	pid_t pid;
};

static void tell(struct daemon *d, enum msg_op op, uint64_t id, const int *status, int fd)
{
	struct wr *w;

	if (!d->broker)
		return;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, op, id);
	if (status)
		wr_u32(w, (uint32_t)*status);
	chan_send(d->broker, w, &fd, fd >= 0 ? 1 : 0);
	free(w);
}

static void on_ended(void *data, int status)
{
	struct job *job = data;
	struct job **p = &job->d->jobs;

	while (*p != job)
		p = &(*p)->next;
	*p = job->next;
	tell(job->d, MSG_KEEPER_GONE, job->id, &status, -1);
	free(job);
}

bool jobs_end_all(struct daemon *d)
{
	for (struct job *job = d->jobs; job; job = job->next)
		(void)kill(job->pid, SIGKILL);
	return !d->jobs;
}

static void start(struct daemon *d, uint64_t id, struct spawn *spawn, enum msg_op channel_op)
{
	struct err err = { 0 };
	struct job *job;
	int pair[2], failed = 127 << 8;
	pid_t pid = -1;

	if (chan_pair(pair, &err) == 0) {
		spawn->fd = pair[1];
		pid = children_spawn(d, spawn, &err);
		(void)close(pair[1]);
	}
	if (pid < 0) {
		log_warn("%s", err.msg);
		tell(d, MSG_KEEPER_GONE, id, &failed, -1);
		return;
	}
	job = xcalloc(1, sizeof(*job));
	job->d = d;
	job->id = id;
	job->pid = pid;
	job->next = d->jobs;
	d->jobs = job;
	children_add(d, pid, on_ended, job);
	tell(d, channel_op, id, NULL, pair[0]);
	(void)close(pair[0]);
}

bool jobs_handle_keeper(struct daemon *d, struct msg *m)
{
	struct spawn spawn = { .program = "cowbell-keeper", .second = d->store_fd };

	if (!rd_end(&m->body))
		return false;
	start(d, m->id, &spawn, MSG_KEEPER_CHANNEL);
	return true;
}

bool jobs_handle_contacts(struct daemon *d, struct msg *m)
{
	const struct resource *r = owner_resource(d, rd_u16(&m->body));
	char program[] = "cowbell-contacts";
	char *argv[] = { program, NULL, NULL };
	struct spawn spawn = {
		.program = "cowbell-contacts",
		.argv = argv,
		.second = -1,
		.as_user = true,
		.uid = d->owner_uid,
		.gid = d->owner_gid,
		.no_network = true,
	};

	if (!rd_end(&m->body) || !r)
		return false;
	argv[1] = (char *)(uintptr_t)r->path;
	start(d, m->id, &spawn, MSG_CONTACTS_CHANNEL);
	return true;
}

/* It reaches the network and runs the host's package manager, and writes nowhere
 * but into its own folder. */
bool jobs_handle_packages(struct daemon *d, struct msg *m)
{
	struct spawn spawn = {
		.program = "cowbell-packages",
		.second = d->fetch_fd,
		.as_user = true,
		.uid = d->packages_uid,
		.gid = d->packages_uid,
		.read_only = true,
	};

	if (!rd_end(&m->body))
		return false;
	start(d, m->id, &spawn, MSG_PACKAGES_CHANNEL);
	return true;
}

/* Each with a uid of its own: one that was taken over by what it read does not
 * reach the next. */
bool jobs_handle_inspect(struct daemon *d, struct msg *m)
{
	uid_t uid = d->readers_uid + (uid_t)(m->id % READER_UIDS);
	struct spawn spawn = {
		.program = "cowbell-inspect",
		.second = -1,
		.as_user = true,
		.uid = uid,
		.gid = uid,
		.no_network = true,
		.read_only = true,
	};

	if (!rd_end(&m->body))
		return false;
	start(d, m->id, &spawn, MSG_INSPECT_CHANNEL);
	return true;
}
