/* SPDX-License-Identifier: MIT
 *
 * The launch driver's own parts: what it was told, what it plays, what it saw.
 */
#ifndef TESTS_SYSTEM_DRIVER_H
#define TESTS_SYSTEM_DRIVER_H

#include "policy/permission.h"
#include "proto/chan.h"
#include "proto/launch.h"

#include <stdio.h>
#include <sys/types.h>

#define DRIVER_SESSION 7u

struct plan {
	enum give give;
	char source[PATH_SIZE];
	bool held; /* --hold: no answer at all */
};

extern struct driver_options {
	const char *bin, *store, *cwd;
	struct prepare prepare;
	struct launch launch;
	struct plan plans[GATES_MAX];
	uint64_t serial, max_bytes;
	uint32_t max_files;
	bool tty, rebroker, kill_on_need, kill_live, late_cgroup;
	int revoke_gate, revoke_ms, signo, signal_ms;
	unsigned int rounds;
	char **argv;
	FILE *log;
} opt;

extern struct driver_state {
	int daemon, broker; /* our ends */
	pid_t supervisor, holder;
	int cgroup;
	char cgroup_path[128];
	bool ready, exited, ended, ran;
	uint32_t status;
	int master;
	double t_fork, t_prepared, t_job, t_ran, t_exited;
} run;

/* Milliseconds of the monotonic clock. */
double driver_now(void);

/* One event into the log. */
void driver_note(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Sends or ends the driver; a peer that is gone is no error. */
void driver_send(int fd, const struct wr *w, const int *fds, size_t n);

/* --- driver_daemon.c: cowbelld's part --- */

void daemon_make_store(void);
void daemon_make_cgroup(void);
void daemon_remove_cgroup(void);
void daemon_start_supervisor(int seccomp);
void daemon_await_spare(void);
void daemon_send_job(void);
void daemon_new_broker(void);
void daemon_send_mount(uint16_t gate, const struct plan *plan);

/* --- driver_broker.c: the broker's part --- */

/* Index of a gate's number among the options; ends the driver for another. */
int broker_gate_index(uint16_t gate);

/* Until the supervisor is gone. */
void broker_serve(void);

#endif
