/* SPDX-License-Identifier: MIT
 *
 * A name leaves the device only after it was allowed: a look-up is a message
 * too. Every look ends with an answer to the app, or with its silence.
 */
#include "dns/look.h"

#include "base/log.h"

#include <arpa/nameser.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#define TRY_MS 3000u
#define TRIES_MAX 4u

static void close_upstream(struct look *l)
{
	loop_remove(l->source);
	loop_remove(l->timer);
	l->source = l->timer = NULL;
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	free(l->reply);
	l->reply = NULL;
	l->reply_size = 0;
}

static void look_end(struct look *l)
{
	close_upstream(l);
	memset(l, 0, sizeof(*l));
	l->fd = -1;
}

static void answer(struct look *l, const uint8_t *p, size_t size)
{
	if (l->client)
		tcp_reply(l->client, p, size);
	else
		(void)sendto(l->udp, p, size, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&l->from, l->from_size);
}

static void refuse(struct look *l, uint8_t rcode)
{
	uint8_t buf[PACKET_QUERY_MAX];

	answer(l, buf, packet_refuse(l->packet, &l->query, rcode, buf));
	look_end(l);
}

/* --- upstream --- */

static void learn(struct look *l, const uint8_t *p, size_t size)
{
	struct packet_address found[PACKET_ADDRESSES_MAX];
	uint32_t ttl;
	size_t count = packet_addresses(p, size, found, &ttl);
	static struct wr w;

	if (count == 0)
		return;
	chan_begin(&w, MSG_DNS_LEARNED, 0);
	wr_str(&w, l->query.name);
	wr_u32(&w, ttl);
	wr_u16(&w, (uint16_t)count);
	for (size_t i = 0; i < count; i++) {
		wr_u8(&w, found[i].version);
		wr_bytes(&w, found[i].to, sizeof(found[i].to));
	}
	chan_send(l->dns->supervisor, &w, NULL, 0);
}

static bool take_reply(struct look *l, uint8_t *p, size_t size)
{
	if (!packet_is_reply(p, size, &l->query, l->id))
		return false;
	learn(l, p, size);
	packet_set_id(p, l->query.id);
	answer(l, p, size);
	look_end(l);
	return true;
}

static void try_next(struct look *l);

static void on_udp(void *data, uint32_t events)
{
	struct look *l = data;
	static uint8_t buf[PACKET_REPLY_MAX];
	ssize_t n = recv(l->fd, buf, sizeof(buf), MSG_DONTWAIT);

	(void)events;
	if (n > 0)
		(void)take_reply(l, buf, (size_t)n); /* what is not ours is not heard */
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		try_next(l); /* nobody listens there */
}

/* Two bytes of length, then the message. */
static void on_tcp(void *data, uint32_t events)
{
	struct look *l = data;
	size_t want;
	ssize_t n;

	if (events & EPOLLOUT) {
		uint8_t out[PACKET_QUERY_MAX + 2] = { (uint8_t)(l->size >> 8), (uint8_t)l->size };

		memcpy(out + 2, l->packet, l->size);
		packet_set_id(out + 2, l->id);
		if (send(l->fd, out, l->size + 2, MSG_NOSIGNAL) != (ssize_t)(l->size + 2)) {
			try_next(l);
			return;
		}
		(void)loop_set_events(l->source, EPOLLIN);
		return;
	}
	if (!l->reply)
		l->reply = xcalloc(1, PACKET_REPLY_MAX + 2);
	n = recv(l->fd, l->reply + l->reply_size, PACKET_REPLY_MAX + 2 - l->reply_size, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		try_next(l);
		return;
	}
	l->reply_size += (size_t)n;
	want = l->reply_size >= 2 ? (size_t)(l->reply[0] << 8 | l->reply[1]) : PACKET_REPLY_MAX;
	if (l->reply_size >= want + 2 && !take_reply(l, l->reply + 2, want))
		try_next(l);
}

static void on_timeout(void *data)
{
	try_next(data);
}

static int connect_to(struct look *l, size_t server)
{
	const struct sockaddr *to = (const struct sockaddr *)&l->dns->servers.of[server];
	int type = (l->client ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;

	l->fd = socket(to->sa_family, type, 0);
	if (l->fd < 0 || (connect(l->fd, to, l->dns->servers.size[server]) < 0 && errno != EINPROGRESS))
		return -1;
	/* The port is the kernel's choice, the number ours: both must be guessed. */
	if (getrandom(&l->id, sizeof(l->id), 0) != (ssize_t)sizeof(l->id))
		return -1;
	l->source = loop_add_fd(l->dns->loop, l->fd, l->client ? EPOLLOUT : EPOLLIN, l->client ? on_tcp : on_udp, l);
	if (!l->source)
		return -1;
	if (!l->client) {
		uint8_t out[PACKET_QUERY_MAX];

		memcpy(out, l->packet, l->size);
		packet_set_id(out, l->id);
		return send(l->fd, out, l->size, MSG_NOSIGNAL) < 0 ? -1 : 0;
	}
	return 0;
}

static void try_next(struct look *l)
{
	servers_refresh(&l->dns->servers, RESOLV_CONF);
	while (l->tries < TRIES_MAX) {
		close_upstream(l);
		if (connect_to(l, l->tries++ % l->dns->servers.count) < 0)
			continue;
		l->timer = loop_add_timer(l->dns->loop, TRY_MS, on_timeout, l);
		return;
	}
	refuse(l, ns_r_servfail);
}

/* --- beginnings --- */

static struct look *find_free(struct dns *dns)
{
	for (size_t i = 0; i < LOOKS_MAX; i++) {
		if (!dns->looks[i].used)
			return &dns->looks[i];
	}
	return NULL;
}

/* The same question from the same place: the app has sent it again. */
static bool is_again(const struct look *a, const struct packet_query *q, int udp, const struct sockaddr_storage *from,
		     socklen_t from_size)
{
	return a->used && !a->client && a->udp == udp && a->query.type == q->type && a->from_size == from_size &&
	       memcmp(&a->from, from, from_size) == 0 && strcmp(a->query.name, q->name) == 0;
}

static uint16_t port_of(const struct sockaddr_storage *from)
{
	return ntohs(from->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)from)->sin6_port
						 : ((const struct sockaddr_in *)from)->sin_port);
}

static uint32_t number_of(struct dns *dns, const struct look *of)
{
	const char *name = of->query.name;
	static struct wr w;

	for (size_t i = 0; i < LOOKS_MAX; i++) {
		const struct look *l = &dns->looks[i];

		if (l->used && l->number && !l->allowed && strcmp(l->query.name, name) == 0)
			return l->number;
	}
	if (++dns->last_number == 0)
		dns->last_number = 1;
	chan_begin(&w, MSG_DNS_NEED, 0);
	wr_u32(&w, dns->last_number);
	wr_u8(&w, of->from.ss_family == AF_INET6 ? 6 : 4);
	wr_u8(&w, of->client ? IPPROTO_TCP : IPPROTO_UDP);
	wr_u16(&w, port_of(&of->from));
	wr_str(&w, name);
	chan_send(dns->supervisor, &w, NULL, 0);
	return dns->last_number;
}

/* What cannot be a name is told so at once. */
static void refuse_unread(const uint8_t *p, size_t size, int udp, const struct sockaddr_storage *from,
			  socklen_t from_size, struct tcp_client *client)
{
	uint8_t head[12] = { 0 };

	if (size < sizeof(head) || p[2] & 0x80)
		return;
	memcpy(head, p, 2);
	head[2] = 0x80 | (p[2] & 0x79);
	head[3] = 0x80 | ns_r_nxdomain;
	if (client)
		tcp_reply(client, head, sizeof(head));
	else
		(void)sendto(udp, head, sizeof(head), MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)from, from_size);
}

void look_begin(struct dns *dns, const uint8_t *p, size_t size, int udp, const struct sockaddr_storage *from,
		socklen_t from_size, struct tcp_client *client)
{
	struct packet_query query;
	struct look *l;

	if (!packet_read_query(p, size, &query)) {
		refuse_unread(p, size, udp, from, from_size, client);
		return;
	}
	for (size_t i = 0; !client && i < LOOKS_MAX; i++) {
		if (is_again(&dns->looks[i], &query, udp, from, from_size)) {
			dns->looks[i].query.id = query.id;
			memcpy(dns->looks[i].packet, p, size);
			dns->looks[i].size = size;
			dns->looks[i].query = query;
			return;
		}
	}
	l = find_free(dns);
	if (!l)
		return; /* it asks again by itself */
	memset(l, 0, sizeof(*l));
	*l = (struct look){ .dns = dns, .used = true, .query = query, .size = size, .udp = udp, .client = client, .fd = -1 };
	memcpy(l->packet, p, size);
	l->from = *from;
	l->from_size = from_size;
	/* Mozilla's question whether resolving over HTTPS is welcome: it is not. */
	if (strcmp(query.name, "use-application-dns.net") == 0) {
		refuse(l, ns_r_nxdomain);
		return;
	}
	l->number = number_of(dns, l);
}

void look_decided(struct dns *dns, uint32_t number, bool allowed)
{
	for (size_t i = 0; i < LOOKS_MAX; i++) {
		struct look *l = &dns->looks[i];

		if (!l->used || l->allowed || l->number != number)
			continue;
		l->allowed = allowed;
		if (allowed)
			try_next(l);
		else
			refuse(l, ns_r_nxdomain);
	}
}

void look_forget_client(struct dns *dns, const struct tcp_client *client)
{
	for (size_t i = 0; i < LOOKS_MAX; i++) {
		if (dns->looks[i].used && dns->looks[i].client == client)
			look_end(&dns->looks[i]);
	}
}
