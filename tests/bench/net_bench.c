/* SPDX-License-Identifier: MIT
 *
 * Both ends of the network's figures.
 *   net_bench server ADDRESS PORT     TCP: by its first byte a sink ('u') or a source
 *                                     ('d'), else it waits for the end; UDP: an echo at
 *                                     PORT, a sink at PORT + 1
 *   net_bench first ADDRESS PORT      the first connect of this process, in us, and when
 *                                     it was there (CLOCK_MONOTONIC, ns)
 *   net_bench connect|echo|send ADDRESS PORT COUNT    us each, of one after the other
 *   net_bench up|down ADDRESS PORT MILLISECONDS       MB/s
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAM 64
#define CHUNK (128 * 1024)

static void fail(const char *doing) __attribute__((noreturn));
static void fail(const char *doing)
{
	perror(doing);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct sockaddr_in address(const char *ip, const char *port, int offset)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(atoi(port) + offset)) };

	if (inet_pton(AF_INET, ip, &a.sin_addr) != 1) {
		(void)fprintf(stderr, "net_bench: '%s' is no IPv4 address\n", ip);
		exit(2);
	}
	return a;
}

static int open_to(const struct sockaddr_in *to, int kind)
{
	const struct timeval patience = { .tv_sec = 5 }; /* a datagram may be lost, and is an error then */
	int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		fail("socket");
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		fail("connect");
	return fd;
}

/* --- server --- */

static void *serve_one(void *arg)
{
	static char zeros[CHUNK];
	int fd = (int)(intptr_t)arg;
	char *buf = malloc(CHUNK), how = 0;

	if (buf && recv(fd, &how, 1, 0) == 1) {
		while (how == 'd' ? send(fd, zeros, CHUNK, MSG_NOSIGNAL) > 0 : recv(fd, buf, CHUNK, 0) > 0)
			continue;
	}
	free(buf);
	(void)close(fd);
	return NULL;
}

/* At one address, which the echo's answers then come from. */
static int listener(const char *ip, const char *port, int kind, int offset)
{
	struct sockaddr_in a = address(ip, port, offset);
	int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || (kind == SOCK_STREAM && listen(fd, 4096) < 0))
		fail("listen");
	return fd;
}

static void *echo(void *arg)
{
	int fd = (int)(intptr_t)arg;
	struct sockaddr_in from;
	char buf[2048];

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

		if (n > 0)
			(void)sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

static void start(void *(*run)(void *), int fd)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, (void *)(intptr_t)fd) != 0)
		fail("start a thread");
	(void)pthread_detach(thread);
}

static int serve(const char *ip, const char *port)
{
	int tcp = listener(ip, port, SOCK_STREAM, 0);

	start(echo, listener(ip, port, SOCK_DGRAM, 0));
	(void)listener(ip, port, SOCK_DGRAM, 1); /* never read: what does not fit is dropped */
	(void)printf("ready\n");
	(void)fflush(stdout);
	for (;;) {
		int fd = accept4(tcp, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			start(serve_one, fd);
		else if (errno != EINTR && errno != ECONNABORTED)
			fail("accept");
	}
}

/* --- client --- */

static int first(const struct sockaddr_in *to)
{
	uint64_t begin = now_ns(), end;

	(void)open_to(to, SOCK_STREAM);
	end = now_ns();
	(void)printf("%.1f %llu\n", (double)(end - begin) / 1000, (unsigned long long)end);
	return 0;
}

static void op_connect(const struct sockaddr_in *to, int fd)
{
	struct linger none = { .l_onoff = 1 }; /* its port is free at once */

	(void)fd;
	fd = open_to(to, SOCK_STREAM);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	(void)close(fd);
}

static void op_echo(const struct sockaddr_in *to, int fd)
{
	char buf[DATAGRAM] = { 0 };

	(void)to;
	if (send(fd, buf, sizeof(buf), 0) < 0 || recv(fd, buf, sizeof(buf), 0) < 0)
		fail("echo");
}

static void op_send(const struct sockaddr_in *to, int fd)
{
	char buf[DATAGRAM] = { 0 };

	(void)to;
	if (send(fd, buf, sizeof(buf), 0) < 0 && errno != ENOBUFS)
		fail("send");
}

static int each(void (*op)(const struct sockaddr_in *, int), const struct sockaddr_in *to, int fd, int count)
{
	uint64_t begin;

	for (int i = 0; i < count / 10 + 1; i++)
		op(to, fd);
	begin = now_ns();
	for (int i = 0; i < count; i++)
		op(to, fd);
	(void)printf("%.3f\n", (double)(now_ns() - begin) / 1000 / count);
	return 0;
}

static int transfer(const struct sockaddr_in *to, char how, int ms)
{
	static char buf[CHUNK];
	int fd = open_to(to, SOCK_STREAM);
	uint64_t begin, end, bytes = 0;

	if (send(fd, &how, 1, 0) != 1)
		fail("send");
	begin = now_ns();
	end = begin + (uint64_t)ms * 1000000u;
	while (now_ns() < end) {
		ssize_t n = how == 'u' ? send(fd, buf, sizeof(buf), 0) : recv(fd, buf, sizeof(buf), 0);

		if (n <= 0)
			fail("transfer");
		bytes += (uint64_t)n;
	}
	(void)printf("%.1f\n", (double)bytes / ((double)(now_ns() - begin) / 1e9) / 1e6);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct sockaddr_in to;

	if (argc < 4)
		goto usage;
	if (argc == 4 && strcmp(what, "server") == 0)
		return serve(argv[2], argv[3]);
	to = address(argv[2], argv[3], 0);
	if (argc == 4 && strcmp(what, "first") == 0)
		return first(&to);
	if (argc != 5)
		goto usage;
	if (strcmp(what, "connect") == 0)
		return each(op_connect, &to, -1, atoi(argv[4]));
	if (strcmp(what, "echo") == 0)
		return each(op_echo, &to, open_to(&to, SOCK_DGRAM), atoi(argv[4]));
	if (strcmp(what, "send") == 0) {
		to = address(argv[2], argv[3], 1);
		return each(op_send, &to, open_to(&to, SOCK_DGRAM), atoi(argv[4]));
	}
	if (strcmp(what, "up") == 0 || strcmp(what, "down") == 0)
		return transfer(&to, what[0], atoi(argv[4]));
usage:
	(void)fprintf(stderr, "net_bench: server|first ADDRESS PORT | connect|echo|send|up|down ADDRESS PORT N\n");
	return 2;
}
