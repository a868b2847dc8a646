/* SPDX-License-Identifier: MIT
 *
 * cowbell-broker: decides and remembers. Started by cowbelld under a uid of its
 * own with one channel (fd 3); everything else it is given over that channel.
 */
#include "broker/broker.h"

#include "base/log.h"
#include "broker/app_log.h"
#include "broker/autostart.h"
#include "broker/background.h"
#include "broker/install.h"
#include "broker/job.h"
#include "broker/lapse.h"
#include "broker/listen.h"
#include "broker/mark.h"
#include "broker/notes.h"
#include "broker/policy_files.h"
#include "broker/prompt.h"
#include "broker/recover.h"
#include "broker/service.h"
#include "broker/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define PARENT_FD 3

static struct broker the_broker; /* main's; handed down, never named elsewhere */
static char **live_apps;

static void read_gates(struct broker *broker, struct rd *body)
{
	uint16_t n = rd_u16(body);

	if (n > GATES_MAX)
		body->bad = true;
	for (uint16_t i = 0; i < n && !body->bad; i++) {
		struct gate *gate = &broker->gates[broker->gate_count];
		char permission[32];

		gate->id = rd_u16(body);
		rd_str(body, permission, sizeof(permission));
		rd_str(body, gate->item, sizeof(gate->item));
		rd_str(body, gate->path, sizeof(gate->path));
		gate->exists = rd_u8(body) != 0;
		gate->permission = permission_find(permission);
		if (!gate->permission)
			fatal("cowbelld named a permission '%s' that does not exist", permission);
		broker->gate_count++;
	}
}

static void read_board(struct broker *broker, struct rd *body)
{
	struct board *b = &broker->board;
	uint16_t n;

	rd_str(body, b->name, sizeof(b->name));
	rd_str(body, b->model, sizeof(b->model));
	rd_str(body, broker->board_why, sizeof(broker->board_why));
	n = rd_u16(body);
	if (n > BOARD_THINGS_MAX)
		body->bad = true;
	for (uint16_t i = 0; i < n && !body->bad; i++) {
		struct board_thing *thing = &b->things[b->thing_count++];
		uint8_t kind = rd_u8(body);

		thing->kind = (enum board_kind)kind;
		rd_str(body, thing->value, sizeof(thing->value));
		thing->unverified = rd_u8(body) != 0;
		body->bad |= kind >= BOARD_KIND_COUNT;
	}
}

static int add_ranges(struct broker *broker, struct rd *body, struct err *err)
{
	struct store_txn *txn = store_begin(broker->store, true, err);
	uint16_t n = rd_u16(body);

	if (!txn)
		return -1;
	for (uint16_t i = 0; i < n; i++) {
		uint32_t base = rd_u32(body), count = rd_u32(body);

		for (uint32_t k = 0; k < count && k < 4096 && !body->bad; k++) {
			if (store_range_add(txn, base + k * ID_RANGE, err) < 0) {
				store_abort(txn);
				return -1;
			}
		}
	}
	return store_commit(txn, err);
}

static void skip_ranges(struct rd *body)
{
	uint16_t n = rd_u16(body);

	for (uint16_t i = 0; i < n; i++) {
		(void)rd_u32(body);
		(void)rd_u32(body);
	}
}

static void on_recovered(struct broker *broker)
{
	struct err err = { 0 };
	struct wr *w;

	broker->recovering = false;
	lapse_start(broker);
	session_settle_waiting(broker);
	if (service_start(broker, &err) < 0)
		fatal("the public socket cannot be served: %s", err.msg);
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_BROKER_READY, 0);
	chan_send(broker->parent, w, NULL, 0);
	free(w);
	autostart_begin(broker);
}

static bool read_hello(struct broker *broker, struct rd *body, struct rd *ret_ranges)
{
	rd_str(body, broker->boot_id, sizeof(broker->boot_id));
	broker->instance = rd_u64(body);
	broker->owner_uid = rd_u32(body);
	broker->owner_gid = rd_u32(body);
	rd_str(body, broker->owner_name, sizeof(broker->owner_name));
	rd_str(body, broker->home, sizeof(broker->home));
	read_board(broker, body);
	rd_str(body, broker->root, sizeof(broker->root));
	broker->features = rd_u64(body);
	*ret_ranges = *body;
	skip_ranges(body);
	read_gates(broker, body);
	return strv_decode(body, &live_apps) && rd_end(body);
}

static bool handle_hello(struct broker *broker, struct msg *m)
{
	struct err err = { 0 };
	struct rd ranges;

	if (broker->store || m->fd_count != 2 || !read_hello(broker, &m->body, &ranges))
		return false;
	broker->listen_fd = m->fds[0];
	m->fds[0] = -1;
	broker->state_fd = fcntl(m->fds[1], F_DUPFD_CLOEXEC, 3);
	if (broker->state_fd < 0)
		fatal("the store's folder: %s", strerror(errno));
	broker->store = store_open(m->fds[1], &err);
	if (!broker->store)
		fatal("%s", err.msg);
	broker->powered_mark_ms = loop_boot_ms();
	if (add_ranges(broker, &ranges, &err) < 0)
		log_warn("new id ranges not recorded: %s", err.msg);
	if (mark_ensure(broker->store, &err) < 0)
		log_warn("no mark was chosen: %s", err.msg);
	background_add_gate(broker);
	listen_add_gate(broker);
	policy_files_start(broker);
	broker->recovering = true;
	recover_start(broker, live_apps, on_recovered);
	return true;
}

static bool on_parent(void *data, struct msg *m)
{
	struct broker *broker = data;
	struct err err = { 0 };

	if (!msg_allowed(m->op, 'D', 'B'))
		return false;
	if (m->op == MSG_BROKER_HELLO)
		return handle_hello(broker, m);
	if (!broker->store)
		return false;
	if (m->op == MSG_RANGES) {
		if (add_ranges(broker, &m->body, &err) < 0)
			log_warn("new id ranges not recorded: %s", err.msg);
		install_ranges_came(broker);
		return true;
	}
	if ((m->op >= MSG_KEEPER && m->op <= MSG_CONTACTS_CHANNEL) || m->op == MSG_PACKAGES_CHANNEL ||
	    m->op == MSG_INSPECT_CHANNEL)
		return job_handle_parent(broker, m);
	return session_handle_parent(broker, m);
}

static void on_parent_gone(void *data, const struct err *err)
{
	struct broker *broker = data;

	if (err->code)
		log_warn("cowbelld: %s", err->msg);
	loop_stop(broker->loop, err->code ? 70 : 0);
}

static const struct chan_ops parent_ops = { .on_message = on_parent, .on_gone = on_parent_gone };

static void count_powered_time(struct broker *broker)
{
	struct err err = { 0 };
	struct store_txn *txn = store_begin(broker->store, true, &err);
	uint64_t value;

	if (txn && broker_powered_ms(broker, txn, &value, &err) == 0)
		(void)store_commit(txn, &err);
	else
		store_abort(txn);
}

static void finish(struct broker *broker)
{
	service_stop(broker);
	prompt_finish_all(broker);
	autostart_finish_all(broker);
	app_log_finish_all(broker);
	session_finish_all(broker);
	job_finish_all(broker);
	notes_finish(broker);
	if (broker->store)
		count_powered_time(broker);
	store_close(broker->store);
	chan_destroy(broker->parent);
	policy_files_stop(broker);
	strv_free(live_apps);
	loop_destroy(broker->loop);
}

int main(void)
{
	struct broker *broker = &the_broker;
	int code;

	log_init("cowbell-broker");
	(void)signal(SIGPIPE, SIG_IGN);
	/* A terminal's interrupt is for cowbelld, which ends us in order. */
	(void)signal(SIGINT, SIG_IGN);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	broker->loop = loop_create();
	broker->listen_fd = -1;
	if (!broker->loop)
		fatal("no event loop: %s", strerror(errno));
	if (fcntl(PARENT_FD, F_SETFD, FD_CLOEXEC) < 0)
		fatal("started by hand: cowbelld starts this program");
	broker->parent = chan_create(broker->loop, PARENT_FD, &parent_ops, broker);
	if (!broker->parent)
		fatal("no channel to cowbelld: %s", strerror(errno));
	code = loop_run(broker->loop);
	finish(broker);
	return code < 0 ? 70 : code;
}
