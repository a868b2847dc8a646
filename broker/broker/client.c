/* SPDX-License-Identifier: MIT
 *
 * What comes from a client is bounded: one byte with descriptors, then frames
 * of which only SIGNAL means something. Anything else ends the conversation.
 */
#include "broker/client.h"

#include "base/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define FRAME_HEADER 5u

struct client {
	struct broker *broker;
	int fd;
	struct loop_source *source;
	const struct client_ops *ops;
	void *data;
	bool have_fds;
	uint8_t in[FRAME_HEADER + 64];
	size_t in_len;
	bool dispatching, doomed;
};

static void client_free(struct client *client)
{
	loop_remove(client->source);
	(void)close(client->fd);
	free(client);
}

void client_destroy(struct client *client)
{
	if (!client)
		return;
	if (client->dispatching)
		client->doomed = true;
	else
		client_free(client);
}

/* More than once a descriptor message, or a message without its bytes, is not
 * what our clients send. */
static bool receive_fds(struct client *client)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * CLIENT_FDS_MAX)];
	} control;
	uint8_t byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	int fds[CLIENT_FDS_MAX];
	size_t count = 0;
	ssize_t n = recvmsg(client->fd, &mh, MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&mh); c; c = CMSG_NXTHDR(&mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), count * sizeof(int));
	}
	client->have_fds = true;
	client->ops->on_fds(client->data, fds, count);
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
	return true;
}

static bool take_frame(struct client *client)
{
	uint32_t len = (uint32_t)client->in[1] | (uint32_t)client->in[2] << 8 | (uint32_t)client->in[3] << 16 |
		       (uint32_t)client->in[4] << 24;
	uint32_t value;

	if (len > sizeof(client->in) - FRAME_HEADER)
		return false;
	if (client->in_len < FRAME_HEADER + len)
		return true;
	if (client->in[0] == STREAM_SIGNAL && len == 4) {
		value = (uint32_t)client->in[5] | (uint32_t)client->in[6] << 8 | (uint32_t)client->in[7] << 16 |
			(uint32_t)client->in[8] << 24;
		client->ops->on_signal(client->data, value);
	} else if (client->in[0] != STREAM_RESIZE) {
		return false;
	}
	client->in_len -= FRAME_HEADER + len;
	memmove(client->in, client->in + FRAME_HEADER + len, client->in_len);
	return true;
}

static bool receive_frames(struct client *client)
{
	ssize_t n = recv(client->fd, client->in + client->in_len, sizeof(client->in) - client->in_len, 0);
	size_t before;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	client->in_len += (size_t)n;
	do {
		before = client->in_len;
		if (client->in_len >= FRAME_HEADER && !take_frame(client))
			return false;
	} while (client->in_len < before && client->in_len >= FRAME_HEADER);
	return true;
}

static void on_readable(void *data, uint32_t events)
{
	struct client *client = data;
	bool good;

	client->dispatching = true;
	good = client->have_fds ? receive_frames(client) : receive_fds(client);
	if (!good && !client->doomed) {
		client->ops->on_gone(client->data);
		client->doomed = true;
	}
	client->dispatching = false;
	(void)events;
	if (client->doomed)
		client_free(client);
}

struct client *client_create(struct broker *broker, int fd, const struct client_ops *ops, void *data)
{
	struct client *client = xcalloc(1, sizeof(*client));

	client->broker = broker;
	client->fd = fd;
	client->ops = ops;
	client->data = data;
	(void)fd_set_nonblock(fd, true);
	client->source = loop_add_fd(broker->loop, fd, EPOLLIN, on_readable, client);
	if (!client->source) {
		(void)close(fd);
		free(client);
		return NULL;
	}
	return client;
}

void client_send(struct client *client, enum stream_type type, const void *body, size_t len, int fd)
{
	struct err err = { 0 };

	if (!client || client->doomed)
		return;
	if (stream_send(client->fd, type, body, (uint32_t)len, fd, &err) < 0)
		(void)shutdown(client->fd, SHUT_RDWR); /* the read side tells its owner */
}

void client_text(struct client *client, enum stream_type type, const char *text)
{
	client_send(client, type, text, strlen(text), -1);
}

static void put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

void client_exit(struct client *client, uint32_t status)
{
	uint8_t body[4];

	put_u32(body, status);
	client_send(client, STREAM_EXIT, body, sizeof(body), -1);
}

void client_fail(struct client *client, uint32_t status, const char *text)
{
	uint8_t body[4 + 1024];
	size_t n = strlen(text);

	if (n > sizeof(body) - 4)
		n = sizeof(body) - 4;
	put_u32(body, status);
	memcpy(body + 4, text, n);
	client_send(client, STREAM_FAILED, body, 4 + n, -1);
}
