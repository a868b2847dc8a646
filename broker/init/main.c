/* SPDX-License-Identifier: MIT
 *
 * cowbell-init KIND UID GID: pid 1 of an app. Started by the supervisor with a
 * channel on fd 3 and the seccomp program on fd 4; lives as long as the session
 * and knows nothing but its commands.
 */
#include "init/init.h"

#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct command {
	struct init *init;
	uint32_t id;
	pid_t pid; /* 0: the slot is free */
	int report;
	struct loop_source *source;
	bool told, cwd_changed;
	bool over; /* reaped, its status to be told */
	int status;
};

struct init {
	struct loop *loop;
	struct chan *chan;
	struct command commands[INIT_COMMANDS_MAX];
	bool left; /* told: the last command is over and something else runs */
};

static void tell_ran(struct init *init, uint32_t id, int code, const char *step, bool cwd_changed)
{
	static struct wr w;

	chan_begin(&w, MSG_INIT_RAN, 0);
	wr_u32(&w, id);
	wr_u32(&w, (uint32_t)code);
	wr_str(&w, step);
	wr_u8(&w, cwd_changed);
	chan_send(init->chan, &w, NULL, 0);
}

static void finish_report(struct command *c, int code, const char *step)
{
	loop_remove(c->source);
	c->source = NULL;
	(void)close(c->report);
	c->report = -1;
	c->told = true;
	tell_ran(c->init, c->id, code, step, c->cwd_changed);
}

/* Reads what the child had to say. Closed without an error: the program runs. */
static void on_report(void *data, uint32_t events)
{
	struct command *c = data;

	(void)events;
	for (;;) {
		struct start_report r;
		ssize_t n = read(c->report, &r, sizeof(r));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n != (ssize_t)sizeof(r)) {
			finish_report(c, 0, "");
			return;
		}
		r.step[sizeof(r.step) - 1] = '\0';
		if (r.cwd_changed)
			c->cwd_changed = true;
		if (r.failed) {
			finish_report(c, r.code ? r.code : EIO, r.step);
			return;
		}
	}
}

static void tell_exited(struct command *c, bool left)
{
	int status = c->status;

	static struct wr w;

	/* Its report comes first, also when the child is already gone. */
	if (!c->told)
		on_report(c, 0);
	if (!c->told)
		finish_report(c, 0, "");
	chan_begin(&w, MSG_INIT_EXITED, 0);
	wr_u32(&w, c->id);
	wr_u32(&w, (uint32_t)(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)));
	wr_u8(&w, left);
	chan_send(c->init->chan, &w, NULL, 0);
	c->pid = 0;
	c->over = false;
}

static void tell_empty(struct init *init)
{
	static struct wr w;

	chan_begin(&w, MSG_INIT_EMPTY, 0);
	chan_send(init->chan, &w, NULL, 0);
}

static void on_child(void *data, int signo)
{
	struct init *init = data;
	bool told = false;
	int status;
	pid_t pid;

	(void)signo;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < INIT_COMMANDS_MAX; i++) {
			if (init->commands[i].pid == pid) {
				init->commands[i].over = true;
				init->commands[i].status = status;
			}
		}
	}
	/* Orphans are ours at once: 0 says that something still runs in here. */
	for (size_t i = 0; i < INIT_COMMANDS_MAX; i++) {
		if (!init->commands[i].over)
			continue;
		tell_exited(&init->commands[i], pid == 0);
		told = true;
	}
	if (told)
		init->left = pid == 0;
	else if (init->left && pid < 0)
		tell_empty(init);
	init->left &= pid == 0;
}

static struct command *free_slot(struct init *init)
{
	for (size_t i = 0; i < INIT_COMMANDS_MAX; i++) {
		if (init->commands[i].pid == 0)
			return &init->commands[i];
	}
	return NULL;
}

static void run(struct init *init, const struct start *start)
{
	struct command *c = free_slot(init);
	struct err err = { 0 };
	pid_t pid;
	int fd;

	if (!c) {
		tell_ran(init, start->command, EAGAIN, "too many commands", false);
		return;
	}
	pid = start_fork(start, &fd, &err);
	if (pid < 0) {
		tell_ran(init, start->command, err.code, err.msg, false);
		return;
	}
	*c = (struct command){ .init = init, .id = start->command, .pid = pid, .report = fd };
	c->source = loop_add_fd(init->loop, fd, EPOLLIN, on_report, c);
	if (!c->source)
		finish_report(c, 0, "");
}

static bool handle_run(struct init *init, struct msg *m)
{
	struct start start;
	bool ok = start_decode(&m->body, &start) && m->fd_count == 3;

	for (size_t i = 0; ok && i < 3; i++) {
		start.fds[i] = m->fds[i];
		m->fds[i] = -1;
	}
	if (ok)
		run(init, &start);
	start_finish(&start);
	return ok;
}

static bool handle_signal(struct init *init, struct msg *m)
{
	uint32_t id = rd_u32(&m->body), signo = rd_u32(&m->body);

	if (!rd_end(&m->body) || signo == 0 || signo >= NSIG)
		return false;
	(void)lockdown_raise(true);
	if (id == 0)
		(void)kill(-1, (int)signo); /* all but ourselves */
	for (size_t i = 0; i < INIT_COMMANDS_MAX; i++) {
		struct command *c = &init->commands[i];

		/* The command leads its own group; before its exec the group may not stand yet. */
		if (c->pid > 0 && id && c->id == id && kill(-c->pid, (int)signo) < 0)
			(void)kill(c->pid, (int)signo);
	}
	(void)lockdown_raise(false);
	return true;
}

static bool on_message(void *data, struct msg *m)
{
	struct init *init = data;

	if (!msg_allowed(m->op, 'S', 'I'))
		return false;
	return m->op == MSG_INIT_RUN ? handle_run(init, m) : handle_signal(init, m);
}

static void on_gone(void *data, const struct err *err)
{
	(void)data;
	(void)err;
	/* The namespace dies with pid 1, and so does every command. */
	_exit(0);
}

static bool parse_id(const char *s, uint32_t *ret)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	*ret = (uint32_t)v;
	return s[0] >= '0' && s[0] <= '9' && !*end && v < 65536;
}

/* Dies with the supervisor. Set last: every change of ids clears it; and the
 * supervisor may have died before it was set. */
static void follow_supervisor(void)
{
	struct pollfd pf = { .fd = INIT_CHANNEL_FD, .events = 0 };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		_exit(1);
	if (poll(&pf, 1, 0) > 0 && (pf.revents & (POLLHUP | POLLERR)))
		_exit(1);
}

/* What hears of calls is the supervisor's: one of ours could answer them all. */
static void pass_on(struct init *init, int listener)
{
	static struct wr w;

	chan_begin(&w, MSG_INIT_LISTENER, 0);
	chan_send(init->chan, &w, &listener, 1);
	(void)close(listener);
}

int main(int argc, char **argv)
{
	static const struct chan_ops ops = { on_message, on_gone };
	static struct init init;
	struct err err = { 0 };
	uint64_t kept = 0;
	uint32_t uid, gid;
	int listener;

	log_init("cowbell-init");
	if (argc != 4 || !parse_id(argv[2], &uid) || !parse_id(argv[3], &gid))
		fatal("started by hand: it is the supervisor's to start it");
	if (strcmp(argv[1], "install") == 0)
		kept = lockdown_installer_caps;
	else if (strcmp(argv[1], "service") == 0)
		kept = lockdown_service_caps;
	listener = lockdown_apply(kept, uid, gid, INIT_SECCOMP_FD, &err);
	if (listener < 0)
		fatal("%s", err.msg);
	(void)close(INIT_SECCOMP_FD);
	(void)signal(SIGPIPE, SIG_IGN);
	follow_supervisor();
	init.loop = loop_create();
	if (!init.loop || !loop_add_signal(init.loop, SIGCHLD, on_child, &init))
		fatal("no event loop: %s", strerror(errno));
	init.chan = chan_create(init.loop, INIT_CHANNEL_FD, &ops, &init);
	if (!init.chan)
		fatal("no channel: %s", strerror(errno));
	pass_on(&init, listener);
	return loop_run(init.loop) < 0 ? 1 : 0;
}
