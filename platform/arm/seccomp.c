/* SPDX-License-Identifier: MIT
 *
 * A list of what is taken away, not of what is left: unmodified programs must
 * run. Namespaces and mounts go because gates and rules hang on them; io_uring
 * because it does what no filter sees, and native AIO because its places are one
 * number for the whole machine. New mount calls and clone3 are "not
 * there" (ENOSYS), so that programs fall back; the rest is "not allowed".
 */
#include "platform/arm/seccomp.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

static const char *const forbidden[] = {
	"unshare", "setns", "mount", "umount", "umount2", "pivot_root", "bpf", "keyctl", "add_key", "request_key",
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "perf_event_open", "userfaultfd",
	"open_by_handle_at", "name_to_handle_at", "kexec_load", "kexec_file_load", "init_module", "finit_module",
	"delete_module", "create_module", "acct", "swapon", "swapoff", "reboot", "quotactl", "quotactl_fd",
	"lookup_dcookie", "fanotify_init", "fanotify_mark", "syslog", "vhangup", "settimeofday", "stime",
	"clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64", "adjtimex", "iopl", "ioperm",
	"nfsservctl", "pidfd_getfd", "kcmp", "uselib", "_sysctl", "sysfs", "ustat", "vm86", "vm86old", "modify_ldt",
	"pciconfig_read", "pciconfig_write", "pciconfig_iobase", "sethostname", "setdomainname", "move_pages",
	"migrate_pages", "mbind", "set_mempolicy",
};

static const char *const absent[] = {
	"clone3", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
	"memfd_secret", "io_setup",
};

/* Calls newer than the libseccomp at hand may be, which drops names that it does
 * not know. All ABIs give them one number (x32 sets a bit). */
static const unsigned int absent_numbers[] = {
	457 /* statmount */, 458 /* listmount */, 460 /* lsm_set_self_attr */, 467 /* open_tree_attr */, 470 /* listns */,
};
#define X32_BIT 0x40000000u

static const char *const io_uring[] = { "io_uring_setup", "io_uring_enter", "io_uring_register" };

/* A name that this libseccomp does not know, or that an ABI does not have, is
 * nothing to forbid there. */
static int refuse(scmp_filter_ctx ctx, const char *name, int code, struct err *err)
{
	int nr = seccomp_syscall_resolve_name(name), rc;

	if (nr == __NR_SCMP_ERROR)
		return 0;
	rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)code), nr, 0);
	if (rc < 0 && rc != -EDOM && rc != -EOPNOTSUPP)
		return err_set(err, -rc, "seccomp rule for '%s': %s", name, strerror(-rc));
	return 0;
}

static int refuse_list(scmp_filter_ctx ctx, const char *const *names, size_t n, int code, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (refuse(ctx, names[i], code, err) < 0)
			return -1;
	}
	return 0;
}

static int rule_failed(int rc, const char *what, struct err *err)
{
	return err_set(err, -rc, "seccomp rule for %s: %s", what, strerror(-rc));
}

/* The calls that depend on an argument. */
static int refuse_namespaces(scmp_filter_ctx ctx, struct err *err)
{
	static const unsigned long flags[] = { CLONE_NEWNS,  CLONE_NEWUSER, CLONE_NEWPID,   CLONE_NEWNET,
					       CLONE_NEWIPC, CLONE_NEWUTS,  CLONE_NEWCGROUP };

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		int rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
					  SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i]));

		if (rc < 0)
			return rule_failed(rc, "clone", err);
	}
	return 0;
}

/* The kernel looks at 32 bits of the request, so must the filter: high bits must
 * not slip past it. */
static int refuse_ioctls(scmp_filter_ctx ctx, struct err *err)
{
	static const unsigned long requests[] = { 0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */, 0x5423 /* TIOCSETD */ };

	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		int rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
					  SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, requests[i]));

		if (rc < 0)
			return rule_failed(rc, "ioctl", err);
	}
	return 0;
}

/* UNIX, INET, INET6 and NETLINK_ROUTE stay; netfilter does not see the others. */
static int refuse_sockets(scmp_filter_ctx ctx, struct err *err)
{
	for (unsigned int family = 0; family <= 64; family++) {
		int rc;

		if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK)
			continue;
		if (family == 64)
			rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
					      SCMP_A0(SCMP_CMP_GE, family));
		else
			rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
					      SCMP_A0(SCMP_CMP_EQ, family));
		if (rc < 0)
			return rule_failed(rc, "socket", err);
	}
	if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
			     SCMP_A2(SCMP_CMP_NE, NETLINK_ROUTE)) < 0)
		return err_set(err, EINVAL, "seccomp rule for netlink sockets");
	/* A pair is another way to a socket (TIPC has some), and to have its module loaded. Those
	 * that stay above answer like this themselves: only UNIX has pairs among them. */
	if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX)) < 0)
		return err_set(err, EINVAL, "seccomp rule for pairs of sockets");
	return 0;
}

/* The size of core files stays what the supervisor made it (broker/supervise/main.c): a
 * lower one would let the kernel start the host's program for cores. To change it "works",
 * although nothing changes: to lower it cannot fail on Linux, so programs with secrets
 * (ssh-agent, gpg) end when it does; what they wanted, no core, is what they have; and who
 * wanted one would not have got it either. The filter cannot see which of the two it is.
 * Only who wants to be told the old size in the same call is refused: it would be left
 * with whatever lay there. */
static int keep_core_limit(scmp_filter_ctx ctx, struct err *err)
{
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0), SCMP_SYS(setrlimit), 1,
				  SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffffu, RLIMIT_CORE));

	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0), SCMP_SYS(prlimit64), 3,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, RLIMIT_CORE), SCMP_A2(SCMP_CMP_NE, 0),
				      SCMP_A3(SCMP_CMP_EQ, 0));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 3,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, RLIMIT_CORE), SCMP_A2(SCMP_CMP_NE, 0),
				      SCMP_A3(SCMP_CMP_NE, 0));
	return rc < 0 ? rule_failed(rc, "the size of core files", err) : 0;
}

/* Who listens is told of, and goes on: see listened.h. An app without a link to the host
 * gets no packet that could tell. */
static int tell_listen(scmp_filter_ctx ctx, struct err *err)
{
	int rc = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(listen), 0);

	return rc < 0 ? rule_failed(rc, "listen", err) : 0;
}

static int add_abis(scmp_filter_ctx ctx, struct err *err)
{
	static const uint32_t abis[] = {
#if defined(__x86_64__)
		SCMP_ARCH_X86,
		SCMP_ARCH_X32,
#elif defined(__aarch64__)
		SCMP_ARCH_ARM,
#elif defined(__arm__)
		SCMP_ARCH_ARM,
#endif
	};

	for (size_t i = 0; i < ARRAY_LEN(abis); i++) {
		int rc = seccomp_arch_add(ctx, abis[i]);

		if (rc < 0 && rc != -EEXIST)
			return err_set(err, -rc, "seccomp for another ABI: %s", strerror(-rc));
	}
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return 0;
}

static int add_rules(scmp_filter_ctx ctx, unsigned int flags, struct err *err)
{
	if (add_abis(ctx, err) < 0 || refuse_list(ctx, forbidden, ARRAY_LEN(forbidden), EPERM, err) < 0 ||
	    refuse_list(ctx, absent, ARRAY_LEN(absent), ENOSYS, err) < 0)
		return -1;
	if (!(flags & SECCOMP_ALLOW_IO_URING) &&
	    refuse_list(ctx, io_uring, ARRAY_LEN(io_uring), ENOSYS, err) < 0)
		return -1;
	if (refuse_namespaces(ctx, err) < 0 || refuse_ioctls(ctx, err) < 0 || keep_core_limit(ctx, err) < 0 ||
	    tell_listen(ctx, err) < 0)
		return -1;
	return refuse_sockets(ctx, err);
}

/* In front of the compiled program, whose jumps are relative. */
static int write_absent(int fd)
{
	struct sock_filter program[2 + 2 * ARRAY_LEN(absent_numbers)] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~X32_BIT),
	};
	struct sock_filter *p = program + 2;

	for (size_t i = 0; i < ARRAY_LEN(absent_numbers); i++) {
		*p++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, absent_numbers[i], 0, 1);
		*p++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	}
	return fd_write_full(fd, program, sizeof(program));
}

int seccomp_program(unsigned int flags, struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	cleanup_fd int fd = memfd_create("seccomp", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc;

	if (!ctx || fd < 0) {
		if (ctx)
			seccomp_release(ctx);
		return err_sys(err, "make a seccomp program");
	}
	rc = add_rules(ctx, flags, err);
	if (rc == 0 && write_absent(fd) < 0)
		rc = err_sys(err, "write the seccomp program");
	if (rc == 0) {
		rc = seccomp_export_bpf(ctx, fd);
		if (rc < 0)
			err_set(err, -rc, "compile the seccomp program: %s", strerror(-rc));
	}
	seccomp_release(ctx);
	if (rc < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return err_sys(err, "seal the seccomp program");
	return steal_fd(&fd);
}
