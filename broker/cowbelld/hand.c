/* SPDX-License-Identifier: MIT
 *
 * A file that its person gives to a command comes as a descriptor that the
 * person's own program opened: no path is walked here. What the app may do with
 * it is what the owner may, since the mount shows real owners.
 */
#include "cowbelld/daemon.h"

#include "base/fd.h"
#include "platform/arm/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A given file must not be a way to Cowbell's own, nor a folder to all of the
 * home: that would answer for every gate at once. */
static int check_object(const struct daemon *d, int fd, const struct stat *st, struct err *err)
{
	const char *own[] = { d->state, d->run };
	char self[32], real[PATH_SIZE];
	ssize_t n;

	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return err_set(err, EINVAL, "it is neither a file nor a folder");
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, real, sizeof(real) - 1);
	real[n > 0 ? n : 0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		size_t len = strlen(own[i]);

		if (strncmp(real, own[i], len) == 0 && (real[len] == '/' || real[len] == '\0'))
			return err_set(err, EPERM, "it is one of Cowbell's own");
		if (S_ISDIR(st->st_mode) && opener_is_or_holds(st, own[i]))
			return err_set(err, EPERM, "it holds Cowbell's own files");
	}
	if (S_ISDIR(st->st_mode) && opener_is_or_holds(st, d->home))
		return err_set(err, EPERM, "it holds all of the home: name a folder in it");
	return 0;
}

static int make_mount(struct daemon *d, uint64_t session, int fd, bool write, bool *ret_folder, struct err *err)
{
	cleanup_fd int mnt = -1;
	uint64_t attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (write ? 0 : MOUNT_ATTR_RDONLY);
	struct stat st;
	int userns;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "look at it");
	*ret_folder = S_ISDIR(st.st_mode);
	if (check_object(d, fd, &st, err) < 0)
		return -1;
	if (write && !*ret_folder && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDWR)
		return err_set(err, EACCES, "it was opened for reading alone");
	userns = session_userns(d, session, err);
	if (userns < 0)
		return -1;
	mnt = mnt_clone(fd, "", err);
	if (mnt < 0) {
		if (err->code == EINVAL)
			err_set(err, EINVAL, "it lies in a mount that this system does not see");
		return -1;
	}
	if (mnt_set(mnt, attrs, userns, err) < 0) {
		if (err->code == EINVAL)
			err_set(err, EINVAL, "it lies on a file system (%s) whose owners cannot be mapped for an app",
				opener_fs_name(fd));
		return -1;
	}
	return steal_fd(&mnt);
}

static void tell_failed(struct daemon *d, uint64_t session, uint32_t command, uint8_t index, const struct err *err)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	chan_begin(w, MSG_HAND_FAILED, session);
	wr_u32(w, command);
	wr_u8(w, index);
	wr_u32(w, (uint32_t)(err->code ? err->code : EIO));
	wr_str(w, err->msg);
	chan_send(d->broker, w, NULL, 0);
	free(w);
}

bool hand_handle(struct daemon *d, struct msg *m)
{
	uint32_t command = rd_u32(&m->body);
	uint8_t index = rd_u8(&m->body);
	bool write = rd_u8(&m->body) != 0, folder = false;
	char name[256];
	struct err err = { 0 };
	struct wr *w;
	int mnt;

	rd_str(&m->body, name, sizeof(name));
	if (!rd_end(&m->body) || m->fd_count != 1 || index >= HANDS_MAX)
		return false;
	mnt = make_mount(d, m->id, m->fds[0], write, &folder, &err);
	if (mnt < 0) {
		tell_failed(d, m->id, command, index, &err);
		return true;
	}
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_HAND_MOUNT, m->id);
	wr_u32(w, command);
	wr_u8(w, index);
	wr_u8(w, folder);
	wr_str(w, name);
	(void)session_pass(d, m->id, w, mnt);
	free(w);
	return true;
}
