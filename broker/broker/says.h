/* SPDX-License-Identifier: MIT
 *
 * Why an app wants what it wants, in its author's words: "contacts find friends",
 * a line each, in the app's record. A claim that is shown as one, in a bell.
 */
#ifndef BROKER_SAYS_H
#define BROKER_SAYS_H

#include "store/store.h"

#define SAYS_TEXT_SIZE 256u

/* Adds "PERMISSION WHY" as a reader told it; what has another form, or no room any
 * more, is left out. */
void says_add(char list[APP_SAYS_SIZE], const char *fact);

/* What is said of ref: of its item, else of the whole; "" for nothing. Escaped. */
void says_find(const char *list, const struct permission_ref *ref, char ret[SAYS_TEXT_SIZE]);

#endif
