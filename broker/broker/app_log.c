/* SPDX-License-Identifier: MIT
 *
 * One object for each app that has written since the broker started, or whose log
 * was looked at; each command without a terminal has a pipe. An app that writes
 * without end pushes out its own older lines and nothing else.
 */
#include "broker/app_log.h"

#include "base/fd.h"
#include "base/log.h"
#include "broker/log_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

struct tail {
	struct tail *next;
	struct app_log *log;
	int fd;
	struct loop_source *source;
};

struct app_log {
	struct app_log *next;
	struct broker *broker;
	char app[APP_ID_SIZE];
	struct log_ring ring;
	struct tail *tails;
};

/* The name of an app has no slash and does not begin with a dot (app_id_check). */
static void file_of(const char *app, char buf[APP_ID_SIZE + 8])
{
	(void)snprintf(buf, APP_ID_SIZE + 8, "logs/%s", app);
}

static struct app_log *find(const struct broker *broker, const char *app)
{
	for (struct app_log *l = broker->logs; l; l = l->next) {
		if (strcmp(l->app, app) == 0)
			return l;
	}
	return NULL;
}

static struct app_log *get(struct broker *broker, const char *app)
{
	struct app_log *l = find(broker, app);
	char name[APP_ID_SIZE + 8];
	struct err err = { 0 };

	if (l)
		return l;
	l = xcalloc(1, sizeof(*l));
	l->broker = broker;
	(void)snprintf(l->app, sizeof(l->app), "%s", app);
	l->next = broker->logs;
	broker->logs = l;
	file_of(app, name);
	if ((mkdirat(broker->state_fd, "logs", 0700) < 0 && errno != EEXIST) ||
	    log_ring_open(&l->ring, broker->state_fd, name, &err) < 0)
		log_warn("what '%s' writes is kept in memory alone: %s", app, err.msg[0] ? err.msg : strerror(errno));
	return l;
}

static void tail_free(struct tail *tail)
{
	struct tail **p;

	for (p = &tail->log->tails; *p != tail; p = &(*p)->next)
		continue;
	*p = tail->next;
	loop_remove(tail->source);
	(void)close(tail->fd);
	free(tail);
}

static void on_output(void *data, uint32_t events)
{
	struct tail *tail = data;
	char buf[4096];
	ssize_t n = read(tail->fd, buf, sizeof(buf));

	(void)events;
	if (n > 0)
		log_ring_add(&tail->log->ring, buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		tail_free(tail);
}

void app_log_attach(struct broker *broker, const char *app, int fd)
{
	struct app_log *l = get(broker, app);
	struct tail *tail = xcalloc(1, sizeof(*tail));

	(void)fd_set_nonblock(fd, true);
	tail->log = l;
	tail->fd = fd;
	tail->next = l->tails;
	l->tails = tail;
	tail->source = loop_add_fd(broker->loop, fd, EPOLLIN, on_output, tail);
	if (!tail->source)
		tail_free(tail);
}

int app_log_writer(struct broker *broker, const char *app, int *ret_keep, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe for what '%s' writes", app);
	*ret_keep = fcntl(ends[0], F_DUPFD_CLOEXEC, 3);
	if (*ret_keep < 0) {
		(void)err_sys(err, "make a pipe for what '%s' writes", app);
		(void)close(ends[0]);
		(void)close(ends[1]);
		return -1;
	}
	app_log_attach(broker, app, ends[0]);
	return ends[1];
}

int app_log_open(struct broker *broker, const char *app, int fds[3], int *ret_keep, struct err *err)
{
	int keep;

	fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fds[0] < 0)
		return err_sys(err, "open '/dev/null'");
	fds[1] = app_log_writer(broker, app, &keep, err);
	fds[2] = fds[1] < 0 ? -1 : fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
	if (fds[2] >= 0) {
		*ret_keep = keep;
		return 0;
	}
	if (fds[1] >= 0) {
		(void)err_sys(err, "make a pipe for what '%s' writes", app);
		(void)close(fds[1]);
		(void)close(keep);
	}
	(void)close(fds[0]);
	return -1;
}

void app_log_drain(struct broker *broker, const char *app)
{
	struct app_log *l = find(broker, app);
	struct tail *next;

	for (struct tail *t = l ? l->tails : NULL; t; t = next) {
		next = t->next;
		on_output(t, 0);
	}
}

void app_log_say(struct broker *broker, const char *app, const char *fmt, ...)
{
	char text[700], line[720];
	va_list ap;
	int n;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = snprintf(line, sizeof(line), "[cowbell: %s]\n", text);
	log_ring_add(&get(broker, app)->ring, line, (size_t)n);
}

json_t *app_log_lines(struct broker *broker, const char *app, uint64_t *ret_lost)
{
	char name[APP_ID_SIZE + 8];
	struct app_log *l = find(broker, app);
	struct stat st;

	file_of(app, name);
	*ret_lost = 0;
	/* Asking does not make a file. */
	if (!l && fstatat(broker->state_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return json_array();
	l = get(broker, app);
	*ret_lost = log_ring_lost(&l->ring);
	return log_ring_lines(&l->ring);
}

static void app_log_free(struct app_log *l)
{
	struct app_log **p;

	for (p = &l->broker->logs; *p != l; p = &(*p)->next)
		continue;
	*p = l->next;
	while (l->tails)
		tail_free(l->tails);
	log_ring_free(&l->ring);
	free(l);
}

void app_log_forget(struct broker *broker, const char *app)
{
	struct app_log *l = find(broker, app);
	char name[APP_ID_SIZE + 8];

	if (l)
		app_log_free(l);
	file_of(app, name);
	if (unlinkat(broker->state_fd, name, 0) < 0 && errno != ENOENT)
		log_warn("the log of '%s' is not deleted: %s", app, strerror(errno));
}

void app_log_finish_all(struct broker *broker)
{
	while (broker->logs)
		app_log_free(broker->logs);
}
