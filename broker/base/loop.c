/* SPDX-License-Identifier: MIT
 *
 * A removed source is only marked dead while events are being handed out, and
 * freed after the batch: a callback may remove any source, its own included,
 * without the loop touching freed memory.
 */
#include "base/loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

enum source_kind { SOURCE_FD, SOURCE_TIMER, SOURCE_SIGNAL, SOURCE_LATER };

struct loop_source {
	struct loop *loop;
	struct loop_source *prev, *next; /* loop.sources or loop.dead */
	enum source_kind kind;
	int fd; /* borrowed for SOURCE_FD, ours otherwise, -1 for SOURCE_LATER */
	bool dead;
	union {
		loop_fd_fn fd;
		loop_fn plain;
		loop_signal_fn signal;
	} fn;
	void *data;
};

struct loop {
	int epoll_fd;
	struct loop_source *sources;
	struct loop_source *dead;
	bool running;
	int code;
	unsigned int laters; /* sources that want to run after this batch */
};

struct loop *loop_create(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		free(loop);
		return NULL;
	}
	return loop;
}

static void unlink_source(struct loop_source **head, struct loop_source *s)
{
	if (s->prev)
		s->prev->next = s->next;
	else
		*head = s->next;
	if (s->next)
		s->next->prev = s->prev;
	s->prev = s->next = NULL;
}

static void link_source(struct loop_source **head, struct loop_source *s)
{
	s->prev = NULL;
	s->next = *head;
	if (*head)
		(*head)->prev = s;
	*head = s;
}

static void bury(struct loop *loop)
{
	while (loop->dead) {
		struct loop_source *s = loop->dead;

		unlink_source(&loop->dead, s);
		free(s);
	}
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->sources)
		loop_remove(loop->sources);
	bury(loop);
	(void)close(loop->epoll_fd);
	free(loop);
}

static struct loop_source *add_source(struct loop *loop, enum source_kind kind, int fd, uint32_t events, void *data)
{
	struct loop_source *s = xcalloc(1, sizeof(*s));
	struct epoll_event ev = { .events = events, .data.ptr = s };

	s->loop = loop;
	s->kind = kind;
	s->fd = fd;
	s->data = data;
	if (fd >= 0 && epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		free(s);
		return NULL;
	}
	link_source(&loop->sources, s);
	return s;
}

struct loop_source *loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn, void *data)
{
	struct loop_source *s = add_source(loop, SOURCE_FD, fd, events, data);

	if (s)
		s->fn.fd = fn;
	return s;
}

int loop_set_events(struct loop_source *source, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = source };

	return epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &ev);
}

struct loop_source *loop_add_timer(struct loop *loop, uint64_t delay_ms, loop_fn fn, void *data)
{
	int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	struct itimerspec spec = {
		.it_value = { .tv_sec = (time_t)(delay_ms / 1000), .tv_nsec = (long)(delay_ms % 1000) * 1000000 },
	};
	struct loop_source *s;

	if (fd < 0)
		return NULL;
	if (delay_ms == 0)
		spec.it_value.tv_nsec = 1; /* zero would disarm */
	if (timerfd_settime(fd, 0, &spec, NULL) < 0 || !(s = add_source(loop, SOURCE_TIMER, fd, EPOLLIN, data))) {
		(void)close(fd);
		return NULL;
	}
	s->fn.plain = fn;
	return s;
}

struct loop_source *loop_add_signal(struct loop *loop, int signo, loop_signal_fn fn, void *data)
{
	struct loop_source *s;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, signo);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return NULL;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return NULL;
	s = add_source(loop, SOURCE_SIGNAL, fd, EPOLLIN, data);
	if (!s) {
		(void)close(fd);
		return NULL;
	}
	s->fn.signal = fn;
	return s;
}

struct loop_source *loop_add_later(struct loop *loop, loop_fn fn, void *data)
{
	struct loop_source *s = add_source(loop, SOURCE_LATER, -1, 0, data);

	s->fn.plain = fn;
	loop->laters++;
	return s;
}

void loop_remove(struct loop_source *source)
{
	struct loop *loop;

	if (!source || source->dead)
		return;
	loop = source->loop;
	source->dead = true;
	if (source->kind == SOURCE_LATER && source->fn.plain)
		loop->laters--;
	if (source->fd >= 0) {
		(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
		if (source->kind != SOURCE_FD)
			(void)close(source->fd);
	}
	unlink_source(&loop->sources, source);
	link_source(&loop->dead, source);
}

static void dispatch_signal(struct loop_source *s)
{
	struct signalfd_siginfo info;

	while (!s->dead && read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		s->fn.signal(s->data, (int)info.ssi_signo);
}

static void dispatch(struct loop_source *s, uint32_t events)
{
	uint64_t ticks;

	switch (s->kind) {
	case SOURCE_FD:
		s->fn.fd(s->data, events);
		break;
	case SOURCE_TIMER:
		if (read(s->fd, &ticks, sizeof(ticks)) == (ssize_t)sizeof(ticks))
			s->fn.plain(s->data);
		break;
	case SOURCE_SIGNAL:
		dispatch_signal(s);
		break;
	case SOURCE_LATER:
		break;
	}
}

static void run_laters(struct loop *loop)
{
	unsigned int budget = loop->laters;

	while (budget--) {
		struct loop_source *s = loop->sources, *oldest = NULL;
		loop_fn fn;

		for (; s; s = s->next) {
			if (s->kind == SOURCE_LATER && s->fn.plain)
				oldest = s; /* the list is newest first */
		}
		if (!oldest)
			return;
		fn = oldest->fn.plain;
		oldest->fn.plain = NULL; /* spent; its owner still removes it */
		loop->laters--;
		fn(oldest->data);
	}
}

int loop_run(struct loop *loop)
{
	struct epoll_event events[32];

	loop->running = true;
	while (loop->running) {
		int n = epoll_wait(loop->epoll_fd, events, ARRAY_LEN(events), loop->laters ? 0 : -1);

		if (n < 0 && errno != EINTR)
			return -1;
		for (int i = 0; i < n; i++) {
			struct loop_source *s = events[i].data.ptr;

			if (!s->dead)
				dispatch(s, events[i].events);
		}
		run_laters(loop);
		bury(loop);
	}
	return loop->code;
}

void loop_stop(struct loop *loop, int code)
{
	loop->running = false;
	loop->code = code;
}

static uint64_t clock_ms(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t loop_boot_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

uint64_t loop_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}
