/* SPDX-License-Identifier: MIT
 *
 * Our own terminal in raw mode, and back.
 */
#ifndef UI_TERM_H
#define UI_TERM_H

#include "base/err.h"

struct term;

/* Puts standard input into raw mode; restored at exit too. NULL with err. */
struct term *term_open(struct err *err);

/* As it was before. close frees as well. */
void term_leave(struct term *term);
void term_close(struct term *term);

#endif
