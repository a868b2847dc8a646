/* SPDX-License-Identifier: MIT
 *
 * The records are read by processes of this machine alone, and are never older
 * than the cowbelld that keeps them: they are as the compiler lays them out.
 */
#include "platform/arm/witness.h"

#include <string.h>
#include <time.h>

#define YOUNG_S 2 /* no file system that holds an /etc counts time in longer steps */

enum { DEV, INO, MODE, UID, GID, SIZE, MTIME, MTIME_NS, CTIME, CTIME_NS, FIELDS };

struct record {
	uint16_t care, path_size; /* with the final NUL */
	uint32_t there;
	uint64_t of[FIELDS];
};

void witness_begin(struct witness *w)
{
	*w = (struct witness){ .began_s = (int64_t)time(NULL) };
}

void witness_finish(struct witness *w)
{
	free(w->bytes);
	*w = (struct witness){ 0 };
}

static void describe(struct record *r, enum witness_care care, const struct stat *st)
{
	r->there = st != NULL;
	r->care = (uint16_t)care;
	if (!st)
		return;
	r->of[DEV] = st->st_dev;
	r->of[INO] = st->st_ino;
	r->of[MODE] = st->st_mode;
	r->of[UID] = st->st_uid;
	r->of[GID] = st->st_gid;
	if (care == WITNESS_SHAPE && !S_ISLNK(st->st_mode))
		return;
	r->of[SIZE] = (uint64_t)st->st_size;
	r->of[MTIME] = (uint64_t)st->st_mtim.tv_sec;
	r->of[MTIME_NS] = (uint64_t)st->st_mtim.tv_nsec;
	r->of[CTIME] = (uint64_t)st->st_ctim.tv_sec;
	r->of[CTIME_NS] = (uint64_t)st->st_ctim.tv_nsec;
}

void witness_add(struct witness *w, enum witness_care care, const char *path, const struct stat *st)
{
	struct record r = { 0 };
	size_t n = strlen(path) + 1;

	if (!w)
		return;
	if (n > UINT16_MAX || (st && (care == WITNESS_CONTENT || S_ISLNK(st->st_mode)) && (int64_t)st->st_ctim.tv_sec >= w->began_s - YOUNG_S)) {
		w->young = true;
		return;
	}
	describe(&r, care, st);
	r.path_size = (uint16_t)n;
	if (w->len + sizeof(r) + n > w->size) {
		w->size = (w->len + sizeof(r) + n) * 2;
		w->bytes = xrealloc(w->bytes, w->size);
	}
	memcpy(w->bytes + w->len, &r, sizeof(r));
	memcpy(w->bytes + w->len + sizeof(r), path, n);
	w->len += sizeof(r) + n;
}

static bool is_as_it_was(const struct record *was, const char *path)
{
	struct record is = { .path_size = was->path_size };
	struct stat st;
	bool there = lstat(path, &st) == 0;

	describe(&is, (enum witness_care)was->care, there ? &st : NULL);
	return memcmp(&is, was, sizeof(is)) == 0;
}

bool witness_holds(const uint8_t *bytes, size_t len)
{
	while (len) {
		struct record r;
		const char *path = (const char *)bytes + sizeof(r);

		if (len < sizeof(r))
			return false;
		memcpy(&r, bytes, sizeof(r));
		if (r.path_size == 0 || len < sizeof(r) + r.path_size || path[r.path_size - 1] != '\0' ||
		    r.care > WITNESS_SHAPE || !is_as_it_was(&r, path))
			return false;
		bytes += sizeof(r) + r.path_size;
		len -= sizeof(r) + r.path_size;
	}
	return true;
}
