/* SPDX-License-Identifier: MIT
 *
 * The app's questions by TCP: few, bounded, one at a time each.
 */
#include "dns/look.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define IDLE_MS 180000u /* a person may think for two minutes */

struct tcp_client {
	struct tcp_client *next;
	struct dns *dns;
	int fd;
	struct sockaddr_storage from;
	socklen_t from_size;
	struct loop_source *source, *timer;
	uint8_t buf[PACKET_QUERY_MAX + 2];
	size_t size;
};

static void client_end(struct tcp_client *c)
{
	struct tcp_client **p;

	for (p = &c->dns->clients; *p != c; p = &(*p)->next)
		continue;
	*p = c->next;
	c->dns->client_count--;
	look_forget_client(c->dns, c);
	loop_remove(c->source);
	loop_remove(c->timer);
	(void)close(c->fd);
	free(c);
}

static void on_readable(void *data, uint32_t events)
{
	struct tcp_client *c = data;
	ssize_t n = recv(c->fd, c->buf + c->size, sizeof(c->buf) - c->size, MSG_DONTWAIT);
	size_t want;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_end(c);
		return;
	}
	c->size += (size_t)n;
	if (c->size < 2)
		return;
	want = (size_t)(c->buf[0] << 8 | c->buf[1]);
	if (want > PACKET_QUERY_MAX) {
		client_end(c);
		return;
	}
	if (c->size < want + 2)
		return;
	look_begin(c->dns, c->buf + 2, want, -1, &c->from, c->from_size, c);
	memmove(c->buf, c->buf + want + 2, c->size - want - 2);
	c->size -= want + 2;
}

static void on_idle(void *data)
{
	client_end(data);
}

void tcp_accept(struct dns *dns, int listener)
{
	struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(from);
	int fd = accept4(listener, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct tcp_client *c;

	if (fd < 0)
		return;
	if (dns->client_count >= TCP_MAX) {
		(void)close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->dns = dns;
	c->fd = fd;
	c->from = from;
	c->from_size = size;
	c->source = loop_add_fd(dns->loop, fd, EPOLLIN, on_readable, c);
	c->timer = loop_add_timer(dns->loop, IDLE_MS, on_idle, c);
	c->next = dns->clients;
	dns->clients = c;
	dns->client_count++;
	if (!c->source)
		client_end(c);
}

void tcp_reply(struct tcp_client *c, const uint8_t *p, size_t size)
{
	uint8_t head[2] = { (uint8_t)(size >> 8), (uint8_t)size };

	/* A client that does not read loses its answer, not our time. */
	(void)send(c->fd, head, sizeof(head), MSG_NOSIGNAL | MSG_MORE | MSG_DONTWAIT);
	(void)send(c->fd, p, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}
