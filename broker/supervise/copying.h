/* SPDX-License-Identifier: MIT
 *
 * The private copy of a resource: made once a serial, in the app's own layers,
 * and versioned with them.
 */
#ifndef SUPERVISE_COPYING_H
#define SUPERVISE_COPYING_H

#include "supervise/question.h"

struct copying;

/* Attaches the copy of q's answer if it was made in an earlier session. True
 * when it was there (settled or refused); the source is not needed then. */
bool copying_reuse(struct question *q);

/* Makes the copy from q->mount, which it takes; goes on by itself and settles or
 * refuses q in the end. */
void copying_begin(struct question *q);

/* True when pid was this copy's child; status is then used up. */
bool copying_child(struct question *q, pid_t pid, int status);

/* Stops it; q stays unanswered. */
void copying_cancel(struct question *q);

#endif
