/* SPDX-License-Identifier: MIT
 *
 * Looks into packages that are not installed: one after the other, a name is
 * fetched, a reader without rights reads it, and the client hears one line of JSON
 * about each. Nothing of them runs and nothing of them stays.
 */
#ifndef BROKER_LOOK_H
#define BROKER_LOOK_H

#include "broker/client.h"

#define LOOK_THINGS_MAX 16u

struct look;

/* kinds: "name", "deb", "program"; things: what the person calls them. Vectors are
 * copied. NULL with err. */
struct look *look_create(struct broker *broker, char *const *kinds, char *const *things, struct err *err);

/* The client's connection, which then passes three descriptors and one for each
 * thing that is a file; or it never came (fd -1). */
void look_attach(struct look *look, int fd);

#endif
