/* SPDX-License-Identifier: MIT
 *
 * The broker's socket and the command line, as the screens use them.
 */
#include "ui-tty/tty/tty.h"

#include "base/fd.h"
#include "base/loop.h"
#include "varlink/client.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAPTURE_MAX 65536u

static json_t *call(void *data, const char *method, json_t *params, struct err *err)
{
	struct tty *tty = data;
	struct varlink_client *client = varlink_client_open(tty->root, err);
	json_t *reply = NULL;

	if (!client) {
		json_decref(params);
		return NULL;
	}
	if (varlink_client_call(client, method, params, &reply, err) < 0)
		reply = NULL;
	varlink_client_close(client);
	return reply;
}

/* --- other programs --- */

static void exec_cowbell(const struct tty *tty, char *const args[])
{
	char *argv[16] = { tty->cowbell };
	size_t n = 1;

	if (tty->root) {
		argv[n++] = (char *)(uintptr_t)"--root";
		argv[n++] = (char *)(uintptr_t)tty->root;
	}
	for (; *args && n + 1 < ARRAY_LEN(argv); args++)
		argv[n++] = *args;
	argv[n] = NULL;
	(void)execv(tty->cowbell, argv);
	(void)dprintf(STDERR_FILENO, "cowbell-tty: run '%s': %s\n", tty->cowbell, strerror(errno));
	_exit(127);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 127;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Between two lines of ours stands what the command prints; its bells ring in
 * its own terminal, so ours stays away meanwhile. */
static int command(void *data, char *const args[])
{
	struct tty *tty = data;
	int status = 127;
	pid_t pid;

	if (tty->leave)
		tty->leave();
	varlink_client_close(tty->stream);
	tty->stream = NULL;
	(void)printf("\n--- %s %s ---\n", args[0], args[1] ? args[1] : "");
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		exec_cowbell(tty, args);
	if (pid > 0)
		status = wait_for(pid);
	if (tty->enter) {
		char byte;

		(void)printf("--- Enter goes back to Cowbell ---\n");
		(void)fflush(stdout);
		while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n' && byte != '\r')
			continue;
		tty->enter();
	}
	(void)tty_attach(tty);
	return status;
}

static char *capture(void *data, char *const args[], struct err *err)
{
	struct tty *tty = data;
	char *text = xcalloc(1, CAPTURE_MAX + 1);
	size_t used = 0;
	int ends[2];
	ssize_t n;
	pid_t pid;

	if (pipe(ends) < 0 || (pid = fork()) < 0) {
		free(text);
		(void)err_sys(err, "start '%s'", tty->cowbell);
		return NULL;
	}
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)dup2(ends[1], STDERR_FILENO);
		(void)close(ends[0]);
		(void)close(ends[1]);
		exec_cowbell(tty, args);
	}
	(void)close(ends[1]);
	while (used < CAPTURE_MAX && ((n = read(ends[0], text + used, CAPTURE_MAX - used)) > 0 || (n < 0 && errno == EINTR)))
		used += n > 0 ? (size_t)n : 0;
	(void)close(ends[0]);
	(void)wait_for(pid);
	return text;
}

/* --- the stream --- */

int tty_stream_fd(const struct tty *tty)
{
	return tty->stream ? varlink_client_fd(tty->stream) : -1;
}

void tty_read_stream(struct tty *tty)
{
	struct err err = { 0 };
	json_t *reply = NULL;

	if (!tty->stream)
		return;
	if (varlink_client_recv(tty->stream, &reply, &err) <= 0) {
		varlink_client_close(tty->stream);
		tty->stream = NULL;
		json_decref(reply);
		ui_prompts(&tty->ui, NULL, loop_boot_ms());
		return;
	}
	ui_prompts(&tty->ui, reply, loop_boot_ms());
	json_decref(reply);
}

bool tty_attach(struct tty *tty)
{
	struct err err = { 0 };

	if (tty->stream)
		return true;
	bells_free(&tty->ui.bells); /* the first reply says what waits now */
	tty->stream = varlink_client_open(tty->root, &err);
	if (tty->stream &&
	    varlink_client_more(tty->stream, "io.cowbell.Agent", json_pack("{s:s}", "name", "cowbell-tty"), &err) == 0) {
		tty_read_stream(tty);
		return tty->stream != NULL;
	}
	varlink_client_close(tty->stream);
	tty->stream = NULL;
	return false;
}

/* The command line that was built and installed with us. */
static char *find_cowbell(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return xstrdup("/usr/bin/cowbell");
	path[n] = '\0';
	slash = strrchr(path, '/');
	*slash = '\0';
	return xasprintf("%s/cowbell", path);
}

int tty_start(struct tty *tty, const char *root, struct err *err)
{
	struct varlink_client *probe;

	memset(tty, 0, sizeof(*tty));
	tty->root = root;
	tty->port = (struct ui_port){ .data = tty, .call = call, .command = command, .capture = capture };
	tty->cowbell = find_cowbell();
	probe = varlink_client_open(root, err);
	if (!probe)
		return -1;
	varlink_client_close(probe);
	ui_start(&tty->ui, &tty->port, loop_boot_ms(), (long long)loop_wall_ms());
	(void)tty_attach(tty);
	return 0;
}

void tty_finish(struct tty *tty)
{
	varlink_client_close(tty->stream);
	ui_finish(&tty->ui);
	free(tty->cowbell);
}
