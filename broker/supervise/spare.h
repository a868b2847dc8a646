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

struct spare {
	struct platform_view view; /* owned copies of PREPARE's texts */
	int host_proc; /* the host's /proc, O_PATH: names of waiting programs, after its root is gone */
	int store;     /* the folder that holds layers/, O_PATH, below the scratch */
	int scratch;
	int mask, proc;
	struct tree tree;
	struct gate_engine *gates;
	pid_t init_pid; /* waits on go */
	int go;         /* one byte (enum session_kind) lets pid 1 go on; closing ends it */
	int init_chan;  /* our end of its channel */
};

/* seccomp_fd and init_program are borrowed; pid 1 gets copies. Moves this
 * process into new mount and network namespaces. On failure the process must
 * end. */
int spare_prepare(struct spare *spare, const struct prepare *prepare, int seccomp_fd, int init_program,
		  struct err *err);

#endif
