/* SPDX-License-Identifier: MIT
 *
 * One call at a time and a connection: while a call is open nothing more is
 * read, so a flood waits in the sender's own kernel buffers.
 */
#include "varlink/server_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define OUT_MAX ((size_t)16 << 20)
#define STREAM_OUT_MAX ((size_t)1 << 20)

static void on_ready(void *data, uint32_t events);

/* --- its life --- */

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

void connection_free(struct connection *c)
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

void connection_set_interest(struct connection *c)
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
	connection_set_interest(c);
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
	connection_set_interest(c);
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

/* --- what comes in --- */

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
	if (!call_take(c, text, n))
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

void connection_add(struct varlink_server *server, int fd, uid_t uid, pid_t pid)
{
	struct connection *c = xcalloc(1, sizeof(*c));

	c->server = server;
	c->fd = fd;
	c->uid = uid;
	c->pid = pid;
	c->in = xcalloc(1, VARLINK_MESSAGE_MAX);
	c->source = loop_add_fd(server->loop, fd, EPOLLIN | EPOLLRDHUP, on_ready, c);
	c->next = server->connections;
	server->connections = c;
	server->count++;
	if (!c->source)
		connection_drop(c);
}
