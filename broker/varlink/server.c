/* SPDX-License-Identifier: MIT
 *
 * One call at a time and a connection: while a call is open nothing more is
 * read, so a flood waits in the sender's own kernel buffers.
 */
#include "varlink/server.h"

#include "base/fd.h"
#include "base/log.h"
#include "varlink/check.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX 256u
#define CONNECTIONS_PER_UID 128u
#define CONNECTIONS_PER_PID 32u /* so that one program leaves room for the others of its user */
#define OUT_MAX ((size_t)16 << 20)
#define STREAM_OUT_MAX ((size_t)1 << 20)
#define DEPTH_MAX 32
#define OWN_INTERFACE "io.cowbell"

struct connection {
	struct connection *next;
	struct varlink_server *server;
	int fd;
	uid_t uid;
	pid_t pid; /* when it connected */
	struct loop_source *source;
	char *in;
	size_t in_len;
	char *out;
	size_t out_len;
	struct varlink_call *call; /* open */
	bool dead, closing;        /* closing: after out is flushed */
	struct loop_source *next_call;
};

struct varlink_call {
	struct connection *connection; /* NULL: the peer left */
	const struct varlink_method *method;
	bool more, oneway, upgrade;
	void (*on_gone)(void *data);
	void *gone_data;
	void (*on_upgraded)(void *data, int fd);
	void *upgraded_data;
};

struct varlink_server {
	struct loop *loop;
	int listen_fd;
	struct loop_source *source;
	struct varlink_server_config config;
	struct connection *connections;
	size_t count;
};

static void on_ready(void *data, uint32_t events);

/* --- connections --- */

static void call_orphan(struct varlink_call *call)
{
	void (*upgraded)(void *, int) = call->on_upgraded;
	void (*gone)(void *) = call->on_gone;
	void *data = upgraded ? call->upgraded_data : call->gone_data;

	call->connection = NULL;
	if (upgraded) {
		free(call);
		upgraded(data, -1);
	} else if (gone) {
		free(call);
		gone(data);
	}
	/* Else somebody still holds it and will reply into the void. */
}

static void connection_free(struct connection *c)
{
	struct connection **p;

	for (p = &c->server->connections; *p != c; p = &(*p)->next)
		continue;
	*p = c->next;
	c->server->count--;
	loop_remove(c->source);
	loop_remove(c->next_call);
	if (c->fd >= 0)
		(void)close(c->fd);
	if (c->call)
		call_orphan(c->call);
	free(c->in);
	free(c->out);
	free(c);
}

static void on_bury(void *data)
{
	connection_free(data);
}

/* Freed from the loop, never under the feet of whoever replies. */
static void connection_drop(struct connection *c)
{
	if (c->dead)
		return;
	c->dead = true;
	loop_remove(c->source);
	c->source = NULL;
	loop_remove(c->next_call);
	c->next_call = loop_add_later(c->server->loop, on_bury, c);
}

static void set_interest(struct connection *c)
{
	uint32_t events = EPOLLRDHUP;

	if (c->dead)
		return;
	if (!c->call && !c->closing)
		events |= EPOLLIN;
	if (c->out_len)
		events |= EPOLLOUT;
	(void)loop_set_events(c->source, events);
}

static void flush_out(struct connection *c)
{
	while (c->out_len) {
		ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			connection_drop(c);
			return;
		}
		memmove(c->out, c->out + n, c->out_len - (size_t)n);
		c->out_len -= (size_t)n;
	}
	if (!c->out_len && c->closing)
		connection_drop(c);
	set_interest(c);
}

static void queue_object(struct connection *c, json_t *object, size_t most)
{
	char *text = json_dumps(object, JSON_COMPACT);
	size_t n = text ? strlen(text) + 1 : 0;

	json_decref(object);
	if (!c || c->dead || !text) {
		free(text);
		return;
	}
	if (c->out_len + n > OUT_MAX || (c->out_len && c->out_len + n > most)) {
		free(text);
		connection_drop(c);
		return;
	}
	c->out = xrealloc(c->out, c->out_len + n);
	memcpy(c->out + c->out_len, text, n);
	c->out_len += n;
	free(text);
	flush_out(c);
}

/* --- replies --- */

static void on_next_call(void *data)
{
	struct connection *c = data;

	loop_remove(c->next_call);
	c->next_call = NULL;
	on_ready(c, EPOLLIN);
}

static void call_end(struct varlink_call *call)
{
	struct connection *c = call->connection;

	free(call);
	if (!c)
		return;
	c->call = NULL;
	set_interest(c);
	if (!c->dead && c->in_len && !c->next_call)
		c->next_call = loop_add_later(c->server->loop, on_next_call, c);
}

void varlink_reply(struct varlink_call *call, json_t *params)
{
	json_t *object = json_pack("{s:o}", "parameters", params ? params : json_object());

	if (call->oneway)
		json_decref(object);
	else
		queue_object(call->connection, object, OUT_MAX);
	call_end(call);
}

void varlink_reply_continues(struct varlink_call *call, json_t *params)
{
	queue_object(call->connection,
		     json_pack("{s:o, s:b}", "parameters", params ? params : json_object(), "continues", 1),
		     STREAM_OUT_MAX);
}

void varlink_error(struct varlink_call *call, const char *name, json_t *params)
{
	json_t *object = json_pack("{s:s, s:o}", "error", name, "parameters", params ? params : json_object());

	if (call->oneway)
		json_decref(object);
	else
		queue_object(call->connection, object, OUT_MAX);
	call_end(call);
}

static void on_hand_over(void *data)
{
	struct connection *c = data;
	struct varlink_call *call = c->call;
	void (*fn)(void *, int) = call->on_upgraded;
	void *fn_data = call->upgraded_data;
	int fd;

	loop_remove(c->next_call);
	c->next_call = NULL;
	/* A peer that sends ahead of the reply does not speak our stream. */
	fd = c->out_len || c->in_len ? -1 : c->fd;
	if (fd >= 0)
		c->fd = -1;
	loop_remove(c->source);
	c->source = NULL;
	c->call = NULL;
	free(call);
	connection_free(c);
	fn(fn_data, fd);
}

void varlink_upgrade(struct varlink_call *call, json_t *params, void (*fn)(void *data, int fd), void *data)
{
	struct connection *c = call->connection;

	call->on_upgraded = fn;
	call->upgraded_data = data;
	if (!c) {
		free(call);
		fn(data, -1);
		return;
	}
	queue_object(c, json_pack("{s:o}", "parameters", params ? params : json_object()), OUT_MAX);
	if (c->dead) /* its burial tells fn */
		return;
	(void)loop_set_events(c->source, EPOLLRDHUP);
	c->next_call = loop_add_later(c->server->loop, on_hand_over, c);
}

void varlink_call_on_gone(struct varlink_call *call, void (*fn)(void *data), void *data)
{
	call->on_gone = fn;
	call->gone_data = data;
}

bool varlink_call_more(const struct varlink_call *call)
{
	return call->more;
}

uid_t varlink_call_uid(const struct varlink_call *call)
{
	return call->connection ? call->connection->uid : (uid_t)-1;
}

/* --- calls --- */

static void invalid_parameter(struct varlink_call *call, const char *name)
{
	varlink_error(call, "org.varlink.service.InvalidParameter", json_pack("{s:s}", "parameter", name));
}

static json_t *service_info(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "Cowbell", "product", "Cowbell", "version", "0.1",
			 "url", "https://cowbell.invalid", "interfaces", "org.varlink.service", OWN_INTERFACE);
}

static void handle_service(struct varlink_call *call, const char *method, json_t *params)
{
	const char *name = json_string_value(json_object_get(params, "interface"));

	if (strcmp(method, "org.varlink.service.GetInfo") == 0)
		varlink_reply(call, service_info());
	else if (strcmp(method, "org.varlink.service.GetInterfaceDescription") != 0)
		varlink_error(call, "org.varlink.service.MethodNotFound", json_pack("{s:s}", "method", method));
	else if (!name)
		invalid_parameter(call, "interface");
	else if (strcmp(name, OWN_INTERFACE) != 0)
		varlink_error(call, "org.varlink.service.InterfaceNotFound", json_pack("{s:s}", "interface", name));
	else
		varlink_reply(call, json_pack("{s:s}", "description", varlink_interface_text));
}

static void dispatch_method(struct connection *c, struct varlink_call *call, const char *name, json_t *params)
{
	const struct varlink_method *m;
	const char *bad;
	char buf[64];
	bool known;

	if (strncmp(name, "org.varlink.service.", 20) == 0) {
		handle_service(call, name, params);
		return;
	}
	if (strncmp(name, OWN_INTERFACE ".", sizeof(OWN_INTERFACE)) != 0) {
		varlink_error(call, "org.varlink.service.InterfaceNotFound", json_pack("{s:s}", "interface", name));
		return;
	}
	for (m = c->server->config.methods; m->name && strcmp(m->name, name) != 0; m++)
		continue;
	if (!m->name) {
		varlink_error(call, "org.varlink.service.MethodNotFound", json_pack("{s:s}", "method", name));
		return;
	}
	call->method = m;
	bad = check_params(varlink_interface_text, name + sizeof(OWN_INTERFACE), params, buf, sizeof(buf), &known);
	if (bad || !known)
		invalid_parameter(call, bad ? bad : "method");
	else if (call->more && !(m->flags & METHOD_MORE))
		invalid_parameter(call, "more");
	else if (call->upgrade != !!(m->flags & METHOD_UPGRADE))
		invalid_parameter(call, "upgrade");
	else
		m->fn(c->server->config.data, call, params);
}

static bool too_deep(const json_t *v, int depth)
{
	const char *key;
	json_t *item;
	size_t i;

	if (depth > DEPTH_MAX)
		return true;
	if (json_is_array(v)) {
		json_array_foreach(v, i, item)
		{
			if (too_deep(item, depth + 1))
				return true;
		}
	} else if (json_is_object(v)) {
		json_object_foreach((json_t *)(uintptr_t)v, key, item)
		{
			if (too_deep(item, depth + 1))
				return true;
		}
	}
	return false;
}

/* false: this is no Varlink call. */
static bool handle_object(struct connection *c, const char *text, size_t n)
{
	json_error_t error;
	json_t *object = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	json_t *params, *own = NULL;
	struct varlink_call *call;
	const char *method;

	params = json_object_get(object, "parameters");
	method = json_string_value(json_object_get(object, "method"));
	if (!json_is_object(object) || !method || (params && !json_is_object(params) && !json_is_null(params)) ||
	    too_deep(object, 0)) {
		json_decref(object);
		return false;
	}
	if (!json_is_object(params))
		params = own = json_object();
	call = xcalloc(1, sizeof(*call));
	call->connection = c;
	call->more = json_is_true(json_object_get(object, "more"));
	call->oneway = json_is_true(json_object_get(object, "oneway"));
	call->upgrade = json_is_true(json_object_get(object, "upgrade"));
	c->call = call;
	set_interest(c);
	dispatch_method(c, call, method, params);
	json_decref(own);
	json_decref(object);
	return true;
}

static void take_call(struct connection *c)
{
	char *nul = memchr(c->in, 0, c->in_len);
	char *text;
	size_t n;

	if (!nul) {
		if (c->in_len == VARLINK_MESSAGE_MAX)
			connection_drop(c);
		return;
	}
	n = (size_t)(nul - c->in);
	text = xcalloc(1, n + 1);
	memcpy(text, c->in, n);
	c->in_len -= n + 1;
	memmove(c->in, nul + 1, c->in_len);
	if (!handle_object(c, text, n))
		connection_drop(c);
	free(text);
}

static void read_more(struct connection *c)
{
	ssize_t n;

	if (c->in_len < VARLINK_MESSAGE_MAX) {
		n = recv(c->fd, c->in + c->in_len, VARLINK_MESSAGE_MAX - c->in_len, MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			n = 0;
		else if (n < 0)
			return;
		if (n == 0) {
			connection_drop(c);
			return;
		}
		c->in_len += (size_t)n;
	}
}

static void on_ready(void *data, uint32_t events)
{
	struct connection *c = data;

	if (events & EPOLLOUT)
		flush_out(c);
	if (c->dead)
		return;
	if ((events & EPOLLIN) && !c->call && !c->closing) {
		if (!memchr(c->in, 0, c->in_len))
			read_more(c);
		if (!c->dead)
			take_call(c);
	} else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		connection_drop(c);
	}
}

/* --- accepting --- */

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

static void accept_one(struct varlink_server *server, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct connection *c;
	const char *why;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 ||
	    (cred.uid != 0 && cred.uid != server->config.owner_uid)) {
		(void)close(fd);
		return;
	}
	why = no_room(server, &cred);
	if (why) {
		turn_away(fd, why);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->server = server;
	c->fd = fd;
	c->uid = cred.uid;
	c->pid = cred.pid;
	c->in = xcalloc(1, VARLINK_MESSAGE_MAX);
	c->source = loop_add_fd(server->loop, fd, EPOLLIN | EPOLLRDHUP, on_ready, c);
	c->next = server->connections;
	server->connections = c;
	server->count++;
	if (!c->source)
		connection_drop(c);
}

static void on_connect(void *data, uint32_t events)
{
	struct varlink_server *server = data;
	int fd;

	(void)events;
	for (int i = 0; i < 16; i++) {
		fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		accept_one(server, fd);
	}
}

struct varlink_server *varlink_server_create(struct loop *loop, int listen_fd,
					     const struct varlink_server_config *config, struct err *err)
{
	struct varlink_server *server = xcalloc(1, sizeof(*server));

	server->loop = loop;
	server->listen_fd = listen_fd;
	server->config = *config;
	(void)fd_set_nonblock(listen_fd, true);
	server->source = loop_add_fd(loop, listen_fd, EPOLLIN, on_connect, server);
	if (!server->source) {
		err_sys(err, "watch the listening socket");
		(void)close(listen_fd);
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
	(void)close(server->listen_fd);
	free(server);
}
