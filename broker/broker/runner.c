/* SPDX-License-Identifier: MIT
 *
 * A runner lives until both its command and its client are done with it. A
 * client that goes away hangs up on its command; a command that ends says so to
 * its client first.
 */
#include "broker/runner.h"

#include "base/path.h"
#include "broker/trial.h"

#include "broker/app_log.h"
#include "broker/background.h"
#include "broker/hand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

struct runner {
	struct broker *broker;
	struct client *client;
	struct command *command; /* NULL once it ended */
	uint8_t tty;
	bool detach, told;
	struct trial *trial; /* NULL: a run like others */
	bool left;           /* nobody waits for it */
	bool over;           /* the trial is: its report stands */
	char app[APP_ID_SIZE];
	uint32_t status; /* an ending that came before the client was there */
	char why[512];
	char early[512]; /* a line for the person, likewise */
};

static void runner_free(struct runner *runner)
{
	client_destroy(runner->client);
	trial_free(runner->trial);
	free(runner);
}

/* --- what may go in --- */

bool runner_fd_passes(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_PATH) || fstat(fd, &st) < 0)
		return false;
	if (S_ISCHR(st.st_mode))
		return st.st_rdev == makedev(1, 3);
	return S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
}

static bool env_passes(const char *entry)
{
	static const char *const names[] = { "TERM=", "COLORTERM=", "LANG=", "LANGUAGE=", "LC_", "TZ=", "NO_COLOR=" };

	if (strlen(entry) > 512)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

char **runner_environment(const struct broker *broker, char *const *env, const char *root_home)
{
	char **out = xcalloc(ARGS_MAX + 1, sizeof(*out));
	size_t n = 0;

	if (root_home) {
		out[n++] = xstrdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
		out[n++] = xasprintf("HOME=%s", root_home);
		out[n++] = xstrdup("USER=root");
		out[n++] = xstrdup("LOGNAME=root");
		out[n++] = xstrdup("DEBIAN_FRONTEND=noninteractive");
	} else {
		out[n++] = xasprintf("PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games:%s/.local/bin", broker->home);
		out[n++] = xasprintf("HOME=%s", broker->home);
		out[n++] = xasprintf("USER=%s", broker->owner_name);
		out[n++] = xasprintf("LOGNAME=%s", broker->owner_name);
		out[n++] = xstrdup("SHELL=/bin/sh");
		out[n++] = xasprintf("XDG_RUNTIME_DIR=/run/user/%u", broker->owner_uid);
		/* An AppImage would mount itself, which no app can: it unpacks itself to /tmp. */
		out[n++] = xstrdup("APPIMAGE_EXTRACT_AND_RUN=1");
	}
	for (size_t i = 0; env && env[i] && n < 64; i++) {
		if (env_passes(env[i]))
			out[n++] = xstrdup(env[i]);
	}
	return out;
}

/* --- the command's word --- */

static void on_ran(void *data, int code, const char *why, bool cwd_changed, int pty)
{
	struct runner *runner = data;

	(void)why;
	if (code)
		return; /* on_exited follows with the reason */
	if (pty >= 0)
		client_send(runner->client, STREAM_PTY, NULL, 0, pty);
	client_text(runner->client, STREAM_STARTED,
		    cwd_changed ? "the current folder is not there for the app; it starts in its home" : "");
}

/* A line of JSON. */
static void tell_report(struct runner *runner)
{
	json_t *report = trial_report(runner->trial, runner->app, runner->status);
	char *text = json_dumps(report, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0;

	for (size_t done = 0; done < len;) {
		size_t n = len - done < STREAM_BODY_MAX ? len - done : STREAM_BODY_MAX;

		client_send(runner->client, STREAM_TEXT, text + done, n, -1);
		done += n;
	}
	free(text);
	json_decref(report);
}

static void tell_end(struct runner *runner)
{
	if (runner->trial && !runner->why[0]) {
		tell_report(runner);
		client_exit(runner->client, 0);
		return;
	}
	if (runner->why[0])
		client_fail(runner->client, runner->status, runner->why);
	else
		client_exit(runner->client, runner->status);
}

static void on_exited(void *data, uint32_t status, const char *why)
{
	struct runner *runner = data;

	runner->command = NULL;
	runner->status = status;
	if (why)
		(void)snprintf(runner->why, sizeof(runner->why), "%s", why[0] ? why : "the command did not run");
	if (runner->trial && !runner->over)
		return; /* what it changed is still counted */
	runner->told = true;
	if (!runner->client)
		return; /* told as soon as it is there */
	tell_end(runner);
	runner_free(runner);
}

/* The session is gone, and what it changed is counted. */
static void on_trial_over(void *data)
{
	struct runner *runner = data;

	runner->over = runner->told = true;
	if (runner->left)
		runner_free(runner);
	else if (runner->client) {
		tell_end(runner);
		runner_free(runner);
	}
}

static void on_notice(void *data, const char *text)
{
	struct runner *runner = data;

	if (runner->client)
		client_text(runner->client, STREAM_NOTICE, text);
	else
		(void)snprintf(runner->early, sizeof(runner->early), "%s", text);
}

static const struct command_ops runner_command_ops = {
	.on_ran = on_ran,
	.on_exited = on_exited,
	.on_notice = on_notice,
};

/* --- the client's word --- */

/* The descriptors that a command gets, in pass. */
struct passing {
	int pass[4]; /* the standard ones that are no pty, and RUN_LOG's */
	size_t n;
	int log, keep; /* the log's writing end, one of pass; its reading end, of which the supervisor has one too */
};

/* Who is detached has no terminal, not even the one that it was started from: what
 * would go there goes to the app's log, by one pipe. */
static int detached_fd(const struct runner *runner, size_t i, struct passing *p, struct err *err)
{
	int fd;

	if (i > 0 && p->log < 0)
		return p->log = app_log_writer(runner->broker, runner->app, &p->keep, err);
	fd = i == 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : fcntl(p->log, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? err_sys(err, "open a descriptor for '%s'", runner->app) : fd;
}

static int collect(const struct runner *runner, int *fds, struct passing *p, struct err *err)
{
	for (size_t i = 0; i < 3; i++) {
		bool tty = runner->tty & (1u << i);

		if (tty && !runner->detach)
			continue;
		if (!tty && !runner_fd_passes(fds[i]))
			return err_set(err, EINVAL, "standard input, output and error must be files, pipes or stream "
						    "sockets (no folders or devices)");
		p->pass[p->n] = tty ? detached_fd(runner, i, p, err) : steal_fd(&fds[i]);
		if (p->pass[p->n] < 0)
			return -1;
		p->n++;
	}
	return 0;
}

static void on_fds(void *data, int *fds, size_t count)
{
	struct runner *runner = data;
	struct passing p = { .log = -1, .keep = -1 };
	struct err err = { 0 };

	if (!runner->command)
		return;
	if (count != 3 + hands_count(runner->command->hands)) {
		err_set(&err, EPROTO, "the client did not pass the descriptors that it named");
		goto bad;
	}
	if (collect(runner, fds, &p, &err) < 0)
		goto bad;
	if (runner->command->hands)
		hands_take(runner->command->hands, fds + 3);
	if (p.keep >= 0) {
		runner->command->run.flags |= RUN_LOG;
		p.pass[p.n++] = p.keep;
	}
	command_go(runner->command, p.pass, p.n);
	return;
bad:
	for (size_t i = 0; i < p.n; i++)
		(void)close(p.pass[i]);
	if (p.keep >= 0)
		(void)close(p.keep);
	client_fail(runner->client, 126, err.msg);
	runner->command->ops = NULL;
	command_abandon(steal_ptr(&runner->command));
}

static void on_signal(void *data, uint32_t signo)
{
	struct runner *runner = data;

	if (runner->command && signo > 0 && signo < 65)
		command_signal(runner->command, signo);
}

static void on_gone(void *data)
{
	struct runner *runner = data;
	struct command *command = runner->command;

	runner->client = NULL; /* destroys itself */
	if (command && runner->detach)
		command->ops = NULL;
	else if (command)
		command_abandon(command);
	runner->command = NULL;
	if (runner->trial && !runner->over) {
		runner->left = true; /* the session still speaks to the trial */
		return;
	}
	trial_free(runner->trial);
	free(runner);
}

static const struct client_ops runner_client_ops = { .on_fds = on_fds, .on_signal = on_signal, .on_gone = on_gone };

void runner_attach(struct runner *runner, int fd)
{
	runner->client = client_create(runner->broker, fd, &runner_client_ops, runner);
	if (!runner->client) {
		runner_abandon(runner);
		return;
	}
	if (runner->early[0])
		client_text(runner->client, STREAM_NOTICE, runner->early);
	if (runner->told) {
		tell_end(runner);
		runner_free(runner);
	}
}

void runner_abandon(struct runner *runner)
{
	if (runner->command)
		command_abandon(steal_ptr(&runner->command));
	runner->left = true;
	if (!runner->trial || runner->over)
		runner_free(runner);
}

/* --- which program --- */

static const char *find_program(const struct app_record *app, const char *name)
{
	for (uint16_t i = 0; i < app->command_count; i++) {
		if (strcmp(app->commands[i], name) == 0 || strcmp(path_base(app->commands[i]), name) == 0)
			return app->commands[i];
	}
	return NULL;
}

/* "a, b, c, ...": each name once, whole ones. */
static void list_programs(const struct app_record *app, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (uint16_t i = 0; i < app->command_count; i++) {
		const char *name = path_base(app->commands[i]);

		if (find_program(app, name) != app->commands[i]) /* the same in /usr/sbin and /sbin */
			continue;
		if (n + strlen(name) + 8 > size) {
			(void)snprintf(buf + n, size - n, ", ...");
			return;
		}
		n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "", name);
	}
}

const char *runner_program(const struct app_record *app, const char *wanted, struct err *err)
{
	const char *found;
	char list[200];

	if (wanted) {
		found = find_program(app, wanted);
		if (!found)
			err_set(err, ENOENT, "'%s' has no program '%s'", app->id, wanted);
		return found;
	}
	found = find_program(app, app->main[0] ? app->main : app->id);
	if (found)
		return found;
	if (app->command_count == 1)
		return app->commands[0];
	if (app->command_count == 0) {
		err_set(err, ENOENT, "'%s' brought no program", app->id);
		err_hint(err, "cowbell exec, or cowbell shell %s", app->id);
		return NULL;
	}
	list_programs(app, list, sizeof(list));
	err_set(err, ENOENT, "'%s' has %u programs and none of its own name", app->id, app->command_count);
	err_hint(err, "cowbell run --command PROGRAM %s; programs: %s", app->id, list);
	return NULL;
}

/* run: the program and the words given; exec and shell: the words alone. */
static char **build_argv(const struct run_request *r, const struct app_record *app, struct err *err)
{
	char **argv = xcalloc(ARGS_MAX + 1, sizeof(*argv));
	size_t n = 0;

	if (r->shell) {
		argv[n++] = xstrdup("/bin/sh");
	} else if (!r->exec_only) {
		const char *program = runner_program(app, r->command, err);

		if (!program)
			goto fail;
		argv[n++] = xstrdup(program);
	}
	for (size_t i = 0; r->argv && r->argv[i]; i++) {
		if (n == ARGS_MAX) {
			err_set(err, E2BIG, "more than %u words on the command line", ARGS_MAX);
			goto fail;
		}
		argv[n++] = xstrdup(r->argv[i]);
	}
	if (n)
		return argv;
	err_set(err, EINVAL, "no command was named");
fail:
	strv_free(argv);
	return NULL;
}

char **runner_argv(struct broker *broker, const struct run_request *r, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, false, err);
	struct app_record app = { 0 };
	char **argv = NULL;
	int found;

	if (!txn)
		return NULL;
	found = store_app_get(txn, r->app, &app, err);
	if (found == 0 || (found == 1 && app.state == APP_INSTALLING && !r->trial))
		err_set(err, ENOENT, "no app '%s'", r->app);
	else if (found == 1 && app.state != APP_READY && app.state != APP_INSTALLING)
		err_set(err, EBUSY, "app '%s' cannot run: %s", r->app,
			app.state == APP_REMOVING ? "it is being removed" : "its record is broken");
	else if (found == 1)
		argv = build_argv(r, &app, err);
	app_record_finish(&app);
	store_abort(txn);
	return argv;
}

struct runner *runner_create(struct broker *broker, const struct run_request *r, uint64_t *ret_session,
			     uint32_t *ret_command, struct err *err)
{
	struct run run = { .rows = r->rows, .columns = r->columns };
	struct session *session;
	struct runner *runner;
	struct hands *hands = NULL;

	if (r->give && r->give[0] && !(hands = hands_create(r->give, err)))
		return NULL;
	run.argv = runner_argv(broker, r, err);
	if (!run.argv) {
		hands_destroy(hands);
		return NULL;
	}
	session = r->trial ? NULL : session_find(broker, r->app);
	if (!session && r->exec_only) {
		strv_free(run.argv);
		hands_destroy(hands);
		err_set(err, ESRCH, "'%s' does not run", r->app);
		err_hint(err, "cowbell run %s, or cowbell shell %s", r->app, r->app);
		return NULL;
	}
	if (r->detach && background_may_start(broker, session, r->app, err) < 0) {
		strv_free(run.argv);
		hands_destroy(hands);
		return NULL;
	}
	run.flags = r->detach ? 0 : (uint8_t)(r->tty & RUN_TTY_ANY);
	run.env = runner_environment(broker, r->env, NULL);
	(void)snprintf(run.cwd, sizeof(run.cwd), "%s", r->cwd && r->cwd[0] == '/' ? r->cwd : broker->home);
	if (!session) {
		session = session_start(broker, r->app, SESSION_RUN);
		session->old_base = r->old_base;
	}
	runner = xcalloc(1, sizeof(*runner));
	runner->broker = broker;
	runner->tty = (uint8_t)(r->tty & RUN_TTY_ANY);
	runner->detach = r->detach;
	if (r->trial) {
		session->trial = runner->trial = trial_create();
		session_wait_over(session, on_trial_over, runner);
	}
	(void)snprintf(runner->app, sizeof(runner->app), "%s", r->app);
	runner->command = session_command(session, &run, &runner_command_ops, runner);
	runner->command->hands = hands;
	if (r->detach)
		background_unattended(runner->command);
	if (r->detach && background_allow(broker, session, r->app, LASTS_RUN, "run --detach", err) < 0) {
		runner->command->ops = NULL;
		command_abandon(steal_ptr(&runner->command));
		runner_free(runner);
		return NULL;
	}
	*ret_session = session->id;
	*ret_command = runner->command->id;
	return runner;
}
