/* SPDX-License-Identifier: MIT
 *
 * The gate's own root directory descriptor (g) is the only way in: everything
 * is attached, answered and taken off through it, so that whatever the app
 * renames or shadows, it is the gate and not the path that is served.
 */
#include "platform/arm/gate.h"

#include "platform/arm/holders.h"
#include "platform/arm/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/auto_dev-ioctl.h>
#include <linux/auto_fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#define GATES_PER_ENGINE 48u
#define TAKEN_MAX 8u

/* A mount that was taken off while somebody held it, or may have watched it. */
struct taken {
	uint64_t mnt_id;
	dev_t watch_dev; /* holders.h */
};

struct gate {
	uint16_t id;
	int g; /* O_RDONLY on the trigger's root */
	dev_t dev;
	bool attached, forgot; /* forgot: more was taken than there is room for */
	uint64_t removed; /* off the tree, as the how manieth; g stays, for whoever was on the way in. 0: it stands */
	uint64_t mnt_id, inode; /* of what is attached */
	struct taken taken[TAKEN_MAX];
	size_t taken_count;
};

struct gate_engine {
	int control, proc, pipe[2];
	struct gate gates[GATES_PER_ENGINE];
	size_t count;
	uint64_t removals;
	bool closed_any; /* packets of gates that are no more may still come */
};

void gate_engine_destroy(struct gate_engine *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->count; i++)
		(void)close(e->gates[i].g);
	for (int i = 0; i < 2; i++) {
		if (e->pipe[i] >= 0)
			(void)close(e->pipe[i]);
	}
	if (e->control >= 0)
		(void)close(e->control);
	if (e->proc >= 0)
		(void)close(e->proc);
	free(e);
}

struct gate_engine *gate_engine_create(struct err *err)
{
	struct gate_engine *e = xcalloc(1, sizeof(*e));

	e->pipe[0] = e->pipe[1] = e->proc = -1;
	e->control = open("/dev/autofs", O_RDONLY | O_CLOEXEC);
	if (e->control < 0) {
		err_sys(err, "open '/dev/autofs'");
		err_hint(err, "the kernel module autofs4 holds the first use of folders");
		goto fail;
	}
	e->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (e->proc < 0) {
		err_sys(err, "open '/proc'");
		goto fail;
	}
	if (getpgrp() <= 0) {
		err_set(err, EINVAL, "gates need a process group of their own");
		goto fail;
	}
	if (pipe2(e->pipe, O_CLOEXEC) < 0 || fcntl(e->pipe[0], F_SETFL, O_NONBLOCK) < 0) {
		err_sys(err, "make the gates' pipe");
		goto fail;
	}
	return e;
fail:
	gate_engine_destroy(e);
	return NULL;
}

int gate_engine_fd(const struct gate_engine *e)
{
	return e->pipe[0];
}

static int make_trigger(struct gate_engine *e, struct err *err)
{
	char fd[16], pgrp[16];
	const struct mnt_option options[] = {
		{ "fd", fd }, { "pgrp", pgrp }, { "minproto", "5" }, { "maxproto", "5" }, { "direct", NULL }, { NULL, NULL },
	};

	(void)snprintf(fd, sizeof(fd), "%d", e->pipe[1]);
	(void)snprintf(pgrp, sizeof(pgrp), "%d", (int)getpgrp());
	return mnt_new("autofs", MNT_PLAIN, options, err);
}

static int control(struct gate_engine *e, unsigned long cmd, const struct gate *gate, uint32_t token, int status)
{
	struct autofs_dev_ioctl param;

	init_autofs_dev_ioctl(&param);
	param.ioctlfd = gate->g;
	if (cmd == AUTOFS_DEV_IOCTL_FAIL) {
		param.fail.token = token;
		param.fail.status = status;
	} else if (cmd == AUTOFS_DEV_IOCTL_READY) {
		param.ready.token = token;
	}
	return ioctl(e->control, cmd, &param);
}

/* A place in the table: a new one, else that of the gate that was removed first; NULL. */
static struct gate *free_gate(struct gate_engine *e)
{
	struct gate *oldest = NULL;

	if (e->count < GATES_PER_ENGINE)
		return &e->gates[e->count];
	for (size_t i = 0; i < e->count; i++) {
		struct gate *gate = &e->gates[i];

		if (gate->removed && (!oldest || gate->removed < oldest->removed))
			oldest = gate;
	}
	return oldest;
}

int gate_add(struct gate_engine *e, uint16_t id, int target, struct err *err)
{
	struct gate *gate = free_gate(e);
	cleanup_fd int mnt = -1, g = -1;
	struct stat st;
	char what[32];

	if (!gate)
		return err_set(err, ENOSPC, "more than %u gates", GATES_PER_ENGINE);
	mnt = make_trigger(e, err);
	if (mnt < 0)
		return -1;
	/* Not O_PATH: the control device wants a real descriptor. Our process
	 * group is not held here. */
	g = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g < 0 || fstat(g, &st) < 0 || fchmod(g, 0555) < 0)
		return err_sys(err, "open gate %u", id);
	(void)snprintf(what, sizeof(what), "gate %u", id);
	if (mnt_attach(mnt, target, what, err) < 0)
		return -1;
	if (gate->removed) {
		/* Whoever is still on the way in is woken, with nothing in front of him. */
		(void)control(e, AUTOFS_DEV_IOCTL_CATATONIC, gate, 0, 0);
		(void)close(gate->g);
		e->closed_any = true;
	} else {
		e->count++;
	}
	*gate = (struct gate){ .id = id, .g = steal_fd(&g), .dev = st.st_dev };
	return 0;
}

static struct gate *find_gate(struct gate_engine *e, uint16_t id)
{
	for (size_t i = 0; i < e->count; i++) {
		if (e->gates[i].id == id && !e->gates[i].removed)
			return &e->gates[i];
	}
	return NULL;
}

/* The packet's device number is in the kernel's new_encode_dev form. */
static struct gate *find_by_dev(struct gate_engine *e, uint32_t dev)
{
	unsigned int major_nr = (dev & 0xfff00) >> 8, minor_nr = (dev & 0xff) | ((dev >> 12) & 0xfff00);

	for (size_t i = 0; i < e->count; i++) {
		if (major(e->gates[i].dev) == major_nr && minor(e->gates[i].dev) == minor_nr)
			return &e->gates[i];
	}
	return NULL;
}

/* 1 a packet, 0 none, -1 err. */
static int read_packet(struct gate_engine *e, struct autofs_v5_packet *packet, struct err *err)
{
	ssize_t n;

	do
		n = read(e->pipe[0], packet, sizeof(*packet));
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n == (ssize_t)sizeof(*packet) && packet->hdr.type == autofs_ptype_missing_direct)
		return 1;
	return n < 0 ? err_sys(err, "read from the gates")
		     : err_set(err, EPROTO, "the kernel sent a gate packet of %zd bytes, type %d", n,
			       n >= (ssize_t)sizeof(packet->hdr) ? packet->hdr.type : -1);
}

int gate_read(struct gate_engine *e, struct gate_request *ret, struct err *err)
{
	struct autofs_v5_packet packet;
	const struct gate *gate;
	int n;

	while ((n = read_packet(e, &packet, err)) == 1) {
		gate = find_by_dev(e, packet.dev);
		if (!gate && e->closed_any)
			continue;
		if (!gate)
			return err_set(err, EPROTO, "the kernel named a gate that was never made (device %#x)", packet.dev);
		/* Whoever was on the way in when it was removed waits all the same. */
		if (gate->removed) {
			(void)control(e, AUTOFS_DEV_IOCTL_FAIL, gate, packet.wait_queue_token, -ENODEV);
			continue;
		}
		ret->gate = gate->id;
		ret->token = packet.wait_queue_token;
		ret->pid = (pid_t)packet.tgid;
		break;
	}
	return n;
}

int gate_deny(struct gate_engine *e, uint16_t id, uint32_t token, int code, struct err *err)
{
	struct gate *gate = find_gate(e, id);

	if (!gate)
		return err_set(err, EINVAL, "there is no gate %u", id);
	/* EINVAL: the token was answered already, nobody waits. */
	if (control(e, AUTOFS_DEV_IOCTL_FAIL, gate, token, code > 0 ? -code : -EACCES) < 0 && errno != EINVAL)
		return err_sys(err, "refuse at gate %u", id);
	return 0;
}

static void note_mount(struct gate *gate, int mnt)
{
	struct statx stx = { 0 };

	(void)statx(mnt, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID | STATX_INO, &stx);
	gate->mnt_id = stx.stx_mnt_id;
	gate->inode = stx.stx_ino;
}

int gate_attach(struct gate_engine *e, uint16_t id, int mnt, const uint32_t *tokens, size_t count, struct err *err)
{
	struct gate *gate = find_gate(e, id);
	char what[32];

	if (!gate)
		return err_set(err, EINVAL, "there is no gate %u", id);
	(void)snprintf(what, sizeof(what), "gate %u", id);
	/* Mounts stack: a second one would hide what is in use. */
	if (!gate->attached) {
		note_mount(gate, mnt);
		if (mnt_attach(mnt, gate->g, what, err) < 0)
			return -1;
		gate->attached = true;
	}
	for (size_t i = 0; i < count; i++) {
		if (control(e, AUTOFS_DEV_IOCTL_READY, gate, tokens[i], 0) < 0 && errno != EINVAL)
			return err_sys(err, "open gate %u", id);
	}
	return 0;
}

#define BUSY_TRIES 5u /* a path walk that is just passing is no holder */

/* From the trigger's root "." leads down to what is attached on top of it. Only
 * ever called while something is: on a bare trigger a lazy unmount would take
 * the trigger itself. 1: off the tree, and somebody still holds it; 0, -1. */
static int take_off(const struct gate *gate)
{
	const struct timespec pause = { 0, 1000000 };
	int rc = -1;

	if (fchdir(gate->g) < 0)
		return -1;
	for (unsigned int i = 0; i < BUSY_TRIES && rc < 0; i++) {
		rc = umount2(".", UMOUNT_NOFOLLOW);
		if (rc < 0 && errno != EBUSY)
			break;
		if (rc < 0)
			(void)nanosleep(&pause, NULL);
	}
	if (rc < 0 && errno == EBUSY && umount2(".", MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		rc = 1;
	if (chdir("/") < 0)
		abort(); /* we must not stay in a tree that an app moves about */
	return rc;
}

static uint32_t count_taken(struct gate_engine *e, const struct taken *taken)
{
	uint64_t others[GATES_PER_ENGINE];
	struct holders_of of = { .mnt_id = taken->mnt_id, .watch_dev = taken->watch_dev, .others = others };
	uint32_t held;
	bool unseen;

	for (size_t i = 0; i < e->count; i++) {
		if (e->gates[i].attached)
			others[of.other_count++] = e->gates[i].inode;
	}
	held = holders_count(e->proc, &of, &unseen);
	return held ? held : unseen;
}

/* Counts who holds what was taken off, now and before, and forgets what nobody holds. */
static uint32_t count_held(struct gate_engine *e, struct gate *gate)
{
	uint32_t held = gate->forgot, n;
	size_t kept = 0;

	for (size_t i = 0; i < gate->taken_count; i++) {
		n = count_taken(e, &gate->taken[i]);
		held += n;
		if (n)
			gate->taken[kept++] = gate->taken[i];
	}
	gate->taken_count = kept;
	return held;
}

static void remember_taken(struct gate *gate, const struct taken *now)
{
	for (size_t i = 0; i < gate->taken_count; i++) {
		if (gate->taken[i].watch_dev == now->watch_dev)
			gate->taken[i].watch_dev = 0; /* a watch counts once */
	}
	if (gate->taken_count < TAKEN_MAX)
		gate->taken[gate->taken_count++] = *now;
	else
		gate->forgot = true;
}

int gate_detach(struct gate_engine *e, uint16_t id, bool watched, uint32_t *ret_held, struct err *err)
{
	struct gate *gate = find_gate(e, id);
	int busy = 0;

	*ret_held = 0;
	if (!gate)
		return err_set(err, EINVAL, "there is no gate %u", id);
	if (gate->attached) {
		struct taken now = { .mnt_id = gate->mnt_id };

		if (watched)
			now.watch_dev = holders_mount_dev(e->proc, gate->mnt_id);
		busy = take_off(gate);
		if (busy < 0)
			return err_sys(err, "close gate %u", id);
		gate->attached = false;
		if (busy || now.watch_dev)
			remember_taken(gate, &now);
	}
	/* Counted after it is off the tree: nobody can open it anew meanwhile. /proc shows
	 * neither a descriptor that is on its way through a socket nor one that another
	 * app was handed; the kernel's own count does, this once. */
	*ret_held = count_held(e, gate);
	if (busy && *ret_held == 0)
		*ret_held = 1;
	return 0;
}

int gate_remove(struct gate_engine *e, uint16_t id, uint32_t *ret_held, struct err *err)
{
	struct gate *gate = find_gate(e, id);
	int rc;

	/* Watches do not keep a file system: it ends, and they with it. */
	if (gate_detach(e, id, false, ret_held, err) < 0)
		return -1;
	if (fchdir(gate->g) < 0)
		return err_sys(err, "enter gate %u", id);
	rc = umount2(".", MNT_DETACH | UMOUNT_NOFOLLOW);
	if (chdir("/") < 0)
		abort();
	if (rc < 0)
		return err_sys(err, "take gate %u away", id);
	gate->removed = ++e->removals;
	return 0;
}
