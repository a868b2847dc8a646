/* SPDX-License-Identifier: MIT
 *
 * The mask: a small tree that lies over the host's root and decides what of it
 * an app sees. An allow-list: the mask's own root is opaque, so a host folder
 * shows only where the mask points to it, also one that is made tomorrow.
 */
#ifndef PLATFORM_MASK_H
#define PLATFORM_MASK_H

#include "platform/platform.h"

/* The folder of the mask that is the app's root. The rest of the overlay of
 * mask and host is reached by nobody. */
#define MASK_VIEW "view"

/* Builds the mask from the host's "/" as the caller sees it, on a detached tmpfs
 * whose fd the caller owns; -1 with err. Owners are written as host ids plus
 * shift: 0 where the mount will be idmapped, else the app's first id.
 *
 * Refuses a host whose /usr, /etc or /var (or /bin, /lib where they are folders)
 * is a mount of its own: the clone of "/" would show the empty folder below it.
 * Mounts deeper in what is shared are hidden, for the same reason. */
int mask_create(const struct platform_view *view, uint32_t shift, struct err *err);

/* The steps, for mask_etc.c and mask_public.c. All names are relative to the view. */
struct mask {
	int view; /* the folder MASK_VIEW */
	uint32_t shift;
	const struct platform_view *spec;
};

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

/* Hides whatever below the shared folder name not everybody on the host may read:
 * an installer is root inside and would pass the mode. */
int mask_hide_private(const struct mask *mask, const char *name, struct err *err);

#endif
