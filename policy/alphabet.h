/* SPDX-License-Identifier: MIT
 *
 * Names that look like other names. Pure.
 */
#ifndef POLICY_ALPHABET_H
#define POLICY_ALPHABET_H

#include "base/err.h"

/* True when text (UTF-8) may be meant to be taken for another: a word in it mixes
 * the Latin, Greek and Cyrillic alphabets, or has Greek or Cyrillic letters of
 * which each looks like a Latin one, or full-width or mathematical letters.
 * A name honestly written in one alphabet is not odd. */
bool text_looks_alike(const char *text);

#endif
