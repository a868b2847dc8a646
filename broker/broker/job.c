/* SPDX-License-Identifier: MIT
 *
 * A job's messages wait until cowbelld hands over the channel of its process.
 * Every job ends in exactly one result: the process's own, or that it died.
 */
#include "broker/job.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define KEEP_PER_MESSAGE 4096u

struct job {
	struct broker *broker;
	struct job *next;
	uint64_t id;
	struct chan *chan;
	bool contacts;
	struct wr *body; /* the job itself, sent after keep; freed once sent */
	int out_fd, second_fd;
	uint64_t *keep;
	size_t keep_count;
	const struct job_ops *ops;
	void (*on_contacts)(void *data, const struct contacts_result *result);
	const struct job_talk *talk;
	void *data;
	bool drop, asked; /* drops go one after the other, so that the last one's end is all's end */
};

static struct job *find_job(struct broker *broker, uint64_t id)
{
	for (struct job *j = broker->jobs; j; j = j->next) {
		if (j->id == id)
			return j;
	}
	return NULL;
}

static void start_next_drop(struct broker *broker);

static void job_free(struct job *job)
{
	struct broker *broker = job->broker;
	bool drop = job->drop;
	struct job **p;

	for (p = &job->broker->jobs; *p != job; p = &(*p)->next)
		continue;
	*p = job->next;
	chan_destroy(job->chan);
	if (job->out_fd >= 0)
		(void)close(job->out_fd);
	if (job->second_fd >= 0)
		(void)close(job->second_fd);
	free(job->body);
	free(job->keep);
	free(job);
	if (drop)
		start_next_drop(broker);
}

static struct job *job_new(struct broker *broker, void *data)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->broker = broker;
	job->id = ++broker->next_job;
	job->out_fd = job->second_fd = -1;
	job->data = data;
	job->next = broker->jobs;
	broker->jobs = job;
	return job;
}

/* Frees the job and tells its owner, in this order: the owner may start the
 * next one. */
static void job_end(struct job *job, const struct job_result *result)
{
	const struct job_ops *ops = job->ops;
	const struct job_talk *talk = job->talk;
	void (*on_contacts)(void *, const struct contacts_result *) = job->on_contacts;
	struct contacts_result none = { .code = result->code ? result->code : EIO };
	void *data = job->data;

	job_free(job);
	if (ops)
		ops->on_done(data, result);
	else if (talk)
		talk->on_gone(data, result->why);
	else if (on_contacts)
		on_contacts(data, &none);
}

static void job_fail(struct job *job, int code, const char *why)
{
	struct job_result result = { .code = code };

	(void)snprintf(result.why, sizeof(result.why), "%s", why);
	job_end(job, &result);
}

static bool handle_done(struct job *job, struct rd *body)
{
	struct job_result result = { 0 };
	uint8_t changed;

	result.code = (int)rd_u32(body);
	rd_str(body, result.why, sizeof(result.why));
	changed = rd_u8(body);
	result.changed = changed & 1;
	result.no_next = changed & 2;
	result.too_deep = changed & 4;
	result.entries = rd_u64(body);
	result.bytes = rd_u64(body);
	rd_bytes(body, result.root_hash, sizeof(result.root_hash));
	if (!rd_end(body))
		return false;
	job_end(job, &result);
	return true;
}

static bool handle_contacts(struct job *job, struct rd *body)
{
	struct contacts_result *result = xcalloc(1, sizeof(*result));
	void (*fn)(void *, const struct contacts_result *) = job->on_contacts;
	void *data = job->data;
	char why[512];
	bool good;

	result->code = (int)rd_u32(body);
	rd_str(body, why, sizeof(why));
	result->count = rd_u32(body);
	result->name_count = rd_u16(body);
	if (result->name_count > ARRAY_LEN(result->names))
		result->name_count = 0, body->bad = true;
	for (uint16_t i = 0; i < result->name_count; i++)
		rd_str(body, result->names[i], sizeof(result->names[i]));
	good = rd_end(body);
	if (good) {
		job_free(job);
		if (fn)
			fn(data, result);
	}
	free(result);
	return good;
}

static bool on_message(void *data, struct msg *m)
{
	struct job *job = data;

	if (job->talk)
		return job->talk->on_message(job->data, m);
	if (m->op == MSG_KEEPER_ENTRIES && !job->contacts && job->ops)
		return job->ops->on_entries && job->ops->on_entries(job->data, &m->body);
	if (m->op == MSG_KEEPER_DONE && !job->contacts)
		return handle_done(job, &m->body);
	if (m->op == MSG_CONTACTS_RESULT && job->contacts)
		return handle_contacts(job, &m->body);
	return false;
}

static void on_gone(void *data, const struct err *err)
{
	struct job *job = data;
	const char *what = job->talk ? job->talk->what : job->contacts ? "reader of contacts" : "keeper";
	char why[256];

	log_warn("a %s ended without a result: %s", what, err->msg);
	(void)snprintf(why, sizeof(why), "the %s ended without a result", what);
	job_fail(job, EIO, why);
}

static const struct chan_ops job_chan_ops = { .on_message = on_message, .on_gone = on_gone };

static void send_job(struct job *job)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	for (size_t done = 0; done < job->keep_count;) {
		size_t n = job->keep_count - done;

		if (n > KEEP_PER_MESSAGE)
			n = KEEP_PER_MESSAGE;
		chan_begin(w, MSG_KEEPER_KEEP, job->id);
		wr_u16(w, (uint16_t)n);
		for (size_t i = 0; i < n; i++)
			wr_u64(w, job->keep[done + i]);
		chan_send(job->chan, w, NULL, 0);
		done += n;
	}
	const int fds[2] = { job->out_fd, job->second_fd };

	if (job->body)
		chan_send(job->chan, job->body, fds, (size_t)(fds[0] >= 0) + (fds[1] >= 0));
	free(job->body);
	job->body = NULL;
	if (job->out_fd >= 0)
		(void)close(steal_fd(&job->out_fd));
	if (job->second_fd >= 0)
		(void)close(steal_fd(&job->second_fd));
	free(w);
}

static void ask_parent(struct job *job, enum msg_op op, const uint16_t *gate)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, op, job->id);
	if (gate)
		wr_u16(w, *gate);
	chan_send(job->broker->parent, w, NULL, 0);
	free(w);
}

static bool is_drop(const struct wr *body)
{
	struct rd r;

	rd_init(&r, body->buf, body->len);
	return rd_u16(&r) == MSG_KEEPER_DROP;
}

static void start_next_drop(struct broker *broker)
{
	struct job *oldest = NULL;

	for (struct job *j = broker->jobs; j; j = j->next) {
		if (j->drop && j->asked)
			return;
		if (j->drop)
			oldest = j; /* the list is newest first */
	}
	if (oldest) {
		oldest->asked = true;
		ask_parent(oldest, MSG_KEEPER, NULL);
	}
}

struct job *job_start(struct broker *broker, const struct wr *body, int out_fd, const struct job_ops *ops, void *data)
{
	struct job *job = job_new(broker, data);

	job->ops = ops;
	job->body = xcalloc(1, sizeof(*job->body));
	*job->body = *body;
	if (out_fd >= 0)
		job->out_fd = fcntl(out_fd, F_DUPFD_CLOEXEC, 3);
	job->drop = is_drop(body);
	if (job->drop)
		start_next_drop(broker);
	else
		ask_parent(job, MSG_KEEPER, NULL);
	return job;
}

struct job *job_start_gc(struct broker *broker, const uint64_t *keep, size_t keep_count, uint64_t newest,
			 const struct job_ops *ops, void *data)
{
	struct wr *w = xcalloc(1, sizeof(*w));
	struct job *job;

	chan_begin(w, MSG_KEEPER_GC, 0);
	wr_u64(w, newest);
	job = job_start(broker, w, -1, ops, data);
	job->keep = xcalloc(keep_count, sizeof(*keep));
	if (keep_count)
		memcpy(job->keep, keep, keep_count * sizeof(*keep));
	job->keep_count = keep_count;
	free(w);
	return job;
}

struct job *job_start_contacts(struct broker *broker, uint16_t gate,
			       void (*fn)(void *data, const struct contacts_result *result), void *data)
{
	struct job *job = job_new(broker, data);

	job->contacts = true;
	job->on_contacts = fn;
	ask_parent(job, MSG_CONTACTS, &gate);
	return job;
}

struct job *job_start_talk(struct broker *broker, enum msg_op start, const struct wr *ask, int fd, int second,
			   const struct job_talk *talk, void *data)
{
	struct job *job = job_new(broker, data);

	job->talk = talk;
	job->body = xcalloc(1, sizeof(*job->body));
	*job->body = *ask;
	if (fd >= 0)
		job->out_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (second >= 0)
		job->second_fd = fcntl(second, F_DUPFD_CLOEXEC, 3);
	ask_parent(job, start, NULL);
	return job;
}

void job_cancel(struct job *job)
{
	if (job)
		job_free(job);
}

static void handle_channel(struct job *job, struct msg *m)
{
	int fd = m->fds[0];

	m->fds[0] = -1;
	job->chan = chan_create(job->broker->loop, fd, &job_chan_ops, job);
	if (!job->chan) {
		job_fail(job, errno, "no channel to the keeper");
		return;
	}
	send_job(job);
}

bool job_handle_parent(struct broker *broker, struct msg *m)
{
	struct job *job = find_job(broker, m->id);

	switch ((unsigned int)m->op) {
	case MSG_KEEPER_CHANNEL:
	case MSG_CONTACTS_CHANNEL:
	case MSG_PACKAGES_CHANNEL:
	case MSG_INSPECT_CHANNEL:
		if (m->fd_count != 1)
			return false;
		if (job && !job->chan)
			handle_channel(job, m);
		return true;
	case MSG_KEEPER_GONE:
		/* With a channel, its end of file is the last word: results may
		 * still stand in it. */
		if (job && !job->chan)
			job_fail(job, EIO, job->talk ? "its process could not be started"
						     : "the keeper could not be started");
		return true;
	}
	return false;
}

void job_finish_all(struct broker *broker)
{
	for (struct job *j = broker->jobs; j; j = j->next)
		j->drop = false;
	while (broker->jobs)
		job_free(broker->jobs);
}
