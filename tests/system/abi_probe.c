/* SPDX-License-Identifier: MIT
 *
 * abi-probe refused [int80]: makes calls that an app must not have, by their numbers, and
 * prints what each said. What is refused to a program of one ABI must be refused to
 * one of every other that the kernel serves: built for armhf it is the other ABI of
 * an arm64 kernel, with int80 it makes calls as a 32-bit program of a PC does.
 *
 * Some of it would hurt where it is not refused (vhangup, sethostname), so it does
 * nothing where it finds a capability: that is not an app's session. Without a word
 * it tells whether this kernel runs it at all.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct call {
	const char *name;
	long number, i386;
	long a, b, c;
};

#define CALL(name, i386, first) { #name, SYS_##name, i386, first, 0, 0 }
#define NEW(name, number, first) { #name, number, number, first, 0, 0 } /* one number for all ABIs */

static const struct call calls[] = {
	CALL(unshare, 310, CLONE_NEWUSER),
	CALL(setns, 346, -1),
	CALL(mount, 21, 0),
	CALL(umount2, 52, 0),
	CALL(pivot_root, 217, 0),
	CALL(ptrace, 26, 0),
	CALL(bpf, 357, 0),
	CALL(perf_event_open, 336, 0),
	CALL(keyctl, 288, 0),
	CALL(add_key, 286, 0),
	CALL(request_key, 287, 0),
	CALL(userfaultfd, 374, 0),
	CALL(open_by_handle_at, 342, -1),
	CALL(name_to_handle_at, 341, -1),
	CALL(process_vm_readv, 347, 0),
	CALL(process_vm_writev, 348, 0),
	CALL(init_module, 128, 0),
	CALL(finit_module, 350, -1),
	CALL(delete_module, 129, 0),
	CALL(swapon, 87, 0),
	CALL(acct, 51, 0),
	CALL(reboot, 88, 0),
	CALL(quotactl, 131, 0),
	CALL(fanotify_init, 338, 0),
	CALL(syslog, 103, 0),
	CALL(vhangup, 111, 0),
	CALL(settimeofday, 79, 0),
	CALL(clock_settime, 264, 0),
	CALL(adjtimex, 124, 0),
	CALL(kcmp, 349, 0),
	CALL(sethostname, 74, 0),
	CALL(clone, 120, CLONE_NEWUSER | SIGCHLD),
	{ "clone NEWNS", SYS_clone, 120, CLONE_NEWNS | SIGCHLD, 0, 0 },
	{ "clone NEWNET", SYS_clone, 120, CLONE_NEWNET | SIGCHLD, 0, 0 },
	{ "TIOCSTI", SYS_ioctl, 54, 0, 0x5412, 0 },
	{ "TIOCLINUX", SYS_ioctl, 54, 0, 0x541c, 0 },
	NEW(pidfd_getfd, 438, -1),
	NEW(open_tree, 428, -1),
	NEW(move_mount, 429, -1),
	NEW(fsopen, 430, 0),
	NEW(clone3, 435, 0),
	NEW(mount_setattr, 442, -1),
	NEW(io_uring_setup, 425, 0),
	NEW(io_uring_enter, 426, -1),
	NEW(memfd_secret, 447, 0),
	CALL(io_setup, 245, 1),
	NEW(statmount, 457, 0),
	NEW(listmount, 458, 0),
	{ "socket PACKET", SYS_socket, 359, AF_PACKET, SOCK_RAW, 0 },
	{ "socket VSOCK", SYS_socket, 359, AF_VSOCK, SOCK_STREAM, 0 },
	{ "socket ALG", SYS_socket, 359, AF_ALG, SOCK_SEQPACKET, 0 },
	{ "socket BLUETOOTH", SYS_socket, 359, AF_BLUETOOTH, SOCK_RAW, 0 },
	{ "socket netfilter", SYS_socket, 359, AF_NETLINK, SOCK_RAW, 12 },
	{ "socketpair TIPC", SYS_socketpair, 360, AF_TIPC, SOCK_SEQPACKET, 0 },
	/* A filter that says "done" does so before the kernel looks for the size. */
	{ "setrlimit CORE", SYS_setrlimit, 75, RLIMIT_CORE, 0, 0 },
	{ "setrlimit NOFILE", SYS_setrlimit, 75, RLIMIT_NOFILE, 0, 0 },
	{ "prlimit CORE", SYS_prlimit64, 340, 0, RLIMIT_CORE, 1 },
	{ "prlimit NOFILE", SYS_prlimit64, 340, 0, RLIMIT_NOFILE, 1 },
	{ "prlimit CORE, look", SYS_prlimit64, 340, 0, RLIMIT_CORE, 0 },
	/* And some that it has, so that "all is refused" is not what passes. */
	CALL(getpid, 20, 0),
	{ "socket UNIX", SYS_socket, 359, AF_UNIX, SOCK_STREAM, 0 },
	{ "socket INET", SYS_socket, 359, AF_INET, SOCK_STREAM, 0 },
	{ "socket routes", SYS_socket, 359, AF_NETLINK, SOCK_RAW, 0 },
};

#if defined(__x86_64__)
static long int80(const struct call *c)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(c->i386), "b"(c->a), "c"(c->b), "d"(c->c), "S"(0L), "D"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}
#endif

static long make(const struct call *c, bool other)
{
	long ret;

#if defined(__x86_64__)
	if (other)
		return int80(c);
#else
	(void)other;
#endif
	ret = syscall(c->number, c->a, c->b, c->c, 0, 0);
	return ret < 0 ? -errno : ret;
}

static bool may_hurt(void)
{
	for (int cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	bool other = argc > 2 && strcmp(argv[2], "int80") == 0;

	if (argc == 2 && strcmp(argv[1], "int80") == 0) {
#if defined(__x86_64__)
		const struct call getpid_call = { "getpid", SYS_getpid, 20, 0, 0, 0 };

		return int80(&getpid_call) > 0 ? 0 : 1;
#endif
	}
	if (argc < 2 || strcmp(argv[1], "refused") != 0)
		return argc < 2 ? 0 : 2;
	if (may_hurt()) {
		(void)fprintf(stderr, "abi-probe: not in a session: it still could get capabilities\n");
		return 3;
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		long ret = make(&calls[i], other);

		/* A child that must not be. */
		if (ret == 0 && strncmp(calls[i].name, "clone", 5) == 0)
			_exit(0);
		(void)printf("%s: %s\n", calls[i].name, ret < 0 ? strerrorname_np((int)-ret) : "done");
	}
	return 0;
}
