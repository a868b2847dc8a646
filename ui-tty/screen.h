/* SPDX-License-Identifier: MIT
 *
 * A model of what the app shows (libvterm), so that it can be drawn again after
 * something stood in front of it.
 */
#ifndef UI_SCREEN_H
#define UI_SCREEN_H

#include "base/err.h"

struct screen;

struct screen *screen_create(int rows, int columns);
void screen_destroy(struct screen *screen);
void screen_feed(struct screen *screen, const char *bytes, size_t n);
void screen_resize(struct screen *screen, int rows, int columns);
int screen_rows(const struct screen *screen);
int screen_columns(const struct screen *screen);

/* From 0. */
void screen_cursor(const struct screen *screen, int *ret_row, int *ret_column);

/* Bytes that make a terminal show the model: every row with its attributes, the
 * cursor and the style in which it writes. The caller frees. */
char *screen_redraw(const struct screen *screen, size_t *ret_size);

#endif
