/* SPDX-License-Identifier: MIT
 *
 * fd 3 is the channel to the broker; the one thing to read comes over it.
 */
#include "inspect/inspect.h"

#include "base/log.h"
#include "policy/permission.h"
#include "proto/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define CHAN 3

static uint64_t job;
static unsigned int told;

void tell_fact(enum inspect_key key, const char *value, size_t len)
{
	static struct wr w;
	char text[INSPECT_VALUE_SIZE];
	struct err err = { 0 };

	if (told++ >= INSPECT_FACTS_MAX)
		return;
	text_escape(value, len, text, sizeof(text));
	chan_begin(&w, MSG_INSPECT_FACT, job);
	wr_u16(&w, (uint16_t)key);
	wr_str(&w, text);
	if (chan_send_fd(CHAN, &w, NULL, 0, &err) < 0)
		_exit(0); /* nobody wants to know any more */
}

static int read_thing(enum inspect_what what, int fd, int second, struct err *err)
{
	FILE *in;

	switch (what) {
	case INSPECT_ENTRIES:
		in = fdopen(fd, "r");
		return in ? entries_read(in, err) : err_sys(err, "read the list of entries");
	case INSPECT_PACKAGE:
	case INSPECT_CONTROL:
		return deb_read(fd, what == INSPECT_PACKAGE, err);
	case INSPECT_PROGRAM_FILE:
		return program_read(fd, err);
	case INSPECT_BUNDLE:
		return bundle_read(fd, -1, err);
	case INSPECT_BUNDLE_TAR:
		return bundle_read(fd, second, err);
	case INSPECT_WHAT_COUNT:
		break;
	}
	return err_set(err, EPROTO, "nothing that can be read");
}

/* A parser that was led astray does not stay for long, and leaves nothing. */
static void bound_ourselves(void)
{
	const struct rlimit cpu = { 300, 300 }, none = { 0, 0 }, memory = { (rlim_t)1 << 30, (rlim_t)1 << 30 };

	(void)setrlimit(RLIMIT_CPU, &cpu);
	(void)setrlimit(RLIMIT_AS, &memory);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)setrlimit(RLIMIT_FSIZE, &none);
}

int main(void)
{
	static uint8_t buf[WIRE_MAX];
	static struct wr w;
	enum inspect_what what;
	struct err err = { 0 };
	struct msg m;
	int rc;

	log_init("cowbell-inspect");
	(void)signal(SIGPIPE, SIG_IGN);
	bound_ourselves();
	if (fcntl(CHAN, F_SETFD, FD_CLOEXEC) < 0)
		fatal("started by hand: cowbelld starts this program");
	if (chan_recv_fd(CHAN, buf, &m, &err) <= 0)
		return 0;
	job = m.id;
	what = (enum inspect_what)rd_u8(&m.body);
	if (m.op != MSG_INSPECT_ASK || !rd_end(&m.body) || what >= INSPECT_WHAT_COUNT ||
	    m.fd_count != (what == INSPECT_BUNDLE_TAR ? 2u : 1u))
		fatal("message '%s' is malformed or not for us", msg_op_name(m.op));
	rc = read_thing(what, m.fds[0], m.fds[1], &err);
	chan_begin(&w, MSG_INSPECT_DONE, job);
	wr_u32(&w, rc < 0 ? (uint32_t)(err.code ? err.code : EIO) : 0);
	wr_str(&w, rc < 0 ? err.msg : "");
	(void)chan_send_fd(CHAN, &w, NULL, 0, &err);
	return 0;
}
