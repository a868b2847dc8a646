/* SPDX-License-Identifier: MIT
 *
 * Plays cowbelld and the broker for one session, so that the supervisor and
 * pid 1 can be tried with real programs and without the rest of the house.
 * Descriptors 0, 1 and 2 are the command's; what the driver sees goes to the
 * file of --log, one event a line. Exit status: the command's, 125 when there
 * was none.
 */
#include "base/log.h"
#include "platform/arm/seccomp.h"
#include "tests/system/driver.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

struct driver_options opt = { .bin = "build/bin", .serial = 1, .max_bytes = 1 << 20, .max_files = 100, .revoke_gate = -1, .rounds = 1 };
struct driver_state run;

double driver_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

void driver_note(const char *fmt, ...)
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

void driver_send(int fd, const struct wr *w, const int *fds, size_t n)
{
	struct err err = { 0 };

	if (chan_send_fd(fd, w, fds, n, &err) < 0 && err.code != EPIPE)
		fatal("%s", err.msg);
}

static int session(int seccomp, double *ret_exec, double *ret_whole)
{
	int status;

	memset(&run, 0, sizeof(run));
	run.master = -1;
	daemon_make_cgroup();
	daemon_start_supervisor(seccomp);
	daemon_await_spare();
	daemon_send_job();
	broker_serve();
	(void)waitpid(run.supervisor, &status, 0);
	driver_note("SUPERVISOR %s %d", WIFSIGNALED(status) ? "signal" : "exit",
	     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	(void)close(run.broker);
	(void)close(run.daemon);
	(void)close(run.cgroup);
	/* pid 1 of a session whose supervisor was killed comes to us. */
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	daemon_remove_cgroup();
	*ret_exec = run.t_ran - run.t_job;
	*ret_whole = driver_now() - run.t_job;
	driver_note("TIMES prepare %.2f job-to-exec %.2f job-to-exit %.2f job-to-gone %.2f ms", run.t_prepared - run.t_fork,
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
	plan = &opt.plans[broker_gate_index((uint16_t)number)];
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

/* NAME, an account of this machine, or UID:NAME where there is none. */
static void set_owner(const char *name)
{
	const char *colon = strchr(name, ':');
	const struct passwd *pw = colon ? NULL : getpwnam(name);

	if (!pw && !colon)
		fatal("no user '%s'", name);
	(void)snprintf(opt.prepare.user, sizeof(opt.prepare.user), "%s", colon ? colon + 1 : name);
	opt.prepare.uid = pw ? pw->pw_uid : (uint32_t)strtoul(name, NULL, 10);
	opt.prepare.gid = pw ? pw->pw_gid : opt.prepare.uid;
	if (opt.prepare.home[0])
		return;
	if (pw)
		(void)snprintf(opt.prepare.home, sizeof(opt.prepare.home), "%s", pw->pw_dir);
	else
		(void)snprintf(opt.prepare.home, sizeof(opt.prepare.home), "/home/%s", opt.prepare.user);
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
	case 'q': (void)sscanf(optarg, "%d:%d", &opt.signo, &opt.signal_ms); break;
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
		{ "revoke", 1, NULL, 'r' }, { "signal", 1, NULL, 'q' }, { "rebroker", 0, NULL, 'R' }, { "kill-on-need", 0, NULL, 'K' },
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
	daemon_make_store();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	seccomp = seccomp_program(0, &err);
	if (seccomp < 0)
		fatal("%s", err.msg);
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
