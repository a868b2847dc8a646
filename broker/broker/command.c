/* SPDX-License-Identifier: MIT
 *
 * A command waits until the session is ready and its descriptors are there,
 * runs, and ends once. The session ends with its last command.
 */
#include "broker/command.h"

#include "broker/background.h"
#include "broker/hand.h"

#include <stdio.h>
#include <string.h>

#define HANG_UP_MS 3000u

struct command *command_find(struct session *session, uint32_t id)
{
	for (struct command *c = session->commands; c; c = c->next) {
		if (c->id == id)
			return c;
	}
	return NULL;
}

static void unlink_command(struct command *command)
{
	struct command **p;

	for (p = &command->session->commands; *p != command; p = &(*p)->next)
		continue;
	*p = command->next;
}

/* Who was told to hang up and does not is ended. */
static void on_hang_up_over(void *data)
{
	struct command *command = data;

	loop_remove(command->hang_up);
	command->hang_up = NULL;
	if (!background_outlives(command))
		command_signal(command, 9 /* SIGKILL */);
}

static void close_fds(struct command *command)
{
	for (size_t i = 0; i < command->fd_count; i++) {
		if (command->fds[i] >= 0)
			(void)close(command->fds[i]);
	}
	command->fd_count = 0;
}

void command_end(struct command *command, uint32_t status, const char *why)
{
	struct session *session = command->session;
	const struct command_ops *ops = command->ops;
	void *data = command->data;

	unlink_command(command);
	loop_remove(command->hang_up);
	close_fds(command);
	run_finish(&command->run);
	hands_destroy(command->hands);
	free(command);
	if (ops)
		ops->on_exited(data, status, why);
	if (!session->commands && !session->keep && !session->stays)
		session_end(session);
}

void command_fail_all(struct session *session, uint32_t status, const char *why)
{
	bool keep = session->keep;

	session->keep = true; /* it is ending already */
	while (session->commands)
		command_end(session->commands, status, why);
	session->keep = keep;
}

static void send_command(struct command *command)
{
	struct wr *w;

	if (command->sent || !command->ready || !command->session->ready ||
	    command->session->state != SESSION_RUNNING || !hands_ready(command->hands, command))
		return;
	command->sent = true;
	background_joined(command->session);
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_RUN, command->session->id);
	run_encode(w, &command->run);
	if (w->overflow)
		command_end(command, 126, "the command line and its environment are larger than 64 kB");
	else if (command->session->chan)
		chan_send(command->session->chan, w, command->fds, command->fd_count);
	if (!w->overflow)
		close_fds(command);
	free(w);
}

void command_start_ready(struct session *session)
{
	struct command *next;

	for (struct command *c = session->commands; c; c = next) {
		next = c->next;
		send_command(c);
	}
}

struct command *session_command(struct session *session, struct run *run, const struct command_ops *ops, void *data)
{
	struct command *command = xcalloc(1, sizeof(*command)), **tail = &session->commands;

	command->session = session;
	command->id = ++session->next_command;
	command->run = *run;
	command->run.command = command->id;
	run->argv = run->env = NULL;
	command->ops = ops;
	command->data = data;
	while (*tail)
		tail = &(*tail)->next;
	*tail = command;
	return command;
}

void command_adopt(struct session *session, uint32_t id)
{
	struct run run = { 0 };
	struct command *command;

	run.argv = xcalloc(2, sizeof(*run.argv));
	run.argv[0] = xstrdup("?");
	command = session_command(session, &run, NULL, NULL);
	command->id = id;
	command->ready = command->sent = command->ran = true;
	if (id > session->next_command)
		session->next_command = id;
}

void command_go(struct command *command, int *fds, size_t fd_count)
{
	for (size_t i = 0; i < fd_count && i < ARRAY_LEN(command->fds); i++) {
		command->fds[i] = fds[i];
		fds[i] = -1;
	}
	command->fd_count = fd_count;
	command->ready = true;
	send_command(command);
}

void command_refuse(struct command *command, const char *why)
{
	command_end(command, 126, why);
}

void command_signal(struct command *command, uint32_t signo)
{
	struct wr *w;

	if (!command->sent)
		return;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_SIGNAL, command->session->id);
	wr_u32(w, command->id);
	wr_u32(w, signo);
	session_send(command->session, w);
	free(w);
}

void command_abandon(struct command *command)
{
	command->ops = NULL;
	command->data = NULL;
	if (!command->sent) {
		command_end(command, 129, "");
		return;
	}
	command_signal(command, 1 /* SIGHUP */);
	command->hang_up = loop_add_timer(command->session->broker->loop, HANG_UP_MS, on_hang_up_over, command);
}

bool command_handle_ran(struct session *session, struct msg *m)
{
	struct command *command = command_find(session, rd_u32(&m->body));
	uint32_t code = rd_u32(&m->body);
	char why[512];
	bool cwd_changed;

	rd_str(&m->body, why, sizeof(why));
	cwd_changed = rd_u8(&m->body) != 0;
	if (!rd_end(&m->body) || m->fd_count > 1)
		return false;
	if (!command)
		return true;
	command->ran = code == 0;
	if (command->ops)
		command->ops->on_ran(command->data, (int)code, why, cwd_changed, m->fd_count ? m->fds[0] : -1);
	if (code != 0)
		command_end(command, code == 2 /* ENOENT */ ? 127 : 126, why);
	return true;
}

bool command_handle_exited(struct session *session, struct msg *m)
{
	struct command *command = command_find(session, rd_u32(&m->body));
	uint32_t status = rd_u32(&m->body);
	bool left = rd_u8(&m->body) != 0;

	if (!rd_end(&m->body))
		return false;
	if (command && !command->over)
		background_exited(command, status & 0xff, left);
	return true;
}
