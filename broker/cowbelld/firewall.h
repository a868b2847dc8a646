/* SPDX-License-Identifier: MIT
 *
 * Whether the host's own firewall lets packets of apps pass: tried with a packet, from
 * a link as apps have, which is dropped where it would leave.
 */
#ifndef COWBELLD_FIREWALL_H
#define COWBELLD_FIREWALL_H

#include "cowbelld/daemon.h"

/* FIREWALL_LOOK: answered with FIREWALL_SEEN, within seconds; at once where neither the
 * host's rules nor its routes changed since the last look. false: malformed. */
bool firewall_handle_look(struct daemon *d, struct msg *m);

/* What is under way is given up; nothing of it stays. */
void firewall_close(struct daemon *d);

#endif
