/* SPDX-License-Identifier: MIT
 *
 * The order is the kernel's: process group before autofs, private mounts before
 * any layer is opened, the network before pid 1 is cloned so that both are
 * owned by the initial user namespace and out of the app's reach.
 */
#include "supervise/supervise.h"

#include "base/fd.h"
#include "base/log.h"
#include "platform/arm/gate.h"
#include "platform/arm/ids.h"
#include "platform/arm/mask.h"
#include "platform/arm/mask_keep.h"
#include "platform/arm/net.h"
#include "platform/arm/mnt.h"
#include "platform/arm/proc.h"
#include "platform/arm/root.h"
#include "supervise/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define OOM_SCORE "500"

/* What the waiting child needs, by number, once everything else is closed. */
enum { CHILD_CHANNEL = 3, CHILD_SECCOMP = 4, CHILD_PROGRAM = 5, CHILD_GO = 6, CHILD_FDS };

static void copy_view(struct platform_view *view, const struct prepare *p)
{
	struct platform_gate *gates = xcalloc(p->gate_count, sizeof(*gates));
	struct platform_link *links = xcalloc(p->link_count + 1u, sizeof(*links));
	const char **hidden = xcalloc(p->hidden_count, sizeof(*hidden));
	const char **volumes = xcalloc(p->volumes_count + 1u, sizeof(*volumes));

	for (uint16_t i = 0; i < p->gate_count; i++) {
		gates[i].gate = p->gates[i].gate;
		gates[i].kind = (enum platform_gate_kind)p->gates[i].kind;
		gates[i].path = xstrdup(p->gates[i].path);
	}
	for (uint16_t i = 0; i < p->link_count; i++)
		links[i] = (struct platform_link){ xstrdup(p->links[i].path), xstrdup(p->links[i].target) };
	for (uint16_t i = 0; i < p->hidden_count; i++)
		hidden[i] = xstrdup(p->hidden[i]);
	view->owner = (struct platform_owner){
		.name = xstrdup(p->user), .home = xstrdup(p->home), .uid = p->uid, .gid = p->gid,
	};
	view->gates = gates;
	view->gate_count = p->gate_count;
	view->links = links;
	view->link_count = p->link_count;
	view->device_gid = p->device_gid;
	for (uint16_t i = 0; i < p->volumes_count; i++)
		volumes[i] = xstrdup(p->volumes[i]);
	view->volumes = volumes;
	view->volume_count = p->volumes_count;
	view->hidden = hidden;
	view->hidden_count = p->hidden_count;
}

/* Devices live in the private trees, and nothing else does. */
static bool is_in_place(const struct platform_gate *gate)
{
	switch (gate->kind) {
	case PLATFORM_GATE_FOLDER:
		return true;
	case PLATFORM_GATE_SYSFS:
		return platform_path_is_within(gate->path, "/sys/devices");
	case PLATFORM_GATE_NODES:
		return platform_path_is_within(gate->path, "/dev");
	}
	return false;
}

static int check_view(const struct platform_view *view, struct err *err)
{
	for (size_t i = 0; i < view->gate_count; i++) {
		if (!platform_path_is_clean(view->gates[i].path))
			return err_set(err, EINVAL, "gate '%s' is not a clean absolute path", view->gates[i].path);
		if (!is_in_place(&view->gates[i]))
			return err_set(err, EINVAL, "gate '%s' is at no place for its kind", view->gates[i].path);
		for (size_t k = 0; k < i; k++) {
			if (view->gates[k].gate == view->gates[i].gate)
				return err_set(err, EINVAL, "gate %u is named twice", view->gates[i].gate);
		}
	}
	for (size_t i = 0; i < view->volume_count; i++) {
		if (!platform_path_is_clean(view->volumes[i]))
			return err_set(err, EINVAL, "'%s' is no clean absolute path for volumes", view->volumes[i]);
	}
	for (size_t i = 0; i < view->link_count; i++) {
		if (!platform_path_is_clean(view->links[i].path))
			return err_set(err, EINVAL, "link '%s' is not a clean absolute path", view->links[i].path);
	}
	return 0;
}

/* Its own names for its own things, as root of its user namespace. The host
 * groups of the supervisor must go: mapped or not, they open files. */
static int become_root_inside(void)
{
	if (setsid() < 0 || setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return -1;
	if (unshare(CLONE_NEWCGROUP) < 0 || sethostname("app", 3) < 0)
		return -1;
	/* The session keyring of whoever started cowbelld is not the app's. */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	(void)umask(022);
	return 0;
}

static void child_keep_fds(const int fds[CHILD_FDS])
{
	int high[CHILD_FDS];

	for (int i = 3; i < CHILD_FDS; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, CHILD_FDS);
		if (high[i] < 0)
			_exit(1);
	}
	for (int i = 3; i < CHILD_FDS; i++) {
		if (dup3(high[i], i, i >= CHILD_PROGRAM ? O_CLOEXEC : 0) < 0)
			_exit(1);
	}
	if (syscall(SYS_close_range, CHILD_FDS, ~0u, 0) < 0)
		_exit(1);
}

/* Waits for its ids and its cgroup, then turns into cowbell-init. Nothing of the
 * supervisor's memory and descriptors outlives that. */
static void child_main(const struct platform_owner *owner, const int fds[CHILD_FDS]) __attribute__((noreturn));
static void child_main(const struct platform_owner *owner, const int fds[CHILD_FDS])
{
	char uid[16], gid[16], name[] = "cowbell-init", run[] = "run", install[] = "install", service[] = "service";
	char *argv[] = { name, run, uid, gid, NULL };
	char *envp[] = { NULL };
	sigset_t none;
	uint8_t kind;

	child_keep_fds(fds);
	if (fd_read_full(CHILD_GO, &kind, 1) != 1)
		_exit(1);
	if (kind == SESSION_INSTALL)
		argv[1] = install;
	else if (kind == SESSION_SERVICE)
		argv[1] = service;
	(void)snprintf(uid, sizeof(uid), "%u", owner->uid);
	(void)snprintf(gid, sizeof(gid), "%u", owner->gid);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (become_root_inside() < 0)
		_exit(2);
	(void)syscall(SYS_execveat, CHILD_PROGRAM, "", argv, envp, AT_EMPTY_PATH);
	_exit(3);
}

/* No mount, network or cgroup namespace of its own: it must not own ours. */
static int clone_init(struct spare *spare, const struct spare_fds *from, uint32_t counted_uid, struct err *err)
{
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS,
		.exit_signal = SIGCHLD,
	};
	int channel[2], go[2];
	struct stat st;
	long pid;

	/* Born in its group: moving there later waits for every processor to pass a
	 * quiet state (11 ms here), in the middle of the launch. */
	if (from->cgroup >= 0) {
		if (fstat(from->cgroup, &st) < 0)
			return err_sys(err, "look at the control group");
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)from->cgroup;
		spare->cgroup_dev = st.st_dev;
		spare->cgroup_ino = st.st_ino;
	}

	if (chan_pair(channel, err) < 0)
		return -1;
	if (pipe2(go, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	pid = ids_clone(&args, counted_uid);
	if (pid == 0) {
		const int fds[CHILD_FDS] = { 0, 1, 2, channel[1], from->seccomp, from->program, go[0] };

		child_main(&spare->view.owner, fds);
	}
	if (pid < 0)
		return err_sys(err, "clone the app's first process into new namespaces");
	(void)close(channel[1]);
	(void)close(go[0]);
	spare->init_pid = (pid_t)pid;
	spare->init_chan = channel[0];
	spare->go = go[1];
	return 0;
}

static int prepare_proc(struct spare *spare, struct err *err)
{
	cleanup_fd int pidns = ids_namespace(spare->init_pid, "pid", err);

	if (pidns < 0)
		return -1;
	spare->proc = proc_create(pidns, err);
	if (spare->proc < 0 || mnt_attach_at(spare->proc, spare->scratch, ROOT_SCRATCH_PROC, err) < 0)
		return -1;
	return proc_cover(spare->proc, spare->tree.dev, err);
}

static int own_mounts(struct spare *spare, const char *store, struct err *err)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "make a private mount namespace");
	/* After the line above: layers must be opened in the namespace they are mounted in. */
	spare->store = open(store, O_PATH | O_DIRECTORY | O_CLOEXEC);
	spare->host_proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (spare->store < 0 || spare->host_proc < 0)
		return err_sys(err, "open store '%s'", store);
	spare->home_ns = openat(spare->host_proc, "thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return spare->home_ns < 0 ? err_sys(err, "open our mount namespace") : 0;
}

/* The one that was kept, if the host still is as it was; else a new one, to keep if
 * that can be told of it later. */
static int prepare_mask(struct spare *spare, int kept, struct err *err)
{
	struct err why = { 0 };

	spare->keep = -1;
	spare->mask = mask_take(kept, spare->home_ns, &spare->view);
	if (spare->mask >= 0)
		return 0;
	spare->mask = mask_create(&spare->view, 0, err);
	if (spare->mask < 0 || !mask_is_fresh(spare->mask, &spare->view))
		return spare->mask < 0 ? -1 : 0;
	spare->keep = mask_keep(spare->mask, spare->home_ns, spare->host_proc, &why);
	spare->mask = mask_take(spare->keep, spare->home_ns, &spare->view);
	if (spare->mask >= 0)
		return 0;
	if (why.code)
		log_warn("each app has a mask of its own: %s", why.msg);
	spare->mask = mask_create(&spare->view, 0, err);
	return spare->mask < 0 ? -1 : 0;
}

static int enter_network(const struct prepare *p, struct network *network, struct err *err)
{
	struct net_addresses addresses;

	network->hold = (enum net_hold)p->hold;
	net_addresses_of(&addresses, p->instance, p->pool, p->slot);
	addresses.has6 = p->has6 != 0;
	return netcold_enter(network->hold, &addresses, &network->sock, err);
}

/* When memory runs out the kernel ends apps before anything of the host. Said by us,
 * the app cannot lower it: only the bound that its parent's root set counts. Where
 * even that is refused, apps are as everybody else. */
static void expect_oom(const struct spare *spare)
{
	cleanup_free char *path = xasprintf("%d/oom_score_adj", spare->init_pid);
	cleanup_fd int fd = openat(spare->host_proc, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || fd_write_full(fd, OOM_SCORE, strlen(OOM_SCORE)) < 0)
		log_warn("apps are not the first to go when memory runs out: %s", strerror(errno));
}

int spare_prepare(struct spare *spare, const struct prepare *prepare, const struct spare_fds *fds, struct err *err)
{
	copy_view(&spare->view, prepare);
	if (check_view(&spare->view, err) < 0 || root_check_host(err) < 0)
		return -1;
	(void)umask(0);
	if (chdir("/") < 0)
		return err_sys(err, "enter '/'");
	spare->gates = gate_engine_create(err);
	if (!spare->gates || own_mounts(spare, prepare->store, err) < 0)
		return -1;
	/* The mask reads the mounts as the host has them: before we add any. */
	if (volume_let_go(&spare->view, err) < 0 || prepare_mask(spare, fds->mask, err) < 0 || enter_network(prepare, fds->network, err) < 0 ||
	    clone_init(spare, fds, prepare->counted_uid, err) < 0)
		return -1;
	spare->scratch = root_scratch(spare->store, err);
	if (spare->scratch < 0 || tree_prepare(&spare->tree, spare->scratch, &spare->view, err) < 0)
		return -1;
	expect_oom(spare);
	return prepare_proc(spare, err);
}
