/* SPDX-License-Identifier: MIT
 *
 * Ports of the host that lead to apps. Each is held by a socket of ours, bound and deaf:
 * a service of the host keeps what it has, and two apps cannot have the same.
 */
#include "cowbelld/network.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ARRIVALS_MAX 128u /* of all apps; one rule each */

struct arrival {
	uint64_t session;
	struct net_arrival to;
	int fd;
};

struct arrivals {
	struct arrival of[ARRIVALS_MAX];
	size_t count;
};

static int load(struct daemon *d, struct err *err)
{
	const struct network *n = d->network;
	struct net_arrival all[ARRIVALS_MAX];

	for (size_t i = 0; i < n->arrivals->count; i++)
		all[i] = n->arrivals->of[i].to;
	return nethost_arrivals(n->table_sock, n->table, n->group, all, n->arrivals->count, err);
}

static struct arrival *find(struct daemon *d, uint64_t session, uint16_t port)
{
	struct arrivals *a = d->network ? d->network->arrivals : NULL;

	for (size_t i = 0; a && i < a->count; i++) {
		if (a->of[i].session == session && a->of[i].to.port == port)
			return &a->of[i];
	}
	return NULL;
}

/* Both families' at once, where there are two. */
static int hold_port(uint16_t port, struct err *err)
{
	const struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	const int off = 0;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (fd >= 0) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		rc = bind(fd, (const struct sockaddr *)&any6, sizeof(any6));
	}
	if (fd < 0 || (rc < 0 && errno == EADDRNOTAVAIL)) {
		if (fd >= 0)
			(void)close(fd);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		rc = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&any4, sizeof(any4));
	}
	if (rc == 0)
		return fd;
	if (errno == EADDRINUSE)
		(void)err_set(err, EADDRINUSE, "port %u of this device is in use", port);
	else
		(void)err_sys(err, "hold port %u", port);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static void drop(struct arrivals *all, struct arrival *a)
{
	(void)close(a->fd);
	*a = all->of[--all->count];
}

static int open_port(struct daemon *d, uint64_t session, uint16_t port, struct err *err)
{
	struct network *n = d->network;
	struct session_link *link;
	struct net_addresses addresses;
	struct arrival *a;
	pid_t pid;
	int fd;

	link = session_link(d, session, &pid);
	if (!network_is_held(d) || !link)
		return err_set(err, ESRCH, "the session has no network");
	if (find(d, session, port))
		return 0;
	if (!n->arrivals)
		n->arrivals = xcalloc(1, sizeof(*n->arrivals));
	if (n->arrivals->count == ARRIVALS_MAX)
		return err_set(err, ENOSPC, "%u ports of this device lead to apps already", ARRIVALS_MAX);
	if (network_make_link(d, pid, link, err) < 0 || network_open_arrivals(d, err) < 0)
		return -1;
	fd = hold_port(port, err);
	if (fd < 0)
		return -1;
	net_addresses_of(&addresses, d->instance, n->pool, (uint32_t)link->slot);
	a = &n->arrivals->of[n->arrivals->count++];
	*a = (struct arrival){ .session = session, .to.port = port, .fd = fd };
	memcpy(a->to.app4, addresses.app4, sizeof(a->to.app4));
	if (load(d, err) == 0)
		return 0;
	drop(n->arrivals, a);
	return -1;
}

/* What cannot be taken out of the rules keeps its port held: it leads to an app that
 * lets nobody in, or to an address that no app has. */
static void shut(struct daemon *d, struct arrival *a)
{
	struct arrivals *all = d->network->arrivals;
	const struct arrival was = *a;
	struct err err = { 0 };

	*a = all->of[--all->count];
	if (load(d, &err) == 0) {
		(void)close(was.fd);
		return;
	}
	log_warn("port %u: %s", was.to.port, err.msg);
	all->of[all->count++] = was;
}

bool listen_any(const struct daemon *d)
{
	return d->network->arrivals && d->network->arrivals->count;
}

void listen_release(struct daemon *d, uint64_t session)
{
	struct arrivals *all = d->network ? d->network->arrivals : NULL;

	for (size_t i = all ? all->count : 0; i > 0; i--) {
		if (all->of[i - 1].session == session)
			shut(d, &all->of[i - 1]);
	}
}

void listen_close(struct network *n)
{
	while (n->arrivals && n->arrivals->count)
		drop(n->arrivals, &n->arrivals->of[0]);
	free(n->arrivals);
	n->arrivals = NULL;
}

static void tell_opened(struct daemon *d, uint64_t session, uint16_t port, const struct err *err)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_LISTEN_OPENED, session);
	wr_u16(w, port);
	wr_u32(w, (uint32_t)err->code);
	wr_str(w, err->msg);
	chan_send(d->broker, w, NULL, 0);
	free(w);
}

bool listen_handle_open(struct daemon *d, struct msg *m)
{
	uint16_t port = rd_u16(&m->body);
	uint8_t open = rd_u8(&m->body);
	struct err err = { 0 };
	struct arrival *a;

	if (!rd_end(&m->body) || port == 0)
		return false;
	if (open) {
		(void)open_port(d, m->id, port, &err);
		tell_opened(d, m->id, port, &err);
		return true;
	}
	a = find(d, m->id, port);
	if (a)
		shut(d, a);
	return true;
}
