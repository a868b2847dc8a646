/* SPDX-License-Identifier: MIT
 *
 * What the broker does before it serves anybody: half-done work is finished or
 * undone, and layers that no record names are deleted.
 */
#ifndef BROKER_RECOVER_H
#define BROKER_RECOVER_H

#include "broker/broker.h"

/* live: apps whose sessions outlived the last broker, left alone; NULL-ended,
 * borrowed for the call. fn is called once when the broker may serve. */
void recover_start(struct broker *broker, char *const *live, void (*fn)(struct broker *broker));

#endif
