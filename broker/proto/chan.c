/* SPDX-License-Identifier: MIT
 *
 * A message arrives whole or not at all; its descriptors live in the struct msg
 * until a handler takes them, so a rejected message leaks none.
 */
#include "proto/chan.h"

#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define HEADER_SIZE 12u /* u16 op, u16 version, u64 id */
#define QUEUE_MAX 256u

int chan_pair(int ret[2], struct err *err)
{
	int size = 1 << 20;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return err_sys(err, "make socket pair");
	for (int i = 0; i < 2; i++)
		(void)setsockopt(ret[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

void chan_begin(struct wr *w, enum msg_op op, uint64_t id)
{
	wr_init(w);
	wr_u16(w, (uint16_t)op);
	wr_u16(w, MSG_VERSION);
	wr_u64(w, id);
}

static int send_raw(int fd, const uint8_t *buf, size_t len, const int *fds, size_t fd_count)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * CHAN_FDS_MAX)];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd_count) {
		struct cmsghdr *c;

		mh.msg_control = control.room;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
	}
	do
		n = sendmsg(fd, &mh, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

int chan_send_fd(int fd, const struct wr *w, const int *fds, size_t fd_count, struct err *err)
{
	if (w->overflow || fd_count > CHAN_FDS_MAX)
		return err_set(err, EMSGSIZE, "send message: larger than %u bytes", WIRE_MAX);
	if (send_raw(fd, w->buf, w->len, fds, fd_count) < 0)
		return err_sys(err, "send message");
	return 0;
}

void msg_close_fds(struct msg *m)
{
	for (size_t i = 0; i < m->fd_count; i++) {
		if (m->fds[i] >= 0)
			(void)close(m->fds[i]);
		m->fds[i] = -1;
	}
	m->fd_count = 0;
}

static void take_fds(struct msghdr *mh, struct msg *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (m->fd_count < CHAN_FDS_MAX)
				m->fds[m->fd_count++] = fd;
			else
				(void)close(fd);
		}
	}
}

int chan_recv_fd(int fd, uint8_t *buf, struct msg *m, struct err *err)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * CHAN_FDS_MAX)];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = WIRE_MAX };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	uint16_t op, version;
	ssize_t n;

	memset(m, 0, sizeof(*m));
	do
		n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		return err_sys(err, "receive message");
	take_fds(&mh, m);
	if (n == 0) {
		msg_close_fds(m);
		return 0;
	}
	rd_init(&m->body, buf, (size_t)n);
	op = rd_u16(&m->body);
	version = rd_u16(&m->body);
	m->id = rd_u64(&m->body);
	if ((mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || n < (ssize_t)HEADER_SIZE || version != MSG_VERSION ||
	    !msg_op_name(op)) {
		msg_close_fds(m);
		return err_set(err, EPROTO, "receive message: broken header (opcode %u, version %u)", op, version);
	}
	m->op = (enum msg_op)op;
	return 1;
}

struct queued {
	struct queued *next;
	size_t len, fd_count;
	int fds[CHAN_FDS_MAX];
	uint8_t buf[];
};

struct chan {
	int fd;
	struct loop *loop;
	struct loop_source *source;
	struct loop_source *stuck; /* reports a full queue from a clean stack */
	const struct chan_ops *ops;
	void *data;
	struct queued *head, **tail;
	size_t queued;
	bool dispatching; /* inside a callback: destroy only marks */
	bool doomed;
};

static void queued_free(struct queued *q)
{
	for (size_t i = 0; i < q->fd_count; i++)
		(void)close(q->fds[i]);
	free(q);
}

static void chan_flush(struct chan *chan)
{
	while (chan->head) {
		struct queued *q = chan->head;

		if (send_raw(chan->fd, q->buf, q->len, q->fds, q->fd_count) < 0) {
			if (errno == EAGAIN)
				return;
			/* A dead peer shows as end of file on the read side. */
		}
		chan->head = q->next;
		if (!chan->head)
			chan->tail = &chan->head;
		chan->queued--;
		queued_free(q);
	}
	(void)loop_set_events(chan->source, EPOLLIN);
}

static void chan_free(struct chan *chan)
{
	while (chan->head) {
		struct queued *q = chan->head;

		chan->head = q->next;
		queued_free(q);
	}
	(void)close(chan->fd);
	free(chan);
}

/* Hands one message, or the end, to the owner. False when reading must stop. */
static bool chan_deliver(struct chan *chan, struct msg *m, int n, struct err *err)
{
	if (n > 0) {
		bool ok = chan->ops->on_message(chan->data, m);

		msg_close_fds(m);
		if (ok || chan->doomed)
			return !chan->doomed;
		err_set(err, EPROTO, "message '%s' is malformed or out of place", msg_op_name(m->op));
	} else if (n == 0) {
		err_set(err, 0, "peer is gone");
	}
	loop_remove(chan->source);
	chan->source = NULL;
	chan->ops->on_gone(chan->data, err);
	return false;
}

static void chan_read(struct chan *chan, unsigned int most)
{
	static uint8_t buf[WIRE_MAX];
	bool more = chan->source != NULL;

	chan->dispatching = true;
	while (more && most--) {
		struct err err = { 0 };
		struct msg m;
		int n = chan_recv_fd(chan->fd, buf, &m, &err);

		if (n < 0 && err.code == EAGAIN)
			break;
		more = chan_deliver(chan, &m, n, &err);
	}
	chan->dispatching = false;
	if (chan->doomed)
		chan_free(chan);
}

void chan_drain(struct chan *chan)
{
	if (!chan->dispatching)
		chan_read(chan, UINT_MAX);
}

static void on_chan_ready(void *data, uint32_t events)
{
	struct chan *chan = data;

	if (events & EPOLLOUT)
		chan_flush(chan);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		chan_read(chan, 32); /* a flood on one channel must not starve the others */
}

struct chan *chan_create(struct loop *loop, int fd, const struct chan_ops *ops, void *data)
{
	struct chan *chan = xcalloc(1, sizeof(*chan));

	chan->fd = fd;
	chan->loop = loop;
	chan->ops = ops;
	chan->data = data;
	chan->tail = &chan->head;
	if (fd_set_nonblock(fd, true) < 0 ||
	    !(chan->source = loop_add_fd(loop, fd, EPOLLIN, on_chan_ready, chan))) {
		int saved = errno;

		(void)close(fd);
		free(chan);
		errno = saved;
		return NULL;
	}
	return chan;
}

void chan_destroy(struct chan *chan)
{
	if (!chan)
		return;
	loop_remove(chan->source);
	loop_remove(chan->stuck);
	chan->source = chan->stuck = NULL;
	if (chan->dispatching)
		chan->doomed = true;
	else
		chan_free(chan);
}

static void on_stuck(void *data)
{
	struct chan *chan = data;
	struct err err = { 0 };

	loop_remove(chan->stuck);
	chan->stuck = NULL;
	loop_remove(chan->source);
	chan->source = NULL;
	err_set(&err, ENOBUFS, "peer does not read its messages");
	chan->ops->on_gone(chan->data, &err);
}

void chan_send(struct chan *chan, const struct wr *w, const int *fds, size_t fd_count)
{
	struct queued *q;

	if (w->overflow || fd_count > CHAN_FDS_MAX)
		fatal("internal message is too large");
	if (!chan || !chan->source)
		return; /* gone, or already reported so */
	if (!chan->head && send_raw(chan->fd, w->buf, w->len, fds, fd_count) == 0)
		return;
	if (!chan->head && errno != EAGAIN)
		return; /* dead: the read side will say so */
	if (chan->queued >= QUEUE_MAX) {
		if (!chan->stuck)
			chan->stuck = loop_add_later(chan->loop, on_stuck, chan);
		return;
	}
	q = xcalloc(1, sizeof(*q) + w->len);
	q->len = w->len;
	memcpy(q->buf, w->buf, w->len);
	for (size_t i = 0; i < fd_count; i++) {
		int copy = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);

		if (copy < 0)
			fatal("out of file descriptors for a queued message");
		q->fds[q->fd_count++] = copy;
	}
	*chan->tail = q;
	chan->tail = &q->next;
	chan->queued++;
	(void)loop_set_events(chan->source, EPOLLIN | EPOLLOUT);
}
