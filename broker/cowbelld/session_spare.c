/* SPDX-License-Identifier: MIT
 *
 * One supervisor stands ready, made before anybody knows for which app; and what
 * supervisors say to us.
 */
#include "cowbelld/session_impl.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define SPARE_DELAY_MS 30u /* a launch has the processors to itself */
#define SPARE_FAILURES_MAX 5u

/* The app looks its first name up. */
static bool start_resolver(struct session *s, struct msg *m)
{
	struct err err = { 0 };
	struct wr *w;
	int fd;

	if (!rd_end(&m->body) || s->state != LIVE || m->id != s->id)
		return false;
	fd = network_start_resolver(s->d, &s->link, &err);
	if (fd < 0)
		log_warn("no resolver for '%s': %s", s->launch.app, err.msg);
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_DNS_CHANNEL, s->id);
	chan_send(s->chan, w, &fd, fd >= 0 ? 1 : 0);
	free(w);
	if (fd >= 0)
		(void)close(fd);
	return true;
}

/* A spare has met no app yet: what it made is as good as what we would have made. */
static void keep_mask(struct daemon *d, struct msg *m)
{
	if (d->mask_ns >= 0)
		(void)close(d->mask_ns);
	d->mask_ns = m->fds[0];
	m->fds[0] = -1;
}

static bool on_message(void *data, struct msg *m)
{
	struct session *s = data;

	if (!msg_allowed(m->op, 'S', 'D'))
		return false;
	if (m->op == MSG_DNS_WANTED)
		return start_resolver(s, m);
	if (m->op == MSG_PREPARE_FAILED) {
		(void)rd_u32(&m->body);
		rd_str(&m->body, s->why, sizeof(s->why));
		return rd_end(&m->body);
	}
	if (s->state <= SPARE_WANTED && m->fd_count == 1)
		keep_mask(s->d, m);
	if (s->state == SPARE_WANTED)
		session_begin(s);
	else if (s->state == SPARE_MAKING)
		s->state = SPARE_READY;
	else
		return false;
	return true;
}

static void on_gone(void *data, const struct err *err)
{
	struct session *s = data;

	if (err->code)
		log_warn("supervisor: %s", err->msg);
	chan_destroy(s->chan);
	s->chan = NULL;
	if (err->code && s->pid > 0)
		(void)kill(s->pid, SIGKILL);
}

static const struct chan_ops session_ops = { .on_message = on_message, .on_gone = on_gone };

/* --- spares --- */

static void send_prepare(struct session *s)
{
	struct daemon *d = s->d;
	struct prepare *p = xcalloc(1, sizeof(*p));
	struct wr *w = xcalloc(1, sizeof(*w));
	const int fds[] = { d->seccomp_fd, s->cgroup, d->mask_ns };

	(void)snprintf(p->store, sizeof(p->store), "%s", d->store);
	(void)snprintf(p->home, sizeof(p->home), "%s", d->home);
	(void)snprintf(p->user, sizeof(p->user), "%s", d->owner_name);
	p->uid = d->owner_uid;
	p->gid = d->owner_gid;
	for (size_t i = 0; i < d->resources.count; i++) {
		p->gates[p->gate_count].gate = d->resources.resources[i].gate;
		p->gates[p->gate_count].kind = (uint8_t)d->resources.resources[i].kind;
		(void)snprintf(p->gates[p->gate_count++].path, PATH_SIZE, "%s", d->resources.resources[i].path);
	}
	devices_prepare(d, p);
	volumes_prepare(d, p);
	(void)snprintf(p->hidden[p->hidden_count++], PATH_SIZE, "%s", d->root[0] ? d->root : d->state);
	p->counted_uid = d->counted_uids + (uint32_t)s->pid % COUNTED_UIDS;
	network_prepare(d, p, &s->link);
	chan_begin(w, MSG_PREPARE, 0);
	prepare_encode(w, p);
	chan_send(s->chan, w, fds, d->mask_ns >= 0 ? 3 : 2);
	free(w);
	free(p);
}

struct session *spare_start(struct daemon *d, struct err *err)
{
	cleanup_fd int init = openat(d->bin_fd, "cowbell-init", O_PATH | O_CLOEXEC);
	struct spawn spawn = { .program = "cowbell-supervisor", .second = init };
	struct session *s;
	int pair[2];

	if (init < 0) {
		err_sys(err, "find our program 'cowbell-init'");
		return NULL;
	}
	if (chan_pair(pair, err) < 0)
		return NULL;
	spawn.fd = pair[1];
	s = xcalloc(1, sizeof(*s));
	s->d = d;
	s->cgroup = s->userns = -1;
	s->link.slot = -1;
	s->next = d->sessions;
	d->sessions = s;
	s->pid = children_spawn(d, &spawn, err);
	(void)close(pair[1]);
	s->chan = chan_create(d->loop, pair[0], &session_ops, s);
	(void)snprintf(s->cgroup_name, sizeof(s->cgroup_name), "%d", s->pid);
	if (s->pid > 0)
		s->cgroup = cgroup_session_create(&d->cgroup, s->cgroup_name, 0, 0, err);
	if (s->cgroup < 0 || !s->chan) {
		if (s->pid > 0)
			(void)kill(s->pid, SIGKILL);
		if (s->cgroup >= 0)
			(void)cgroup_session_remove(&d->cgroup, s->cgroup_name);
		session_free(s);
		return NULL;
	}
	children_add(d, s->pid, session_dead, s);
	send_prepare(s);
	return s;
}

struct session *spare_find(struct daemon *d)
{
	struct session *making = NULL;

	for (struct session *s = d->sessions; s; s = s->next) {
		if (s->state == SPARE_READY)
			return s;
		if (s->state == SPARE_MAKING)
			making = s;
	}
	return making;
}

static void on_spare_timer(void *data)
{
	struct daemon *d = data;
	struct err err = { 0 };

	loop_remove(d->spare_timer);
	d->spare_timer = NULL;
	if (!d->stopping && !spare_find(d) && !spare_start(d, &err))
		log_warn("no spare supervisor: %s", err.msg);
}

void session_keep_spare(struct daemon *d)
{
	uint64_t now = loop_boot_ms();
	uint64_t delay = d->spare_retry_ms > now ? d->spare_retry_ms - now : SPARE_DELAY_MS;

	if (d->stopping || d->spare_timer || spare_find(d) || d->spare_failures >= SPARE_FAILURES_MAX)
		return;
	d->spare_timer = loop_add_timer(d->loop, delay, on_spare_timer, d);
}
