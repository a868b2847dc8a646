/* SPDX-License-Identifier: MIT
 *
 * Older copies go first, then the new one is made beside its marker. The marker
 * is written when the copy is whole: a copy without one is a torn one, and is
 * removed like an old one.
 */
#include "supervise/copying.h"

#include "base/fd.h"
#include "platform/arm/copy.h"
#include "platform/arm/mnt.h"
#include "platform/arm/root.h"
#include "supervise/supervise.h"
#include "supervise/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DONE_SUFFIX ".done"

struct copying {
	pid_t pid;  /* the child at work: the sweeper, then the copier */
	int result; /* the copier's, -1 while it sweeps */
	int source, target;
	struct err failure; /* what is told once the torn copy is removed; code 0: none */
	char name[64];
};

static void copying_free(struct question *q)
{
	struct copying *c = q->copying;

	q->copying = NULL;
	if (!c)
		return;
	if (c->result >= 0)
		(void)close(c->result);
	if (c->source >= 0)
		(void)close(c->source);
	if (c->target >= 0)
		(void)close(c->target);
	free(c);
}

static void name_copy(const struct question *q, char *buf, size_t size)
{
	(void)snprintf(buf, size, "copy.%llu", (unsigned long long)q->answer.serial);
}

static bool is_done(const struct question *q, const char *name)
{
	char marker[80];
	struct stat st;

	(void)snprintf(marker, sizeof(marker), "%s" DONE_SUFFIX, name);
	return fstatat(q->vault, marker, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static void attach(struct question *q, const char *name, uint64_t bytes, uint32_t files)
{
	cleanup_fd int dir = fd_open_beneath(q->vault, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	struct err err = { 0 };
	cleanup_fd int mnt = -1;

	if (dir < 0)
		(void)err_sys(&err, "open the private copy");
	else
		mnt = mnt_clone(dir, "", &err);
	if (mnt < 0)
		question_refuse(q, &err);
	else
		question_settle(q, mnt, bytes, files);
}

bool copying_reuse(struct question *q)
{
	char name[64];

	name_copy(q, name, sizeof(name));
	if (!is_done(q, name))
		return false;
	attach(q, name, 0, 0);
	return true;
}

static int make_target(struct question *q, struct err *err)
{
	const struct platform_owner *o = &q->s->spare.view.owner;
	const struct root_owner owner = { q->s->base + o->uid, q->s->base + o->gid };
	struct copying *c = q->copying;
	char path[80];
	int dir;

	(void)snprintf(path, sizeof(path), "/%s", c->name);
	dir = root_mount_point(q->vault, path, 0, owner, owner, err);
	if (dir < 0)
		return -1;
	(void)close(dir);
	c->target = fd_open_beneath(q->vault, c->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (c->target < 0 || fchmod(c->target, 0700) < 0)
		return err_sys(err, "open the folder for a private copy");
	return 0;
}

static void start_copier(struct question *q)
{
	const struct platform_owner *o = &q->s->spare.view.owner;
	const struct copy_limits limits = { q->answer.max_bytes, q->answer.max_files };
	struct copying *c = q->copying;
	struct err err = { 0 };

	c->pid = -1;
	if (make_target(q, &err) == 0)
		c->pid = copy_start(c->source, c->target, q->s->base + o->uid, q->s->base + o->gid, &limits, &c->result,
				    &err);
	if (c->pid < 0) {
		copying_free(q);
		question_refuse(q, &err);
	}
}

void copying_begin(struct question *q)
{
	struct copying *c = xcalloc(1, sizeof(*c));
	struct err err = { 0 };
	int any;

	c->source = steal_fd(&q->mount);
	c->target = c->result = -1;
	name_copy(q, c->name, sizeof(c->name));
	q->copying = c;
	any = sweep_wanted(q->vault, "copy.", &err);
	if (any > 0)
		c->pid = sweep_start(q->vault, "copy.", &err);
	if (any < 0 || c->pid < 0) {
		copying_free(q);
		question_refuse(q, &err);
	} else if (any == 0) {
		start_copier(q);
	}
}

static int write_marker(struct question *q, struct err *err)
{
	cleanup_fd int fd = -1;
	char marker[80];

	(void)snprintf(marker, sizeof(marker), "%s" DONE_SUFFIX, q->copying->name);
	fd = fd_open_beneath(q->vault, marker, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0 || fchown(fd, q->s->base, q->s->base) < 0)
		return err_sys(err, "mark the private copy as whole");
	return 0;
}

/* Nothing of it stays in the app's layer; then those who wait hear why. */
static void remove_torn(struct question *q, const struct err *err)
{
	struct copying *c = q->copying;
	struct err ignored = { 0 };

	c->failure = *err;
	(void)close(c->result);
	c->result = -1;
	c->pid = sweep_start(q->vault, "copy.", &ignored);
	if (c->pid < 0) {
		copying_free(q);
		question_refuse(q, err);
	}
}

static void finish_copy(struct question *q)
{
	struct copy_result result;
	struct err err = { 0 };
	char name[64];

	copy_result_read(q->copying->result, &result);
	if (result.code)
		(void)err_set(&err, result.code, "%s", result.why);
	else
		(void)write_marker(q, &err);
	if (err.code) {
		remove_torn(q, &err);
		return;
	}
	memcpy(name, q->copying->name, sizeof(name));
	copying_free(q);
	attach(q, name, result.bytes, result.files);
}

bool copying_child(struct question *q, pid_t pid, int status)
{
	struct err err = { 0 };

	if (!q->copying || q->copying->pid != pid)
		return false;
	q->copying->pid = 0;
	if (q->copying->result >= 0) {
		finish_copy(q);
		return true;
	}
	if (q->copying->failure.code) {
		err = q->copying->failure;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		start_copier(q);
		return true;
	} else {
		(void)err_set(&err, EIO, "the older private copy could not be removed");
	}
	copying_free(q);
	question_refuse(q, &err);
	return true;
}

void copying_cancel(struct question *q)
{
	if (!q->copying)
		return;
	/* Reaped here: nothing of ours may write to the layer after this. */
	if (q->copying->pid > 0) {
		(void)kill(q->copying->pid, SIGKILL);
		while (waitpid(q->copying->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	copying_free(q);
}
