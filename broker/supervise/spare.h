/* SPDX-License-Identifier: MIT
 *
 * All of a session that does not depend on the app: made before it is needed.
 */
#ifndef SUPERVISE_SPARE_H
#define SUPERVISE_SPARE_H

#include "platform/arm/tree.h"
#include "platform/platform.h"
#include "proto/launch.h"

#include <sys/types.h>

struct gate_engine;
struct network;

struct spare {
	struct platform_view view; /* owned copies of PREPARE's texts */
	int host_proc; /* the host's /proc, O_PATH: names of waiting programs, after its root is gone */
	int store;     /* the folder that holds layers/, O_PATH, below the scratch */
	int scratch;
	int mask;
	int proc;      /* the app's own /proc: its processes, and nobody else's */
	int home_ns;   /* our own mount namespace */
	int keep;      /* namespace of a mask that others may take; -1: none was made */
	struct tree tree;
	struct gate_engine *gates;
	dev_t cgroup_dev; /* where pid 1 was born; 0 when that is not the session's group yet */
	ino_t cgroup_ino;
	pid_t init_pid; /* waits on go */
	int go;         /* one byte (enum session_kind) lets pid 1 go on; closing ends it */
	int init_chan;  /* our end of its channel */
};

/* What comes as descriptors; borrowed. */
struct spare_fds {
	int seccomp, program;
	int cgroup; /* -1: pid 1 is moved into its group when the job comes */
	int mask;   /* namespace of the mask that was kept; -1: none */
	struct network *network; /* its sockets are opened here */
};

/* Moves this process into new mount and network namespaces. On failure the
 * process must end. */
int spare_prepare(struct spare *spare, const struct prepare *prepare, const struct spare_fds *fds, struct err *err);

#endif
