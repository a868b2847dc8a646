/* SPDX-License-Identifier: MIT
 *
 * Parameters of calls against the interface text.
 */
#include "varlink/check.h"

#include <stdint.h>
#include <string.h>

extern const char varlink_interface_text[];
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_error_t error;
	json_t *object = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &error);
	const char *method = json_string_value(json_object_get(object, "method"));
	json_t *params = json_object_get(object, "parameters");
	char buf[64];
	bool known;

	if (method && json_is_object(params))
		(void)check_params(varlink_interface_text, method, params, buf, sizeof(buf), &known);
	json_decref(object);
	return 0;
}
