/* SPDX-License-Identifier: MIT
 *
 * One child at a time, in a group of its own, that does not outlive us.
 */
#include "packages/manager.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define OUT_MAX ((size_t)64 << 20)
#define BROKER_FD 3
#define STATUS_FD 9

static char path_variable[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
static char *const environment[] = { path_variable, NULL };

struct pipes {
	int out, err, status;
};

static void exec_child(const struct child_run *run, const int out[2], const int errors[2], const int status[2])
{
	int null = open("/dev/null", O_RDWR);

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out[1], 1) < 0 || dup2(errors[1], 2) < 0 || dup2(status[1], STATUS_FD) < 0)
		_exit(126);
	for (int fd = 3; fd < 64; fd++) {
		if (fd != STATUS_FD)
			(void)close(fd);
	}
	if (run->folder && chdir(run->folder) < 0)
		_exit(126);
	(void)execvpe(run->argv[0], (char *const *)(uintptr_t)run->argv, environment);
	_exit(127);
}

static bool take_out(struct child_run *run, int fd)
{
	size_t room = 65536;
	ssize_t n;

	run->out = xrealloc(run->out, run->out_len + room + 1);
	n = read(fd, run->out + run->out_len, room);
	run->out_len += n > 0 ? (size_t)n : 0;
	run->out[run->out_len] = '\0';
	return n > 0;
}

/* Keeps the end of it. */
static bool take_errors(struct child_run *run, int fd)
{
	char buf[1024];
	ssize_t n = read(fd, buf, sizeof(buf));
	size_t used = strlen(run->errors), size = sizeof(run->errors) - 1;

	if (n <= 0)
		return false;
	if (used + (size_t)n > size) {
		size_t drop = used + (size_t)n - size;

		memmove(run->errors, run->errors + drop, used - drop);
		used -= drop;
	}
	for (ssize_t i = 0; i < n; i++)
		run->errors[used++] = buf[i] ? buf[i] : ' ';
	run->errors[used] = '\0';
	return true;
}

static bool take_status(struct child_run *run, int fd, char *line, size_t size)
{
	size_t used = strlen(line);
	ssize_t n = read(fd, line + used, size - 1 - used);
	char *end;

	if (n <= 0)
		return false;
	line[used + (size_t)n] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		if (run->on_status)
			run->on_status(line);
		memmove(line, end + 1, strlen(end + 1) + 1);
	}
	if (strlen(line) == size - 1)
		line[0] = '\0';
	return true;
}

/* Nobody wants the answer any more. */
static void give_up(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	_exit(0);
}

static int relay(struct child_run *run, struct pipes *p, pid_t pid, struct err *err)
{
	char line[512] = "";

	while (p->out >= 0 || p->err >= 0 || p->status >= 0) {
		struct pollfd fds[4] = { { .fd = p->out, .events = POLLIN },
					 { .fd = p->err, .events = POLLIN },
					 { .fd = p->status, .events = POLLIN },
					 { .fd = BROKER_FD, .events = POLLRDHUP } };
		int *own[3] = { &p->out, &p->err, &p->status };

		if (poll(fds, 4, -1) < 0 && errno != EINTR)
			return err_sys(err, "wait for '%s'", run->argv[0]);
		if (fds[3].revents & (POLLHUP | POLLRDHUP | POLLERR))
			give_up(pid);
		for (int i = 0; i < 3; i++) {
			if (fds[i].revents && !(i == 0   ? take_out(run, p->out)
						: i == 1 ? take_errors(run, p->err)
							 : take_status(run, p->status, line, sizeof(line))))
				(void)close(steal_fd(own[i]));
		}
		if (run->out_len > OUT_MAX)
			return err_set(err, EFBIG, "'%s' printed more than 64 MB", run->argv[0]);
	}
	return 0;
}

int child_run(struct child_run *run, struct err *err)
{
	int out[2], errors[2], status[2], rc, ended;
	struct pipes p;
	pid_t pid;

	run->out = xcalloc(1, 1);
	run->out_len = 0;
	run->errors[0] = '\0';
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0 || pipe2(status, O_CLOEXEC) < 0)
		return err_sys(err, "make pipes");
	pid = fork();
	if (pid < 0)
		return err_sys(err, "start '%s'", run->argv[0]);
	if (pid == 0)
		exec_child(run, out, errors, status);
	(void)close(out[1]);
	(void)close(errors[1]);
	(void)close(status[1]);
	p = (struct pipes){ out[0], errors[0], status[0] };
	rc = relay(run, &p, pid, err);
	if (rc < 0)
		(void)kill(-pid, SIGKILL);
	if (p.out >= 0)
		(void)close(p.out);
	if (p.err >= 0)
		(void)close(p.err);
	if (p.status >= 0)
		(void)close(p.status);
	if (waitpid(pid, &ended, 0) < 0)
		return rc < 0 ? rc : err_sys(err, "wait for '%s'", run->argv[0]);
	run->status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
	return rc;
}
