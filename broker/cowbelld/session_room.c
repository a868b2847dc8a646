/* SPDX-License-Identifier: MIT
 *
 * The disk is not filled to its last byte by an app: while sessions run, free room
 * is looked at, the more often the less there is. Below the floor, an app that has
 * written much is frozen; and when room is lost to whom we cannot tell, all are,
 * since room can be taken without writing. Nothing is lost by it: they go on when
 * there is room again, and can be stopped meanwhile.
 */
#include "cowbelld/session_impl.h"

#include "base/disk.h"
#include "base/log.h"

#include <fcntl.h>

#define RATE ((uint64_t)1 << 20)  /* bytes a millisecond: how fast it may be filled at most */
#define LOOK_MIN_MS 50u
#define LOOK_LOW_MS 200u
#define LOOK_MAX_MS 30000u

static void tell(const struct session *s, const struct disk_room *look)
{
	struct wr *w;

	if (!s->d->broker)
		return;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_HELD, s->id);
	wr_u8(w, s->held);
	wr_u64(w, look->free);
	wr_u64(w, look->floor);
	chan_send(s->d->broker, w, NULL, 0);
	free(w);
}

static void hold(struct session *s, bool held, const struct disk_room *look)
{
	struct err err = { 0 };

	if (s->held == held || s->cgroup < 0)
		return;
	if (cgroup_freeze(s->cgroup, held, &err) < 0) {
		log_warn("'%s' while the disk is nearly full: %s", s->launch.app, err.msg);
		return;
	}
	s->held = held;
	tell(s, look);
}

void room_tell(const struct session *s)
{
	struct disk_room look;

	if (s->held && disk_room(s->d->store_fd, &look) == 0)
		tell(s, &look);
}

/* From here on is counted what each takes. */
static void begin_anew(struct daemon *d, const struct disk_room *look)
{
	cleanup_fd int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	d->room.reference = look->free > look->floor ? look->floor : look->free;
	d->room.resume = 0;
	for (struct session *s = d->sessions; s; s = s->next) {
		if (s->state == LIVE) {
			hold(s, false, look);
			s->wrote = cgroup_bytes_written(s->cgroup, proc);
		}
	}
}

static void hold_who_took(struct daemon *d, const struct disk_room *look)
{
	cleanup_fd int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const uint64_t level = d->room.reference;
	bool lost = look->free < look->floor / 2 && look->free + look->floor / 4 < level, any = false;

	for (struct session *s = d->sessions; s; s = s->next) {
		if (s->state == LIVE && !s->held && cgroup_bytes_written(s->cgroup, proc) > s->wrote + look->floor / 8) {
			hold(s, true, look);
			any |= s->held;
		}
	}
	for (struct session *s = d->sessions; lost && !any && s; s = s->next) {
		if (s->state == LIVE)
			hold(s, true, look);
	}
	if (!any && !lost)
		return;
	d->room.resume = d->room.resume ? d->room.resume : level + look->floor / 8;
	d->room.reference = look->free;
}

static void on_due(void *data)
{
	struct daemon *d = data;
	struct disk_room look;

	loop_remove(d->room_timer);
	d->room_timer = NULL;
	if (disk_room(d->store_fd, &look) == 0) {
		/* In order: above the floor, or, where somebody else had filled the disk
		 * before, no less than then. */
		if (!d->room.reference || look.free >= (d->room.resume ? d->room.resume : d->room.reference))
			begin_anew(d, &look);
		else
			hold_who_took(d, &look);
	}
	room_watch(d);
}

static bool any_live(const struct daemon *d)
{
	for (const struct session *s = d->sessions; s; s = s->next) {
		if (s->state == LIVE)
			return true;
	}
	return false;
}

void room_watch(struct daemon *d)
{
	uint64_t delay = LOOK_LOW_MS;
	struct disk_room look;

	if (d->stopping || !any_live(d)) {
		loop_remove(d->room_timer);
		d->room_timer = NULL;
		d->room.reference = 0;
		return;
	}
	if (d->room_timer || disk_room(d->store_fd, &look) < 0)
		return;
	if (look.free > look.floor)
		delay = (look.free - look.floor) / RATE;
	delay = delay < LOOK_MIN_MS ? LOOK_MIN_MS : delay > LOOK_MAX_MS ? LOOK_MAX_MS : delay;
	d->room_timer = loop_add_timer(d->loop, delay, on_due, d);
}
