/* SPDX-License-Identifier: MIT
 *
 * cowbelld: root, in the initial namespaces. Sets up, starts the others, and
 * ends them in order: gates first.
 */
#include "cowbelld/daemon.h"

#include "base/fd.h"
#include "base/log.h"
#include "platform/arm/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define STOP_AT_LATEST_MS 5000u

static struct daemon the_daemon; /* main's; handed down, never named elsewhere */

static void on_stop_deadline(void *data)
{
	struct daemon *d = data;

	loop_stop(d->loop, 1);
}

void daemon_end(struct daemon *d, int status)
{
	if (d->stopping)
		return;
	d->stopping = true;
	d->status = status;
	session_stop_all(d);
	if (!session_any_left(d)) {
		loop_stop(d->loop, status);
		return;
	}
	(void)loop_add_timer(d->loop, STOP_AT_LATEST_MS, on_stop_deadline, d);
}

static void on_stop(void *data, int signo)
{
	(void)signo;
	daemon_end(data, 0);
}

static int check_kernel(struct err *err)
{
	static const struct {
		const char *what, *path, *cure;
	} needs[] = {
		{ "gates", "/dev/autofs", "load the kernel module autofs4" },
		{ "user namespaces", "/proc/self/ns/user", "a kernel with CONFIG_USER_NS" },
	};

	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		if (access(needs[i].path, F_OK) < 0) {
			err_sys(err, "this kernel has no %s: '%s'", needs[i].what, needs[i].path);
			return err_hint(err, "%s", needs[i].cure);
		}
	}
	return 0;
}

static int set_up(struct daemon *d, struct err *err)
{
	if (geteuid() != 0)
		return err_set(err, EPERM, "not root (sudo cowbelld)");
	if (check_kernel(err) < 0 || paths_open_programs(d, err) < 0 || profile_load(d, err) < 0 ||
	    owner_find(d, err) < 0 || owner_read_resources(d, err) < 0 ||
	    paths_open(d, err) < 0 || ids_open(d, err) < 0)
		return -1;
	devices_find(d);
	d->seccomp_fd = seccomp_program(d->options.seccomp_flags, err);
	if (d->seccomp_fd < 0 || cgroup_root_open(&d->cgroup, d->instance, err) < 0 || paths_listen(d, err) < 0)
		return -1;
	network_open(d);
	d->loop = loop_create();
	if (!d->loop || children_start(d) < 0 || !loop_add_signal(d->loop, SIGTERM, on_stop, d) ||
	    !loop_add_signal(d->loop, SIGINT, on_stop, d) || !loop_add_signal(d->loop, SIGHUP, on_stop, d))
		return err_sys(err, "make an event loop");
	return network_watch(d, err) < 0 || volumes_watch(d, err) < 0 || state_watch(d, err) < 0 ? -1 : broker_start(d, err);
}

/* The broker writes down the last things when its channel closes. */
static void end_broker(struct daemon *d)
{
	pid_t pid = d->broker_pid;

	chan_destroy(d->broker);
	d->broker = NULL;
	for (int i = 0; pid > 0 && i < 200; i++) {
		if (kill(pid, 0) < 0 || waitpid(pid, NULL, WNOHANG) == pid)
			return;
		(void)usleep(10000);
	}
	if (pid > 0)
		(void)kill(pid, SIGKILL);
}

/* Keepers finish what they do, or die with us. */
static void bury_children(void)
{
	for (int i = 0; i < 200 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
		(void)usleep(10000);
}

/* Until the loop takes them: a stop in the middle of the start undoes it too. */
static void hold_stop_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

int main(int argc, char **argv)
{
	struct daemon *d = &the_daemon;
	struct err err = { 0 };
	int status = 1;

	if (fd_fill_standard() < 0)
		return 1;
	log_init("cowbelld");
	d->lock_fd = d->store_fd = d->meta_fd = d->bin_fd = d->listen_fd = d->fetch_fd = d->claim_fd = d->seccomp_fd = d->mask_ns = -1;
	d->state_watch = -1;
	d->cgroup.fd = d->cgroup.hierarchy = -1;
	if (!options_parse(argc, argv, &d->options, &status))
		return status;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(022);
	hold_stop_signals();
	/* What a supervisor that was killed leaves is ours to bury. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (d->options.ready_fd >= 0)
		(void)fcntl(d->options.ready_fd, F_SETFD, FD_CLOEXEC);
	if (set_up(d, &err) < 0) {
		(void)fprintf(stderr, "cowbelld: %s\n", err.msg);
		status = 1;
	} else {
		session_keep_spare(d);
		status = loop_run(d->loop);
		d->stopping = true;
		session_stop_all(d);
	}
	end_broker(d);
	bury_children();
	devices_finish(d);
	volumes_finish(d);
	network_close(d);
	paths_close(d);
	if (d->cgroup.fd >= 0)
		cgroup_root_close(&d->cgroup);
	return status < 0 ? 1 : status;
}
