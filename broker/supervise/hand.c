/* SPDX-License-Identifier: MIT */
#include "supervise/hand.h"

#include "base/fd.h"
#include "platform/arm/mnt.h"
#include "platform/arm/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define HAND_FOLDER "/run/given"

static bool is_plain_name(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int make_target(int folder, const char *name, bool is_folder, struct err *err)
{
	int fd;

	if (is_folder) {
		if (mkdirat(folder, name, 0755) < 0)
			return err_sys(err, "make folder '%s'", name);
	} else {
		fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd < 0)
			return err_sys(err, "make file '%s'", name);
		(void)close(fd);
	}
	fd = fd_open_beneath(folder, name, O_PATH | O_NOFOLLOW, 0);
	return fd < 0 ? err_sys(err, "open '%s'", name) : fd;
}

static int attach(struct supervise *s, const char *folder, const char *name, bool is_folder, int mnt, struct err *err)
{
	const struct root_owner root = { s->base, s->base };
	cleanup_fd int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int dir = top < 0 ? -1 : root_mount_point(top, folder, 0, root, root, err);
	cleanup_fd int target = dir < 0 ? -1 : make_target(dir, name, is_folder, err);

	if (top < 0)
		return err_sys(err, "open the app's root");
	return target < 0 ? -1 : mnt_attach(mnt, target, name, err);
}

bool hand_handle_mount(struct supervise *s, struct msg *m)
{
	uint32_t command = rd_u32(&m->body);
	uint8_t index = rd_u8(&m->body), is_folder = rd_u8(&m->body);
	char name[256], folder[64], where[400];
	struct err err = { 0 };
	static struct wr w;

	rd_str(&m->body, name, sizeof(name));
	if (!rd_end(&m->body) || m->fd_count != 1 || index >= HANDS_MAX || !is_plain_name(name))
		return false;
	(void)snprintf(folder, sizeof(folder), HAND_FOLDER "/%u.%u", command, index);
	(void)snprintf(where, sizeof(where), "%s/%s", folder, name);
	if (s->state != SUPERVISE_LIVE || s->kind == SESSION_INSTALL)
		(void)err_set(&err, EPERM, "this session takes no files");
	else
		(void)attach(s, folder, name, is_folder, m->fds[0], &err);
	chan_begin(&w, MSG_HANDED, s->session);
	wr_u32(&w, command);
	wr_u8(&w, index);
	wr_u32(&w, (uint32_t)err.code);
	wr_str(&w, err.msg);
	wr_str(&w, where);
	supervise_tell(s, &w, NULL, 0);
	return true;
}
