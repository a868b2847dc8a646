/* SPDX-License-Identifier: MIT
 *
 * The short part of a launch, between JOB and the first command. pid 1 gets its
 * ids first and turns into cowbell-init on the other processor meanwhile; it
 * runs nothing before its root stands, because nobody asks it to.
 */
#include "supervise/supervise.h"

#include "base/fd.h"
#include "platform/arm/gate.h"
#include "platform/arm/guard.h"
#include "platform/arm/ids.h"
#include "platform/arm/mask.h"
#include "platform/arm/mask_keep.h"
#include "platform/arm/mnt.h"
#include "platform/arm/root.h"
#include "supervise/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int enter_cgroup(const struct spare *spare, int cgroup_fd, struct err *err)
{
	cleanup_fd int fd = -1;
	char text[16];
	struct stat st;

	if (fstat(cgroup_fd, &st) < 0)
		return err_sys(err, "look at the app's control group");
	if (st.st_dev == spare->cgroup_dev && st.st_ino == spare->cgroup_ino)
		return 0;
	fd = openat(cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	(void)snprintf(text, sizeof(text), "%d\n", spare->init_pid);
	if (fd < 0 || fd_write_full(fd, text, strlen(text)) < 0)
		return err_sys(err, "put the app into its control group");
	return 0;
}

static int release_init(struct supervise *s, struct err *err)
{
	uint8_t kind = (uint8_t)s->kind;

	if (fd_write_full(s->spare.go, &kind, 1) < 0)
		return err_sys(err, "let the app's first process go on");
	(void)close(s->spare.go);
	s->spare.go = -1;
	return 0;
}

static int open_layer(int store, uint64_t lid, const char *part, struct err *err)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "layers/%016llx/%s", (unsigned long long)lid, part);
	fd = fd_open_beneath(store, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	return fd < 0 ? err_sys(err, "open layer '%s'", path) : fd;
}

static void close_layers(struct root_layers *layers)
{
	for (size_t i = 0; i < layers->frozen_count; i++)
		(void)close(layers->frozen[i]);
	if (layers->work >= 0)
		(void)close(layers->work);
	layers->frozen_count = 0;
	layers->work = -1;
}

/* upper stays open past close_layers: it tells at the end whether anything was
 * written. */
static int open_layers(struct supervise *s, const struct launch *launch, struct root_layers *ret, struct err *err)
{
	*ret = (struct root_layers){ .upper = -1, .work = -1 };
	for (uint16_t i = 0; i < launch->layer_count; i++) {
		int fd = open_layer(s->spare.store, launch->layers[i], "fs", err);

		if (fd < 0)
			return -1;
		ret->frozen[ret->frozen_count++] = fd;
	}
	s->upper = ret->upper = open_layer(s->spare.store, launch->upper, "fs", err);
	if (s->upper < 0)
		return -1;
	ret->work = open_layer(s->spare.store, launch->upper, "work", err);
	return ret->work < 0 ? -1 : 0;
}

static int use_mask(struct supervise *s, int mask)
{
	if (mask < 0)
		return -1;
	(void)close(s->spare.mask);
	s->spare.mask = mask;
	return 0;
}

/* Linux before 6.3 cannot show a tmpfs by a map: the app gets a copy with its own
 * ids then. */
static int map_mask(struct supervise *s, int userns, struct err *err)
{
	struct err why = { 0 };

	/* An installer is root inside: only the mask keeps it from a secret that came
	 * to /etc while the spare stood ready. */
	if (s->kind == SESSION_INSTALL && !mask_is_fresh(s->spare.mask, &s->spare.view) &&
	    use_mask(s, mask_create(&s->spare.view, 0, err)) < 0)
		return -1;
	if (mnt_set(s->spare.mask, 0, userns, &why) == 0)
		return 0;
	if (why.code != EINVAL) {
		*err = why;
		return err_wrap(err, "mask");
	}
	return use_mask(s, mask_copy(s->spare.mask, s->base, err));
}

static int build_root(struct supervise *s, const struct launch *launch, struct root *ret, struct err *err)
{
	cleanup_fd int userns = ids_namespace(s->init_pid, "user", err);
	struct root_layers layers;
	int r = -1;

	if (userns < 0)
		return -1;
	if (open_layers(s, launch, &layers, err) == 0 && map_mask(s, userns, err) == 0)
		r = root_build(ret, s->spare.scratch, s->spare.mask, userns, &layers, err);
	close_layers(&layers);
	return r;
}

static struct root_owner root_inside(const struct supervise *s)
{
	return (struct root_owner){ s->base, s->base };
}

static struct root_owner owner_inside(const struct supervise *s)
{
	return (struct root_owner){ s->base + s->spare.view.owner.uid, s->base + s->spare.view.owner.gid };
}

/* A mount point whose last name, or what of it lies below the home, is the owner's. */
static int owned_mount_point(struct supervise *s, int root_fd, const char *path, struct err *err)
{
	const char *home = s->spare.view.owner.home;
	size_t below = (size_t)(strrchr(path, '/') - path);

	if (platform_path_is_within(path, home) && strlen(home) < below)
		below = strlen(home);
	return root_mount_point(root_fd, path, below, root_inside(s), owner_inside(s), err);
}

static int attach_proc(struct supervise *s, int root_fd, struct err *err)
{
	cleanup_fd int target = root_mount_point(root_fd, "/proc", 0, root_inside(s), root_inside(s), err);

	return target < 0 ? -1 : mnt_attach(s->spare.proc, target, "/proc", err);
}

/* The private /tmp, /run or /dev/shm would hide a home that lies in it: the
 * app's own home, taken before, is bound into the private tree. */
static int attach_trees(struct supervise *s, int root_fd, struct err *err)
{
	static const char *const covers[] = { "/tmp", "/run", "/dev" };
	const char *home = s->spare.view.owner.home;
	cleanup_fd int own = owned_mount_point(s, root_fd, home, err);
	cleanup_fd int bind = -1, target = -1;

	if (own < 0 || tree_attach(&s->spare.tree, root_fd, s->base, &s->spare.view.owner, err) < 0 ||
	    attach_proc(s, root_fd, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(covers); i++) {
		if (!platform_path_is_within(home, covers[i]))
			continue;
		bind = mnt_clone(own, "", err);
		if (bind < 0)
			return -1;
		target = owned_mount_point(s, root_fd, home, err);
		return target < 0 ? -1 : mnt_attach(bind, target, home, err);
	}
	return 0;
}

/* Opens each gate's vault, then covers all of them: from here on only this
 * process reaches what was given as empty or as a copy. */
static int take_vaults(struct supervise *s, int root_fd, struct err *err)
{
	static const struct mnt_option options[] = { { "mode", "0700" }, { "size", "4k" }, { NULL, NULL } };
	cleanup_fd int cover = -1, target = -1;
	char path[64];

	for (size_t i = 0; i < s->spare.view.gate_count; i++) {
		int vault;

		if (s->spare.view.gates[i].kind != PLATFORM_GATE_FOLDER)
			continue; /* nothing of a device is kept for the app */
		(void)snprintf(path, sizeof(path), "/" PLATFORM_VAULT "/%u", s->spare.view.gates[i].gate);
		vault = root_mount_point(root_fd, path, 0, root_inside(s), root_inside(s), err);
		if (vault < 0)
			return -1;
		questions_set_vault(&s->questions, i, vault);
	}
	cover = mnt_new("tmpfs", MNT_PLAIN | MOUNT_ATTR_RDONLY, options, err);
	if (cover < 0)
		return -1;
	target = root_mount_point(root_fd, "/" PLATFORM_VAULT, 0, root_inside(s), root_inside(s), err);
	return target < 0 ? -1 : mnt_attach(cover, target, "/" PLATFORM_VAULT, err);
}

static int attach_gates(struct supervise *s, int root_fd, struct err *err)
{
	for (size_t i = 0; i < s->spare.view.gate_count; i++) {
		const struct platform_gate *g = &s->spare.view.gates[i];
		cleanup_fd int target = owned_mount_point(s, root_fd, g->path, err);

		if (target < 0 || gate_add(s->spare.gates, g->gate, target, err) < 0)
			return err_wrap(err, "gate '%s'", g->path);
	}
	return 0;
}

static void close_spare(struct spare *spare)
{
	tree_finish(&spare->tree);
	(void)close(spare->scratch);
	(void)close(spare->store);
	(void)close(spare->mask);
	(void)close(spare->home_ns);
	spare->scratch = spare->store = spare->mask = -1;
}

/* Installers are root inside and could hand their files to the group. */
static uint32_t device_gid(const struct supervise *s)
{
	return s->kind == SESSION_RUN ? s->spare.view.device_gid : 0;
}

int assemble(struct supervise *s, const struct launch *launch, int cgroup_fd, struct err *err)
{
	struct root root = { -1, -1 };

	if (enter_cgroup(&s->spare, cgroup_fd, err) < 0 || ids_map(s->init_pid, s->base, device_gid(s), err) < 0 ||
	    release_init(s, err) < 0)
		return -1;
	if (build_root(s, launch, &root, err) < 0)
		return -1;
	s->root_mnt = root.mnt;
	if (attach_trees(s, root.fd, err) < 0 || take_vaults(s, root.fd, err) < 0 ||
	    attach_gates(s, root.fd, err) < 0 || volume_make_places(s, root.fd, err) < 0 || root_enter(&root, err) < 0) {
		(void)close(root.fd);
		return -1;
	}
	(void)close(root.fd);
	close_spare(&s->spare);
	return guard_close(err);
}
