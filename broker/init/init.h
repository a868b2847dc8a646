/* SPDX-License-Identifier: MIT
 *
 * The app's pid 1. It starts commands, tells how they end, and buries orphans;
 * what it says is the app's word to everybody else.
 */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include "base/loop.h"
#include "proto/chan.h"
#include "proto/launch.h"

#include <sys/types.h>

#define INIT_CHANNEL_FD 3
#define INIT_SECCOMP_FD 4
#define INIT_COMMANDS_MAX 64u

/* --- lockdown.c --- */

/* Capabilities of an installer's root and of a service's, inside the app's user namespace
 * only. A service makes no set-id or capable files, and no root of its own. */
extern const uint64_t lockdown_installer_caps, lockdown_service_caps;

/* Gives up for good what no command of this session may have: privileges by
 * exec, the bounding set but for kept, every right but those; a session that keeps
 * none becomes uid:gid. Afterwards no capability is in effect, the
 * seccomp program from fd is loaded, and the process cannot be looked into. The caller
 * owns what is returned: the listener of that program, which nothing that is started
 * here may have; -1 with err. */
int lockdown_apply(uint64_t kept, uid_t uid, gid_t gid, int seccomp_fd, struct err *err);

/* Puts the kept capabilities into effect or out of it. No-op in an
 * ordinary session, which has none. */
int lockdown_raise(bool on);

/* --- program.c --- */

/* False if this kernel, with pages of so many bytes, cannot map the program (found as
 * execvp does), its interpreter or its loader; ret_why gets the sentence. True also
 * where that cannot be told. */
bool program_fits(const char *name, uint64_t page, char *ret_why, size_t size);

/* As execvp, but that a program of another machine is no script for a shell. Returns
 * only after failure, with errno; false: it is such a program. */
bool program_exec(char **argv);

/* --- start.c --- */

struct start {
	uint32_t command;
	uint8_t flags; /* enum run_flag */
	uint32_t uid, gid;
	char user[RUN_USER_SIZE]; /* "", or whom the app's own list of users knows */
	char cwd[4096], home[4096];
	char **argv, **env, **before; /* owned */
	int fds[3];         /* owned */
};

/* What the child writes to its report pipe: first notes, then perhaps an error.
 * Closing on exec without an error means that the program runs. */
struct start_report {
	uint8_t failed;
	uint8_t cwd_changed;
	int32_t code;
	char step[192];
};

bool start_decode(struct rd *r, struct start *ret);
void start_finish(struct start *start);

/* Forks the command. Returns its pid and in ret_report the pipe's read end
 * (non-blocking), or -1 with err. */
pid_t start_fork(const struct start *start, int *ret_report, struct err *err);

/* The user of start by the app's own list: start's uid, gid, home and user are filled.
 * False with errno ENOENT: it is not there, or its numbers are no ids of an app. */
bool start_find_user(struct start *start);

/* The calling process, a child, becomes start's uid and gid, with a session's rights of
 * those; -1 with errno and the step that failed. */
int start_become(const struct start *start, const char **ret_step);

/* --- before.c --- */

/* In the child that is to be the command, before it is its user: puts the command's
 * environment in place, and does what goes before, each in a process of its own.
 * Failures are told on the standard error. */
void before_do(const struct start *start);

#endif
