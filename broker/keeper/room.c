/* SPDX-License-Identifier: MIT
 *
 * The room that a keeper works in: the store, and nothing of the host.
 */
#include "keeper/keeper.h"

#include "platform/arm/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Owners and modes of apps' files, their nodes, and trusted.* attributes and the
 * read-only stack of a look into a generation (SYS_ADMIN). */
#define KEPT_CAPS                                                                                                      \
	(1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER | 1u << CAP_FSETID |  \
	 1u << CAP_MKNOD | 1u << CAP_SYS_ADMIN | 1u << CAP_LINUX_IMMUTABLE)

static int drop_caps(struct err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { KEPT_CAPS, KEPT_CAPS, 0 }, { 0, 0, 0 } };
	const struct rlimit none = { 0, 0 };

	for (int cap = 0; cap <= 63; cap++) {
		if (!(cap < 32 && (KEPT_CAPS & (1u << cap))) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 &&
		    errno != EINVAL)
			return err_sys(err, "drop capability %d", cap);
	}
	if (syscall(SYS_capset, &head, data) < 0)
		return err_sys(err, "drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "give up new privileges");
	(void)setrlimit(RLIMIT_CORE, &none);
	return 0;
}

int room_enter(int store_fd, int *ret_store, struct err *err)
{
	static const struct mnt_option options[] = { { "size", "64k" }, { "mode", "0700" }, { NULL, NULL } };
	cleanup_fd int tmpfs = -1, room = -1, root = -1, clone = -1;

	/* The store is cloned while it still belongs to our own namespace. */
	clone = mnt_clone(store_fd, "", err);
	if (clone < 0)
		return -1;
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return err_sys(err, "make the keeper's namespaces");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "make mounts private");
	tmpfs = mnt_new("tmpfs", MNT_PLAIN, options, err);
	if (tmpfs < 0)
		return -1;
	root = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || mnt_attach(tmpfs, root, "the keeper's room", err) < 0)
		return root < 0 ? err_sys(err, "open '/proc'") : -1;
	room = openat(tmpfs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (room < 0)
		return err_sys(err, "open the keeper's room");
	if (mkdirat(room, "store", 0700) < 0 || mkdirat(room, "view", 0700) < 0 || mkdirat(room, "none", 0700) < 0)
		return err_sys(err, "set up the keeper's room");
	if (mnt_set(clone, MNT_PLAIN, -1, err) < 0 || mnt_attach_at(clone, room, "store", err) < 0)
		return -1;
	if (fchdir(room) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
	    chdir("/") < 0)
		return err_sys(err, "shut the keeper in");
	*ret_store = open("/store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_store < 0)
		return err_sys(err, "open the store");
	(void)close(store_fd);
	return drop_caps(err);
}
