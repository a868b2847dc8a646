/* SPDX-License-Identifier: MIT
 *
 * Plays cowbelld and the broker for one session, so that the supervisor and
 * pid 1 can be tried with real programs and without the rest of the house.
 * Descriptors 0, 1 and 2 are the command's; what the driver sees goes to the
 * file of --log, one event a line. Exit status: the command's, 125 when there
 * was none.
 */
#include "base/fd.h"
#include "base/log.h"
#include "platform/arm/mnt.h"
#include "platform/arm/seccomp.h"
#include "policy/permission.h"
#include "proto/chan.h"
#include "proto/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

struct plan {
	enum give give;
	char source[PATH_SIZE];
	bool held; /* --hold: no answer at all */
};

static struct {
	const char *bin, *store, *cwd;
	struct prepare prepare;
	struct launch launch;
	struct plan plans[GATES_MAX];
	uint64_t serial, max_bytes;
	uint32_t max_files;
	bool tty, rebroker, kill_on_need, kill_live, late_cgroup;
	int revoke_gate, revoke_ms;
	unsigned int rounds;
	char **argv;
	FILE *log;
} opt = { .bin = "build/bin", .serial = 1, .max_bytes = 1 << 20, .max_files = 100, .revoke_gate = -1, .rounds = 1 };

static struct {
	int daemon, broker; /* our ends */
	pid_t supervisor, holder;
	int cgroup;
	char cgroup_path[128];
	bool ready, exited, ended, ran;
	uint32_t status;
	int master;
	double t_fork, t_prepared, t_job, t_ran, t_exited;
} run;

static double now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void note(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void note(const char *fmt, ...)
{
	va_list ap;

	if (!opt.log)
		return;
	va_start(ap, fmt);
	(void)vfprintf(opt.log, fmt, ap);
	va_end(ap);
	(void)fputc('\n', opt.log);
	(void)fflush(opt.log);
}

static void check(int r, const struct err *err)
{
	if (r < 0)
		fatal("%s", err->msg);
}

static void send_to(int fd, const struct wr *w, const int *fds, size_t n)
{
	struct err err = { 0 };

	if (chan_send_fd(fd, w, fds, n, &err) < 0 && err.code != EPIPE)
		fatal("%s", err.msg);
}

/* --- the parts of cowbelld --- */

static void make_layer(uint64_t lid, uint32_t base)
{
	char path[PATH_SIZE + 64];
	static const char *const parts[] = { "", "/fs", "/work" };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		(void)snprintf(path, sizeof(path), "%s/layers/%016llx%s", opt.store, (unsigned long long)lid, parts[i]);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			fatal("make '%s': %s", path, strerror(errno));
		if (i == 1 && chown(path, base, base) < 0)
			fatal("chown '%s': %s", path, strerror(errno));
	}
}

static void make_store(void)
{
	char path[PATH_SIZE + 64];

	(void)snprintf(path, sizeof(path), "%s/layers", opt.store);
	if (mkdir(path, 0711) < 0 && errno != EEXIST)
		fatal("make '%s': %s", path, strerror(errno));
	make_layer(opt.launch.upper, opt.launch.base);
}

static void make_cgroup(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		char probe[128];

		(void)snprintf(probe, sizeof(probe), "%s/cgroup.controllers", roots[i]);
		if (access(probe, F_OK) < 0)
			continue;
		(void)snprintf(run.cgroup_path, sizeof(run.cgroup_path), "%s/cowbell-test-%d", roots[i], getpid());
		if (mkdir(run.cgroup_path, 0755) < 0 && errno != EEXIST)
			fatal("make '%s': %s", run.cgroup_path, strerror(errno));
		run.cgroup = open(run.cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return;
	}
	fatal("no cgroup2 here");
}

static void start_supervisor(int seccomp)
{
	char program[PATH_SIZE], init[PATH_SIZE];
	struct err err = { 0 };
	static struct wr w;
	int pair[2], fds[2], init_fd;

	(void)snprintf(program, sizeof(program), "%s/cowbell-supervisor", opt.bin);
	(void)snprintf(init, sizeof(init), "%s/cowbell-init", opt.bin);
	init_fd = open(init, O_PATH | O_CLOEXEC);
	if (init_fd < 0)
		fatal("open '%s': %s", init, strerror(errno));
	check(chan_pair(pair, &err), &err);
	run.t_fork = now_ms();
	run.supervisor = vfork();
	if (run.supervisor == 0) {
		int channel = fcntl(pair[1], F_DUPFD_CLOEXEC, 16), file = fcntl(init_fd, F_DUPFD_CLOEXEC, 16);

		(void)dup2(channel, 3);
		(void)dup2(file, 4);
		(void)execl(program, "cowbell-supervisor", NULL);
		_exit(127);
	}
	(void)close(pair[1]);
	(void)close(init_fd);
	run.daemon = pair[0];
	chan_begin(&w, MSG_PREPARE, 0);
	prepare_encode(&w, &opt.prepare);
	fds[0] = seccomp;
	fds[1] = run.cgroup;
	send_to(run.daemon, &w, fds, opt.late_cgroup ? 1 : 2);
}

/* Waits for PREPARED. */
static void await_spare(void)
{
	static uint8_t buf[WIRE_MAX];
	struct err err = { 0 };
	char why[512] = "";
	struct msg m;
	int n = chan_recv_fd(run.daemon, buf, &m, &err);

	if (n <= 0)
		fatal("the spare died: %s", n ? err.msg : "gone");
	if (m.op == MSG_PREPARE_FAILED) {
		(void)rd_u32(&m.body);
		rd_str(&m.body, why, sizeof(why));
		note("PREPARE_FAILED %s", why);
		fatal("the spare could not be made: %s", why);
	}
	run.t_prepared = now_ms();
	note("PREPARED");
}

static void send_job(void)
{
	struct err err = { 0 };
	static struct wr w;
	int pair[2], fds[2];

	check(chan_pair(pair, &err), &err);
	run.t_job = now_ms();
	chan_begin(&w, MSG_JOB, 7);
	launch_encode(&w, &opt.launch);
	fds[0] = pair[1];
	fds[1] = run.cgroup;
	send_to(run.daemon, &w, fds, 2);
	(void)close(pair[1]);
	run.broker = pair[0];
}

static void new_broker(void)
{
	struct err err = { 0 };
	static struct wr w;
	int pair[2];

	(void)close(run.broker);
	check(chan_pair(pair, &err), &err);
	chan_begin(&w, MSG_BROKER, 7);
	send_to(run.daemon, &w, &pair[1], 1);
	(void)close(pair[1]);
	run.broker = pair[0];
	note("NEW BROKER");
}

static int holder_main(void *data)
{
	(void)data;
	(void)pause();
	return 0;
}

/* A user namespace with the app's ids, to show real files by. */
static int id_namespace(void)
{
	static char stack[16384] __attribute__((aligned(64)));
	char path[64], line[64];

	run.holder = clone(holder_main, stack + sizeof(stack), CLONE_NEWUSER | CLONE_VM | SIGCHLD, NULL);
	(void)snprintf(line, sizeof(line), "0 %u 65536\n", opt.launch.base);
	for (int i = 0; i < 2; i++) {
		int fd;

		(void)snprintf(path, sizeof(path), "/proc/%d/%s", run.holder, i ? "gid_map" : "uid_map");
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, line, strlen(line)) < 0)
			fatal("map ids: %s", strerror(errno));
		(void)close(fd);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", run.holder);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void send_mount(uint16_t gate, const struct plan *plan)
{
	bool copy = plan->give == GIVE_COPY, read_only = copy || plan->give == GIVE_READ;
	uint64_t attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (read_only ? MOUNT_ATTR_RDONLY : 0);
	struct err err = { 0 };
	cleanup_fd int userns = id_namespace();
	cleanup_fd int mnt = mnt_clone(AT_FDCWD, plan->source, &err);
	static struct wr w;

	if (mnt < 0 || mnt_set(mnt, attrs, userns, &err) < 0)
		fatal("%s", err.msg);
	(void)kill(run.holder, SIGKILL);
	(void)waitpid(run.holder, NULL, 0);
	chan_begin(&w, MSG_MOUNT, 7);
	wr_u16(&w, gate);
	wr_u8(&w, (uint8_t)plan->give);
	send_to(run.daemon, &w, &mnt, 1);
}

/* --- the parts of the broker --- */

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
	chan_begin(&w, MSG_RUN, 7);
	run_encode(&w, &r);
	send_to(run.broker, &w, fds, opt.tty ? 0 : 3);
}

static void send_plain(enum msg_op op)
{
	static struct wr w;

	chan_begin(&w, op, 7);
	send_to(run.broker, &w, NULL, 0);
}

static int gate_index(uint16_t gate)
{
	for (uint16_t i = 0; i < opt.prepare.gate_count; i++) {
		if (opt.prepare.gates[i].gate == gate)
			return i;
	}
	fatal("a question about gate %u, which does not exist", gate);
}

static void answer(uint32_t question, uint16_t gate)
{
	const struct plan *plan = &opt.plans[gate_index(gate)];
	static struct wr w;

	if (plan->held)
		return;
	if (plan->source[0])
		send_mount(gate, plan);
	chan_begin(&w, MSG_ANSWER, 7);
	wr_u32(&w, question);
	wr_u16(&w, gate);
	wr_u8(&w, (uint8_t)plan->give);
	wr_u32(&w, plan->give == GIVE_NO ? EACCES : 0);
	wr_u64(&w, opt.serial);
	wr_u64(&w, opt.max_bytes);
	wr_u32(&w, opt.max_files);
	send_to(run.broker, &w, NULL, 0);
}

static void on_need(struct rd *r)
{
	uint32_t question = rd_u32(r);
	uint16_t gate = rd_u16(r);
	char program[256];

	(void)rd_u32(r);
	rd_str(r, program, sizeof(program));
	note("NEED %u gate %u program %s", question, gate, program);
	if (opt.kill_on_need) {
		(void)kill(run.supervisor, SIGKILL);
	} else if (opt.rebroker) {
		opt.rebroker = false;
		new_broker();
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
	note("ANSWERED %u gate %u give %s code %u bytes %llu files %u why %s", question, gate,
	     give_name((enum give)give), code, (unsigned long long)bytes, files, why);
	if (opt.revoke_gate == gate) {
		(void)usleep((useconds_t)opt.revoke_ms * 1000u);
		opt.revoke_gate = -1;
		chan_begin(&w, MSG_REVOKE, 7);
		wr_u16(&w, gate);
		send_to(run.broker, &w, NULL, 0);
	}
}

static void on_ran(struct msg *m)
{
	uint32_t command = rd_u32(&m->body), code = rd_u32(&m->body);
	char why[512];
	uint8_t cwd_changed;

	rd_str(&m->body, why, sizeof(why));
	cwd_changed = rd_u8(&m->body);
	run.t_ran = now_ms();
	note("RAN %u code %u cwd_changed %u why %s", command, code, cwd_changed, why);
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
}

static void on_broker_message(struct msg *m)
{
	char why[512];
	uint32_t code;
	uint16_t gate;

	switch ((unsigned int)m->op) {
	case MSG_SESSION_HELLO:
		note("HELLO");
		break;
	case MSG_SESSION_READY:
		note("READY");
		send_run();
		break;
	case MSG_SESSION_FAILED:
		code = rd_u32(&m->body);
		rd_str(&m->body, why, sizeof(why));
		note("FAILED %u %s", code, why);
		(void)dprintf(2, "driver: session failed: %s\n", why);
		break;
	case MSG_RAN:
		on_ran(m);
		break;
	case MSG_EXITED:
		(void)rd_u32(&m->body);
		run.status = rd_u32(&m->body);
		run.exited = true;
		run.t_exited = now_ms();
		note("EXITED %u", run.status);
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
		note("REVOKED gate %u code %u held %u", gate, code, rd_u32(&m->body));
		break;
	case MSG_ENDED:
		code = rd_u32(&m->body);
		rd_str(&m->body, why, sizeof(why));
		note("ENDED %u untouched %u %s", code, rd_u8(&m->body), why);
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

static void serve(void)
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

static int session(int seccomp, double *ret_exec, double *ret_whole)
{
	int status;

	memset(&run, 0, sizeof(run));
	run.master = -1;
	make_cgroup();
	start_supervisor(seccomp);
	await_spare();
	send_job();
	serve();
	(void)waitpid(run.supervisor, &status, 0);
	note("SUPERVISOR %s %d", WIFSIGNALED(status) ? "signal" : "exit",
	     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	(void)close(run.broker);
	(void)close(run.daemon);
	(void)close(run.cgroup);
	/* pid 1 of a session whose supervisor was killed comes to us. */
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	for (int i = 0; i < 200 && rmdir(run.cgroup_path) < 0; i++)
		(void)usleep(5000);
	*ret_exec = run.t_ran - run.t_job;
	*ret_whole = now_ms() - run.t_job;
	note("TIMES prepare %.2f job-to-exec %.2f job-to-exit %.2f job-to-gone %.2f ms", run.t_prepared - run.t_fork,
	     *ret_exec, run.t_exited - run.t_job, *ret_whole);
	return run.exited ? (int)run.status : 125;
}

/* --- options --- */

static void add_gate(const char *text)
{
	struct gate_path *g = &opt.prepare.gates[opt.prepare.gate_count];
	unsigned int number;

	if (opt.prepare.gate_count == GATES_MAX || sscanf(text, "%u:%4095s", &number, g->path) != 2)
		fatal("--gate NUMBER:PATH, not '%s'", text);
	g->gate = (uint16_t)number;
	opt.plans[opt.prepare.gate_count++].give = GIVE_NO;
}

static void add_answer(const char *text)
{
	char word[32], source[PATH_SIZE] = "";
	struct err err = { 0 };
	unsigned int number;
	struct plan *plan;

	if (sscanf(text, "%u=%31[a-z]:%4095s", &number, word, source) < 2)
		fatal("--answer NUMBER=ANSWER[:SOURCE], not '%s'", text);
	plan = &opt.plans[gate_index((uint16_t)number)];
	plan->held = strcmp(word, "hold") == 0;
	if (!plan->held && give_parse(word, &plan->give, &err) < 0)
		fatal("%s", err.msg);
	(void)snprintf(plan->source, sizeof(plan->source), "%s", source);
}

static void add_layers(char *text)
{
	for (char *p = strtok(text, ","); p && opt.launch.layer_count < LAYERS_MAX; p = strtok(NULL, ","))
		opt.launch.layers[opt.launch.layer_count++] = strtoull(p, NULL, 16);
}

static void set_owner(const char *name)
{
	const struct passwd *pw = getpwnam(name);

	if (!pw)
		fatal("no user '%s'", name);
	(void)snprintf(opt.prepare.user, sizeof(opt.prepare.user), "%s", name);
	opt.prepare.uid = pw->pw_uid;
	opt.prepare.gid = pw->pw_gid;
	if (!opt.prepare.home[0])
		(void)snprintf(opt.prepare.home, sizeof(opt.prepare.home), "%s", pw->pw_dir);
}

static void set_option(int c)
{
	switch (c) {
	case 'b': opt.bin = optarg; break;
	case 's': opt.store = optarg; break;
	case 'H': (void)snprintf(opt.prepare.home, sizeof(opt.prepare.home), "%s", optarg); break;
	case 'u': set_owner(optarg); break;
	case 'B': opt.launch.base = (uint32_t)strtoul(optarg, NULL, 0); break;
	case 'U': opt.launch.upper = strtoull(optarg, NULL, 16); break;
	case 'L': add_layers(optarg); break;
	case 'g': add_gate(optarg); break;
	case 'a': add_answer(optarg); break;
	case 'x': (void)snprintf(opt.prepare.hidden[opt.prepare.hidden_count++ % 8], PATH_SIZE, "%s", optarg); break;
	case 'i': opt.launch.kind = SESSION_INSTALL; break;
	case 't': opt.tty = true; break;
	case 'l': opt.log = fopen(optarg, "ae"); break;
	case 'c': opt.cwd = optarg; break;
	case 'S': opt.serial = strtoull(optarg, NULL, 0); break;
	case 'm': opt.max_bytes = strtoull(optarg, NULL, 0); break;
	case 'n': opt.rounds = (unsigned int)strtoul(optarg, NULL, 0); break;
	case 'r': (void)sscanf(optarg, "%d:%d", &opt.revoke_gate, &opt.revoke_ms); break;
	case 'R': opt.rebroker = true; break;
	case 'K': opt.kill_on_need = true; break;
	case 'k': opt.kill_live = true; break;
	case 'G': opt.late_cgroup = true; break;
	default: fatal("unknown option");
	}
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "bin", 1, NULL, 'b' }, { "store", 1, NULL, 's' }, { "home", 1, NULL, 'H' }, { "user", 1, NULL, 'u' },
		{ "base", 1, NULL, 'B' }, { "upper", 1, NULL, 'U' }, { "layers", 1, NULL, 'L' },
		{ "gate", 1, NULL, 'g' }, { "answer", 1, NULL, 'a' }, { "hidden", 1, NULL, 'x' },
		{ "install", 0, NULL, 'i' }, { "tty", 0, NULL, 't' }, { "log", 1, NULL, 'l' }, { "cwd", 1, NULL, 'c' },
		{ "serial", 1, NULL, 'S' }, { "max-bytes", 1, NULL, 'm' }, { "rounds", 1, NULL, 'n' },
		{ "revoke", 1, NULL, 'r' }, { "rebroker", 0, NULL, 'R' }, { "kill-on-need", 0, NULL, 'K' },
		{ "kill-live", 0, NULL, 'k' }, { "late-cgroup", 0, NULL, 'G' }, { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1)
		set_option(c);
	opt.argv = argv + optind;
	if (!opt.argv[0] || !opt.store || !opt.prepare.user[0])
		fatal("--store DIR --user NAME [options] COMMAND...");
	(void)snprintf(opt.prepare.store, sizeof(opt.prepare.store), "%s", opt.store);
	(void)snprintf(opt.launch.app, sizeof(opt.launch.app), "probe");
	if (!opt.launch.base)
		opt.launch.base = 0x70000000;
	if (!opt.launch.upper)
		opt.launch.upper = 1;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	double *exec_ms, *whole_ms;
	struct err err = { 0 };
	int status = 125, seccomp;

	log_init("driver");
	parse_options(argc, argv);
	make_store();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	seccomp = seccomp_program(0, &err);
	check(seccomp, &err);
	exec_ms = xcalloc(opt.rounds, sizeof(double));
	whole_ms = xcalloc(opt.rounds, sizeof(double));
	for (unsigned int i = 0; i < opt.rounds; i++)
		status = session(seccomp, &exec_ms[i], &whole_ms[i]);
	if (opt.rounds > 1) {
		qsort(exec_ms, opt.rounds, sizeof(double), compare);
		qsort(whole_ms, opt.rounds, sizeof(double), compare);
		(void)dprintf(2, "p50 job-to-exec %.2f ms, job-to-gone %.2f ms\n", exec_ms[opt.rounds / 2],
			      whole_ms[opt.rounds / 2]);
	}
	return status;
}
