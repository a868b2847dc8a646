/* SPDX-License-Identifier: MIT
 *
 * A new proc belongs to the pid namespace of the task that makes it, so a
 * helper is sent there. It shares our memory and descriptors and runs on a
 * stack of its own: returning on ours would overwrite it.
 */
#include "platform/arm/proc.h"

#include "platform/arm/ids.h"
#include "platform/arm/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#define HELPER_STACK_SIZE (64u * 1024u)

struct helper {
	int mnt;
	struct err *err;
};

static int helper_main(void *data)
{
	struct helper *h = data;

	h->mnt = mnt_new("proc", MNT_PLAIN, NULL, h->err);
	_exit(0);
}

static int helper_run(struct helper *h)
{
	static char stack[HELPER_STACK_SIZE] __attribute__((aligned(64)));
	pid_t pid = clone(helper_main, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, h);

	if (pid < 0)
		return err_sys(h->err, "start a helper in the app's pid namespace");
	/* It must be reaped: pid 1 would wait for it in its own exit for ever. */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return h->mnt < 0 ? -1 : 0;
}

int proc_create(int pidns_fd, struct err *err)
{
	cleanup_fd int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	struct helper h = { .mnt = -1, .err = err };
	int r;

	if (own < 0)
		return err_sys(err, "open own pid namespace");
	if (setns(pidns_fd, CLONE_NEWPID) < 0)
		return err_sys(err, "enter the app's pid namespace");
	r = helper_run(&h);
	if (setns(own, CLONE_NEWPID) < 0) {
		if (h.mnt >= 0)
			(void)close(h.mnt);
		return err_sys(err, "leave the app's pid namespace");
	}
	return r < 0 ? err_wrap(err, "make the app's /proc") : h.mnt;
}

static int cover_file(int dir, int dev_fd, const char *name, struct err *err)
{
	cleanup_fd int target = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	cleanup_fd int null = -1;

	if (target < 0)
		return errno == ENOENT ? 0 : err_sys(err, "open '/proc/%s'", name);
	null = mnt_clone(dev_fd, "null", err);
	if (null < 0)
		return -1;
	return mnt_attach(null, target, name, err);
}

static int cover_dir(int dir, const char *name, struct err *err)
{
	cleanup_fd int target = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	cleanup_fd int clone_fd = -1;

	if (target < 0)
		return errno == ENOENT ? 0 : err_sys(err, "open '/proc/%s'", name);
	clone_fd = mnt_clone(dir, name, err);
	if (clone_fd < 0 || mnt_set(clone_fd, MNT_PLAIN | MOUNT_ATTR_RDONLY, -1, err) < 0)
		return -1;
	return mnt_attach(clone_fd, target, name, err);
}

int proc_cover(int proc_mnt, int dev_fd, struct err *err)
{
	static const char *const files[] = {
		"cmdline", "keys", "key-users", "kcore", "kallsyms", "kmsg", "timer_list", "latency_stats",
		"sysrq-trigger", "sched_debug", "slabinfo", "pagetypeinfo", "vmallocinfo", "iomem", "ioports",
		"modules", "kpagecount", "kpageflags", "kpagecgroup",
		/* Of the host as a whole, and nothing that programs run by: its disks, what
		 * they and the keyboard do (interrupts tell keystrokes), who locks which file. */
		"diskstats", "partitions", "swaps", "mdstat", "interrupts", "softirqs", "locks", "config.gz",
		"schedstat", "buddyinfo", "zoneinfo",
	};
	/* Below a folder that is covered first. boot_id is the same for all apps: they
	 * could agree on who their owner is. */
	static const char *const deep[] = { "sys/kernel/random/boot_id" };
	static const char *const dirs[] = { "sys", "bus", "irq", "fs", "acpi", "driver", "scsi", "tty" };
	cleanup_fd int dir = openat(proc_mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(err, "open the app's /proc");
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (cover_file(dir, dev_fd, files[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		if (cover_dir(dir, dirs[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(deep); i++) {
		if (cover_file(dir, dev_fd, deep[i], err) < 0)
			return -1;
	}
	return 0;
}
