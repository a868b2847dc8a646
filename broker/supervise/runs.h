/* SPDX-License-Identifier: MIT
 *
 * Commands of the session: descriptors checked, terminal made, handed to pid 1,
 * and what became of them told.
 */
#ifndef SUPERVISE_RUNS_H
#define SUPERVISE_RUNS_H

#include "proto/chan.h"

struct supervise;

#define RUNS_MAX 64u /* as session_hello can name */

struct runs {
	struct {
		bool used, ran;
		uint32_t command;
		int master; /* until RAN took it to the broker, else -1 */
		int log;    /* RUN_LOG: the reading end, held for brokers to come, else -1 */
	} slots[RUNS_MAX];
	bool left;    /* of the last command that ended: something else runs */
	int left_log; /* where that writes, held likewise, else -1 */
};

void runs_init(struct runs *runs);

/* RUN and SIGNAL from the broker. false: malformed. */
bool runs_handle_run(struct supervise *s, struct msg *m);
bool runs_handle_signal(struct supervise *s, struct msg *m);

/* INIT_RAN, INIT_EXITED and INIT_EMPTY. false: malformed. */
bool runs_handle_init(struct supervise *s, struct msg *m);

/* LOG for each command that has one, to a new broker. */
void runs_repeat(struct supervise *s);

/* Numbers of the commands that run, at most RUNS_MAX. Returns the count. */
uint16_t runs_list(const struct runs *runs, uint32_t *ret);

/* May fd be a command's standard fd? Regular files, pipes, stream sockets and
 * /dev/null may; what could open a way to the host (folders, O_PATH, devices,
 * terminals) may not, with err saying which it was. */
int runs_check_fd(int fd, int number, struct err *err);

#endif
