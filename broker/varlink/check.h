/* SPDX-License-Identifier: MIT
 *
 * Parameters of a call against the interface's own text, so that what is
 * written there is what is enforced.
 */
#ifndef VARLINK_CHECK_H
#define VARLINK_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Looks up "method NAME(" in the interface text and checks params: no unknown
 * keys, none missing (but those marked with "?"), types string, int, bool and
 * arrays of string. Returns NULL when all is well, else the parameter's name in
 * buf. A method that the text does not have is NULL with *ret_known false. */
const char *check_params(const char *interface_text, const char *method, json_t *params, char *buf, size_t size,
			 bool *ret_known);

#endif
