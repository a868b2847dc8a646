/* SPDX-License-Identifier: MIT
 *
 * The broker's process: started, served, and started anew when it dies. A
 * broker that dies again and again takes the system down with it: better no
 * apps than apps that nobody decides about.
 */
#include "cowbelld/daemon.h"
#include "cowbelld/firewall.h"

#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define RESTART_DELAY_MS 200u
#define JOBS_DELAY_MS 10u
#define DEATHS_WINDOW_MS 10000u

static void say_ready(struct daemon *d)
{
	d->broker_ready = true;
	if (d->options.ready_fd < 0)
		return;
	(void)!write(d->options.ready_fd, "READY=1\n", 8);
	(void)close(steal_fd(&d->options.ready_fd));
}

static void give_ranges(struct daemon *d)
{
	struct wr *w = xcalloc(1, sizeof(*w));
	struct err err = { 0 };
	size_t from = d->block_count;

	if (ids_claim_more(d, &err) < 0)
		log_warn("no more host ids: %s", err.msg);
	chan_begin(w, MSG_RANGES, 0);
	ids_encode(d, w, from);
	chan_send(d->broker, w, NULL, 0);
	free(w);
}

static bool on_message(void *data, struct msg *m)
{
	struct daemon *d = data;

	if (!msg_allowed(m->op, 'B', 'D'))
		return false;
	switch ((unsigned int)m->op) {
	case MSG_BROKER_READY:
		say_ready(d);
		return rd_end(&m->body);
	case MSG_RANGES_WANTED:
		give_ranges(d);
		return rd_end(&m->body);
	case MSG_LAUNCH:
		return session_handle_launch(d, m);
	case MSG_KILL:
		session_kill(d, m->id);
		return rd_end(&m->body);
	case MSG_OPEN:
		return opener_handle(d, m);
	case MSG_HAND:
		return hand_handle(d, m);
	case MSG_CLOSE:
		return devices_handle_close(d, m);
	case MSG_NET_LINK:
		return network_handle_link(d, m);
	case MSG_LISTEN_OPEN:
		return listen_handle_open(d, m);
	case MSG_FIREWALL_LOOK:
		return firewall_handle_look(d, m);
	case MSG_KEEPER:
		return jobs_handle_keeper(d, m);
	case MSG_CONTACTS:
		return jobs_handle_contacts(d, m);
	case MSG_PACKAGES:
		return jobs_handle_packages(d, m);
	case MSG_INSPECT:
		return jobs_handle_inspect(d, m);
	}
	return false;
}

static void on_gone(void *data, const struct err *err)
{
	struct daemon *d = data;

	if (err->code)
		log_warn("broker: %s", err->msg);
	chan_destroy(d->broker);
	d->broker = NULL;
	if (d->broker_pid > 0 && err->code)
		(void)kill(d->broker_pid, SIGKILL);
}

static const struct chan_ops broker_ops = { .on_message = on_message, .on_gone = on_gone };

/* Of a board that offers what is found, the lines are no promises to compare with. */
static void send_board(const struct daemon *d, struct wr *w)
{
	const struct board *b = &d->board;

	wr_str(w, b->name);
	wr_str(w, b->model);
	wr_str(w, d->board_why);
	wr_u16(w, b->found_only ? 0 : (uint16_t)b->thing_count);
	for (size_t i = 0; i < b->thing_count && !b->found_only; i++) {
		wr_u8(w, (uint8_t)b->things[i].kind);
		wr_str(w, b->things[i].value);
		wr_u8(w, b->things[i].unverified);
	}
}

static void send_hello(struct daemon *d)
{
	struct wr *w = xcalloc(1, sizeof(*w));
	int fds[2] = { d->listen_fd, d->meta_fd };

	chan_begin(w, MSG_BROKER_HELLO, 0);
	wr_str(w, d->boot_id);
	wr_u64(w, d->instance);
	wr_u32(w, d->owner_uid);
	wr_u32(w, d->owner_gid);
	wr_str(w, d->owner_name);
	wr_str(w, d->home);
	send_board(d, w);
	wr_str(w, d->root);
	wr_u64(w, d->cgroup.features | d->features);
	ids_encode(d, w, 0);
	wr_u16(w, (uint16_t)(d->resources.count + network_is_held(d) + volumes_are_named(d)));
	for (size_t i = 0; i < d->resources.count; i++) {
		const struct resource *r = &d->resources.resources[i];

		wr_u16(w, r->gate);
		wr_str(w, r->permission);
		wr_str(w, r->item);
		wr_str(w, r->path);
		wr_u8(w, r->exists);
	}
	if (network_is_held(d)) {
		wr_u16(w, GATE_NETWORK);
		wr_str(w, "network");
		wr_str(w, "");
		wr_str(w, "");
		wr_u8(w, 1);
	}
	if (volumes_are_named(d)) {
		wr_u16(w, GATE_VOLUMES);
		wr_str(w, "removable");
		wr_str(w, "");
		wr_str(w, "");
		wr_u8(w, 1);
	}
	session_encode_live(d, w);
	chan_send(d->broker, w, fds, 2);
	volumes_tell_all(d); /* before any session's channel: its gates are known then */
	free(w);
}

static void on_restart(void *data)
{
	struct daemon *d = data;
	struct err err = { 0 };

	loop_remove(d->broker_timer);
	d->broker_timer = NULL;
	if (!d->stopping && !jobs_end_all(d)) {
		d->broker_timer = loop_add_timer(d->loop, JOBS_DELAY_MS, on_restart, d);
		return;
	}
	if (!d->stopping && broker_start(d, &err) < 0) {
		log_warn("the broker cannot be started again: %s", err.msg);
		loop_stop(d->loop, 1);
	}
}

static void on_broker_dead(void *data, int status)
{
	struct daemon *d = data;
	uint64_t now = loop_boot_ms();
	size_t n = ARRAY_LEN(d->broker_deaths);

	d->broker_pid = 0;
	chan_destroy(d->broker);
	d->broker = NULL;
	if (d->stopping)
		return;
	(void)jobs_end_all(d);
	log_warn("the broker ended (status 0x%x)", status);
	if (!d->broker_ready && WIFEXITED(status)) {
		loop_stop(d->loop, 1); /* it never began: its own words say why */
		return;
	}
	memmove(d->broker_deaths, d->broker_deaths + 1, (n - 1) * sizeof(d->broker_deaths[0]));
	d->broker_deaths[n - 1] = now;
	if (d->broker_deaths[0] && now - d->broker_deaths[0] < DEATHS_WINDOW_MS) {
		log_warn("the broker died %zu times in %u s; no apps without it", n, DEATHS_WINDOW_MS / 1000);
		loop_stop(d->loop, 1);
		return;
	}
	d->broker_timer = loop_add_timer(d->loop, RESTART_DELAY_MS, on_restart, d);
}

int broker_start(struct daemon *d, struct err *err)
{
	int pair[2];
	struct spawn spawn = {
		.program = "cowbell-broker",
		.second = -1,
		.as_user = true,
		.uid = d->broker_uid,
		.gid = d->broker_uid,
	};

	if (chan_pair(pair, err) < 0)
		return -1;
	spawn.fd = pair[1];
	d->broker_pid = children_spawn(d, &spawn, err);
	(void)close(pair[1]);
	if (d->broker_pid < 0) {
		(void)close(pair[0]);
		return -1;
	}
	children_add(d, d->broker_pid, on_broker_dead, d);
	d->broker = chan_create(d->loop, pair[0], &broker_ops, d);
	if (!d->broker)
		return err_sys(err, "talk to the broker");
	send_hello(d);
	session_rewire(d);
	return 0;
}
