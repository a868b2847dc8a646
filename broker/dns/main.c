/* SPDX-License-Identifier: MIT
 *
 * cowbell-dns: resolves for one session. Started by cowbelld under a uid of its
 * own, with its channel to the session's supervisor on fd 3; its listening
 * sockets lie in the app's namespace and come by that channel, the others are
 * the host's.
 */
#include "dns/look.h"

#include "base/log.h"
#include "policy/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define CHANNEL_FD 3
#define READS_AT_ONCE 32

static struct dns the_dns; /* main's; handed down, never named elsewhere */

static void on_query(void *data, uint32_t events)
{
	int *fd = data;
	uint8_t buf[PACKET_QUERY_MAX + 1];

	(void)events;
	for (int i = 0; i < READS_AT_ONCE; i++) {
		struct sockaddr_storage from;
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(*fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &size);

		if (n < 0)
			return;
		look_begin(&the_dns, buf, (size_t)n, *fd, &from, size, NULL);
	}
}

static void on_client(void *data, uint32_t events)
{
	int *fd = data;

	(void)events;
	tcp_accept(&the_dns, *fd);
}

static bool take_sockets(struct dns *dns, struct msg *m)
{
	if (dns->sockets[0] >= 0 || (m->fd_count != 2 && m->fd_count != 4) || !rd_end(&m->body))
		return false;
	for (size_t i = 0; i < m->fd_count; i++) {
		dns->sockets[i] = m->fds[i];
		m->fds[i] = -1;
		if (!loop_add_fd(dns->loop, dns->sockets[i], EPOLLIN, i & 1 ? on_client : on_query, &dns->sockets[i]))
			fatal("the app's sockets: %s", strerror(errno));
	}
	return true;
}

static bool on_message(void *data, struct msg *m)
{
	struct dns *dns = data;
	uint32_t number;
	uint8_t give;

	if (!msg_allowed(m->op, 'S', 'N'))
		return false;
	if (m->op == MSG_DNS_SOCKETS)
		return take_sockets(dns, m);
	number = rd_u32(&m->body);
	give = rd_u8(&m->body);
	if (!rd_end(&m->body) || number == 0)
		return false;
	look_decided(dns, number, give == GIVE_ALLOW);
	return true;
}

static void on_gone(void *data, const struct err *err)
{
	struct dns *dns = data;

	loop_stop(dns->loop, err->code ? 1 : 0);
}

static const struct chan_ops ops = { on_message, on_gone };

int main(void)
{
	const struct rlimit files = { 256, 256 }, none = { 0, 0 };
	struct dns *dns = &the_dns;

	log_init("cowbell-dns");
	if (fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC) < 0)
		fatal("started by hand: cowbelld starts this program");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)setrlimit(RLIMIT_NPROC, &none);
	(void)setrlimit(RLIMIT_FSIZE, &none);
	for (size_t i = 0; i < ARRAY_LEN(dns->sockets); i++)
		dns->sockets[i] = -1;
	for (size_t i = 0; i < LOOKS_MAX; i++)
		dns->looks[i].fd = -1;
	dns->loop = loop_create();
	dns->supervisor = dns->loop ? chan_create(dns->loop, CHANNEL_FD, &ops, dns) : NULL;
	if (!dns->supervisor)
		fatal("no channel: %s", strerror(errno));
	return loop_run(dns->loop) == 0 ? 0 : 1;
}
