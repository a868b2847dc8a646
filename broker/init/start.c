/* SPDX-License-Identifier: MIT
 *
 * One command: from the message to its exec. The child may be held at a gate
 * before it gets that far, so pid 1 never waits for it.
 */
#include "init/init.h"

#include "base/fd.h"
#include "proto/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define REPORT_FD 3

bool start_decode(struct rd *r, struct start *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->fds[0] = ret->fds[1] = ret->fds[2] = -1;
	ret->command = rd_u32(r);
	ret->flags = rd_u8(r);
	ret->uid = rd_u32(r);
	ret->gid = rd_u32(r);
	rd_str(r, ret->user, sizeof(ret->user));
	rd_str(r, ret->cwd, sizeof(ret->cwd));
	rd_str(r, ret->home, sizeof(ret->home));
	return strv_decode(r, &ret->argv) && strv_decode(r, &ret->env) && strv_decode(r, &ret->before) && rd_end(r) &&
	       ret->argv[0];
}

void start_finish(struct start *start)
{
	strv_free(start->argv);
	strv_free(start->env);
	strv_free(start->before);
	start->argv = start->env = start->before = NULL;
	for (int i = 0; i < 3; i++) {
		if (start->fds[i] >= 0)
			(void)close(start->fds[i]);
		start->fds[i] = -1;
	}
}

#define PROCESSES_MAX 4096u
#define INSTALLER_PROCESSES_MAX 1024u
#define FILES_MAX 8192u

static void report(bool failed, bool cwd_changed, int code, const char *step)
{
	struct start_report r = { .failed = failed, .cwd_changed = cwd_changed, .code = code };

	(void)snprintf(r.step, sizeof(r.step), "%s", step);
	(void)fd_write_full(REPORT_FD, &r, sizeof(r));
}

static void give_up(const char *step) __attribute__((noreturn));
static void give_up(const char *step)
{
	report(true, false, errno, step);
	_exit(127);
}

static void give_up_exec(const char *program) __attribute__((noreturn));
static void give_up_exec(const char *program)
{
	int code = errno;
	char step[128];

	(void)snprintf(step, sizeof(step), "start '%s'", program);
	errno = code;
	give_up(step);
}

/* Standard fds to 0, 1, 2, the report pipe to 3, and nothing else. */
static void place_fds(const struct start *start, int report_fd)
{
	int high[4];

	for (int i = 0; i < 4; i++) {
		high[i] = fcntl(i < 3 ? start->fds[i] : report_fd, F_DUPFD_CLOEXEC, 16);
		if (high[i] < 0)
			_exit(127);
	}
	for (int i = 0; i < 3; i++) {
		if (dup2(high[i], i) < 0)
			_exit(127);
	}
	if (dup3(high[3], REPORT_FD, O_CLOEXEC) < 0 || syscall(SYS_close_range, REPORT_FD + 1, ~0u, 0) < 0)
		_exit(127);
}

static void take_terminal(uint8_t flags)
{
	for (int i = 0; i < 3; i++) {
		if (!(flags & (RUN_TTY_STDIN << i)))
			continue;
		if (ioctl(i, TIOCSCTTY, 0) < 0)
			give_up("take the session's terminal");
		return;
	}
}

/* A small device's own bound can be lower, and is not raised. */
static void bound(int what, rlim_t most, const char *doing)
{
	struct rlimit now;

	if (getrlimit(what, &now) < 0)
		give_up(doing);
	now.rlim_cur = now.rlim_cur < most ? now.rlim_cur : most;
	now.rlim_max = now.rlim_max < most ? now.rlim_max : most;
	if (setrlimit(what, &now) < 0)
		give_up(doing);
}

static void reset_process(const struct start *start)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)umask(022);
	/* Every app has host ids of its own, so this counts its processes alone: a
	 * bound also where the kernel has no pids controller to spare. */
	bound(RLIMIT_NPROC, start->flags & RUN_ROOT ? INSTALLER_PROCESSES_MAX : PROCESSES_MAX,
	      "bound the number of processes");
	/* The kernel's table of open files is one for all, and has about 100,000 places
	 * for each GB of memory. */
	bound(RLIMIT_NOFILE, FILES_MAX, "bound the number of open files");
}

/* Whom a service runs as, from the list in the app's own root: whatever it says, the
 * numbers are ids of this app. */
bool start_find_user(struct start *start)
{
	FILE *list = fopen("/etc/passwd", "re");
	struct passwd *found = NULL;
	char *end;
	unsigned long number = strtoul(start->user, &end, 10);
	bool is_number = *end == '\0';

	errno = 0;
	while (list && (found = fgetpwent(list))) {
		if (is_number ? found->pw_uid == number : strcmp(found->pw_name, start->user) == 0)
			break;
	}
	if (!found || found->pw_uid >= ID_RANGE || found->pw_gid >= ID_RANGE) {
		if (list)
			(void)fclose(list);
		errno = ENOENT;
		return false;
	}
	start->uid = found->pw_uid;
	start->gid = found->pw_gid;
	(void)snprintf(start->home, sizeof(start->home), "%s", found->pw_dir);
	(void)snprintf(start->user, sizeof(start->user), "%s", found->pw_name);
	(void)fclose(list);
	return true;
}

int start_become(const struct start *start, const char **ret_step)
{
	*ret_step = "raise capabilities";
	if (lockdown_raise(true) < 0)
		return -1;
	*ret_step = "drop groups";
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return -1;
	*ret_step = "become the user of this command";
	if (setresgid(start->gid, start->gid, start->gid) < 0 || setresuid(start->uid, start->uid, start->uid) < 0)
		return -1;
	/* Readable again for itself, as a program's exec would make it. */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return 0;
}

/* The folder may be behind a gate: the question names the program, not us. */
static void enter_folder(const struct start *start)
{
	const char *slash = strrchr(start->argv[0], '/');

	(void)prctl(PR_SET_NAME, slash ? slash + 1 : start->argv[0], 0, 0, 0);
	if (start->cwd[0] && chdir(start->cwd) == 0)
		return;
	if (chdir(start->home) < 0 && chdir("/") < 0)
		give_up("enter a folder");
	if (start->cwd[0])
		report(false, true, 0, "");
}

/* With pages of 4 KiB everything fits, and nothing has to be looked at. */
static void check_pages(const char *program)
{
	long page = sysconf(_SC_PAGESIZE);
	struct start_report r = { 0 };

	if (page <= 4096 || program_fits(program, (uint64_t)page, r.step, sizeof(r.step)))
		return;
	errno = ENOEXEC;
	give_up(r.step);
}

static void give_up_foreign(const char *program) __attribute__((noreturn));
static void give_up_foreign(const char *program)
{
	struct start_report r = { 0 };

	(void)snprintf(r.step, sizeof(r.step), "start '%.100s': it is built for another machine, or is cut off", program);
	errno = ENOEXEC;
	give_up(r.step);
}

static void child(struct start *start, int report_fd) __attribute__((noreturn));
static void child(struct start *start, int report_fd)
{
	const char *step;

	place_fds(start, report_fd);
	if (setsid() < 0)
		give_up("start a session");
	take_terminal(start->flags);
	reset_process(start);
	if (start->user[0] && !start_find_user(start))
		give_up("find the service's user");
	before_do(start); /* from here on the environment is the command's */
	if (start_become(start, &step) < 0)
		give_up(step);
	enter_folder(start);
	if (start->user[0] && (setenv("HOME", start->home, 1) < 0 || setenv("USER", start->user, 1) < 0 ||
			       setenv("LOGNAME", start->user, 1) < 0))
		give_up("name the service's user");
	check_pages(start->argv[0]);
	if (!program_exec(start->argv))
		give_up_foreign(start->argv[0]);
	give_up_exec(start->argv[0]);
}

pid_t start_fork(const struct start *start, int *ret_report, struct err *err)
{
	struct start copy = *start;
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	pid = fork();
	if (pid == 0)
		child(&copy, p[1]);
	(void)close(p[1]);
	if (pid < 0) {
		(void)err_sys(err, "fork");
		(void)close(p[0]);
		return -1;
	}
	(void)fd_set_nonblock(p[0], true);
	*ret_report = p[0];
	return pid;
}
