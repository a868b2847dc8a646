/* SPDX-License-Identifier: MIT
 *
 * cowbell-supervisor: started by cowbelld with its channel on fd 3 and the
 * program of pid 1 (O_PATH) on fd 4. Waits for PREPARE, then for JOB.
 */
#include "supervise/supervise.h"

#include "base/log.h"
#include "platform/arm/gate.h"
#include "supervise/hand.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define CHANNEL_FD 3
#define PROGRAM_FD 4

static void tell_daemon(struct supervise *s, enum msg_op op, uint64_t id, const struct err *err)
{
	static struct wr w;

	chan_begin(&w, op, id);
	if (err) {
		wr_u32(&w, (uint32_t)(err->code ? err->code : EIO));
		wr_str(&w, err->msg);
	}
	chan_send(s->daemon, &w, NULL, 0);
}

static void tell_prepared(struct supervise *s, uint64_t id)
{
	static struct wr w;

	chan_begin(&w, MSG_PREPARED, id);
	chan_send(s->daemon, &w, &s->spare.keep, s->spare.keep >= 0);
	if (s->spare.keep >= 0)
		(void)close(s->spare.keep);
	s->spare.keep = -1;
}

static void follow_daemon(void)
{
	struct pollfd pf = { .fd = CHANNEL_FD, .events = 0 };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		_exit(1);
	if (poll(&pf, 1, 0) > 0 && (pf.revents & (POLLHUP | POLLERR)))
		_exit(1);
}

static bool handle_prepare(struct supervise *s, struct msg *m)
{
	struct prepare *prepare = xcalloc(1, sizeof(*prepare));
	bool ok = s->state == SUPERVISE_NEW && m->fd_count >= 1 && m->fd_count <= 3 &&
		  prepare_decode(&m->body, prepare);
	const struct spare_fds fds = {
		.seccomp = m->fds[0],
		.program = s->init_program,
		.cgroup = m->fd_count >= 2 ? m->fds[1] : -1,
		.mask = m->fd_count == 3 ? m->fds[2] : -1,
		.network = &s->network,
	};
	struct err err = { 0 };

	if (ok && spare_prepare(&s->spare, prepare, &fds, &err) < 0) {
		tell_daemon(s, MSG_PREPARE_FAILED, m->id, &err);
		_exit(1);
	}
	free(prepare);
	if (!ok)
		return false;
	follow_daemon(); /* once more: ids_clone changed ids, which clears it */
	s->state = SUPERVISE_SPARE;
	s->init_pid = s->spare.init_pid;
	tell_prepared(s, m->id);
	return true;
}

static bool on_init_message(void *data, struct msg *m)
{
	struct supervise *s = data;

	if (!msg_allowed(m->op, 'I', 'S'))
		return false;
	return m->op == MSG_INIT_LISTENER ? listening_handle_fd(s, m) : runs_handle_init(s, m);
}

/* pid 1 closed its end or talked nonsense: either way it is done for. Its death
 * is told by SIGCHLD. */
static void on_init_gone(void *data, const struct err *err)
{
	struct supervise *s = data;

	if (err->code)
		log_warn("pid 1 of '%s': %s", s->app, err->msg);
	chan_destroy(s->init);
	s->init = NULL;
	supervise_end(s);
}

static void on_gate(void *data, uint32_t events)
{
	(void)events;
	questions_read(data);
}

static int go_live(struct supervise *s, struct err *err)
{
	static const struct chan_ops init_ops = { on_init_message, on_init_gone };

	s->init = chan_create(s->loop, s->spare.init_chan, &init_ops, s);
	if (!s->init || !loop_add_fd(s->loop, gate_engine_fd(s->spare.gates), EPOLLIN, on_gate, s))
		return err_sys(err, "watch the app's first process and gates");
	s->state = SUPERVISE_LIVE;
	return network_start(s) < 0 ? err_sys(err, "watch the app's network") : 0;
}

static void fail_job(struct supervise *s, const struct err *err) __attribute__((noreturn));
static void fail_job(struct supervise *s, const struct err *err)
{
	static struct wr w;

	log_warn("session of '%s': %s", s->app, err->msg);
	chan_begin(&w, MSG_SESSION_FAILED, s->session);
	wr_u32(&w, (uint32_t)(err->code ? err->code : EIO));
	wr_str(&w, err->msg);
	supervise_tell(s, &w, NULL, 0);
	_exit(1);
}

static void start_session(struct supervise *s, const struct launch *launch, int cgroup_fd)
{
	struct err err = { 0 };
	static struct wr w;

	memcpy(s->app, launch->app, sizeof(s->app));
	s->kind = launch->kind;
	s->base = launch->base;
	questions_init(&s->questions, s->spare.gates, &s->spare.view);
	if (assemble(s, launch, cgroup_fd, &err) < 0 || go_live(s, &err) < 0)
		fail_job(s, &err);
	supervise_hello(s);
	chan_begin(&w, MSG_SESSION_READY, s->session);
	supervise_tell(s, &w, NULL, 0);
}

static int take_broker(struct supervise *s, struct msg *m)
{
	int fd = m->fds[0];

	m->fds[0] = -1;
	chan_destroy(s->broker);
	s->broker = chan_create(s->loop, fd, &supervise_broker_ops, s);
	return s->broker ? 0 : -1;
}

static bool handle_job(struct supervise *s, struct msg *m)
{
	struct launch launch;

	if (s->state != SUPERVISE_SPARE || m->fd_count != 2 || !launch_decode(&m->body, &launch))
		return false;
	s->session = m->id;
	if (take_broker(s, m) < 0)
		fatal("no channel to the broker: %s", strerror(errno));
	start_session(s, &launch, m->fds[1]);
	return true;
}

static bool handle_broker(struct supervise *s, struct msg *m)
{
	if (s->state < SUPERVISE_LIVE || m->id != s->session || m->fd_count != 1 || !rd_end(&m->body))
		return false;
	if (take_broker(s, m) < 0)
		log_warn("no channel to the new broker: %s", strerror(errno));
	else
		supervise_hello(s);
	return true;
}

static bool on_daemon_message(void *data, struct msg *m)
{
	struct supervise *s = data;

	if (!msg_allowed(m->op, 'D', 'S'))
		return false;
	switch ((unsigned int)m->op) {
	case MSG_PREPARE:
		return handle_prepare(s, m);
	case MSG_JOB:
		return handle_job(s, m);
	case MSG_BROKER:
		return handle_broker(s, m);
	case MSG_MOUNT:
		return s->state >= SUPERVISE_LIVE && m->id == s->session && questions_handle_mount(s, m);
	case MSG_DNS_CHANNEL:
		return s->state >= SUPERVISE_LIVE && m->id == s->session && network_handle_dns_channel(s, m);
	case MSG_HAND_MOUNT:
		return s->state >= SUPERVISE_LIVE && m->id == s->session && hand_handle_mount(s, m);
	}
	return false;
}

/* Gates first: they take nobody in any more when this process is gone, and pid 1
 * follows it by its death signal. */
static void on_daemon_gone(void *data, const struct err *err)
{
	struct supervise *s = data;

	if (err->code)
		log_warn("cowbelld: %s", err->msg);
	if (s->init_pid > 0)
		(void)kill(s->init_pid, SIGKILL);
	_exit(1);
}

static void on_child(void *data, int signo)
{
	struct supervise *s = data;
	bool over = false;
	int status;
	pid_t pid;

	(void)signo;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != s->init_pid) {
			questions_child(s, pid, status);
			continue;
		}
		over = true;
		if (s->state != SUPERVISE_ENDING)
			log_warn("pid 1 of '%s' ended by itself (wait status %#x)", s->app, (unsigned int)status);
	}
	if (!over)
		return;
	if (s->state < SUPERVISE_LIVE)
		fatal("the first process of a spare died");
	/* What it said before it died comes before ENDED. */
	if (s->init)
		chan_drain(s->init);
	finish_session(s);
}

/* A core file would be written by the host, to where the host wants it. Of 1, not of 0:
 * only that keeps the kernel from starting a program of the host's for it as well
 * (core(5), fs/coredump.c). The app's filter holds it there. */
static void write_no_core(void)
{
	const struct rlimit no_core = { 1, 1 };

	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		log_warn("core files are not switched off: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	static const struct chan_ops daemon_ops = { on_daemon_message, on_daemon_gone };
	static struct supervise s = { .init_program = PROGRAM_FD, .root_mnt = -1, .upper = -1 };
	struct stat st;

	(void)argv;
	log_init("cowbell-supervisor");
	if (argc != 1 || fstat(CHANNEL_FD, &st) < 0 || !S_ISSOCK(st.st_mode) || fstat(PROGRAM_FD, &st) < 0)
		fatal("started by hand: it is cowbelld's to start it");
	(void)fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC);
	(void)fcntl(PROGRAM_FD, F_SETFD, FD_CLOEXEC);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTTOU, SIG_IGN);
	/* A group of its own: autofs lets that group, and nobody else, pass gates. */
	if (setpgid(0, 0) < 0 && errno != EPERM)
		fatal("no process group of its own: %s", strerror(errno));
	follow_daemon();
	write_no_core();
	runs_init(&s.runs);
	s.loop = loop_create();
	if (!s.loop || !loop_add_signal(s.loop, SIGCHLD, on_child, &s))
		fatal("no event loop: %s", strerror(errno));
	s.daemon = chan_create(s.loop, CHANNEL_FD, &daemon_ops, &s);
	if (!s.daemon)
		fatal("no channel to cowbelld: %s", strerror(errno));
	return loop_run(s.loop) < 0 ? 1 : 0;
}
