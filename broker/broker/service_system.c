/* SPDX-License-Identifier: MIT
 *
 * History, plans and the health of the system on the public socket.
 */
#include "broker/firewall.h"
#include "broker/notes.h"
#include "broker/policy_files.h"
#include "broker/service.h"
#include "varlink/server.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define HISTORY_REPLY 500u

struct history_walk {
	struct history_record last[HISTORY_REPLY];
	size_t count;
	const char *item;
	uint64_t before;
};

static int add_entry(void *data, const struct history_record *entry)
{
	struct history_walk *walk = data;
	size_t slot;

	if (walk->before && entry->seq >= walk->before)
		return 1; /* in order: nothing smaller follows */
	if (walk->item && walk->item[0] && strcmp(entry->item, walk->item) != 0)
		return 0;
	slot = walk->count++ % HISTORY_REPLY;
	walk->last[slot] = *entry; /* JSON only of what is sent: history is long */
	return 0;
}

/* The latest entries that fit a reply, oldest first. */
SERVICE_METHOD(service_history)
{
	struct broker *broker = data;
	const char *permission = service_str(params, "permission");
	struct permission_ref ref = { 0 };
	struct history_walk *walk;
	struct store_txn *txn;
	struct err err = { 0 };
	json_t *history;
	size_t from;

	if (permission && permission_ref_parse(permission, &ref, &err) < 0) {
		service_fail(call, &err);
		return;
	}
	walk = xcalloc(1, sizeof(*walk));
	walk->item = ref.item;
	walk->before = service_int(params, "before");
	notes_flush(broker);
	txn = store_begin(broker->store, false, &err);
	if (!txn || store_history_each(txn, service_str(params, "app"), ref.permission ? ref.permission->name : NULL,
				       service_int(params, "since"), add_entry, walk, &err) < 0) {
		service_fail(call, &err);
	} else {
		history = json_array();
		from = walk->count > HISTORY_REPLY ? walk->count - HISTORY_REPLY : 0;
		for (size_t i = from; i < walk->count; i++)
			json_array_append_new(history, service_json_history(&walk->last[i % HISTORY_REPLY]));
		varlink_reply(call, json_pack("{s:o}", "history", history));
	}
	store_abort(txn);
	free(walk);
}

/* --- plan --- */

static void add_step(json_t *steps, const char *what, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void add_step(json_t *steps, const char *what, const char *fmt, ...)
{
	char detail[PATH_SIZE + 256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	json_array_append_new(steps, json_pack("{s:s, s:s}", "what", what, "detail", detail));
}

static void plan_layers(json_t *steps, const struct app_record *app, const struct generation_record *head)
{
	add_step(steps, "base", "/ of the host, read-only, mapped to the app's ids, under the mask");
	for (int i = head->layer_count - 1; i >= 0; i--)
		add_step(steps, "layer", "%016llx, frozen", (unsigned long long)head->layers[i]);
	add_step(steps, "upper", "%016llx, this session's changes", (unsigned long long)app->live);
}

static void plan_gates(struct broker *broker, json_t *steps)
{
	for (size_t i = 0; i < broker->gate_count; i++) {
		const struct gate *gate = &broker->gates[i];
		char path[PATH_SIZE * 2];

		text_escape(gate->path, strlen(gate->path), path, sizeof(path)); /* a volume's name is anybody's */
		add_step(steps, "gate", "%s%s%s at %s%s", gate->permission->name, gate->item[0] ? ":" : "", gate->item, path,
			 gate->exists ? "" : " (not there on the host)");
	}
}

SERVICE_METHOD(service_plan)
{
	struct broker *broker = data;
	struct app_record app = { 0 };
	struct generation_record head = { 0 };
	struct err err = { 0 };
	struct store_txn *txn;
	json_t *steps;

	if (service_get_app(broker, call, service_str(params, "app"), &app) != 1)
		return;
	txn = store_begin(broker->store, false, &err);
	if (!txn || (app.head && store_generation_get(txn, app.id, app.head, &head, &err) < 0)) {
		service_fail(call, &err);
		goto out;
	}
	steps = json_array();
	add_step(steps, "ids", "0..65535 inside are %u..%u on the host", app.base, app.base + ID_RANGE - 1);
	add_step(steps, "user", "%s, uid %u, gid %u, no capabilities, no new privileges", broker->owner_name,
		 broker->owner_uid, broker->owner_gid);
	add_step(steps, "namespaces", "user, pid, ipc, uts, cgroup of its own; mount and network owned by the system");
	plan_layers(steps, &app, &head);
	add_step(steps, "private", "/dev /proc /sys /tmp /run, home %s", broker->home);
	plan_gates(broker, steps);
	add_step(steps, "network", "%s",
		 broker->features & (FEATURE_NET_QUEUE | FEATURE_NET_COMPAT)
			 ? "cold: loopback only; the first packet to anywhere waits"
			 : "cold: loopback only, everything else is refused at once");
	add_step(steps, "seccomp", "no namespaces, mounts, io_uring, bpf, keyrings, ptrace, odd sockets");
	add_step(steps, "program", "%s", app.command_count ? app.commands[0] : "(none of its own)");
	varlink_reply(call, json_pack("{s:o}", "steps", steps));
out:
	store_abort(txn);
	app_record_finish(&app);
}

/* --- doctor --- */

static void probe_state(json_t *probes, const char *name, const char *state, const char *found, const char *cost,
			const char *cure)
{
	bool ok = strcmp(state, "ok") == 0;

	json_array_append_new(probes, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "state", state, "found", found,
						"cost", ok ? "" : cost, "cure", ok ? "" : cure));
}

static void probe(json_t *probes, const char *name, bool ok, const char *found, const char *cost, const char *cure)
{
	probe_state(probes, name, ok ? "ok" : "missing", found, cost, cure);
}

static void probe_kernel(struct broker *broker, json_t *probes)
{
	probe(probes, "overlay, autofs, namespaces", true, "checked when cowbelld started", "", "");
	probe(probes, "cgroup v2 kill", broker->features & FEATURE_CGROUP_KILL,
	      broker->features & FEATURE_CGROUP_KILL ? "cgroup.kill" : "not there",
	      "sessions are ended process by process", "a kernel from 5.14 on");
	probe(probes, "memory limit", broker->features & FEATURE_CGROUP_MEMORY,
	      broker->features & FEATURE_CGROUP_MEMORY ? "memory.max" : "the memory controller is not on cgroup v2",
	      "an app can use all memory, though the kernel ends apps before anything else", "boot with systemd.unified_cgroup_hierarchy=1 or cgroup_no_v1=memory");
	probe_state(probes, "process limit", broker->features & FEATURE_CGROUP_PIDS ? "ok" : "limited",
		    broker->features & FEATURE_CGROUP_PIDS
			    ? "4096 an app, by pids.max"
			    : "4096 an app, by RLIMIT_NPROC: the pids controller is not on cgroup v2",
		    "an installer, which may change its user, can start more",
		    "boot with systemd.unified_cgroup_hierarchy=1 or cgroup_no_v1=pids");
	probe(probes, "reflinks in the store", broker->features & FEATURE_REFLINK,
	      broker->features & FEATURE_REFLINK ? "files share their blocks" : "the store's file system copies",
	      "the first change of a big file copies all of it", "keep the store on XFS or Btrfs");
	probe(probes, "network gate", broker->features & (FEATURE_NET_QUEUE | FEATURE_NET_COMPAT),
	      broker->features & FEATURE_NET_QUEUE    ? "nft queue"
	      : broker->features & FEATURE_NET_COMPAT ? "NFQUEUE through nft_compat"
						      : "packets cannot be held (cowbelld's log says what failed)",
	      "every use of the network is refused at once",
	      "a kernel with nf_tables, nft_queue (or nft_compat and xt_NFQUEUE), veth and conntrack");
	probe(probes, "IPv6 for apps", broker->features & FEATURE_NET_IPV6,
	      broker->features & FEATURE_NET_IPV6 ? "forwarded" : "not forwarded, or the host has none",
	      "apps reach the network by IPv4 alone",
	      "Linux 6.17, or net.ipv6.conf.all.forwarding=1 with accept_ra=2 on the uplink");
}

static void probe_files(struct broker *broker, json_t *probes)
{
	const char *trouble;
	char text[128];

	(void)snprintf(text, sizeof(text), "%llu broken records",
		       (unsigned long long)store_broken_records(broker->store));
	probe(probes, "store", store_broken_records(broker->store) == 0, text, "what they held is asked again or lost",
	      "cowbell uninstall the apps that cannot run");
	trouble = policy_files_trouble(broker);
	probe(probes, "policy files", !trouble[0], trouble[0] ? trouble : "read, and watched",
	      "what the file was meant to say is not in force", "mend the file; cowbell policy check FILE says more");
}

struct doctor {
	struct broker *broker;
	struct varlink_call *call;
};

/* What cowbelld saw of the host's firewall is the last that comes. */
static void on_firewall(void *data, json_t *firewall)
{
	struct doctor *doctor = data;
	struct broker *broker = doctor->broker;
	struct utsname kernel = { 0 };
	json_t *probes = json_array();

	(void)uname(&kernel);
	probe_kernel(broker, probes);
	json_array_extend(probes, firewall);
	json_decref(firewall);
	probe_files(broker, probes);
	service_board_probes(broker, probes);
	varlink_reply(doctor->call, json_pack("{s:o, s:s, s:s, s:s, s:s, s:s}", "probes", probes, "board",
					      broker->board.name, "model", broker->board.model, "board_why",
					      broker->board_why, "root", broker->root, "kernel", kernel.release));
	free(doctor);
}

SERVICE_METHOD(service_doctor)
{
	struct doctor *doctor = xcalloc(1, sizeof(*doctor));

	(void)params;
	doctor->broker = data;
	doctor->call = call;
	firewall_probes(data, on_firewall, doctor);
}
