/* SPDX-License-Identifier: MIT
 *
 * cowbelld's part of a launch: the store, the control group, the spare, the job,
 * and mounts of real folders.
 */
#include "base/log.h"
#include "platform/arm/mnt.h"
#include "tests/system/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void check(int r, const struct err *err)
{
	if (r < 0)
		fatal("%s", err->msg);
}

static void make_layer(uint64_t lid, uint32_t base)
{
	char path[PATH_SIZE + 64];
	static const char *const parts[] = { "", "/fs", "/work" };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		(void)snprintf(path, sizeof(path), "%s/layers/%016llx%s", opt.store, (unsigned long long)lid, parts[i]);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			fatal("make '%s': %s", path, strerror(errno));
		if (i == 1 && chown(path, base, base) < 0)
			fatal("chown '%s': %s", path, strerror(errno));
	}
}

void daemon_make_store(void)
{
	char path[PATH_SIZE + 64];

	(void)snprintf(path, sizeof(path), "%s/layers", opt.store);
	if (mkdir(path, 0711) < 0 && errno != EEXIST)
		fatal("make '%s': %s", path, strerror(errno));
	make_layer(opt.launch.upper, opt.launch.base);
}

void daemon_make_cgroup(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		char probe[128];

		(void)snprintf(probe, sizeof(probe), "%s/cgroup.controllers", roots[i]);
		if (access(probe, F_OK) < 0)
			continue;
		(void)snprintf(run.cgroup_path, sizeof(run.cgroup_path), "%s/cowbell-test-%d", roots[i], getpid());
		if (mkdir(run.cgroup_path, 0755) < 0 && errno != EEXIST)
			fatal("make '%s': %s", run.cgroup_path, strerror(errno));
		run.cgroup = open(run.cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return;
	}
	fatal("no cgroup2 here");
}

void daemon_remove_cgroup(void)
{
	for (int i = 0; i < 200 && rmdir(run.cgroup_path) < 0 && errno == EBUSY; i++)
		(void)usleep(5000);
}

void daemon_start_supervisor(int seccomp)
{
	char program[PATH_SIZE], init[PATH_SIZE];
	struct err err = { 0 };
	static struct wr w;
	int pair[2], fds[2], init_fd;

	(void)snprintf(program, sizeof(program), "%s/cowbell-supervisor", opt.bin);
	(void)snprintf(init, sizeof(init), "%s/cowbell-init", opt.bin);
	init_fd = open(init, O_PATH | O_CLOEXEC);
	if (init_fd < 0)
		fatal("open '%s': %s", init, strerror(errno));
	check(chan_pair(pair, &err), &err);
	run.t_fork = driver_now();
	run.supervisor = vfork();
	if (run.supervisor == 0) {
		int channel = fcntl(pair[1], F_DUPFD_CLOEXEC, 16), file = fcntl(init_fd, F_DUPFD_CLOEXEC, 16);

		(void)dup2(channel, 3);
		(void)dup2(file, 4);
		(void)execl(program, "cowbell-supervisor", NULL);
		_exit(127);
	}
	(void)close(pair[1]);
	(void)close(init_fd);
	run.daemon = pair[0];
	chan_begin(&w, MSG_PREPARE, 0);
	prepare_encode(&w, &opt.prepare);
	fds[0] = seccomp;
	fds[1] = run.cgroup;
	driver_send(run.daemon, &w, fds, opt.late_cgroup ? 1 : 2);
}

/* Waits for PREPARED. */
void daemon_await_spare(void)
{
	static uint8_t buf[WIRE_MAX];
	struct err err = { 0 };
	char why[512] = "";
	struct msg m;
	int n = chan_recv_fd(run.daemon, buf, &m, &err);

	if (n <= 0)
		fatal("the spare died: %s", n ? err.msg : "gone");
	if (m.op == MSG_PREPARE_FAILED) {
		(void)rd_u32(&m.body);
		rd_str(&m.body, why, sizeof(why));
		driver_note("PREPARE_FAILED %s", why);
		daemon_remove_cgroup();
		fatal("the spare could not be made: %s", why);
	}
	run.t_prepared = driver_now();
	driver_note("PREPARED");
}

void daemon_send_job(void)
{
	struct err err = { 0 };
	static struct wr w;
	int pair[2], fds[2];

	check(chan_pair(pair, &err), &err);
	run.t_job = driver_now();
	chan_begin(&w, MSG_JOB, DRIVER_SESSION);
	launch_encode(&w, &opt.launch);
	fds[0] = pair[1];
	fds[1] = run.cgroup;
	driver_send(run.daemon, &w, fds, 2);
	(void)close(pair[1]);
	run.broker = pair[0];
}

void daemon_new_broker(void)
{
	struct err err = { 0 };
	static struct wr w;
	int pair[2];

	(void)close(run.broker);
	check(chan_pair(pair, &err), &err);
	chan_begin(&w, MSG_BROKER, DRIVER_SESSION);
	driver_send(run.daemon, &w, &pair[1], 1);
	(void)close(pair[1]);
	run.broker = pair[0];
	driver_note("NEW BROKER");
}

static int holder_main(void *data)
{
	(void)data;
	(void)pause();
	return 0;
}

/* A user namespace with the app's ids, to show real files by. */
static int id_namespace(void)
{
	static char stack[16384] __attribute__((aligned(64)));
	char path[64], line[64];

	run.holder = clone(holder_main, stack + sizeof(stack), CLONE_NEWUSER | CLONE_VM | SIGCHLD, NULL);
	(void)snprintf(line, sizeof(line), "0 %u 65536\n", opt.launch.base);
	for (int i = 0; i < 2; i++) {
		int fd;

		(void)snprintf(path, sizeof(path), "/proc/%d/%s", run.holder, i ? "gid_map" : "uid_map");
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, line, strlen(line)) < 0)
			fatal("map ids: %s", strerror(errno));
		(void)close(fd);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", run.holder);
	return open(path, O_RDONLY | O_CLOEXEC);
}

void daemon_send_mount(uint16_t gate, const struct plan *plan)
{
	bool copy = plan->give == GIVE_COPY, read_only = copy || plan->give == GIVE_READ;
	uint64_t attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (read_only ? MOUNT_ATTR_RDONLY : 0);
	struct err err = { 0 };
	cleanup_fd int userns = id_namespace();
	cleanup_fd int mnt = mnt_clone(AT_FDCWD, plan->source, &err);
	static struct wr w;

	if (mnt < 0 || mnt_set(mnt, attrs, userns, &err) < 0)
		fatal("%s", err.msg);
	(void)kill(run.holder, SIGKILL);
	(void)waitpid(run.holder, NULL, 0);
	chan_begin(&w, MSG_MOUNT, DRIVER_SESSION);
	wr_u16(&w, gate);
	wr_u8(&w, (uint8_t)plan->give);
	wr_u8(&w, 0);
	driver_send(run.daemon, &w, &mnt, 1);
}
