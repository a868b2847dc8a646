/* SPDX-License-Identifier: MIT
 *
 * The app's side gets exactly three descriptors a command, and each was looked
 * at here: the broker that passes them is not trusted with the root of this
 * machine, nor is whoever called it.
 */
#include "supervise/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

void runs_init(struct runs *runs)
{
	runs->left_log = -1;
	for (size_t i = 0; i < RUNS_MAX; i++) {
		runs->slots[i].used = false;
		runs->slots[i].master = runs->slots[i].log = -1;
	}
}

uint16_t runs_list(const struct runs *runs, uint32_t *ret)
{
	uint16_t n = 0;

	for (size_t i = 0; i < RUNS_MAX; i++) {
		if (runs->slots[i].used)
			ret[n++] = runs->slots[i].command;
	}
	return n;
}

static int find(struct runs *runs, uint32_t command)
{
	for (size_t i = 0; i < RUNS_MAX; i++) {
		if (runs->slots[i].used && runs->slots[i].command == command)
			return (int)i;
	}
	return -1;
}

static void release(struct runs *runs, int slot)
{
	if (runs->slots[slot].master >= 0)
		(void)close(runs->slots[slot].master);
	if (runs->slots[slot].log >= 0)
		(void)close(runs->slots[slot].log);
	runs->slots[slot].master = runs->slots[slot].log = -1;
	runs->slots[slot].used = false;
}

static const char *refused_kind(const struct stat *st, int fd)
{
	int type = 0;
	socklen_t size = sizeof(type);

	if (S_ISREG(st->st_mode) || S_ISFIFO(st->st_mode))
		return NULL;
	if (S_ISSOCK(st->st_mode)) {
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM)
			return NULL;
		return "a socket that is no stream";
	}
	if (S_ISCHR(st->st_mode))
		return st->st_rdev == makedev(1, 3) ? NULL : "a device other than /dev/null";
	if (S_ISDIR(st->st_mode))
		return "a folder";
	if (S_ISBLK(st->st_mode))
		return "a block device";
	return "of an unknown kind";
}

int runs_check_fd(int fd, int number, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);
	const char *kind;
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "look at standard fd %d", number);
	kind = flags & O_PATH ? "only a name (O_PATH)" : refused_kind(&st, fd);
	if (kind)
		return err_set(err, EINVAL,
			       "standard fd %d is %s: files, pipes, stream sockets and /dev/null can be passed", number,
			       kind);
	return 0;
}

static void tell_ran(struct supervise *s, uint32_t command, int code, const char *why, bool cwd_changed, int master)
{
	static struct wr w;

	chan_begin(&w, MSG_RAN, s->session);
	wr_u32(&w, command);
	wr_u32(&w, (uint32_t)code);
	wr_str(&w, why);
	wr_u8(&w, cwd_changed);
	supervise_tell(s, &w, &master, master >= 0 ? 1 : 0);
}

/* Fills fds[0..2] from those that came and the slave. 0 or -1; the fds in it
 * stay their owners'. */
static int arrange_fds(const struct run *run, struct msg *m, int slave, int fds[3], struct err *err)
{
	size_t next = 0, standard = m->fd_count - ((run->flags & RUN_LOG) && m->fd_count);

	for (int i = 0; i < 3; i++) {
		if (run->flags & (RUN_TTY_STDIN << i)) {
			fds[i] = slave;
			continue;
		}
		if (next >= standard)
			return err_set(err, EINVAL, "standard fd %d was not passed", i);
		fds[i] = m->fds[next++];
		if (runs_check_fd(fds[i], i, err) < 0)
			return -1;
	}
	if (next != standard)
		return err_set(err, EINVAL, "more descriptors were passed than a command has standard ones");
	return 0;
}

static int hand_over(struct supervise *s, const struct run *run, const int fds[3], struct err *err)
{
	static struct wr w;
	bool root = run->flags & RUN_ROOT;
	const struct platform_owner *owner = &s->spare.view.owner;

	chan_begin(&w, MSG_INIT_RUN, s->session);
	wr_u32(&w, run->command);
	wr_u8(&w, run->flags);
	wr_u32(&w, root ? 0 : owner->uid);
	wr_u32(&w, root ? 0 : owner->gid);
	wr_str(&w, root ? run->user : "");
	wr_str(&w, run->cwd);
	wr_str(&w, root ? "/root" : owner->home);
	strv_encode(&w, run->argv);
	strv_encode(&w, run->env);
	strv_encode(&w, run->before);
	if (w.overflow)
		return err_set(err, E2BIG, "the command line and its environment are too large");
	chan_send(s->init, &w, fds, 3);
	return 0;
}

static int free_slot(const struct runs *runs)
{
	for (size_t i = 0; i < RUNS_MAX; i++) {
		if (!runs->slots[i].used)
			return (int)i;
	}
	return -1;
}

static int start(struct supervise *s, const struct run *run, struct msg *m, struct err *err)
{
	cleanup_fd int master = -1, slave = -1;
	int slot = free_slot(&s->runs);
	int fds[3];

	if (slot < 0)
		return err_set(err, EAGAIN, "this app already runs %u commands", RUNS_MAX);
	if ((run->flags & RUN_ROOT) && s->kind == SESSION_RUN)
		return err_set(err, EPERM, "only an installer and a service run as root");
	if (run->flags & RUN_TTY_ANY) {
		uint32_t uid = run->flags & RUN_ROOT ? 0 : s->spare.view.owner.uid;

		if (tree_open_pty(&s->spare.tree, s->base, uid, run->rows, run->columns, &master, &slave, err) < 0)
			return -1;
	}
	if (arrange_fds(run, m, slave, fds, err) < 0 || hand_over(s, run, fds, err) < 0)
		return -1;
	s->runs.slots[slot].used = true;
	s->runs.slots[slot].ran = false;
	s->runs.slots[slot].command = run->command;
	s->runs.slots[slot].master = steal_fd(&master);
	if ((run->flags & RUN_LOG) && m->fd_count) {
		s->runs.slots[slot].log = m->fds[m->fd_count - 1];
		m->fds[m->fd_count - 1] = -1;
	}
	return 0;
}

bool runs_handle_run(struct supervise *s, struct msg *m)
{
	struct err err = { 0 };
	struct run run;
	bool ok = run_decode(&m->body, &run);

	if (ok && find(&s->runs, run.command) >= 0)
		ok = false;
	if (ok && start(s, &run, m, &err) < 0)
		tell_ran(s, run.command, err.code ? err.code : EIO, err.msg, false, -1);
	run_finish(&run);
	return ok;
}

bool runs_handle_signal(struct supervise *s, struct msg *m)
{
	uint32_t command = rd_u32(&m->body), signo = rd_u32(&m->body);
	static struct wr w;

	if (!rd_end(&m->body) || signo == 0 || signo > 64)
		return false;
	/* It may just have ended. */
	if (command && find(&s->runs, command) < 0)
		return true;
	chan_begin(&w, MSG_INIT_SIGNAL, s->session);
	wr_u32(&w, command);
	wr_u32(&w, signo);
	chan_send(s->init, &w, NULL, 0);
	return true;
}

static bool handle_ran(struct supervise *s, struct msg *m)
{
	uint32_t command = rd_u32(&m->body), code = rd_u32(&m->body);
	int slot = find(&s->runs, command);
	char step[192], why[512];
	bool cwd_changed;

	rd_str(&m->body, step, sizeof(step));
	cwd_changed = rd_u8(&m->body) != 0;
	if (!rd_end(&m->body) || slot < 0 || s->runs.slots[slot].ran || code > 4095)
		return false;
	s->runs.slots[slot].ran = true;
	if (code == 0) {
		tell_ran(s, command, 0, "", cwd_changed, s->runs.slots[slot].master);
		if (s->runs.slots[slot].master >= 0)
			(void)close(s->runs.slots[slot].master);
		s->runs.slots[slot].master = -1;
		return true;
	}
	(void)snprintf(why, sizeof(why), "%s: %s", step, strerror((int)code));
	tell_ran(s, command, (int)code, why, cwd_changed, -1);
	release(&s->runs, slot);
	return true;
}

/* What stays behind writes to where its command wrote. */
static void keep_left_log(struct runs *runs, int *log)
{
	if (log && *log < 0)
		return;
	if (runs->left_log >= 0)
		(void)close(runs->left_log);
	runs->left_log = log ? steal_fd(log) : -1;
}

static bool handle_exited(struct supervise *s, struct msg *m)
{
	uint32_t command = rd_u32(&m->body), status = rd_u32(&m->body);
	bool left = rd_u8(&m->body) != 0;
	int slot = find(&s->runs, command);
	static struct wr w;

	if (!rd_end(&m->body) || status > 255)
		return false;
	/* One that never came to its exec has been told of already. */
	if (slot < 0)
		return true;
	keep_left_log(&s->runs, left ? &s->runs.slots[slot].log : NULL);
	release(&s->runs, slot);
	s->runs.left = left;
	chan_begin(&w, MSG_EXITED, s->session);
	wr_u32(&w, command);
	wr_u32(&w, status);
	wr_u8(&w, left);
	supervise_tell(s, &w, NULL, 0);
	return true;
}

static bool handle_empty(struct supervise *s, struct msg *m)
{
	static struct wr w;

	if (!rd_end(&m->body))
		return false;
	s->runs.left = false;
	keep_left_log(&s->runs, NULL);
	chan_begin(&w, MSG_EMPTY, s->session);
	supervise_tell(s, &w, NULL, 0);
	return true;
}

static void tell_log(struct supervise *s, uint32_t command, int log)
{
	static struct wr w;

	if (log < 0)
		return;
	chan_begin(&w, MSG_LOG, s->session);
	wr_u32(&w, command);
	supervise_tell(s, &w, &log, 1);
}

void runs_repeat(struct supervise *s)
{
	for (size_t i = 0; i < RUNS_MAX; i++) {
		if (s->runs.slots[i].used)
			tell_log(s, s->runs.slots[i].command, s->runs.slots[i].log);
	}
	tell_log(s, 0, s->runs.left_log);
}

bool runs_handle_init(struct supervise *s, struct msg *m)
{
	if (m->op == MSG_INIT_EMPTY)
		return handle_empty(s, m);
	return m->op == MSG_INIT_RAN ? handle_ran(s, m) : handle_exited(s, m);
}
