/* SPDX-License-Identifier: MIT
 *
 * cowbell-keeper: one job on the store, then gone. fd 3 is the channel to the
 * broker, fd 4 the store's folder.
 */
#include "keeper/keeper.h"

#include "base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

/* A walk holds up to two descriptors for each folder that it is in. */
static void allow_depth(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

int main(void)
{
	static uint8_t buf[WIRE_MAX];
	struct keeper k = { .chan = 3, .store = -1 };
	struct err err = { 0 };
	int rc = 0;

	log_init("cowbell-keeper");
	allow_depth();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(0);
	if (fcntl(3, F_SETFD, FD_CLOEXEC) < 0 || fcntl(4, F_SETFD, FD_CLOEXEC) < 0)
		fatal("started by hand: cowbelld starts this program");
	if (room_enter(4, &k.store, &err) < 0)
		fatal("%s", err.msg);
	while (rc == 0) {
		struct msg m;
		int n = chan_recv_fd(k.chan, buf, &m, &err);

		if (n <= 0)
			return n < 0; /* nobody wants the job any more */
		if (!msg_allowed(m.op, 'B', 'K'))
			fatal("message '%s' is not for a keeper", msg_op_name(m.op));
		rc = job_handle(&k, &m);
		msg_close_fds(&m);
		if (rc < 0)
			fatal("message '%s' is malformed", msg_op_name(m.op));
	}
	return 0;
}
