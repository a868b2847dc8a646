/* SPDX-License-Identifier: MIT
 *
 * One poll loop: frames from the broker, the app's pty, our terminal, the
 * agent's stream. The terminal is put back however we leave.
 */
#include "ctl/relay.h"

#include "base/fd.h"
#include "policy/permission.h"
#include "proto/stream.h"
#include "ui-tty/agent.h"
#include "ui-tty/term.h"
#include "varlink/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

struct relay {
	struct ctl *ctl;
	const char *what;
	int sock, pty, signals;
	struct agent *agent; /* NULL: nobody can see a bell here */
	struct term *term;   /* NULL: our standard input is no terminal of ours */
	bool detach, started, quiet_install, pty_done, input_done;
	int status;
	bool over;
	void (*text)(void *data, const char *text, size_t len);
	void *text_data;
	struct varlink_client **held; /* the connection stays once a text has come */
	char *held_id;
	bool bar;        /* a line of progress stands on the terminal */
	char step[160];
};

int relay_tty_bits(void)
{
	int bits = 0;

	for (int fd = 0; fd < 3; fd++)
		bits |= isatty(fd) ? 1 << fd : 0;
	return bits;
}

void relay_size(int *rows, int *columns)
{
	struct winsize ws;

	*rows = 24;
	*columns = 80;
	for (int fd = 0; fd < 3; fd++) {
		if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_row && ws.ws_col) {
			*rows = ws.ws_row;
			*columns = ws.ws_col;
			return;
		}
	}
}

/* --- frames --- */

static uint32_t u32_of(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void say(struct relay *r, const char *prefix, const char *text)
{
	char line[STREAM_BODY_MAX + 64];

	(void)snprintf(line, sizeof(line), "%s%s", prefix, text);
	if (r->agent && r->term)
		agent_notice(r->agent, line);
	else
		(void)fprintf(stderr, "%s%s\n", line, r->term ? "\r" : ""); /* a raw terminal does not go back by itself */
}

/* One line that is drawn over on a terminal; elsewhere a line for each step. */
static void show_percent(struct relay *r, const uint8_t *body, size_t len)
{
	char what[160], bar[21];
	unsigned int permille, full;
	bool terminal = isatty(STDERR_FILENO);

	if (len < 2 || r->ctl->quiet)
		return;
	permille = (unsigned int)body[0] | (unsigned int)body[1] << 8;
	permille = permille > 1000 ? 1000 : permille;
	text_escape((const char *)body + 2, len - 2, what, sizeof(what));
	/* At the end stands the app's name, and the next line says more. */
	if (!terminal && (permille == 1000 || strcmp(what, r->step) == 0))
		return;
	(void)snprintf(r->step, sizeof(r->step), "%s", what);
	if (!terminal) {
		(void)fprintf(stderr, "cowbell: %s\n", what);
		return;
	}
	full = permille / 50;
	for (unsigned int i = 0; i < 20; i++)
		bar[i] = i < full ? '#' : '.';
	bar[20] = '\0';
	(void)fprintf(stderr, "\r\033[K[%s] %3u %%  %s", bar, permille / 10, what);
	r->bar = true;
}

static void end_bar(struct relay *r)
{
	if (r->bar)
		(void)fputs("\r\033[K", stderr);
	r->bar = false;
}

static void set_pty_size(struct relay *r)
{
	struct winsize ws = { 0 };
	int rows, columns;

	relay_size(&rows, &columns);
	ws.ws_row = (unsigned short)rows;
	ws.ws_col = (unsigned short)columns;
	if (r->pty >= 0)
		(void)ioctl(r->pty, TIOCSWINSZ, &ws);
	if (r->agent && r->term)
		agent_resize(r->agent, rows, columns);
}

static void take_terminal(struct relay *r)
{
	struct err err = { 0 };
	int rows, columns;

	if (r->term || !isatty(STDIN_FILENO))
		return;
	r->term = term_open(&err);
	relay_size(&rows, &columns);
	if (r->agent && r->term)
		agent_resize(r->agent, rows, columns);
}

static void take_pty(struct relay *r, int fd)
{
	if (fd < 0 || r->pty >= 0)
		return;
	r->pty = fd;
	r->pty_done = false;
	(void)fd_set_nonblock(fd, true);
	take_terminal(r);
	set_pty_size(r);
}

static void on_frame(struct relay *r, struct stream_frame *f)
{
	char text[STREAM_BODY_MAX + 1];

	memcpy(text, f->body, f->len);
	text[f->len] = '\0';
	if (f->type != STREAM_PERCENT)
		end_bar(r);
	switch (f->type) {
	case STREAM_PTY:
		take_pty(r, f->fd);
		f->fd = -1;
		return;
	case STREAM_STARTED:
		r->started = true;
		if (text[0])
			say(r, "cowbell: ", text);
		if (r->detach) {
			r->over = true;
			r->status = 0;
		}
		return;
	case STREAM_PERCENT:
		show_percent(r, f->body, f->len);
		return;
	case STREAM_NOTICE:
		say(r, "cowbell: ", text);
		return;
	case STREAM_PROGRESS:
		if (!r->ctl->quiet)
			say(r, "cowbell: ", text);
		return;
	case STREAM_EXIT:
		r->over = true;
		r->status = f->len == 4 ? (int)u32_of(f->body) : EXIT_BROKEN;
		return;
	case STREAM_FAILED:
		r->over = true;
		r->status = f->len >= 4 ? (int)u32_of(f->body) : EXIT_BROKEN;
		if (r->term)
			term_leave(r->term);
		(void)fprintf(stderr, "cowbell: %s: %s\n", r->what, f->len > 4 ? text + 4 : "it failed");
		return;
	case STREAM_TEXT:
		if (r->held) {
			(void)snprintf(r->held_id, SHORT_TEXT, "%.63s", text);
			r->over = true;
			r->status = EXIT_DONE;
		} else if (r->text)
			r->text(r->text_data, text, f->len);
		return;
	case STREAM_SIGNAL:
	case STREAM_RESIZE:
		return; /* ours to send */
	}
}

static void read_frames(struct relay *r)
{
	static struct stream_frame frame;
	struct err err = { 0 };
	int n = stream_recv(r->sock, &frame, &err);

	if (n > 0) {
		on_frame(r, &frame);
		if (frame.fd >= 0)
			(void)close(frame.fd);
		return;
	}
	r->over = true;
	r->status = EXIT_BROKEN;
	if (r->term)
		term_leave(r->term);
	(void)fprintf(stderr, "cowbell: %s: the broker went away (is cowbelld still running?)\n", r->what);
}

/* --- the terminal --- */

static void app_output(struct relay *r, const char *buf, size_t n)
{
	if (r->agent && r->term)
		agent_output(r->agent, buf, n);
	else
		(void)fd_write_full(isatty(STDOUT_FILENO) ? STDOUT_FILENO : STDERR_FILENO, buf, n);
}

static void read_pty(struct relay *r)
{
	char buf[16384];
	ssize_t n = read(r->pty, buf, sizeof(buf));

	if (n > 0)
		app_output(r, buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		r->pty_done = true; /* no process has the other end any more */
}

static void to_pty(void *data, const char *buf, size_t n)
{
	struct relay *r = data;

	while (n && r->pty >= 0) {
		ssize_t done = write(r->pty, buf, n);

		if (done < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = r->pty, .events = POLLOUT };

			if (poll(&p, 1, 1000) <= 0)
				return; /* the app does not read: keys are lost, not we */
			continue;
		}
		if (done <= 0)
			return;
		buf += done;
		n -= (size_t)done;
	}
}

/* Nobody is there any more. The app heard of it; whether it may go on is the broker's
 * to decide, and it does once we are gone too. */
static void leave_if_hung_up(struct relay *r)
{
	struct termios now;

	if (!r->term || tcgetattr(STDIN_FILENO, &now) == 0 || errno != EIO)
		return;
	r->over = true;
	r->status = 128 + SIGHUP;
}

static void read_keys(struct relay *r)
{
	char buf[4096];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n <= 0) {
		r->input_done = true;
		leave_if_hung_up(r);
		return;
	}
	if (r->agent)
		agent_keys(r->agent, buf, (size_t)n);
	else
		to_pty(r, buf, (size_t)n);
}

static void send_signal(struct relay *r, int signo)
{
	uint8_t body[4] = { (uint8_t)signo, 0, 0, 0 };
	struct err err = { 0 };

	(void)stream_send(r->sock, STREAM_SIGNAL, body, sizeof(body), -1, &err);
}

static void read_signals(struct relay *r)
{
	struct signalfd_siginfo info;

	if (read(r->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		set_pty_size(r);
	else
		send_signal(r, (int)info.ssi_signo);
	if (info.ssi_signo == SIGHUP)
		leave_if_hung_up(r);
}

static int open_signals(void)
{
	static const int list[] = { SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		sigaddset(&set, list[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- the loop --- */

static void poll_once(struct relay *r)
{
	/* What is typed before the program runs stays in the terminal, for it. */
	bool keys = (r->term && r->pty >= 0) || (r->agent && agent_wants_keys(r->agent));
	struct pollfd p[5] = {
		{ .fd = r->sock, .events = POLLIN },
		{ .fd = r->pty_done ? -1 : r->pty, .events = POLLIN },
		{ .fd = keys && !r->input_done ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = r->agent ? agent_fd(r->agent) : -1, .events = POLLIN },
	};

	if (poll(p, ARRAY_LEN(p), r->agent ? agent_timeout_ms(r->agent) : -1) < 0 && errno != EINTR) {
		r->over = true;
		r->status = EXIT_BROKEN;
		return;
	}
	if (p[1].revents)
		read_pty(r);
	if (p[4].revents)
		agent_ready(r->agent);
	/* A program can be held before it has a terminal: in the folder it starts in. */
	if (r->agent && agent_waits(r->agent))
		take_terminal(r);
	if (p[2].revents)
		read_keys(r);
	if (p[3].revents)
		read_signals(r);
	if (r->agent)
		agent_tick(r->agent);
	if (p[0].revents)
		read_frames(r);
}

/* What the app wrote last may still stand in the pty. */
static void drain_pty(struct relay *r)
{
	for (int i = 0; i < 1000 && r->pty >= 0 && !r->pty_done; i++) {
		struct pollfd p = { .fd = r->pty, .events = POLLIN };

		if (poll(&p, 1, 20) <= 0 || !(p.revents & POLLIN))
			return;
		read_pty(r);
	}
}

static void relay_loop(struct relay *r)
{
	while (!r->over)
		poll_once(r);
	drain_pty(r);
	if (r->agent)
		agent_finish(r->agent);
	if (r->term)
		term_close(r->term);
	if (r->pty >= 0)
		(void)close(r->pty);
}

static int relay_run(struct relay *r, const char *method, json_t *params, const int *extra, size_t extra_count,
		     bool agent)
{
	struct ctl *ctl = r->ctl;
	const char *what = r->what;
	struct varlink_client *client;
	struct err err = { 0 };
	int fds[3 + 32] = { 0, 1, 2 };
	json_t *reply = NULL;

	for (size_t i = 0; i < extra_count; i++)
		fds[3 + i] = extra[i];
	client = varlink_client_open(ctl->root, &err);
	if (!client) {
		json_decref(params);
		(void)ctl_fail(what, &err);
		return EXIT_BROKEN;
	}
	r->signals = open_signals();
	/* Before the app runs, so that its first question finds us. */
	if (agent && isatty(STDIN_FILENO) && (isatty(STDOUT_FILENO) || isatty(STDERR_FILENO)))
		r->agent = agent_create(ctl->root, what, to_pty, r);
	if (varlink_client_upgrade(client, method, params, fds, 3 + extra_count, &reply, &err) < 0) {
		(void)ctl_fail(what, &err);
		if (r->agent)
			agent_finish(r->agent);
		varlink_client_close(client);
		if ((strstr(method, "Install") || strstr(method, "Inspect") || strstr(method, "Update")))
			return EXIT_FAILED;
		return err.code == ENOEXEC ? EXIT_NO_PROGRAM : EXIT_REFUSED;
	}
	json_decref(reply);
	r->sock = varlink_client_fd(client);
	relay_loop(r);
	if (r->held && r->held_id[0])
		*r->held = client;
	else
		varlink_client_close(client);
	(void)close(r->signals);
	return r->status;
}

int relay_command(struct ctl *ctl, const char *what, const char *method, json_t *params, const int *extra,
		  size_t extra_count, bool agent, bool detach)
{
	struct relay r = { .ctl = ctl, .what = what, .pty = -1, .detach = detach, .pty_done = true };

	return relay_run(&r, method, params, extra, extra_count, agent);
}

int relay_text(struct ctl *ctl, const char *what, const char *method, json_t *params, const int *extra,
	       size_t extra_count, void (*fn)(void *data, const char *text, size_t len), void *data)
{
	struct relay r = { .ctl = ctl, .what = what, .pty = -1, .pty_done = true, .text = fn, .text_data = data };

	return relay_run(&r, method, params, extra, extra_count, false);
}

int relay_hold(struct ctl *ctl, const char *what, json_t *params, const int *extra, size_t extra_count,
	       char id[SHORT_TEXT], struct varlink_client **ret)
{
	struct relay r = { .ctl = ctl, .what = what, .pty = -1, .pty_done = true, .held = ret, .held_id = id };

	id[0] = '\0';
	*ret = NULL;
	return relay_run(&r, "io.cowbell.Install", params, extra, extra_count, false);
}
