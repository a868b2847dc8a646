/* SPDX-License-Identifier: MIT
 *
 * Tells when the host's ways to elsewhere may have changed.
 */
#ifndef COWBELLD_UPLINK_H
#define COWBELLD_UPLINK_H

#include "base/loop.h"

struct uplink;

/* changed is called from loop after links, addresses or routes of the caller's network
 * namespace changed: once for all that came together, and also when the kernel had to
 * leave some out. NULL: err. */
struct uplink *uplink_watch(struct loop *loop, loop_fn changed, void *data, struct err *err);
/* Before the loop ends. NULL is allowed. */
void uplink_free(struct uplink *u);

#endif
