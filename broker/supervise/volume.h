/* SPDX-License-Identifier: MIT
 *
 * Volumes come and leave while an app runs: each gets a gate of its own when it is
 * told of, in a folder that is nobody's but ours, and loses it when it leaves.
 */
#ifndef SUPERVISE_VOLUME_H
#define SUPERVISE_VOLUME_H

#include "base/err.h"
#include "platform/platform.h"
#include "proto/chan.h"

#include <stdint.h>

struct supervise;

/* In a spare: lets go of what is mounted below the folders for volumes. A copy of such
 * a mount would keep the volume in use after the host unmounted it. */
int volume_let_go(const struct platform_view *view, struct err *err);

/* Covers the app's folders for volumes with ones that only this process can write to. */
int volume_make_places(struct supervise *s, int root_fd, struct err *err);

/* VOLUME from the broker. false: malformed. */
bool volume_handle(struct supervise *s, struct msg *m);

#endif
