/* SPDX-License-Identifier: MIT
 *
 * Who may connect, and how often.
 */
#include "varlink/server_impl.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX 256u
#define CONNECTIONS_PER_UID 128u
#define CONNECTIONS_PER_PID 32u /* so that one program leaves room for the others of its user */
#define PAUSE_MS 1000u

/* Why there is no room for this peer; NULL: there is. */
static const char *no_room(const struct varlink_server *server, const struct ucred *cred)
{
	size_t uid = 0, pid = 0;

	for (const struct connection *c = server->connections; c; c = c->next) {
		uid += c->uid == cred->uid;
		pid += c->uid == cred->uid && c->pid == cred->pid;
	}
	if (pid >= CONNECTIONS_PER_PID)
		return "this program has too many connections open already";
	if (uid >= CONNECTIONS_PER_UID || server->count >= CONNECTIONS_MAX)
		return "too many programs are connected: end some and try again";
	return NULL;
}

/* Said once and not waited for: whoever floods must not keep us. */
static void turn_away(int fd, const char *why)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "{\"error\":\"" OWN_INTERFACE ".Busy\",\"parameters\":{\"reason\":\"%s\"}}",
			 why);

	(void)send(fd, text, (size_t)n + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(fd);
}

/* why: NULL, or why nobody gets in now. */
static void accept_one(struct varlink_server *server, int fd, const char *why)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 ||
	    (cred.uid != 0 && cred.uid != server->config.owner_uid)) {
		(void)close(fd);
		return;
	}
	if (!why)
		why = no_room(server, &cred);
	if (why) {
		turn_away(fd, why);
		return;
	}
	connection_add(server, fd, cred.uid, cred.pid);
}

static int take_one(const struct varlink_server *server)
{
	return accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void on_pause_over(void *data)
{
	struct varlink_server *server = data;

	loop_remove(server->pause);
	server->pause = NULL;
	(void)loop_set_events(server->source, EPOLLIN);
}

/* Who waits is told with the descriptor that is kept for that. Where that does not help,
 * since all of the system has none, nobody is taken for a while: the socket stays
 * readable, and we would do nothing else. */
static void no_descriptors(struct varlink_server *server)
{
	int fd = -1;

	if (server->spare >= 0) {
		(void)close(server->spare);
		fd = take_one(server);
		if (fd >= 0)
			accept_one(server, fd, "Cowbell can open no more files: end some programs and try again");
	}
	server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return;
	server->pause = loop_add_timer(server->loop, PAUSE_MS, on_pause_over, server);
	if (server->pause)
		(void)loop_set_events(server->source, 0);
}

static void on_connect(void *data, uint32_t events)
{
	struct varlink_server *server = data;
	int fd;

	(void)events;
	for (int i = 0; i < 16; i++) {
		fd = take_one(server);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			no_descriptors(server);
		if (fd < 0)
			return;
		accept_one(server, fd, NULL);
	}
}

struct varlink_server *varlink_server_create(struct loop *loop, int listen_fd,
					     const struct varlink_server_config *config, struct err *err)
{
	struct varlink_server *server = xcalloc(1, sizeof(*server));

	server->loop = loop;
	server->listen_fd = listen_fd;
	server->config = *config;
	server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	(void)fd_set_nonblock(listen_fd, true);
	server->source = loop_add_fd(loop, listen_fd, EPOLLIN, on_connect, server);
	if (!server->source) {
		err_sys(err, "watch the listening socket");
		(void)close(listen_fd);
		if (server->spare >= 0)
			(void)close(server->spare);
		free(server);
		return NULL;
	}
	return server;
}

void varlink_server_destroy(struct varlink_server *server)
{
	if (!server)
		return;
	while (server->connections)
		connection_free(server->connections);
	loop_remove(server->source);
	loop_remove(server->pause);
	if (server->spare >= 0)
		(void)close(server->spare);
	(void)close(server->listen_fd);
	free(server);
}
