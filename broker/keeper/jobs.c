/* SPDX-License-Identifier: MIT
 *
 * Jobs off the wire: decoded to the end first, then done, then told.
 */
#include "keeper/keeper.h"

#include "base/disk.h"
#include "base/fd.h"
#include "base/log.h"
#include "proto/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define BATCH_BYTES 48000u
/* A 20th of the disk, but not more than this, stays free whatever is installed. */
#define FLOOR_INODES 2000u

struct lids {
	uint64_t of[KEEPER_LIDS_MAX];
	size_t count;
};

static bool read_lids(struct rd *r, struct lids *lids)
{
	uint16_t n = rd_u16(r);

	if (n > KEEPER_LIDS_MAX)
		r->bad = true;
	for (lids->count = 0; lids->count < n && !r->bad; lids->count++)
		lids->of[lids->count] = rd_u64(r);
	return !r->bad;
}

static void tell_done(struct keeper *k, const struct keeper_result *result, const struct err *err)
{
	struct wr *w = xcalloc(1, sizeof(*w));
	struct err ignored = { 0 };

	chan_begin(w, MSG_KEEPER_DONE, k->job);
	wr_u32(w, err ? (uint32_t)(err->code ? err->code : EIO) : 0);
	wr_str(w, err ? err->msg : "");
	wr_u8(w, (uint8_t)(result->changed | result->no_next << 1 | (result->too_deep != 0) << 2));
	wr_u64(w, result->entries);
	wr_u64(w, result->bytes);
	wr_bytes(w, result->root_hash, sizeof(result->root_hash));
	(void)chan_send_fd(k->chan, w, NULL, 0, &ignored);
	free(w);
}

/* --- SETTLE --- */

struct teller {
	struct keeper *k;
	uint32_t base;
	struct wr w;
	uint16_t count;
	struct wr message;
};

static int flush_entries(struct teller *t, struct err *err)
{
	if (t->count == 0)
		return 0;
	chan_begin(&t->message, MSG_KEEPER_ENTRIES, t->k->job);
	wr_u16(&t->message, t->count);
	wr_bytes(&t->message, t->w.buf, t->w.len);
	t->count = 0;
	wr_init(&t->w);
	return chan_send_fd(t->k->chan, &t->message, NULL, 0, err);
}

static int on_entry(void *data, enum entry_kind kind, const char *path, const char *target, const struct stat *st,
		    const uint8_t hash[32], struct err *err)
{
	struct teller *t = data;

	wr_u8(&t->w, (uint8_t)kind);
	wr_str(&t->w, path);
	wr_str(&t->w, target);
	wr_u64(&t->w, S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0);
	wr_u32(&t->w, st->st_mode & 07777);
	wr_u32(&t->w, st->st_uid - t->base);
	wr_u32(&t->w, st->st_gid - t->base < ID_RANGE ? st->st_gid - t->base : 65534); /* the group of devices */
	wr_u64(&t->w, (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec);
	wr_bytes(&t->w, hash, 32);
	t->count++;
	return t->w.len > BATCH_BYTES || t->count == 1000 ? flush_entries(t, err) : 0;
}

static int settle(struct keeper *k, uint64_t lid, uint64_t next_lid, uint32_t base, const struct lids *below,
		  struct keeper_result *result, struct err *err)
{
	struct teller *t = xcalloc(1, sizeof(*t));
	struct scan_ops ops = { .on_entry = on_entry, .data = t };
	cleanup_fd int fs = layer_open(k, lid, err);
	int rc = fs < 0 ? -1 : 0;

	t->k = k;
	t->base = base;
	wr_init(&t->w);
	if (rc == 0)
		rc = trim_upper(k, fs, below->of, below->count, err);
	if (rc == 0)
		rc = scan_layer(fs, &ops, result, err);
	if (rc == 0)
		rc = flush_entries(t, err);
	free(t);
	if (rc < 0 || !result->changed)
		return rc;
	if (syncfs(k->store) < 0)
		return err_sys(err, "sync the store");
	if (layer_make(k, next_lid, fs, base, err) == 0)
		return 0;
	/* What the session did is settled all the same; the next one makes its
	 * upper itself, when there is room. */
	result->no_next = err->code == ENOSPC || err->code == EDQUOT;
	return result->no_next ? 0 : -1;
}

static int do_settle(struct keeper *k, struct rd *r, struct keeper_result *result, struct err *err)
{
	struct lids *below = xcalloc(1, sizeof(*below));
	uint64_t lid = rd_u64(r), next = rd_u64(r);
	uint32_t base = rd_u32(r);
	int rc = 1;

	if (read_lids(r, below) && rd_end(r) && lid && next)
		rc = settle(k, lid, next, base, below, result, err);
	free(below);
	return rc;
}

/* --- the others --- */

/* What the disk has left for us: bytes and inodes beyond the floor that is kept free
 * for everybody else. */
static int tell_room(struct keeper *k, struct keeper_result *result, struct err *err)
{
	struct disk_room room;

	if (disk_room(k->store, &room) < 0)
		return err_sys(err, "ask for the room on the disk");
	result->bytes = room.free > room.floor ? room.free - room.floor : 0;
	result->entries = room.inodes == 0 ? UINT64_MAX
			  : room.free_inodes > FLOOR_INODES ? room.free_inodes - FLOOR_INODES
							    : 0;
	return 0;
}

static int do_prepare(struct keeper *k, struct rd *r, struct keeper_result *result, struct err *err)
{
	uint64_t lid = rd_u64(r), attrs = rd_u64(r);
	uint32_t base = rd_u32(r);
	cleanup_fd int fd = -1;

	if (!rd_end(r) || !lid)
		return 1;
	if (attrs) {
		fd = layer_open(k, attrs, err);
		if (fd < 0)
			return -1;
	}
	return layer_make(k, lid, fd, base, err) < 0 ? -1 : tell_room(k, result, err);
}

static int do_merge(struct keeper *k, struct rd *r, struct err *err)
{
	struct lids *range = xcalloc(2, sizeof(*range)), *below = range + 1;
	uint64_t lid = rd_u64(r);
	int rc = 1;

	if (read_lids(r, range) && read_lids(r, below) && rd_end(r) && lid)
		rc = merge_layers(k, lid, range->of, range->count, below->of, below->count, err);
	free(range);
	return rc;
}

static int do_drop(struct keeper *k, struct rd *r, struct err *err)
{
	struct lids *lids = xcalloc(1, sizeof(*lids));
	int rc = 1;

	if (read_lids(r, lids) && rd_end(r))
		rc = remove_layers(k, lids->of, lids->count, err);
	free(lids);
	return rc;
}

static int do_cat(struct keeper *k, struct msg *m, struct keeper_result *result, struct err *err)
{
	struct lids *lids = xcalloc(1, sizeof(*lids));
	char path[4096];
	int rc = 1;

	rd_str(&m->body, path, sizeof(path));
	if (read_lids(&m->body, lids) && rd_end(&m->body) && m->fd_count == 1)
		rc = cat_file(k, path, lids->of, lids->count, m->fds[0], &result->bytes, err);
	free(lids);
	return rc;
}

static int do_package(struct keeper *k, struct msg *m, struct keeper_result *result, struct err *err)
{
	uint64_t lid = rd_u64(&m->body);
	uint16_t index = rd_u16(&m->body);

	if (!rd_end(&m->body) || m->fd_count != 1 || !lid)
		return 1;
	return m->op == MSG_KEEPER_PACKAGE_PUT ? package_put(k, lid, index, m->fds[0], &result->bytes, err)
					       : package_get(k, lid, index, m->fds[0], &result->bytes, err);
}

static int do_carry(struct keeper *k, struct rd *r, struct keeper_result *result, struct err *err)
{
	uint64_t from = rd_u64(r), to = rd_u64(r);

	return rd_end(r) && from && to ? package_carry(k, from, to, &result->entries, &result->bytes, err) : 1;
}

static bool is_beneath_name(const char *path)
{
	return path[0] && path[0] != '/' && !strstr(path, "..") && strlen(path) < 256;
}

static int forget_in(struct keeper *k, uint64_t lid, const char *dir, struct err *err)
{
	cleanup_fd int fs = layer_open(k, lid, err);

	return fs < 0 ? (errno == ENOENT ? 0 : -1) : remove_tree(fs, dir, err);
}

static int do_forget(struct keeper *k, struct rd *r, struct err *err)
{
	struct lids *lids = xcalloc(1, sizeof(*lids));
	char dir[256];
	int rc = 1;

	rd_str(r, dir, sizeof(dir));
	if (read_lids(r, lids) && rd_end(r) && is_beneath_name(dir)) {
		rc = 0;
		for (size_t i = 0; i < lids->count && rc == 0; i++)
			rc = forget_in(k, lids->of[i], dir, err);
	}
	free(lids);
	return rc;
}

static bool take_keep(struct keeper *k, struct rd *r)
{
	uint16_t n = rd_u16(r);

	k->keep = xrealloc(k->keep, (k->keep_count + n + 1) * sizeof(*k->keep));
	for (uint16_t i = 0; i < n; i++)
		k->keep[k->keep_count++] = rd_u64(r);
	return rd_end(r);
}

/* 0 done, -1 failed with err, 1 malformed. */
static int dispatch(struct keeper *k, struct msg *m, struct keeper_result *result, struct err *err)
{
	uint64_t newest;

	switch ((unsigned int)m->op) {
	case MSG_KEEPER_PREPARE:
		return do_prepare(k, &m->body, result, err);
	case MSG_KEEPER_ROOM:
		return rd_end(&m->body) ? tell_room(k, result, err) : 1;
	case MSG_KEEPER_SETTLE:
		return do_settle(k, &m->body, result, err);
	case MSG_KEEPER_MERGE:
		return do_merge(k, &m->body, err);
	case MSG_KEEPER_DROP:
		return do_drop(k, &m->body, err);
	case MSG_KEEPER_CAT:
		return do_cat(k, m, result, err);
	case MSG_KEEPER_FORGET:
		return do_forget(k, &m->body, err);
	case MSG_KEEPER_PACKAGE_PUT:
	case MSG_KEEPER_PACKAGE_GET:
		return do_package(k, m, result, err);
	case MSG_KEEPER_PACKAGE_CARRY:
		return do_carry(k, &m->body, result, err);
	case MSG_KEEPER_GC:
		newest = rd_u64(&m->body);
		return rd_end(&m->body) ? remove_garbage(k, newest, err) : 1;
	}
	return 1;
}

int job_handle(struct keeper *k, struct msg *m)
{
	struct keeper_result result = { 0 };
	struct err err = { 0 };
	int rc;

	k->job = m->id;
	if (m->op == MSG_KEEPER_KEEP)
		return take_keep(k, &m->body) ? 0 : -1;
	rc = dispatch(k, m, &result, &err);
	if (rc == 1)
		return -1;
	tell_done(k, &result, rc < 0 ? &err : NULL);
	return 1;
}
