/* SPDX-License-Identifier: MIT
 *
 * Supervisors: one spare stands ready, a launch makes it a session, and its end
 * is told to the broker only when nothing of it runs any more.
 */
#include "cowbelld/daemon.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SPARE_DELAY_MS 30u /* a launch has the processors to itself */
#define SPARE_RETRY_MS 500u
#define SPARE_FAILURES_MAX 5u
#define EMPTY_CHECK_MS 10u
#define USERNS_DELAY_MS 15u

enum state { SPARE_MAKING = 0, SPARE_READY, SPARE_WANTED, LIVE, DYING };

struct session {
	struct session *next;
	struct daemon *d;
	enum state state;
	uint64_t id;
	struct launch launch; /* from SPARE_WANTED on */
	pid_t pid;
	struct chan *chan;
	int cgroup, userns;
	char cgroup_name[32];
	struct session_link link;
	int status;
	char why[512];
	struct loop_source *timer;
};

static struct session *find_session(const struct daemon *d, uint64_t id)
{
	for (struct session *s = d->sessions; s; s = s->next) {
		if (s->id == id && s->state >= SPARE_WANTED)
			return s;
	}
	return NULL;
}

static void session_free(struct session *s)
{
	struct session **p;

	for (p = &s->d->sessions; *p != s; p = &(*p)->next)
		continue;
	*p = s->next;
	chan_destroy(s->chan);
	loop_remove(s->timer);
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
	if (d->stopping && !d->sessions)
		loop_stop(d->loop, 0);
	else if (!d->stopping)
		session_keep_spare(d);
}

static void on_dead(void *data, int status)
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
	struct session *s = find_session(d, id);
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

/* --- the map of owners --- */

static int hold_namespace(void *data)
{
	const int *fds = data;
	char byte;

	/* Until our maker has what it wants, or is gone: with our own copy of the
	 * other end we would never hear of that, and hold its locks for good. */
	(void)close(fds[1]);
	(void)!read(fds[0], &byte, 1);
	return 0;
}

static int make_userns(uint32_t base, struct err *err)
{
	static char stack[16384] __attribute__((aligned(16)));
	char path[64], map[64];
	int fds[2], ns = -1, map_len;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	pid = clone(hold_namespace, stack + sizeof(stack), CLONE_NEWUSER | SIGCHLD, fds);
	if (pid < 0) {
		err_sys(err, "make a user namespace");
		goto out;
	}
	map_len = snprintf(map, sizeof(map), "0 %u %u\n", base, ID_RANGE);
	for (int i = 0; i < 2; i++) {
		cleanup_fd int fd = -1;

		(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, i ? "gid_map" : "uid_map");
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, map, (size_t)map_len) < 0) {
			err_sys(err, "map ids");
			goto reap;
		}
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		err_sys(err, "open a user namespace");
reap:
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
out:
	(void)close(fds[0]);
	(void)close(fds[1]);
	return ns;
}

/* Made once the app runs, so that the first answer does not wait for it. */
static void on_userns_due(void *data)
{
	struct session *s = data;
	struct err err = { 0 };

	loop_remove(s->timer);
	s->timer = NULL;
	if (s->userns < 0)
		s->userns = make_userns(s->launch.base, &err);
}

/* --- launching --- */

static void fail_launch(struct session *s, const char *why)
{
	(void)snprintf(s->why, sizeof(s->why), "%s", why);
	if (s->pid > 0)
		(void)kill(s->pid, SIGKILL); /* on_dead goes on */
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

static void begin_session(struct session *s)
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
		s->timer = loop_add_timer(d->loop, USERNS_DELAY_MS, on_userns_due, s);
	free(w);
	d->spare_failures = 0;
	if (!d->spare_timer)
		session_keep_spare(d);
}

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
		begin_session(s);
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
	(void)snprintf(p->hidden[p->hidden_count++], PATH_SIZE, "%s", d->root[0] ? d->root : d->state);
	network_prepare(d, p, &s->link);
	chan_begin(w, MSG_PREPARE, 0);
	prepare_encode(w, p);
	chan_send(s->chan, w, fds, d->mask_ns >= 0 ? 3 : 2);
	free(w);
	free(p);
}

static struct session *start_spare(struct daemon *d, struct err *err)
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
	children_add(d, s->pid, on_dead, s);
	send_prepare(s);
	return s;
}

static struct session *find_spare(struct daemon *d)
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
	if (!d->stopping && !find_spare(d) && !start_spare(d, &err))
		log_warn("no spare supervisor: %s", err.msg);
}

void session_keep_spare(struct daemon *d)
{
	uint64_t now = loop_boot_ms();
	uint64_t delay = d->spare_retry_ms > now ? d->spare_retry_ms - now : SPARE_DELAY_MS;

	if (d->stopping || d->spare_timer || find_spare(d) || d->spare_failures >= SPARE_FAILURES_MAX)
		return;
	d->spare_timer = loop_add_timer(d->loop, delay, on_spare_timer, d);
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
	bool good = launch_decode(&m->body, l) && m->id != 0 && !find_session(d, m->id);
	struct session *s;
	struct err err = { 0 };

	if (!good)
		goto out;
	if (d->stopping || check_launch(d, l, &err) < 0) {
		refuse_launch(d, m->id, d->stopping ? "the system is stopping" : err.msg);
		goto out;
	}
	s = find_spare(d);
	if (!s) {
		d->spare_failures = 0;
		s = start_spare(d, &err);
	}
	if (!s) {
		refuse_launch(d, m->id, err.msg);
		goto out;
	}
	s->id = m->id;
	s->launch = *l;
	if (s->state == SPARE_READY)
		begin_session(s);
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
	struct session *s = find_session(d, id);

	if (s && s->state == LIVE && s->chan)
		chan_send(s->chan, w, &fd, 1);
	(void)close(fd);
	return s != NULL;
}

uint32_t session_base(const struct daemon *d, uint64_t id)
{
	const struct session *s = find_session(d, id);

	return s && s->state == LIVE ? s->launch.base : 0;
}

int session_userns(struct daemon *d, uint64_t id, struct err *err)
{
	struct session *s = find_session(d, id);

	if (!s || s->state != LIVE)
		return err_set(err, ESRCH, "the session is over");
	if (s->userns < 0)
		s->userns = make_userns(s->launch.base, err);
	return s->userns;
}

struct session_link *session_link(struct daemon *d, uint64_t id, pid_t *ret_pid)
{
	struct session *s = find_session(d, id);

	if (!s || s->state != LIVE || s->pid <= 0)
		return NULL;
	*ret_pid = s->pid;
	return &s->link;
}
