/* SPDX-License-Identifier: MIT
 *
 * Frames on a stream socket, read to the byte: whatever follows a frame belongs
 * to the next one.
 */
#include "proto/stream.h"

#include "base/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define HEADER_SIZE 5u

/* First byte with whatever descriptors ride on it. */
static ssize_t recv_first(int sock, uint8_t *byte, int *ret_fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * 8)];
	} control;
	struct iovec iov = { .iov_base = byte, .iov_len = 1 };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	ssize_t n;

	*ret_fd = -1;
	do
		n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&mh); c; c = CMSG_NXTHDR(&mh, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (*ret_fd < 0)
				*ret_fd = fd;
			else
				(void)close(fd);
		}
	}
	return n;
}

int stream_recv(int sock, struct stream_frame *ret, struct err *err)
{
	uint8_t header[HEADER_SIZE];
	ssize_t n = recv_first(sock, header, &ret->fd);

	if (n == 0)
		return 0;
	if (n < 0)
		return err_sys(err, "read from the broker");
	if (fd_read_full(sock, header + 1, HEADER_SIZE - 1) != HEADER_SIZE - 1)
		goto cut;
	ret->type = (enum stream_type)header[0];
	ret->len = (uint32_t)header[1] | (uint32_t)header[2] << 8 | (uint32_t)header[3] << 16 |
		   (uint32_t)header[4] << 24;
	if (ret->len > STREAM_BODY_MAX || fd_read_full(sock, ret->body, ret->len) != (ssize_t)ret->len)
		goto cut;
	return 1;
cut:
	if (ret->fd >= 0)
		(void)close(ret->fd);
	ret->fd = -1;
	return err_set(err, EPROTO, "read from the broker: broken frame");
}

int stream_send(int sock, enum stream_type type, const void *body, uint32_t len, int fd, struct err *err)
{
	uint8_t frame[HEADER_SIZE + STREAM_BODY_MAX];
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = frame };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (len > STREAM_BODY_MAX)
		len = STREAM_BODY_MAX;
	frame[0] = (uint8_t)type;
	for (int i = 0; i < 4; i++)
		frame[1 + i] = (uint8_t)(len >> (8 * i));
	if (len)
		memcpy(frame + HEADER_SIZE, body, len);
	iov.iov_len = HEADER_SIZE + len;
	if (fd >= 0) {
		struct cmsghdr *c;

		mh.msg_control = control.room;
		mh.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do
		n = sendmsg(sock, &mh, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, "write to the peer");
	if ((size_t)n < iov.iov_len && fd_write_full(sock, frame + n, iov.iov_len - (size_t)n) < 0)
		return err_sys(err, "write to the peer");
	return 0;
}
