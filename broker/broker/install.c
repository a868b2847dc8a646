/* SPDX-License-Identifier: MIT
 *
 * An install is a list of commands run one after the other in one session of an
 * app that nobody sees yet. Its package's fields are read in there too, by the
 * host's own dpkg-deb, and come out through a pipe as bounded text: nothing out
 * here parses what a package's author made.
 */
#include "broker/install.h"

#include "base/fd.h"
#include "base/log.h"
#include "broker/install_name.h"
#include "broker/install_steps.h"
#include "broker/job.h"
#include "broker/runner.h"
#include "broker/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

struct install {
	struct install *next;
	struct broker *broker;
	struct client *client;
	struct session *session;
	struct command *command;
	struct install_plan plan;
	size_t step;
	char id[APP_ID_SIZE];   /* of its record; "" before there is one */
	char name[APP_ID_SIZE]; /* that it is to have; "" until its package said so */
	struct install_about about;
	uint32_t base;
	uint64_t layer;
	int fds[3 + INSTALL_FILES_MAX]; /* the client's */
	size_t fd_count, want_fds;
	uint8_t tty;
	uint16_t rows, columns;
	bool prepared, have_fds, done, failed;
	bool wants_range;
	int fields_fd;
	char fields[8192];
	size_t fields_len;
	struct loop_source *fields_source;
	uint32_t status;
	char why[700];
};

static struct install *installs; /* of this broker; for those that wait for a range */

static void next_step(struct install *in);

static void install_free(struct install *in)
{
	struct install **p;

	for (p = &installs; *p != in; p = &(*p)->next)
		continue;
	*p = in->next;
	for (size_t i = 0; i < in->fd_count; i++) {
		if (in->fds[i] >= 0)
			(void)close(in->fds[i]);
	}
	loop_remove(in->fields_source);
	if (in->fields_fd >= 0)
		(void)close(in->fields_fd);
	install_plan_finish(&in->plan);
	client_destroy(in->client);
	free(in);
}

static void install_say(struct install *in, uint32_t status, const char *why)
{
	if (status == 0)
		client_exit(in->client, 0);
	else
		client_fail(in->client, status, why);
	install_free(in);
}

static void on_purged(void *data, uint32_t generations, uint64_t bytes, const struct err *err)
{
	struct install *in = data;

	(void)generations;
	(void)bytes;
	if (err)
		log_warn("what was left of '%s' is not deleted yet: %s", in->id, err->msg);
	install_say(in, in->status ? in->status : 1, in->why);
}

/* Not installed: says why once everything of it is gone again. */
static void install_purge(struct install *in, const char *why)
{
	if (!in->why[0])
		(void)snprintf(in->why, sizeof(in->why), "%s", why);
	if (!in->base) {
		install_say(in, 1, in->why);
		return;
	}
	install_remove(in->broker, in->id, on_purged, in);
}

static void install_fail(struct install *in, const char *why)
{
	if (!in->why[0])
		(void)snprintf(in->why, sizeof(in->why), "%s", why);
	in->failed = true;
	if (in->session)
		session_end(in->session); /* on_over goes on */
	else if (!in->base || in->prepared)
		install_purge(in, why);
	/* else a keeper still makes its layer: on_prepared goes on */
}

/* --- becoming an app --- */

static void on_over(void *data, int code, const char *why)
{
	struct install *in = data;
	struct err err = { 0 };

	in->session = NULL;
	in->command = NULL;
	if (in->failed || code || !in->done) {
		install_purge(in, in->why[0] ? in->why : why[0] ? why : "the install was cut off");
		return;
	}
	if (install_name_finish(in->broker, in->id, &in->about, &err) < 0) {
		install_purge(in, err.msg);
		return;
	}
	client_text(in->client, STREAM_PROGRESS, in->name);
	install_say(in, 0, "");
}

/* --- steps --- */

static bool take_field(struct install *in, const char *key, char *buf, size_t size)
{
	const char *line = in->fields;
	size_t n = strlen(key);

	while (line && *line) {
		const char *end = strchr(line, '\n');
		size_t len = end ? (size_t)(end - line) : strlen(line);

		if (len > n + 1 && strncmp(line, key, n) == 0 && line[n] == ':') {
			size_t skip = n + 1;

			while (skip < len && line[skip] == ' ')
				skip++;
			text_escape(line + skip, len - skip, buf, size);
			return true;
		}
		line = end ? end + 1 : NULL;
	}
	return false;
}

/* The fields of the first package are all in: what it calls itself becomes the
 * app's name, if it may. */
static bool use_fields(struct install *in)
{
	struct err err = { 0 };
	char package[128] = "";

	if (!take_field(in, "Package", package, sizeof(package))) {
		install_fail(in, "this is not a Debian package that dpkg-deb can read");
		return false;
	}
	(void)take_field(in, "Version", in->about.version, sizeof(in->about.version));
	(void)take_field(in, "Description", in->about.summary, sizeof(in->about.summary));
	(void)snprintf(in->about.title, sizeof(in->about.title), "%.63s", package);
	if (in->name[0])
		return true;
	if (install_name_check(in->broker, package, &err) < 0 ||
	    install_name_give(in->broker, in->id, package, &err) < 0) {
		err_wrap(&err, "package '%s'", package);
		install_fail(in, err.msg);
		return false;
	}
	(void)snprintf(in->name, sizeof(in->name), "%.63s", package);
	(void)snprintf(in->id, sizeof(in->id), "%s", in->name);
	(void)snprintf(in->session->app, sizeof(in->session->app), "%s", in->name);
	turn_rename(in->session->turn, in->name);
	return true;
}

static void on_fields(void *data, uint32_t events)
{
	struct install *in = data;
	ssize_t n = read(in->fields_fd, in->fields + in->fields_len, sizeof(in->fields) - 1 - in->fields_len);

	(void)events;
	if (n > 0) {
		in->fields_len += (size_t)n;
		if (in->fields_len < sizeof(in->fields) - 1)
			return;
	}
	if (n < 0 && errno == EAGAIN)
		return;
	loop_remove(in->fields_source);
	in->fields_source = NULL;
}

static void on_step_ran(void *data, int code, const char *why, bool cwd_changed, int pty)
{
	struct install *in = data;

	(void)why;
	(void)cwd_changed;
	if (code == 0 && pty >= 0)
		client_send(in->client, STREAM_PTY, NULL, 0, pty);
	if (code == 0 && in->plan.steps[in->step].with_person)
		client_text(in->client, STREAM_STARTED, "");
}

static void on_step_exited(void *data, uint32_t status, const char *why)
{
	struct install *in = data;
	const struct install_step *step = &in->plan.steps[in->step];
	char text[600];

	in->command = NULL;
	if (in->failed)
		return;
	if (status != 0) {
		if (why && why[0])
			(void)snprintf(text, sizeof(text), "%s: %s", step->what, why);
		else
			(void)snprintf(text, sizeof(text), "%s ended with status %u; nothing was installed", step->what,
				       status);
		in->status = step->with_person && status < 125 ? status : 1;
		install_fail(in, text);
		return;
	}
	if (step->fields) {
		while (in->fields_source)
			on_fields(in, 0);
		if (!use_fields(in))
			return;
	}
	in->step++;
	next_step(in);
}

static const struct command_ops step_ops = { .on_ran = on_step_ran, .on_exited = on_step_exited };

/* stdin, stdout, stderr of a step: the person's where it is theirs, /dev/null
 * or the pipe for fields elsewhere. */
static int step_fds(struct install *in, const struct install_step *step, int fds[3], uint8_t *tty, size_t *n)
{
	int pipe_fds[2] = { -1, -1 };

	*n = 0;
	*tty = step->with_person ? in->tty : 0;
	for (int i = 0; i < 3; i++) {
		int fd = -1;

		if (*tty & (1u << i))
			continue;
		if (i == 0 && step->file >= 0)
			fd = fcntl(in->fds[3 + step->file], F_DUPFD_CLOEXEC, 3);
		else if (i == 1 && step->fields && pipe2(pipe_fds, O_CLOEXEC) == 0)
			fd = pipe_fds[1];
		else if ((step->with_person || i == 2) && !(in->tty & (1u << i)))
			fd = fcntl(in->fds[i], F_DUPFD_CLOEXEC, 3);
		else
			fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -1;
		fds[(*n)++] = fd;
	}
	if (pipe_fds[0] >= 0) {
		in->fields_fd = pipe_fds[0];
		(void)fd_set_nonblock(in->fields_fd, true);
		in->fields_source = loop_add_fd(in->broker->loop, in->fields_fd, EPOLLIN, on_fields, in);
	}
	return 0;
}

static void next_step(struct install *in)
{
	const struct install_step *step = &in->plan.steps[in->step];
	struct run run = { .flags = RUN_ROOT, .rows = in->rows, .columns = in->columns };
	int fds[3] = { -1, -1, -1 };
	uint8_t tty;
	size_t n;

	if (in->step == in->plan.count) {
		in->done = true;
		in->session->keep = false;
		session_end(in->session);
		return;
	}
	if (step_fds(in, step, fds, &tty, &n) < 0) {
		install_fail(in, "no descriptors for the installer");
		return;
	}
	client_text(in->client, STREAM_PROGRESS, step->what);
	run.flags |= tty;
	run.argv = install_step_argv(step);
	run.env = runner_environment(in->broker, NULL, true);
	(void)snprintf(run.cwd, sizeof(run.cwd), "%s", step->cwd);
	in->command = session_command(in->session, &run, &step_ops, in);
	command_go(in->command, fds, n);
}

static void try_begin(struct install *in)
{
	if (!in->prepared || !in->have_fds || in->session || in->failed)
		return;
	in->session = session_start(in->broker, in->id, SESSION_INSTALL);
	in->session->keep = true; /* between two steps there is no command */
	in->session->on_over = on_over;
	in->session->over_data = in;
	next_step(in);
}

/* --- the provisional app --- */

static void on_prepared(void *data, const struct job_result *result)
{
	struct install *in = data;

	in->prepared = true;
	if (result->code) {
		install_fail(in, result->why);
		return;
	}
	if (in->failed)
		install_purge(in, in->why);
	else
		try_begin(in);
}

static const struct job_ops prepare_ops = { .on_done = on_prepared };

static void provision(struct install *in, bool may_ask)
{
	struct app_record app;
	struct err err = { 0 };
	struct wr *w;

	if (install_name_provision(in->broker, in->name, &app, &err) < 0) {
		if (err.code != ENOSPC || !may_ask || in->wants_range) {
			install_fail(in, err.msg);
			return;
		}
		in->wants_range = true;
		w = xcalloc(1, sizeof(*w));
		chan_begin(w, MSG_RANGES_WANTED, 0);
		chan_send(in->broker->parent, w, NULL, 0);
		free(w);
		return;
	}
	(void)snprintf(in->id, sizeof(in->id), "%s", app.id);
	in->base = app.base;
	in->layer = app.live;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_PREPARE, 0);
	wr_u64(w, in->layer);
	wr_u64(w, 0);
	wr_u32(w, in->base);
	(void)job_start(in->broker, w, -1, &prepare_ops, in);
	free(w);
}

void install_ranges_came(struct broker *broker)
{
	struct install *next;

	(void)broker;
	for (struct install *in = installs; in; in = next) {
		next = in->next;
		if (in->wants_range && !in->base && !in->failed)
			provision(in, false);
	}
}

/* --- the client --- */

static void on_client_fds(void *data, int *fds, size_t count)
{
	struct install *in = data;

	if (count != in->want_fds) {
		install_fail(in, "the client did not pass the package");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (!(i < 3 && (in->tty & (1u << i))) && !runner_fd_passes(fds[i])) {
			install_fail(in, "descriptors must be files, pipes or stream sockets");
			return;
		}
	}
	memcpy(in->fds, fds, count * sizeof(*fds));
	for (size_t i = 0; i < count; i++)
		fds[i] = -1;
	in->fd_count = count;
	in->have_fds = true;
	try_begin(in);
}

static void on_client_signal(void *data, uint32_t signo)
{
	struct install *in = data;

	if (in->command)
		command_signal(in->command, signo);
}

static void on_client_gone(void *data)
{
	struct install *in = data;

	in->client = NULL;
	if (!in->failed && !in->done)
		install_fail(in, "the person left");
}

static const struct client_ops client_ops = {
	.on_fds = on_client_fds,
	.on_signal = on_client_signal,
	.on_gone = on_client_gone,
};

struct install *install_create(struct broker *broker, const struct install_request *r, uint64_t *ret_session,
			       struct err *err)
{
	struct install *in;

	if (r->name[0] && install_name_check(broker, r->name, err) < 0)
		return NULL;
	if (!r->name[0] && strcmp(r->kind, "deb") != 0) {
		err_set(err, EINVAL, "a %s has no name of its own", r->kind);
		err_hint(err, "--name APP");
		return NULL;
	}
	in = xcalloc(1, sizeof(*in));
	in->fields_fd = -1;
	if (install_plan_make(&in->plan, r, err) < 0) {
		free(in);
		return NULL;
	}
	in->broker = broker;
	in->next = installs;
	installs = in;
	in->want_fds = 3 + r->file_count;
	in->tty = (uint8_t)(r->tty & RUN_TTY_ANY);
	in->rows = r->rows;
	in->columns = r->columns;
	(void)snprintf(in->name, sizeof(in->name), "%s", r->name);
	(void)snprintf(in->about.kind, sizeof(in->about.kind), "%s", r->kind);
	text_escape(r->source, strlen(r->source), in->about.source, sizeof(in->about.source));
	*ret_session = 0;
	return in;
}

void install_attach(struct install *in, int fd)
{
	in->client = client_create(in->broker, fd, &client_ops, in);
	if (!in->client)
		install_free(in);
	else
		provision(in, true);
}

void install_abandon(struct install *in)
{
	install_free(in);
}
