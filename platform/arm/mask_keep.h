/* SPDX-License-Identifier: MIT
 *
 * One mask for all apps, as long as the host is what it was made from. It stands,
 * read-only, as the only mount of a mount namespace that has no process; whoever
 * has that namespace's descriptor takes a clone.
 */
#ifndef PLATFORM_MASK_KEEP_H
#define PLATFORM_MASK_KEEP_H

#include "platform/platform.h"

/* Takes a clone of the mask that stands in namespace keep: detached, the caller's.
 * -1 without it when view or the host are not as they were, or it cannot be had.
 * home_ns is the caller's own mount namespace, to which it returns; the working
 * directory becomes "/". */
int mask_take(int keep, int home_ns, const struct platform_view *view);

/* Puts mnt, detached and owned by nobody's ids (shift 0), into a namespace of its
 * own and gives that one's descriptor. -1 with err, and mnt is gone either way. The
 * caller is in home_ns before and after, its working directory "/". proc is the
 * host's /proc, O_PATH. */
int mask_keep(int mnt, int home_ns, int proc, struct err *err);

/* Whether the host still is what the mask mnt was made from, for this view. */
bool mask_is_fresh(int mnt, const struct platform_view *view);

/* The same mask with owners shifted, as mask_create(view, shift) would make it of
 * the same host; detached, the caller's. For kernels that cannot map a tmpfs. */
int mask_copy(int mnt, uint32_t shift, struct err *err);

#endif
