/* SPDX-License-Identifier: MIT
 *
 * Shows a file that its person gives to a command: in a folder of its own below
 * /run, which only root inside could change, and no session is that.
 */
#ifndef SUPERVISE_HAND_H
#define SUPERVISE_HAND_H

#include "supervise/supervise.h"

/* HAND_MOUNT from cowbelld; the broker hears HANDED either way. false: malformed. */
bool hand_handle_mount(struct supervise *s, struct msg *m);

#endif
