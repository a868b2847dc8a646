/* SPDX-License-Identifier: MIT
 *
 * Everything irreversible, once, in pid 1: children inherit it, so no path of
 * starting a command can forget a step.
 */
#include "init/init.h"

#include "proto/launch.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define CAP(name) (1ull << CAP_##name)
#define SECCOMP_BYTES_MAX (4096u * sizeof(struct sock_filter))

const uint64_t lockdown_installer_caps = CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(DAC_READ_SEARCH) | CAP(FOWNER) |
					 CAP(FSETID) | CAP(SETUID) | CAP(SETGID) | CAP(SETFCAP) | CAP(KILL) |
					 CAP(SYS_CHROOT);
const uint64_t lockdown_service_caps = CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(SETUID) | CAP(SETGID) |
				       CAP(KILL);

static uint64_t kept_caps;

static int set_caps(uint64_t permitted, uint64_t effective)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .permitted = (uint32_t)permitted, .effective = (uint32_t)effective },
		{ .permitted = (uint32_t)(permitted >> 32), .effective = (uint32_t)(effective >> 32) },
	};

	return (int)syscall(SYS_capset, &head, data);
}

int lockdown_raise(bool on)
{
	return kept_caps ? set_caps(kept_caps, on ? kept_caps : 0) : 0;
}

static int drop_bounding(uint64_t keep, struct err *err)
{
	for (unsigned int cap = 0; cap < 64; cap++) {
		if (keep >> cap & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			/* The kernel knows no more of them. */
			if (errno == EINVAL)
				return 0;
			return err_sys(err, "drop capability %u from the bounding set", cap);
		}
	}
	return 0;
}

/* The filter's listener, of those who call listen(2). */
static int load_seccomp(int fd, struct err *err)
{
	cleanup_free uint8_t *bytes = xcalloc(1, SECCOMP_BYTES_MAX + 1);
	/* From the start, wherever the offset is: other sessions share it. */
	ssize_t n = pread(fd, bytes, SECCOMP_BYTES_MAX + 1, 0);
	struct sock_fprog prog;

	if (n < 0)
		return err_sys(err, "read the seccomp program");
	if (n == 0 || (size_t)n > SECCOMP_BYTES_MAX || (size_t)n % sizeof(struct sock_filter))
		return err_set(err, EINVAL, "the seccomp program has %zd bytes", n);
	prog.len = (unsigned short)((size_t)n / sizeof(struct sock_filter));
	prog.filter = (struct sock_filter *)(void *)bytes;
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	return fd < 0 ? err_sys(err, "load the seccomp program") : fd;
}

/* The groups beside its own. Attributes of a device in /sys that was given can be
 * written by the one, and nothing else on the host belongs to it. The other is what a
 * game gets by its set-group-id file, which has no effect here: its scores are its. */
static int join_groups(struct err *err)
{
	const gid_t groups[] = { GAMES_GID, DEVICE_GID };

	/* EINVAL: the second is not mapped, this board has no such device. */
	if (setgroups(2, groups) < 0 && (errno != EINVAL || setgroups(1, groups) < 0))
		return err_sys(err, "join the groups of an app");
	return 0;
}

int lockdown_apply(uint64_t kept, uid_t uid, gid_t gid, int seccomp_fd, struct err *err)
{
	kept_caps = kept;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "give up new privileges");
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (drop_bounding(kept_caps, err) < 0)
		return -1;
	if (!kept && join_groups(err) < 0)
		return -1;
	if (!kept && (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0))
		return err_sys(err, "become user %u", uid);
	if (set_caps(kept_caps, 0) < 0)
		return err_sys(err, "drop capabilities");
	/* After the last change of ids, which would switch it on or off again. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(err, "become unreadable");
	return load_seccomp(seccomp_fd, err);
}
