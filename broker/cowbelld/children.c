/* SPDX-License-Identifier: MIT
 *
 * Forking and reaping. Everything we start is exec'd from our own folder by
 * descriptor, with just the descriptors that it is given, and dies with us.
 */
#include "cowbelld/daemon.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct child {
	struct child *next;
	pid_t pid;
	void (*fn)(void *data, int status);
	void *data;
};

void children_add(struct daemon *d, pid_t pid, void (*fn)(void *data, int status), void *data)
{
	struct child *c = xcalloc(1, sizeof(*c));

	c->pid = pid;
	c->fn = fn;
	c->data = data;
	c->next = d->children;
	d->children = c;
}

static void on_sigchld(void *data, int signo)
{
	struct daemon *d = data;
	int status;
	pid_t pid;

	(void)signo;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (struct child **p = &d->children; *p; p = &(*p)->next) {
			struct child *c = *p;

			if (c->pid != pid)
				continue;
			*p = c->next;
			c->fn(c->data, status);
			free(c);
			break;
		}
	}
}

int children_start(struct daemon *d)
{
	return loop_add_signal(d->loop, SIGCHLD, on_sigchld, d) ? 0 : -1;
}

static void become_user(const struct spawn *s)
{
	if (!s->as_user)
		return;
	if (setgroups(0, NULL) < 0 || setresgid(s->gid, s->gid, s->gid) < 0 || setresuid(s->uid, s->uid, s->uid) < 0)
		_exit(70);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(70);
}

/* A view of the file system that cannot be written to. fd 4 is its /tmp. */
static int make_read_only(bool with_tmp)
{
	struct mount_attr ro = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };
	int tmp = -1, at;

	/* Cloned while it still belongs to our own namespace. */
	if (with_tmp) {
		tmp = (int)syscall(SYS_open_tree, 4, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
		if (tmp < 0)
			return -1;
	}
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &ro, sizeof(ro)) < 0)
		return -1;
	if (!with_tmp)
		return 0;
	at = open("/tmp", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0 || syscall(SYS_move_mount, tmp, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -1;
	(void)close(at);
	return close(tmp);
}

static void child_main(const struct spawn *s, int program, pid_t parent)
{
	char debug[] = "COWBELL_DEBUG=1";
	char *const env[] = { getenv("COWBELL_DEBUG") ? debug : NULL, NULL };
	char *const self[] = { (char *)(uintptr_t)s->program, NULL };
	sigset_t none;
	int a = fcntl(s->fd, F_DUPFD, 20), b = s->second >= 0 ? fcntl(s->second, F_DUPFD, 20) : -1;
	int p = fcntl(program, F_DUPFD_CLOEXEC, 20);

	if (a < 0 || p < 0 || dup2(a, 3) < 0 || (b >= 0 && dup2(b, 4) < 0))
		_exit(70);
	if (dup3(p, 5, O_CLOEXEC) < 0)
		_exit(70);
	if (b < 0)
		(void)close(4);
	(void)syscall(SYS_close_range, 6u, ~0u, 0u);
	if (s->no_network && unshare(CLONE_NEWNET) < 0)
		_exit(70);
	if (s->read_only && make_read_only(b >= 0) < 0)
		_exit(70);
	become_user(s);
	(void)signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* After the last change of ids, which clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		_exit(70);
	(void)syscall(SYS_execveat, 5, "", s->argv ? s->argv : self, env, AT_EMPTY_PATH);
	_exit(errno == ENOENT ? 127 : 126);
}

pid_t children_spawn(struct daemon *d, const struct spawn *s, struct err *err)
{
	cleanup_fd int program = openat(d->bin_fd, s->program, O_PATH | O_CLOEXEC);
	pid_t parent = getpid(), pid;

	if (program < 0)
		return err_sys(err, "find our program '%s'", s->program);
	pid = fork();
	if (pid < 0)
		return err_sys(err, "start '%s'", s->program);
	if (pid == 0)
		child_main(s, program, parent);
	return pid;
}
