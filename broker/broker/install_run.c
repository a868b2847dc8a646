/* SPDX-License-Identifier: MIT
 *
 * The commands of an install, one after the other in one session. A package's
 * fields are read in there too, by the host's own dpkg-deb, and come out through
 * a pipe as bounded text: nothing out here parses what a package's author made.
 * Packages are kept first, and what is installed is what was kept.
 */
#include "broker/install_impl.h"

#include "base/fd.h"
#include "base/log.h"
#include "broker/runner.h"
#include "broker/session_launch.h"
#include "broker/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

static void next_step(struct install *in);

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
	if (in->rebuilt && !in->update) {
		char word[8];

		in->about.from_base = take_field(in, "Base", word, sizeof(word));
	}
	(void)take_field(in, "Description", in->about.summary, sizeof(in->about.summary));
	(void)snprintf(in->about.title, sizeof(in->about.title), "%.63s", package);
	if (in->name[0] || in->trial)
		return true;
	if (install_take_name(in, package, &err) == 0)
		return true;
	install_fail(in, err.msg);
	return false;
}

int install_take_name(struct install *in, const char *package, struct err *err)
{
	if (install_name_check(in->broker, package, err) < 0 ||
	    install_name_give(in->broker, in->id, package, err) < 0)
		return err_wrap(err, "package '%s'", package);
	(void)snprintf(in->name, sizeof(in->name), "%.63s", package);
	(void)snprintf(in->id, sizeof(in->id), "%s", in->name);
	if (in->session) {
		(void)snprintf(in->session->app, sizeof(in->session->app), "%s", in->name);
		turn_rename(in->session->turn, in->name);
	}
	return 0;
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

/* --- how it can be started --- */

static void step_is_over(struct install *in);

static void on_entry_fact(void *data, enum inspect_key key, const char *value)
{
	struct install *in = data;

	inspect_entries_take(&in->entries, key, value);
}

/* An app whose entries cannot be read is an app all the same. */
static void on_entries_read(void *data, int code, const char *why)
{
	struct install *in = data;

	in->reading = NULL;
	if (code)
		log_warn("'%s': how it can be started is not known: %s", in->id, why);
	if (in->step_over && !in->failed)
		step_is_over(in);
}

static const struct inspect_ops entries_ops = { .on_fact = on_entry_fact, .on_done = on_entries_read };

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

static void step_is_over(struct install *in)
{
	in->step_over = false;
	in->step++;
	next_step(in);
}

void install_step_maybe_over(struct install *in)
{
	if (in->step_over && !in->feeding && !in->reading && !in->failed)
		step_is_over(in);
}

static void on_fed(void *data, const struct job_result *result)
{
	struct install *in = data;

	in->feeding = NULL;
	if (in->failed)
		return;
	if (result->code)
		install_fail(in, result->why);
	else if (in->step_over && !in->reading)
		step_is_over(in);
}

static const struct job_ops feed_ops = { .on_done = on_fed };

/* The reading end of a pipe that a keeper fills with a kept package. */
static int feed_package(struct install *in, unsigned int index)
{
	struct wr *w;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_PACKAGE_GET, 0);
	wr_u64(w, in->layer);
	wr_u16(w, (uint16_t)index);
	in->feeding = job_start(in->broker, w, ends[1], &feed_ops, in);
	(void)close(ends[1]);
	free(w);
	return ends[0];
}

static void on_step_exited(void *data, uint32_t status, const char *why)
{
	struct install *in = data;
	const struct install_step *step = &in->plan.steps[in->step];
	char text[600], reason[300];

	in->command = NULL;
	if (in->failed)
		return;
	if (!step->with_person)
		install_output_drain(in);
	if (status != 0) {
		install_output_reason(in, reason, sizeof(reason));
		install_output_show(in);
		if (why && why[0])
			(void)snprintf(text, sizeof(text), "%s: %s", step->what, why);
		else if (in->rebuilt && !in->update && reason[0])
			(void)snprintf(text, sizeof(text), "%s", reason);
		else
			(void)snprintf(text, sizeof(text), "%s ended with status %u; nothing was installed%s", step->what,
				       status, step->with_person ? " (" INSTALLER_HAS ")" : "");
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
	in->step_over = true;
	install_step_maybe_over(in);
}

static const struct command_ops step_ops = { .on_ran = on_step_ran, .on_exited = on_step_exited };

/* Standard output of a step that is not the person's. */
static int step_output(struct install *in, const struct install_step *step)
{
	int ends[2];

	if (step->manager)
		return install_output_open(in);
	if (!step->fields && !step->entries)
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	if (step->entries) {
		in->reading = inspect_ask(in->broker, INSPECT_ENTRIES, ends[0], -1, &entries_ops, in);
		(void)close(ends[0]);
	} else {
		in->fields_fd = ends[0];
		(void)fd_set_nonblock(in->fields_fd, true);
		in->fields_source = loop_add_fd(in->broker->loop, in->fields_fd, EPOLLIN, on_fields, in);
	}
	return ends[1];
}

static int step_fd(struct install *in, const struct install_step *step, int i, const int *fds, size_t n)
{
	if (i == 0 && step->file >= 0 && in->bundle)
		return install_bundle_feed(in);
	if (i == 0 && step->file >= 0)
		return in->packages ? feed_package(in, (unsigned int)step->file)
				    : fcntl(in->files[step->file], F_DUPFD_CLOEXEC, 3);
	if (step->with_person && !in->rebuilt)
		return fcntl(in->fds[i], F_DUPFD_CLOEXEC, 3);
	if (i == 2 && step->manager) /* as its standard output, which is the last of fds */
		return fcntl(fds[n - 1], F_DUPFD_CLOEXEC, 3);
	if (i == 2)
		return install_output_open(in);
	return i == 1 ? step_output(in, step) : open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* stdin, stdout, stderr of a step: the person's where it is theirs; else a kept
 * package, and pipes to whoever reads its output and its errors. */
static int step_fds(struct install *in, const struct install_step *step, int fds[3], uint8_t *tty, size_t *n)
{
	*n = 0;
	*tty = step->with_person ? in->tty : 0;
	for (int i = 0; i < 3; i++) {
		int fd;

		if (*tty & (1u << i))
			continue;
		fd = step_fd(in, step, i, fds, *n);
		if (fd < 0)
			return -1;
		fds[(*n)++] = fd;
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
	install_progress(in, in->permille < 500 && in->names ? 500 : in->permille, step->what);
	run.flags |= tty;
	run.argv = install_step_argv(step);
	run.env = runner_environment(in->broker, NULL, step->at_home ? in->broker->home : "/root");
	(void)snprintf(run.cwd, sizeof(run.cwd), "%s", step->cwd);
	in->command = session_command(in->session, &run, &step_ops, in);
	command_go(in->command, fds, n);
}

void install_run(struct install *in)
{
	struct broker *broker = in->broker;
	bool rebuilt = in->rebuilt != NULL;
	uint64_t session;

	in->session = in->rebuilt ? session_start_rebuild(in->broker, in->id, in->layer, in->base)
				  : session_start(in->broker, in->id, SESSION_INSTALL);
	in->session->keep = true; /* between two steps there is no command */
	in->session->on_over = install_over;
	in->session->on_switch = rebuilt ? install_switch : NULL;
	in->session->over_data = in;
	in->session->kept_bytes = in->kept_bytes;
	in->session->kept_in = in->kept_in ? in->kept_in : in->layer;
	install_limits_begin(in);
	in->session->updated = in->update;
	(void)snprintf(in->session->why_rebuilt, sizeof(in->session->why_rebuilt), "from %.60s to %.60s",
		       in->old_version, in->about.version);
	session = in->session->id;
	next_step(in);
	/* It may have failed at once, and be gone. */
	if (rebuilt && session_by_id(broker, session))
		session_launch(session_by_id(broker, session));
}

/* --- what it is installed from --- */

static void on_kept(void *data, const struct job_result *result)
{
	struct install *in = data;

	in->feeding = NULL;
	if (result->code) {
		install_fail(in, result->why);
		return;
	}
	in->kept++;
	in->kept_bytes += result->bytes;
	install_keep_and_run(in);
}

static const struct job_ops keep_ops = { .on_done = on_kept };

/* One after the other; then what is kept is installed. */
void install_keep_and_run(struct install *in)
{
	struct wr *w;

	if (in->bundle && in->kept == in->file_count && !in->checked) {
		install_bundle_check(in);
		return;
	}
	if (!in->packages || in->kept == in->file_count) {
		install_run(in);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_PACKAGE_PUT, 0);
	wr_u64(w, in->layer);
	wr_u16(w, (uint16_t)in->kept);
	in->feeding = job_start(in->broker, w, in->files[in->kept], &keep_ops, in);
	free(w);
}
