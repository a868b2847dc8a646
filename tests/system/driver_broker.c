/* SPDX-License-Identifier: MIT
 *
 * The broker's part of a session: one command, answers as planned, the end.
 */
#include "base/fd.h"
#include "base/log.h"
#include "tests/system/driver.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

static void send_run(void)
{
	static char *env[] = { (char *)(uintptr_t)"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
			       (char *)(uintptr_t)"LANG=C.UTF-8", (char *)(uintptr_t)"TERM=dumb", NULL, NULL };
	const int fds[] = { 0, 1, 2 };
	struct run r = { .command = 1, .rows = 24, .columns = 80, .argv = opt.argv, .env = env };
	static struct wr w;

	env[3] = xasprintf("HOME=%s", opt.launch.kind == SESSION_INSTALL ? "/root" : opt.prepare.home);
	r.flags = (uint8_t)((opt.tty ? RUN_TTY_ANY : 0) | (opt.launch.kind == SESSION_INSTALL ? RUN_ROOT : 0));
	(void)snprintf(r.cwd, sizeof(r.cwd), "%s", opt.cwd ? opt.cwd : "");
	chan_begin(&w, MSG_RUN, DRIVER_SESSION);
	run_encode(&w, &r);
	driver_send(run.broker, &w, fds, opt.tty ? 0 : 3);
}

static void send_plain(enum msg_op op)
{
	static struct wr w;

	chan_begin(&w, op, DRIVER_SESSION);
	driver_send(run.broker, &w, NULL, 0);
}

int broker_gate_index(uint16_t gate)
{
	for (uint16_t i = 0; i < opt.prepare.gate_count; i++) {
		if (opt.prepare.gates[i].gate == gate)
			return i;
	}
	fatal("a question about gate %u, which does not exist", gate);
}

static void answer(uint32_t question, uint16_t gate)
{
	const struct plan *plan = &opt.plans[broker_gate_index(gate)];
	static struct wr w;

	if (plan->held)
		return;
	if (plan->source[0])
		daemon_send_mount(gate, plan);
	chan_begin(&w, MSG_ANSWER, DRIVER_SESSION);
	wr_u32(&w, question);
	wr_u16(&w, gate);
	wr_u8(&w, (uint8_t)plan->give);
	wr_u32(&w, plan->give == GIVE_NO ? EACCES : 0);
	wr_u64(&w, opt.serial);
	wr_u64(&w, opt.max_bytes);
	wr_u32(&w, opt.max_files);
	driver_send(run.broker, &w, NULL, 0);
}

static void on_need(struct rd *r)
{
	uint32_t question = rd_u32(r);
	uint16_t gate = rd_u16(r);
	char program[256];

	(void)rd_u32(r);
	rd_str(r, program, sizeof(program));
	driver_note("NEED %u gate %u program %s", question, gate, program);
	if (opt.kill_on_need) {
		(void)kill(run.supervisor, SIGKILL);
	} else if (opt.rebroker) {
		opt.rebroker = false;
		daemon_new_broker();
	} else {
		answer(question, gate);
	}
}

static void on_answered(struct rd *r)
{
	uint32_t question = rd_u32(r);
	uint16_t gate = rd_u16(r);
	uint8_t give = rd_u8(r);
	uint32_t code = rd_u32(r), files;
	uint64_t bytes;
	char why[512];
	static struct wr w;

	rd_str(r, why, sizeof(why));
	bytes = rd_u64(r);
	files = rd_u32(r);
	driver_note("ANSWERED %u gate %u give %s code %u bytes %llu files %u why %s", question, gate,
	     give_name((enum give)give), code, (unsigned long long)bytes, files, why);
	if (opt.revoke_gate == gate) {
		(void)usleep((useconds_t)opt.revoke_ms * 1000u);
		opt.revoke_gate = -1;
		chan_begin(&w, MSG_REVOKE, DRIVER_SESSION);
		wr_u16(&w, gate);
		driver_send(run.broker, &w, NULL, 0);
	}
}

static void send_signal(uint32_t command)
{
	static struct wr w;

	(void)usleep((useconds_t)opt.signal_ms * 1000u);
	chan_begin(&w, MSG_SIGNAL, DRIVER_SESSION);
	wr_u32(&w, command);
	wr_u32(&w, (uint32_t)opt.signo);
	driver_send(run.broker, &w, NULL, 0);
}

static void on_ran(struct msg *m)
{
	uint32_t command = rd_u32(&m->body), code = rd_u32(&m->body);
	char why[512];
	uint8_t cwd_changed;

	rd_str(&m->body, why, sizeof(why));
	cwd_changed = rd_u8(&m->body);
	run.t_ran = driver_now();
	driver_note("RAN %u code %u cwd_changed %u why %s", command, code, cwd_changed, why);
	if (code) {
		(void)dprintf(2, "driver: %s\n", why);
		run.exited = true;
		run.status = code == ENOENT ? 127 : 126;
		send_plain(MSG_END);
		return;
	}
	run.ran = true;
	if (m->fd_count == 1) {
		run.master = m->fds[0];
		m->fds[0] = -1;
	}
	if (opt.kill_live)
		(void)kill(run.supervisor, SIGKILL);
	if (opt.signo)
		send_signal(command);
}

static void on_broker_message(struct msg *m)
{
	char why[512];
	uint32_t code;
	uint16_t gate;

	switch ((unsigned int)m->op) {
	case MSG_SESSION_HELLO:
		driver_note("HELLO");
		break;
	case MSG_SESSION_READY:
		driver_note("READY");
		send_run();
		break;
	case MSG_SESSION_FAILED:
		code = rd_u32(&m->body);
		rd_str(&m->body, why, sizeof(why));
		driver_note("FAILED %u %s", code, why);
		(void)dprintf(2, "driver: session failed: %s\n", why);
		break;
	case MSG_RAN:
		on_ran(m);
		break;
	case MSG_EXITED:
		(void)rd_u32(&m->body);
		run.status = rd_u32(&m->body);
		run.exited = true;
		run.t_exited = driver_now();
		driver_note("EXITED %u", run.status);
		send_plain(MSG_END);
		break;
	case MSG_NEED:
		on_need(&m->body);
		break;
	case MSG_ANSWERED:
		on_answered(&m->body);
		break;
	case MSG_REVOKED:
		gate = rd_u16(&m->body);
		code = rd_u32(&m->body);
		driver_note("REVOKED gate %u code %u held %u", gate, code, rd_u32(&m->body));
		break;
	case MSG_ENDED:
		code = rd_u32(&m->body);
		rd_str(&m->body, why, sizeof(why));
		driver_note("ENDED %u untouched %u %s", code, rd_u8(&m->body), why);
		run.ended = true;
		break;
	}
}

/* False when the supervisor is gone. */
static bool pump(void)
{
	static uint8_t buf[WIRE_MAX];
	struct err err = { 0 };
	struct msg m;
	int n = chan_recv_fd(run.broker, buf, &m, &err);

	if (n <= 0)
		return false;
	on_broker_message(&m);
	msg_close_fds(&m);
	return true;
}

static void copy_terminal(void)
{
	char buf[4096];
	ssize_t n = read(run.master, buf, sizeof(buf));

	if (n > 0 && fd_write_full(1, buf, (size_t)n) == 0)
		return;
	(void)close(run.master);
	run.master = -1;
}

void broker_serve(void)
{
	for (;;) {
		struct pollfd pf[2] = { { .fd = run.broker, .events = POLLIN }, { .fd = run.master, .events = POLLIN } };

		if (poll(pf, 2, -1) < 0 && errno != EINTR)
			fatal("poll: %s", strerror(errno));
		if (pf[1].revents)
			copy_terminal();
		if (pf[0].revents && !pump())
			break;
	}
	while (run.master >= 0)
		copy_terminal();
}
