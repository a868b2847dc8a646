/* SPDX-License-Identifier: MIT
 *
 * A deny-list on top of few capabilities, as a program that is small enough to
 * be read: the static supervisor does not carry libseccomp for one filter.
 */
#include "platform/arm/guard.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define OUR_ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define OUR_ARCH AUDIT_ARCH_ARM
#else
#error "name the audit architecture of this CPU"
#endif

#define CAP(name) (1ull << CAP_##name)

/* Mounts and gates; owners of what is made in the app's root; the copier's ids;
 * pid 1's end; names and open files of the app's processes; rules and the queue
 * of the app's network, by the sockets that are open now. */
static const uint64_t kept = CAP(SYS_ADMIN) | CAP(CHOWN) | CAP(FOWNER) | CAP(DAC_OVERRIDE) | CAP(DAC_READ_SEARCH) |
			     CAP(SETUID) | CAP(SETGID) | CAP(KILL) | CAP(SYS_PTRACE) | CAP(NET_ADMIN);

static const unsigned int refused[] = {
	SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_setns, SYS_unshare,
	SYS_pivot_root, SYS_chroot, SYS_socket, SYS_bind, SYS_connect, SYS_listen, SYS_bpf, SYS_perf_event_open,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff,
	SYS_add_key, SYS_request_key, SYS_keyctl, SYS_open_by_handle_at, SYS_userfaultfd, SYS_mknodat,
	SYS_io_uring_setup, SYS_pidfd_getfd, SYS_sethostname, SYS_settimeofday, SYS_clock_settime, SYS_acct,
	SYS_quotactl, SYS_syslog, SYS_personality,
};

static int drop_caps(struct err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .permitted = (uint32_t)kept, .effective = (uint32_t)kept },
		{ .permitted = (uint32_t)(kept >> 32), .effective = (uint32_t)(kept >> 32) },
	};

	if (syscall(SYS_capset, &head, data) < 0)
		return err_sys(err, "drop the supervisor's capabilities");
	return 0;
}

int guard_close(struct err *err)
{
	struct sock_filter prog[ARRAY_LEN(refused) + 8];
	struct sock_fprog fprog = { .filter = prog };
	unsigned short n = 0;

	prog[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	prog[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0);
	prog[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	prog[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		/* To the last instruction, over those that still follow. */
		uint8_t ahead = (uint8_t)(ARRAY_LEN(refused) - i + (OUR_ARCH == AUDIT_ARCH_X86_64 ? 1 : 0));

		prog[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i], ahead, 0);
	}
	/* x32 has numbers of its own for the same calls. */
	if (OUR_ARCH == AUDIT_ARCH_X86_64)
		prog[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 1, 0);
	prog[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	fprog.len = n;
	if (drop_caps(err) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog) < 0)
		return err_sys(err, "close the supervisor's system calls");
	return 0;
}
