/* SPDX-License-Identifier: MIT
 *
 * The mask: a small tree that lies over the host's root and decides what of it
 * an app sees. An allow-list: the mask's own root is opaque, so a host folder
 * shows only where the mask points to it, also one that is made tomorrow.
 */
#ifndef PLATFORM_MASK_H
#define PLATFORM_MASK_H

#include "platform/arm/mnt.h"
#include "platform/arm/witness.h"
#include "platform/platform.h"

#include <dirent.h>
#include <limits.h>

/* The folder of the mask that is the app's root. The rest of the overlay of
 * mask and host is reached by nobody. */
#define MASK_VIEW "view"

/* Builds the mask from the host's "/" as the caller sees it, on a detached tmpfs
 * whose fd the caller owns; -1 with err. Owners are written as host ids plus
 * shift: 0 where the mount will be idmapped, else the app's first id.
 *
 * Refuses a host whose /usr, /etc or /var (or /bin, /lib where they are folders)
 * is a mount of its own: the clone of "/" would show the empty folder below it.
 * Mounts deeper in what is shared are hidden, for the same reason. What it was made
 * from is written beside the view, for mask_is_fresh. */
int mask_create(const struct platform_view *view, uint32_t shift, struct err *err);

/* Options of the file system that a mask lies on. */
extern const struct mnt_option mask_tmpfs[];

/* Beside the view: what the mask was made from. */
#define MASK_WITNESS "witness"
struct mask_witness {
	uint64_t view, mounts; /* prints; the witness's bytes follow */
};
uint64_t mask_view_print(const struct platform_view *view);

/* Of the mount points that shape a mask. -1 with err. */
int mask_mounts_print(uint64_t *ret, struct err *err);

/* For mask_*.c. All names are relative
 * to the view. */
struct mask {
	int view; /* the folder MASK_VIEW */
	uint32_t shift;
	const struct platform_view *spec;
	struct witness *witness; /* NULL: nobody wants to know */
};

/* The host's object of that name was looked at, as it is now, or as st says. */
void mask_saw(const struct mask *mask, enum witness_care care, const char *name);
void mask_saw_as(const struct mask *mask, enum witness_care care, const char *name, const struct stat *st);

/* --- mask_shared.c --- */

/* Folders of the host that programs need to run, and parts of /var that package tools
 * need (the rest of /var is the app's own); both end with NULL. */
extern const char *const mask_shared[], *const mask_shared_var[];
bool mask_host_stat(const char *name, struct stat *st);

/* Whether one of them lies at or below path. */
bool mask_covers_shared(const char *path);

/* Hides the host's path where it lies in what is shared. */
int mask_hide_path(const struct mask *mask, const char *path, struct err *err);

/* Hides the places of mounts in what is shared. */
int mask_check_mounts(const struct mask *mask, struct err *err);

/* --- the steps --- */

/* Makes every missing folder of name; each takes the host's owner and mode. */
int mask_dir(const struct mask *mask, const char *name, struct err *err);

/* Hides name of a shared folder, whether or not the host has it now. Nothing
 * happens where the mask already has something of that name. */
int mask_hide(const struct mask *mask, const char *name, struct err *err);

/* A file with these bytes instead of the host's. */
int mask_file(const struct mask *mask, const char *name, const char *text, mode_t mode, gid_t gid, struct err *err);
int mask_bytes(const struct mask *mask, const char *name, const void *data, size_t size, mode_t mode, gid_t gid,
	       struct err *err);

/* A symbolic link. */
int mask_link(const struct mask *mask, const char *name, const char *target, struct err *err);

/* The host's folder or link of that name shows. Nothing happens if there is none. */
int mask_share(const struct mask *mask, const char *name, struct err *err);

/* /etc: accounts, names and resolver of the app's own, and what is public. */
int mask_etc_fill(const struct mask *mask, struct err *err);

/* Copies of what is public in the host's folder etc: files that packages brought
 * and that have the bytes that dpkg notes (in its folder,
 * named without the first slash), files that tools generate
 * (a list), links to what shows. What the mask has already stays. What cannot be
 * read, or is too large, does not show; -1 only where the mask cannot be written. */
int mask_public(const struct mask *mask, const char *etc, const char *dpkg, struct err *err);

#define MASK_DEPTH_MAX 12u /* of folders that are walked */

struct mask_entry {
	int dirfd;
	const char *dir, *name;
	unsigned char type; /* DT_* */
	unsigned int depth; /* of dir */
	char path[PATH_MAX];
};
typedef int (*mask_entry_fn)(void *data, const struct mask_entry *entry, struct err *err);

/* Calls fn for each name in the host's folder dir, opened as dirfd, which it takes,
 * until one returns other than 0. */
int mask_each(int dirfd, const char *dir, mask_entry_fn fn, void *data, unsigned int depth, struct err *err);

/* Not for everybody on the host to read. */
bool mask_is_private(const struct stat *st);

/* Hides whatever below the shared folder name not everybody on the host may read:
 * an installer is root inside and would pass the mode. */
int mask_hide_private(const struct mask *mask, const char *name, struct err *err);

#endif
