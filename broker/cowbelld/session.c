/* SPDX-License-Identifier: MIT
 *
 * Sessions: a launch makes the spare one, and its end is told to the broker only
 * when nothing of it runs any more.
 */
#include "cowbelld/session_impl.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SPARE_RETRY_MS 500u
#define EMPTY_CHECK_MS 10u

struct session *session_of(const struct daemon *d, uint64_t id)
{
	for (struct session *s = d->sessions; s; s = s->next) {
		if (s->id == id && s->state >= SPARE_WANTED)
			return s;
	}
	return NULL;
}

void session_free(struct session *s)
{
	struct session **p;

	for (p = &s->d->sessions; *p != s; p = &(*p)->next)
		continue;
	*p = s->next;
	chan_destroy(s->chan);
	loop_remove(s->timer);
	listen_release(s->d, s->id);
	network_release(s->d, &s->link);
	if (s->cgroup >= 0)
		(void)close(s->cgroup);
	if (s->userns >= 0)
		(void)close(s->userns);
	free(s);
}

static void tell_gone(struct session *s)
{
	struct wr *w;

	if (!s->d->broker || !s->id)
		return;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_SESSION_GONE, s->id);
	wr_u32(w, (uint32_t)s->status);
	wr_str(w, s->why);
	chan_send(s->d->broker, w, NULL, 0);
	free(w);
}

/* --- ending --- */

static void on_empty_check(void *data)
{
	struct session *s = data;
	struct daemon *d = s->d;
	struct err err = { 0 };

	loop_remove(s->timer);
	s->timer = NULL;
	if (s->cgroup >= 0) {
		if (cgroup_populated(s->cgroup))
			(void)cgroup_kill(s->cgroup, &err);
		if (cgroup_session_remove(&d->cgroup, s->cgroup_name) < 0 && errno == EBUSY) {
			s->timer = loop_add_timer(d->loop, EMPTY_CHECK_MS, on_empty_check, s);
			return;
		}
	}
	devices_session_gone(d, s->id);
	tell_gone(s);
	session_free(s);
	room_watch(d);
	if (d->stopping && !d->sessions)
		loop_stop(d->loop, d->status);
	else if (!d->stopping)
		session_keep_spare(d);
}

void session_dead(void *data, int status)
{
	struct session *s = data;
	bool was_spare = s->state <= SPARE_WANTED;

	s->pid = 0;
	s->status = status;
	/* Its last word says why, if it had one. */
	if (s->chan)
		chan_drain(s->chan);
	chan_destroy(s->chan);
	s->chan = NULL;
	if (was_spare && !s->d->stopping) {
		s->d->spare_failures++;
		log_warn("no supervisor: %s", s->why[0] ? s->why : "it ended early");
		if (!s->why[0])
			(void)snprintf(s->why, sizeof(s->why), "the supervisor ended early (status 0x%x)", status);
		s->d->spare_retry_ms = loop_boot_ms() + SPARE_RETRY_MS;
	}
	s->state = DYING;
	on_empty_check(s);
}

void session_kill(struct daemon *d, uint64_t id)
{
	struct session *s = session_of(d, id);
	struct err err = { 0 };

	if (!s)
		return;
	if (s->cgroup >= 0)
		(void)cgroup_kill(s->cgroup, &err);
	if (s->pid > 0)
		(void)kill(s->pid, SIGKILL);
}

void session_stop_all(struct daemon *d)
{
	for (struct session *s = d->sessions; s; s = s->next) {
		struct err err = { 0 };

		/* The supervisor closes its gates and kills its app when our end
		 * goes; the group makes sure of it. */
		chan_destroy(s->chan);
		s->chan = NULL;
		if (s->cgroup >= 0)
			(void)cgroup_kill(s->cgroup, &err);
		if (s->pid > 0)
			(void)kill(s->pid, SIGTERM);
	}
}

bool session_any_left(const struct daemon *d)
{
	return d->sessions != NULL;
}

/* --- launching --- */

static void fail_launch(struct session *s, const char *why)
{
	(void)snprintf(s->why, sizeof(s->why), "%s", why);
	if (s->pid > 0)
		(void)kill(s->pid, SIGKILL); /* session_dead goes on */
	else
		on_empty_check(s);
}

/* The two ends of the talk between a supervisor and the broker. */
static int give_channel(struct session *s, enum msg_op op, const struct wr *job, struct err *err)
{
	struct wr *w = xcalloc(1, sizeof(*w));
	int pair[2], fds[2];

	if (chan_pair(pair, err) < 0) {
		free(w);
		return -1;
	}
	chan_begin(w, MSG_SESSION_CHANNEL, s->id);
	chan_send(s->d->broker, w, &pair[0], 1);
	fds[0] = pair[1];
	fds[1] = s->cgroup;
	chan_begin(w, op, s->id);
	chan_send(s->chan, job ? job : w, fds, op == MSG_JOB ? 2 : 1);
	(void)close(pair[0]);
	(void)close(pair[1]);
	free(w);
	return 0;
}

void session_begin(struct session *s)
{
	struct daemon *d = s->d;
	cleanup_fd int limited = -1;
	struct wr *w;
	struct err err = { 0 };

	s->state = LIVE;
	/* The spare's group, now with this app's limits. */
	limited = cgroup_session_create(&d->cgroup, s->cgroup_name, s->launch.memory_max, s->launch.pids_max, &err);
	if (limited < 0) {
		fail_launch(s, err.msg);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_JOB, s->id);
	launch_encode(w, &s->launch);
	if (give_channel(s, MSG_JOB, w, &err) < 0)
		fail_launch(s, err.msg);
	else if (s->launch.kind == SESSION_RUN)
		userns_make_soon(s);
	free(w);
	room_watch(d);
	d->spare_failures = 0;
	if (!d->spare_timer)
		session_keep_spare(d);
}

/* --- from the broker --- */

static int check_launch(struct daemon *d, const struct launch *l, struct err *err)
{
	if (!ids_is_app_base(d, l->base))
		return err_set(err, EINVAL, "id range %u is not this system's", l->base);
	for (struct session *s = d->sessions; s; s = s->next) {
		/* One writer a layer, whatever the broker believes. */
		if (s->state >= SPARE_WANTED && s->launch.base == l->base)
			return err_set(err, EBUSY, "a session of '%s' has not ended yet", l->app);
	}
	return 0;
}

static void refuse_launch(struct daemon *d, uint64_t id, const char *why)
{
	struct session gone = { .d = d, .id = id };

	(void)snprintf(gone.why, sizeof(gone.why), "%s", why);
	tell_gone(&gone);
}

bool session_handle_launch(struct daemon *d, struct msg *m)
{
	struct launch *l = xcalloc(1, sizeof(*l));
	bool good = launch_decode(&m->body, l) && m->id != 0 && !session_of(d, m->id);
	struct session *s;
	struct err err = { 0 };

	if (!good)
		goto out;
	if (d->stopping || check_launch(d, l, &err) < 0) {
		refuse_launch(d, m->id, d->stopping ? "the system is stopping" : err.msg);
		goto out;
	}
	s = spare_find(d);
	if (!s) {
		d->spare_failures = 0;
		s = spare_start(d, &err);
	}
	if (!s) {
		refuse_launch(d, m->id, err.msg);
		goto out;
	}
	s->id = m->id;
	s->launch = *l;
	if (s->state == SPARE_READY)
		session_begin(s);
	else
		s->state = SPARE_WANTED;
out:
	free(l);
	return good;
}

void session_rewire(struct daemon *d)
{
	for (struct session *s = d->sessions; s; s = s->next) {
		struct err err = { 0 };

		if (s->state == LIVE && s->chan && give_channel(s, MSG_BROKER, NULL, &err) < 0)
			log_warn("session %llu: %s", (unsigned long long)s->id, err.msg);
		else if (s->state == LIVE)
			room_tell(s);
		else if (s->state == SPARE_WANTED) /* nobody waits for it any more */
			s->state = SPARE_MAKING, s->id = 0;
	}
}

void session_encode_live(const struct daemon *d, struct wr *w)
{
	uint16_t n = 0;

	for (const struct session *s = d->sessions; s; s = s->next)
		n += s->state == LIVE;
	wr_u16(w, n);
	for (const struct session *s = d->sessions; s; s = s->next) {
		if (s->state == LIVE)
			wr_str(w, s->launch.app);
	}
}

bool session_pass(struct daemon *d, uint64_t id, const struct wr *w, int fd)
{
	struct session *s = session_of(d, id);

	if (s && s->state == LIVE && s->chan)
		chan_send(s->chan, w, &fd, 1);
	(void)close(fd);
	return s != NULL;
}

uint32_t session_base(const struct daemon *d, uint64_t id)
{
	const struct session *s = session_of(d, id);

	return s && s->state == LIVE ? s->launch.base : 0;
}

struct session_link *session_link(struct daemon *d, uint64_t id, pid_t *ret_pid)
{
	struct session *s = session_of(d, id);

	if (!s || s->state != LIVE || s->pid <= 0)
		return NULL;
	*ret_pid = s->pid;
	return &s->link;
}

bool sessions_linked(const struct daemon *d, bool *ret_has6)
{
	bool linked = false;

	*ret_has6 = false;
	for (const struct session *s = d->sessions; s; s = s->next) {
		linked = linked || s->link.made;
		*ret_has6 = *ret_has6 || (s->link.made && s->link.has6);
	}
	return linked;
}
