/* SPDX-License-Identifier: MIT
 *
 * A keeper does one job on layers and ends. It is root in a mount namespace
 * that holds nothing but the store; file names and contents in there are apps',
 * so everything is reached by descriptor, name by name, following nothing.
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "base/err.h"
#include "proto/chan.h"

#include <sys/stat.h>

#define KEEPER_LIDS_MAX 4096u
#define KEEPER_DEPTH_MAX 1024

struct keeper {
	int store; /* the store's folder */
	int chan;  /* -1 in tests: nothing is told */
	uint64_t job;
	struct msg *msg;
	uint64_t *keep; /* layers that GC leaves */
	size_t keep_count;
};

struct keeper_result {
	bool changed, no_next; /* no_next: settled, but the disk has no room for the next upper */
	uint64_t entries, bytes;
	uint64_t too_deep; /* names that no path reaches: kept, not told */
	uint8_t root_hash[32];
};

/* room.c: shuts the process into the store. */
int room_enter(int store_fd, int *ret_store, struct err *err);

/* layer.c */
#define LAYER_NAME_SIZE 32u
void layer_name(uint64_t lid, char buf[LAYER_NAME_SIZE]); /* "layers/<hex>" */
/* The layer's "fs" folder, O_RDONLY; the caller owns it. */
int layer_open(const struct keeper *k, uint64_t lid, struct err *err);
/* Makes a new, empty one: attributes of its root from attrs_fd (-1: base:base
 * 0755). Complete on the disk when it returns 0; else it does not exist. */
int layer_make(const struct keeper *k, uint64_t lid, int attrs_fd, uint32_t base, struct err *err);
/* Begins one under tmp/; finish moves it into layers/. */
int layer_begin(const struct keeper *k, uint64_t lid, int *ret_fs, struct err *err);
int layer_finish(const struct keeper *k, uint64_t lid, struct err *err);
/* Owner, mode, xattrs (but overlay's own) and times of src to dst, folders or
 * files that are open. */
int layer_copy_attributes(int src, int dst, struct err *err);

/* marks.c: what overlayfs writes into a layer. */
bool mark_is_whiteout(const struct stat *st);
/* A large file of which the disk holds less than half: read only where it has data. */
bool mark_mostly_holes(const struct stat *st);
bool mark_is_opaque(int dir_fd);
/* The redirect of a folder, NULL for none; the caller frees. */
char *mark_redirect(int dir_fd);
int mark_set_opaque(int dir_fd, struct err *err);
int mark_set_redirect(int dir_fd, const char *target, struct err *err);

/* scan.c: tells every entry of a frozen layer, but for those whose path is longer
 * than PATH_MAX or lies deeper than KEEPER_DEPTH_MAX folders: ret->too_deep counts
 * where it stopped. */
struct scan_ops {
	int (*on_entry)(void *data, enum entry_kind kind, const char *path, const char *target, const struct stat *st,
			const uint8_t hash[32], struct err *err);
	void *data;
};
int scan_layer(int fs_fd, const struct scan_ops *ops, struct keeper_result *ret, struct err *err);

/* trim.c: takes out of an upper what is equal to the layers below it. */
int trim_upper(const struct keeper *k, int fs_fd, const uint64_t *lids, size_t count, struct err *err);

/* remove.c */
int remove_layers(const struct keeper *k, const uint64_t *lids, size_t count, struct err *err);
/* Drops what k->keep does not name, up to newest; what is younger than that list
 * is another one's work. */
int remove_garbage(const struct keeper *k, uint64_t newest, struct err *err);
int remove_tree(int parent, const char *name, struct err *err);

/* merge.c: fails with ENAMETOOLONG or ELOOP where something lies too deep. */
int merge_layers(const struct keeper *k, uint64_t new_lid, const uint64_t *range, size_t range_count,
		 const uint64_t *below, size_t below_count, struct err *err);

/* cat.c */
int cat_file(const struct keeper *k, const char *path, const uint64_t *lids, size_t count, int out, uint64_t *ret_size,
	     struct err *err);

/* package.c: what an install layer was made of, kept beside it. */

/* Keeps what in holds, from its beginning to its end, as package index; synced. */
int package_put(const struct keeper *k, uint64_t lid, unsigned int index, int in, uint64_t *ret_size, struct err *err);
/* ENOENT when it was not kept. */
int package_get(const struct keeper *k, uint64_t lid, unsigned int index, int out, uint64_t *ret_size, struct err *err);
/* Another layer keeps the same packages; none is no error. */
int package_carry(const struct keeper *k, uint64_t from, uint64_t to, uint64_t *ret_count, uint64_t *ret_bytes,
		  struct err *err);

/* jobs.c: decodes and does one job. 1 it was the job, 0 more messages belong to
 * it, -1 the message is malformed or out of place. */
int job_handle(struct keeper *k, struct msg *m);

#endif
