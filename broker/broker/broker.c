/* SPDX-License-Identifier: MIT
 *
 * Small services that several modules of the broker share: gates by number,
 * powered-on time, history.
 */
#include "broker/broker.h"

#include "base/fd.h"
#include "base/log.h"
#include "broker/lapse.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const struct gate *broker_gate(const struct broker *broker, uint16_t id)
{
	for (size_t i = 0; i < broker->gate_count; i++) {
		if (broker->gates[i].id == id)
			return &broker->gates[i];
	}
	return NULL;
}

int broker_powered_ms(struct broker *broker, struct store_txn *txn, uint64_t *ret, struct err *err)
{
	uint64_t now = loop_boot_ms();
	uint64_t passed = now - broker->powered_mark_ms;

	if (store_counter_add(txn, COUNTER_POWERED, passed, ret, err) < 0)
		return -1;
	broker->powered_mark_ms = now;
	broker->powered_ms = *ret;
	return 0;
}

uint64_t broker_powered_now(const struct broker *broker)
{
	return broker->powered_ms + (loop_boot_ms() - broker->powered_mark_ms);
}

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const uint8_t *)p)[i]) * 0x100000001b3ull;
	return h;
}

void broker_base_hash(uint8_t ret[HASH_SIZE])
{
	cleanup_free char *release = NULL;
	struct err err = { 0 };
	struct stat st = { 0 };
	uint64_t h = 0xcbf29ce484222325ull, part[3];
	size_t n = 0;

	if (fd_read_file(AT_FDCWD, "/etc/os-release", 65536, &release, &n, &err) == 0)
		h = mix(h, release, n);
	if (stat("/var/lib/dpkg/status", &st) == 0) {
		part[0] = (uint64_t)st.st_size;
		part[1] = (uint64_t)st.st_mtim.tv_sec;
		part[2] = (uint64_t)st.st_mtim.tv_nsec;
		h = mix(h, part, sizeof(part));
	}
	memset(ret, 0, HASH_SIZE);
	memcpy(ret, &h, sizeof(h));
}

bool broker_grant_live(const struct broker *broker, const struct grant_record *grant)
{
	if (grant->lapsed_wall_ms)
		return false;
	switch (grant->lasts.lasts) {
	case LASTS_ALWAYS:
		return true;
	case LASTS_BOOT:
		return strcmp(grant->boot_id, broker->boot_id) == 0;
	case LASTS_TIME:
		return strcmp(grant->boot_id, broker->boot_id) == 0 && loop_boot_ms() < grant->until_boot_ms;
	case LASTS_ONCE:
	case LASTS_RUN:
	case LASTS_COUNT:
		break;
	}
	return false; /* never stored: what claims so is not ours */
}

static void copy_text(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from ? from : "");
}

void broker_note_fill(const struct history_note *note, struct history_record *ret)
{
	*ret = (struct history_record){
		.wall_ms = loop_wall_ms(),
		.boot_ms = loop_boot_ms(),
		.kind = note->kind,
		.give = note->give,
		.before = note->before,
		.lasts = note->lasts,
		.session = note->session,
		.count = 1,
	};

	ret->last_wall_ms = ret->wall_ms;
	copy_text(ret->app, sizeof(ret->app), note->app);
	copy_text(ret->permission, sizeof(ret->permission), note->permission);
	copy_text(ret->item, sizeof(ret->item), note->item);
	copy_text(ret->what, sizeof(ret->what), note->what);
	copy_text(ret->why, sizeof(ret->why), note->why);
	copy_text(ret->program, sizeof(ret->program), note->program);
}

int broker_note(struct broker *broker, struct store_txn *txn, const struct history_note *note, struct err *err)
{
	struct history_record entry;

	broker_note_fill(note, &entry);
	return lapse_used(broker, txn, &entry, err) < 0 ? -1 : store_history_append(txn, &entry, err);
}

void broker_note_alone(struct broker *broker, const struct history_note *note)
{
	struct err err = { 0 };
	struct store_txn *txn = store_begin(broker->store, true, &err);

	if (!txn)
		goto fail;
	if (broker_note(broker, txn, note, &err) < 0) {
		store_abort(txn);
		goto fail;
	}
	if (store_commit(txn, &err) == 0)
		return;
fail:
	log_warn("history of '%s' not written: %s", note->app ? note->app : "-", err.msg);
}
